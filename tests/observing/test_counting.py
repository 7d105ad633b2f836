"""What the journal's words are counted as."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.journal import (
    AuditEntry,
    Change,
    ContactBegan,
    ContactEnded,
    SegmentBegan,
    SegmentEnded,
)
from sottovoce.observing.counting import Counting

VDN = VdnId(1)
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def began(call: str, direction: CallDirection = CallDirection.INBOUND) -> ContactBegan:
    return ContactBegan(call, VDN, AT, direction, "555", "4000", SkillId(1))


def talked(call: str, seconds: float) -> SegmentBegan:
    return SegmentBegan(call, VDN, AgentId(101), after(seconds))


def counted(*changes: Change) -> Counting:
    counting = Counting()
    for change in changes:
        counting.note(VDN, change)
    return counting


def value(counting: Counting, name: str, **labels: str) -> float | None:
    return counting.registry.get_sample_value(f"sottovoce_{name}", {"vdn": "1", **labels})


def test_a_wait_ends_with_the_first_agent_or_the_call() -> None:
    counting = counted(
        began("a"),
        began("b"),
        began("c", CallDirection.OUTBOUND),
        talked("a", 7),
        talked("a", 60),  # by another agent: no second wait
        talked("c", 3),
        ContactEnded("b", VDN, after(31), "normal"),
        ContactEnded("a", VDN, after(90), "normal"),
        ContactEnded("c", VDN, after(90), "dropped by 102"),
    )
    assert value(counting, "queue_wait_seconds_sum", outcome="answered") == 7
    assert value(counting, "queue_wait_seconds_count", outcome="answered") == 1
    assert value(counting, "queue_wait_seconds_sum", outcome="abandoned") == 31
    assert value(counting, "queue_wait_seconds_bucket", outcome="abandoned", le="30.0") == 0
    assert value(counting, "queue_wait_seconds_bucket", outcome="abandoned", le="45.0") == 1
    assert value(counting, "calls_ended_total", reason="normal") == 2
    assert value(counting, "calls_ended_total", reason="dropped") == 1, "nobody is a label"


@pytest.mark.parametrize(
    ("recording", "failure", "outcome"),
    [("a.wav", None, "whole"), ("a.wav", "no space", "cut"), (None, "no space", "missing")],
)
def test_recordings_by_what_became_of_them(recording: str | None, failure: str | None, outcome: str) -> None:
    ended = SegmentEnded("a", VDN, AgentId(101), AT, after(9), recording, failure=failure)
    unrecorded = SegmentEnded("b", VDN, AgentId(101), AT, after(9))
    assert value(counted(ended, unrecorded), "recordings_ended_total", outcome=outcome) == 1


def test_supervisions_by_mode() -> None:
    counting = counted(
        *(AuditEntry(VDN, AT, AgentId(300), f"supervise.{word}", "101") for word in ("whisper", "stop"))
    )
    assert value(counting, "supervisions_begun_total", mode="whisper") == 1
    assert value(counting, "supervisions_begun_total", mode="stop") is None
