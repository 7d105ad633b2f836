"""The interfaces of CC-iSQM that are known but not served; see `http.ccsqm.pending`."""

from __future__ import annotations

from collections.abc import Iterator

from sottovoce.http.ccsqm.codes import SPEECH
from sottovoce.http.ccsqm.interface import ISQM, Interface
from sottovoce.http.ccsqm.pending import not_served


def pending() -> Iterator[Interface]:
    """Transcription, and the inspection of files given by path."""
    for name in ("getTextByTaskId", "voice2Text", "qualityInspect"):
        yield not_served(ISQM, "openapi", SPEECH, name)
