"""The interfaces of CC-iSQM that are known but not served; see `http.ccsqm.pending`."""

from __future__ import annotations

from collections.abc import Iterator

from sottovoce.http.ccisqm.words import ISQM
from sottovoce.http.ccsqm.codes import SPEECH
from sottovoce.http.ccsqm.pending import not_served
from sottovoce.http.ccsqm.visit import Interface


def pending() -> Iterator[Interface]:
    """Every interface of CC-iSQM that is not served: transcription, and the inspection of files."""
    for name in ("getTextByTaskId", "voice2Text", "qualityInspect"):
        yield not_served(ISQM, "openapi", SPEECH, name)
