"""A push on the wire: several events in a list [1275], or, the older way, one as a poll is answered."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from sottovoce.domain.destinations import Push, Way
from sottovoce.domain.directory import AgentId
from sottovoce.http.ccgateway.events import encode_event
from sottovoce.http.ccgateway.gateway import body_of
from sottovoce.http.ccgateway.retcodes import SUCCESS
from sottovoce.http.family.answer import JSON_TYPE, Header, encode
from sottovoce.live.views import QueuedEvent

log = structlog.get_logger(__name__)

_HEADERS: Sequence[Header] = (
    (b"Content-Type", JSON_TYPE + b";charset=UTF-8"),
    (b"Accept", JSON_TYPE),
    (b"Accept-Encoding", b"identity"),
    (b"User-Agent", b"sottovoce"),
)


@dataclass(frozen=True, slots=True)
class PushWire:
    """How pushes are spelt."""

    with_times: bool = False
    """Whether events carry `eventGenTime`."""

    def request(
        self, push: Push, agent: AgentId, events: Sequence[QueuedEvent]
    ) -> tuple[Sequence[Header], bytes] | None:
        """Headers and body. Newest event last; None where none of them has a wire form."""
        found = [encoded for event in events if (encoded := self._encoded(event)) is not None]
        if not found:
            return None
        if push.way is Way.SINGLE:
            return _HEADERS, encode(body_of("", SUCCESS, event=found[0]))
        body = {"workNo": str(agent), "eventList": found}
        return (*_HEADERS, (b"service_token", push.token.encode())), encode(body)

    def taken(self, answer: bytes) -> bool:
        """Whether it says `retcode` 0, as text or as a number: AgentServerDemo answers a number."""
        try:
            said = json.loads(answer)
        except (ValueError, RecursionError):
            return False
        return isinstance(said, dict) and said.get("retcode") in (SUCCESS, 0) and said["retcode"] is not False

    def _encoded(self, queued: QueuedEvent) -> dict[str, object] | None:
        try:
            encoded = encode_event(queued, with_time=self.with_times)
            encode(encoded)
        except (KeyError, TypeError, ValueError):
            log.exception(
                "event without a wire form", agent=queued.event.agent, kind=type(queued.event).__name__
            )
            return None
        return encoded
