"""Guids: what a signed-in client shows with every request.

Static: one from sign-in to sign-out. Dynamic: renewed from time to time; the old one stays valid until the
new is first used, and a grace period more for commands that are on their way. Only its SHA-256 is kept
(`journal.kept_guid`), here and on disk; digests are compared in constant time.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from sottovoce.domain.directory import AgentId
from sottovoce.domain.journal import kept_guid
from sottovoce.errors import Code, Refused

RENEW_S = 300.0
"""How old a Guid grows before polls and handshakes hand out a new one (dynamic authentication)."""
GRACE_S = 60.0
"""How long an old one is still valid, for commands on their way (design, decision 16)."""


def new_guid() -> str:
    """`<uuid>.AgentGateway1`, the documented shape; holds neither `=` nor `:`."""
    return f"{UUID(bytes=secrets.token_bytes(16), version=4)}.AgentGateway1"


@dataclass(slots=True)
class _Shown:
    """Digests; a new Guid, which is handed out until it is used, as it is."""

    guid: str
    renewed_at: float
    next: str | None = None
    old: str | None = None
    old_until: float = 0.0


class Guids:
    """The Guids of everybody signed in. Times are seconds of a monotonic clock."""

    def __init__(self, *, dynamic: bool = False) -> None:
        self.dynamic = dynamic
        self._open: dict[AgentId, _Shown] = {}

    def open(self, agent: AgentId, kept: str, now: float) -> None:
        """The agent signed in with the Guid of this digest; a former one is void."""
        self._open[agent] = _Shown(kept, now)

    def close(self, agent: AgentId) -> None:
        """The agent signed out."""
        self._open.pop(agent, None)

    def check(self, agent: AgentId, guid: str, now: float) -> bool:
        """Raise NOT_SIGNED_IN unless `guid` is valid; whether a new Guid was used for the first time."""
        session = self._open.get(agent)
        if session is None or not guid:
            raise Refused(Code.NOT_SIGNED_IN, f"agent {agent} is not signed in")
        shown = kept_guid(guid)
        if hmac.compare_digest(shown, session.guid):
            return False
        if session.next is not None and hmac.compare_digest(shown, kept_guid(session.next)):
            session.old, session.old_until = session.guid, now + GRACE_S
            session.guid, session.next = shown, None
            return True
        if session.old is not None and now <= session.old_until and hmac.compare_digest(shown, session.old):
            return False
        raise Refused(Code.NOT_SIGNED_IN, "missing or stale Guid")

    def renew(self, agent: AgentId, now: float) -> str:
        """A new Guid to hand out; the same again until it is used."""
        session = self._open.get(agent)
        if session is None:
            raise Refused(Code.NOT_SIGNED_IN, f"agent {agent} is not signed in")
        if session.next is None:
            session.next, session.renewed_at = new_guid(), now
        return session.next

    def due(self, agent: AgentId, now: float) -> str | None:
        """A new Guid when authentication is dynamic and one is due or still unused."""
        session = self._open.get(agent)
        if not self.dynamic or session is None:
            return None
        if session.next is None and now - session.renewed_at < RENEW_S:
            return None
        return self.renew(agent, now)
