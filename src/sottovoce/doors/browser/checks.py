"""ICE-lite: what is answered to a browser's connectivity checks (RFC 8445, RFC 8489, RFC 7675).

A check counts by its MESSAGE-INTEGRITY alone, which is looked at before anything else of it. Whatever
does not pass draws no answer: this port tells a stranger nothing, and sends nobody more than it got.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from aioice import stun

from sottovoce.doors.browser.offers import Secrets

MOST_BYTES = 1024
"""Of a check; a browser's has about 120."""
Source = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that proved itself."""

    fragment: str
    """Ours: whose path it is."""
    nominates: bool
    """Whether the browser chose this way (USE-CANDIDATE)."""
    answer: bytes


def check(
    packet: bytes, source: Source, secrets: Callable[[str], tuple[Secrets, Secrets] | None]
) -> Checked | None:
    """What a datagram that may be a check is worth; None for what is none, or is nobody's.

    `secrets` gives ours and theirs by our user fragment.
    """
    if not 20 <= len(packet) <= MOST_BYTES or packet[4:8] != stun.COOKIE.to_bytes(4, "big"):
        return None
    try:
        asked = stun.parse_message(packet)
    except (ValueError, struct.error):
        return None
    if asked.message_class is not stun.Class.REQUEST or asked.message_method is not stun.Method.BINDING:
        return None
    fragment, colon, their_fragment = str(asked.attributes.get("USERNAME", "")).partition(":")
    known = secrets(fragment) if colon else None
    if known is None:
        return None
    ours, theirs = known
    key = ours.password.encode()
    if not asked.check_message_integrity(key) or their_fragment != theirs.fragment:
        return None
    said = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, asked.transaction_id)
    said.attributes["XOR-MAPPED-ADDRESS"] = source
    said.add_message_integrity(key)
    return Checked(fragment, "USE-CANDIDATE" in asked.attributes, bytes(said))
