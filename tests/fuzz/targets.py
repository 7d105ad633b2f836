"""All targets, each with the corpus that it is fed with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fuzz import parsing, standing

CORPUS = Path(__file__).parent / "corpus"
TORTURE = Path(__file__).parents[1] / "doors" / "sip" / "torture"

Take = Callable[[bytes], int]
"""Takes an input, raises what nobody declared, says how many bytes were answered."""
TARGETS: dict[str, Callable[[], Take]] = {
    "sip": lambda: parsing.sip,
    "sip_stream": lambda: parsing.sip_stream,
    "sip_values": lambda: parsing.sip_values,
    "sip_agent": standing.UserAgents,
    "sdp": lambda: parsing.sdp,
    "rtp": standing.Media,
    "rtcp": lambda: parsing.rtcp_compound,
    "control": lambda: parsing.control_stream,
    "http": standing.Http,
    "forms": lambda: parsing.forms,
    "gateway_forms": lambda: parsing.gateway_forms,
    "push": lambda: parsing.push,
}
"""How to make each of them."""
SHARED = {"sip": ["sip_agent"], "sip_stream": ["sip_agent"]}
"""Targets that are fed with other targets' entries too."""


@contextmanager
def made(target: str) -> Iterator[Take]:
    """A target, for as long as the block lasts."""
    take = TARGETS[target]()
    try:
        yield take
    finally:
        if isinstance(take, standing.Http):
            take.close()


def corpus(target: str) -> list[bytes]:
    """The entries of a target, in one order everywhere."""
    folders = [CORPUS / name for name in (target, *SHARED.get(target, ()))]
    found = [path for folder in folders for path in sorted(folder.glob("*"))]
    if target in ("sip", "sip_stream", "sip_agent"):
        found += sorted(TORTURE.glob("*.sip"))
    return [path.read_bytes() for path in found]
