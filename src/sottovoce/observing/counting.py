"""What is counted as it happens. The journal's words tell all of it: nothing is said twice for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.directory import VdnId, VdnProfile
from sottovoce.domain.journal import (
    AuditEntry,
    Change,
    ContactBegan,
    ContactEnded,
    Restored,
    SegmentBegan,
    SegmentEnded,
    WaitEnded,
)
from sottovoce.live.ports import Store

WAITS_S = (1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 600, 1800)
_BEGINS = "supervise."


class Counting:
    """The counters and histograms of one server; `registry` holds them."""

    def __init__(self) -> None:
        # A second series beside each would be of no use to the text format.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._waits = Histogram(
            "sottovoce_queue_wait_seconds",
            "From a customer's call to its first agent (answered), or to its end without one (abandoned).",
            ["vdn", "outcome"],
            buckets=WAITS_S,
            registry=self.registry,
        )
        self._ended = Counter(
            "sottovoce_calls_ended", "Calls that ended.", ["vdn", "reason"], registry=self.registry
        )
        self._recorded = Counter(
            "sottovoce_recordings_ended",
            "Talks that ended: recorded whole, cut, or not recorded though they should have been (missing).",
            ["vdn", "outcome"],
            registry=self.registry,
        )
        self._supervised = Counter(
            "sottovoce_supervisions_begun",
            "Supervisions that began, or changed their mode.",
            ["vdn", "mode"],
            registry=self.registry,
        )
        self._queued = Counter(
            "sottovoce_queue_waits",
            "Waits in queues that ended: answered, abandoned, timed_out, no_room, moved, ended.",
            ["vdn", "skill", "outcome"],
            registry=self.registry,
        )
        self._waiting: dict[str, datetime] = {}

    def note(self, vdn: VdnId, change: Change) -> None:
        """Count a change that the journal takes."""
        match change:
            case ContactBegan(call=call, at=at, direction=CallDirection.INBOUND):
                self._waiting[call] = at
            case WaitEnded(skill=skill, outcome=ended_by):
                self._queued.labels(vdn, skill, ended_by.value).inc()
            case SegmentBegan(call=call, began_at=at):
                self._waited(vdn, call, at, "answered")
            case ContactEnded(call=call, at=at, reason=reason):
                self._waited(vdn, call, at, "abandoned")
                self._ended.labels(vdn, _cause(reason)).inc()
            case SegmentEnded(recording=recording, failure=failure) if recording or failure:
                outcome = "missing" if recording is None else "whole" if failure is None else "cut"
                self._recorded.labels(vdn, outcome).inc()
            case AuditEntry(action=action) if action.startswith(_BEGINS):
                mode = action.removeprefix(_BEGINS)
                if mode in ("listen", "whisper", "insert", "intercept"):
                    self._supervised.labels(vdn, mode).inc()

    def _waited(self, vdn: VdnId, call: str, until: datetime, outcome: str) -> None:
        began = self._waiting.pop(call, None)
        if began is not None:
            self._waits.labels(vdn, outcome).observe(max(0.0, (until - began).total_seconds()))


def _cause(reason: str) -> str:
    """Why a call ended, without who ended it: `dropped by 102` is `dropped`."""
    return reason.rstrip(" 0123456789").removesuffix(" by")


class CountingStore:
    """The store of the live half, with an ear: what it takes is counted."""

    def __init__(self, store: Store, counting: Counting) -> None:
        self._store, self._counting = store, counting

    async def profile(self, vdn: VdnId) -> VdnProfile:
        return await self._store.profile(vdn)

    async def restore(self, vdn: VdnId) -> Restored:
        return await self._store.restore(vdn)

    async def commit(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        await self._store.commit(vdn, changes)
        self._note(vdn, changes)

    def append(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        self._store.append(vdn, changes)
        self._note(vdn, changes)

    def _note(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        for change in changes:
            self._counting.note(vdn, change)
