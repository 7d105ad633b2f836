"""Keys that a phone sends by INFO instead of RFC 4733: `application/dtmf-relay` and `application/dtmf`.

Neither is a standard. The first is Cisco's (`Signal=5`, `Duration=160`, one a line), the second has the key
alone; both write 10 and 11 for * and #, or the characters.
"""

from __future__ import annotations

from sottovoce.doors.sip.core import Core
from sottovoce.doors.sip.events import CallKey, KeyPressed
from sottovoce.doors.sip.transactions import ServerTransaction
from sottovoce.plain import natural

RELAY = "application/dtmf-relay"
PLAIN = "application/dtmf"
_KEYS = "0123456789*#ABCD"
"""In the order of RFC 4733's event codes."""


def on_info(core: Core, call: CallKey, transaction: ServerTransaction) -> None:
    """Answer an INFO of a call, and say the key. One without a body asks whether we are there."""
    request = transaction.request
    if core.refused_body(transaction, RELAY, PLAIN):
        return
    key = key_of(request.content_type, request.body)
    if request.body and key is None:
        transaction.answer(400, "Bad Signal")
        return
    transaction.answer(200)
    if key is not None:
        core.emit(KeyPressed(call, key))


def key_of(content_type: str, body: bytes) -> str | None:
    """The key (0-9 * # A-D) that a body of that type names, or None."""
    text = body.decode("ascii", "replace")
    if content_type == PLAIN:
        return _key(text)
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name.strip().lower() == "signal":
            return _key(value)
    return None


def _key(text: str) -> str | None:
    text = text.strip().upper()
    if len(text) == 1 and text in _KEYS:
        return text
    code = natural(text, 2)
    return _KEYS[code] if code is not None and code < len(_KEYS) else None
