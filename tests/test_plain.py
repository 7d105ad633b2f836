"""The codec: what is written is what is read, what was kept before it stays readable, else nothing."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Any, NamedTuple, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain import journal
from sottovoce.domain.calls import CallDirection, InnerKind
from sottovoce.domain.contacts import Analysis, Interaction, Sentence, Speaker, SupervisionSpan, Voice
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.domain.legs import LegId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.plans import Cycle, Schedule
from sottovoce.domain.queueing import Outcome
from sottovoce.domain.reviews import Share, ShareKind, Shares
from sottovoce.domain.sampling import (
    Conditions,
    Earlier,
    FrameDigest,
    PassedOver,
    Quantity,
    ShuffledCertificate,
)
from sottovoce.domain.scoring import Deduction, Profile, RuleKind, Score
from sottovoce.domain.supervision import Mode
from sottovoce.plain import DEEPEST, Unreadable, from_plain, read_json, to_plain
from sottovoce.quality.sampling import sha256_of
from sottovoce.storage.review.results import Reasons

KEPT = json.loads((Path(__file__).parent / "kept_values.json").read_text())
"""Written by the code before there was one codec: a spool's changes, and values of jsonb columns."""

LATE = datetime(2026, 11, 28, 9, 30, 15, 250000, tzinfo=UTC)
EARLY = datetime(2026, 11, 28, 9, 30, 15, tzinfo=UTC)
EAST = datetime(2026, 11, 28, 17, 30, tzinfo=timezone(timedelta(hours=8)))
VDN, ANNA, IRIS, OTTO = VdnId(1), AgentId(101), AgentId(200), AgentId(201)
LEG, CALL = LegId("leg-1"), "1764322215-1"
SPAN = SupervisionSpan(IRIS, Mode.WHISPER, EARLY, LATE)
CHANGES: list[journal.Change] = [
    journal.SessionSaved(
        ANNA,
        VDN,
        "guid",
        "8001",
        LATE,
        (SkillId(1), SkillId(2)),
        {"autoanswer": True, "listenStatus": 2, "ip": "10.0.0.1"},
    ),
    journal.SessionSaved(AgentId(102), VDN, "guid", "", EAST),
    journal.SessionEnded(ANNA, VDN, EARLY, "asked"),
    journal.DialogSaved(
        LEG,
        VDN,
        {
            "call_id": "a@b",
            "cseq": 7,
            "routes": ["sip:edge;lr"],
            "target": None,
            "local": {"tag": "t", "secure": False},
        },
    ),
    journal.DialogEnded(LEG, VDN),
    journal.ContactBegan(CALL, VDN, LATE, CallDirection.INBOUND, "+49é", "5000", SkillId(1)),
    journal.ContactBegan("1764322215-2", VDN, EARLY, CallDirection.OUTBOUND, "101", "030", None),
    journal.WaitBegan(CALL, VDN, SkillId(1), EARLY),
    journal.WaitEnded(CALL, VDN, SkillId(1), EARLY, LATE, Outcome.ANSWERED, ANNA),
    journal.SegmentBegan(CALL, VDN, ANNA, LATE, "/r/1.wav"),
    journal.SegmentBegan(CALL, VDN, ANNA, LATE),
    journal.SegmentEnded(
        CALL,
        VDN,
        ANNA,
        EARLY,
        LATE,
        "/r/1.wav",
        {"200": "/r/1.200.wav"},
        None,
        (SPAN, SupervisionSpan(OTTO, Mode.LISTEN, EAST, LATE)),
    ),
    journal.SegmentEnded(CALL, VDN, ANNA, EARLY, LATE, failure="no space"),
    journal.ContactEnded(CALL, VDN, LATE, "agent:normal"),
    journal.AuditEntry(
        VDN, LATE, IRIS, "supervise.whisper", "101", {"call": CALL, "mode": 2, "forced": False}
    ),
]
ONE_CALL = Conditions(Quantity.CALLS, 1)
NARROW = Conditions(
    Quantity.PERCENT_PER_AGENT,
    5,
    100,
    Earlier.FRESH,
    0,
    80,
    5,
    600,
    agents=(101, 102),
    interaction=Interaction.VOICE,
)
CERTIFICATE = ShuffledCertificate(
    version=1,
    algorithm="sottovoce-sample-1",
    vdn=1,
    task=ReviewId("1700000000000000009"),
    draw=3,
    conditions=NARROW,
    calls_from=None,
    calls_until=EAST,
    frame=FrameDigest(12, "ab" * 32),
    seed="cd" * 32,
    commitment="ef" * 32,
    committed_at=EARLY,
    drawn_at=LATE,
    wanted=3,
    drawn=(7, 5, 9),
    passed_over=(PassedOver(6, 101, "the recording is missing"),),
)
SCORE = Score(
    Decimal("87.50"),
    Profile(
        lower=Decimal(0),
        upper=Decimal(100),
        base=Decimal("100.00"),
        profile=ReviewId("1700000000000000011"),
        name="café",
    ),
    (Deduction("r-1", RuleKind.SENSITIVE_WORD, "rude", Decimal("12.50"), 2),),
)
VALUES: list[Any] = [
    SPAN,
    Analysis(60.0, Voice(0.12345, 52.6, 9.0), Voice(0.5, 30.4, 3.0), silence_s=20.0),
    Analysis(9.0, mixed=Voice(0.25, 6, 5.0), silence_s=6.0),
    Analysis(failure="the file is away"),
    Sentence("Where is my kettle?", Speaker.CUSTOMER, 0.5, 2.25),
    Sentence("Hm", None, 3, 4),
    Schedule(Cycle.MONTHLY, EARLY, "Europe/Berlin", 12),
    Schedule(Cycle.DAILY, EAST, until=LATE),
    Shares(
        ShareKind.PERCENT,
        (Share(UserId("1700000000000000001"), 60), Share(UserId("1700000000000000002"), 40)),
    ),
    Shares(ShareKind.EVEN, (Share(UserId("1700000000000000001"), None),)),
    ONE_CALL,
    NARROW,
    CERTIFICATE,
    ShuffledCertificate(
        version=1,
        algorithm="sottovoce-sample-1",
        vdn=1,
        task=ReviewId("1700000000000000010"),
        draw=4,
        conditions=ONE_CALL,
        calls_from=EARLY,
        calls_until=LATE,
        frame=FrameDigest(1, "ab" * 32),
        seed="cd" * 32,
        commitment="ef" * 32,
        committed_at=EARLY,
        drawn_at=LATE,
        wanted=1,
        drawn=(7,),
    ),
    Reasons.of(SCORE),
    Reasons.of(Score(Decimal(100))),
]


@pytest.mark.parametrize(
    ("kept", "change"), [*zip(KEPT["changes"], CHANGES, strict=True)], ids=lambda one: type(one).__name__
)
def test_a_spool_from_before_is_read(kept: Any, change: journal.Change) -> None:
    assert from_plain(journal.Change, kept) == change
    assert from_plain(journal.Change, json.loads(json.dumps(to_plain(change, journal.Change)))) == change


@pytest.mark.parametrize(
    ("kept", "value"), [*zip(KEPT["values"], VALUES, strict=True)], ids=lambda one: type(one).__name__
)
def test_what_a_database_keeps_from_before_is_read(kept: Any, value: Any) -> None:
    assert from_plain(type(value), kept) == value
    assert from_plain(type(value), json.loads(json.dumps(to_plain(value)))) == value


def test_an_analysis_that_has_not_been_made_is_read() -> None:
    assert from_plain(Analysis, {}) == Analysis()


def test_a_certificate_has_the_bytes_that_its_hash_in_the_audit_is_of() -> None:
    assert to_plain(CERTIFICATE) == KEPT["values"][VALUES.index(CERTIFICATE)]
    assert sha256_of(CERTIFICATE) == "c7631ff912f2499b504d7f100c740eb68b8476bbcef110763c160b6c08c69590"


def test_a_score_comes_back_from_its_reasons() -> None:
    assert Reasons.of(SCORE).for_score(SCORE.score) == SCORE


Id = NewType("Id", int)


class Colour(StrEnum):
    RED = "red"


class Size(IntEnum):
    SMALL = 1


class Weight(Enum):
    LIGHT = 1


class Point(NamedTuple):
    x: int
    name: str


@dataclass(frozen=True, slots=True)
class Thing:
    id: Id
    path: Path = Path("/")
    colour: Colour = Colour.RED
    size: Size = Size.SMALL
    weight: Weight = Weight.LIGHT
    at: datetime | None = None
    points: tuple[Point, ...] = ()
    ids: frozenset[Id] = frozenset()
    by_name: dict[str, Id] = field(default_factory=dict)
    share: Decimal = Decimal(0)
    ratio: float = 0.0
    settings: dict[str, str | int | bool] = field(default_factory=dict)
    bound: int | float | None = None


@dataclass(frozen=True, slots=True)
class Other:
    name: str


Either = Thing | Other
PLAIN: dict[str, Any] = {
    "id": 7,
    "path": "/a/b",
    "colour": "red",
    "size": 1,
    "weight": 1,
    "at": "2026-11-28T09:30:00.000000+00:00",
    "points": [[1, "one"], [2, "two"]],
    "ids": [1, 2, 3],
    "by_name": {"a": 1},
    "share": "0.10",
    "ratio": 0.5,
    "settings": {"a": True, "b": 1, "c": "x"},
    "bound": 5.5,
}


def test_each_kind_of_value_has_its_plain_form() -> None:
    thing = Thing(
        id=Id(7),
        path=Path("/a/b"),
        at=EAST,
        points=(Point(1, "one"), Point(2, "two")),
        ids=frozenset(map(Id, (3, 1, 2))),
        by_name={"a": Id(1)},
        share=Decimal("0.10"),
        ratio=0.5,
        settings={"a": True, "b": 1, "c": "x"},
        bound=5.5,
    )
    assert to_plain(thing) == PLAIN
    assert from_plain(Thing, PLAIN) == thing
    assert to_plain(thing, Either) == {"kind": "Thing", **PLAIN}
    assert from_plain(Either, {"kind": "Other", "name": "x"}) == Other("x")
    assert from_plain(tuple[Other, ...], [{"name": "x"}]) == (Other("x"),)


@pytest.mark.parametrize(
    ("field", "content", "why"),
    [
        ("id", 7.0, r"expected int, not float @ \$.id"),
        ("id", "7", "expected int, not str"),
        ("id", True, "expected int, not bool"),
        ("id", None, "expected int, not NoneType"),
        ("path", 5, "expected str"),
        ("colour", "blue", "Colour"),
        ("colour", 1, "Colour"),
        ("size", 1.0, "Size"),
        ("size", True, "Size"),
        ("size", 2, "Size"),
        ("weight", 1.0, "Weight"),
        ("weight", True, "Weight"),
        ("weight", 3, "Weight"),
        ("at", "2026-11-28T09:30:00", "lacks its offset"),
        ("at", "yesterday", "yesterday"),
        ("at", 1764322215, "expected str"),
        ("points", [[1]], "list of x, name"),
        ("points", [[1, 2]], r"\$.points"),
        ("points", "12", "expected a list"),
        ("ids", [1, 2.0], r"\$.ids\[1\]"),
        ("ids", {"1": 1}, "expected a list"),
        ("by_name", {"a": 1.5}, r"\$.by_name"),
        ("by_name", {1: 1}, r"\$.by_name"),
        ("by_name", [["a", 1]], r"\$.by_name"),
        ("share", 0.1, "expected str"),
        ("share", "much", r"\$.share"),
        ("ratio", "0.5", "expected a number"),
        ("ratio", True, "expected a number"),
        ("settings", {"a": None}, r"\$.settings"),
        ("settings", {"a": 0.5}, r"\$.settings"),
        ("bound", "5", "not str"),
        ("bound", True, "not bool"),
        ("more", 1, "extra fields found .more."),
    ],
)
def test_another_type_is_refused_with_its_place(field: str, content: Any, why: str) -> None:
    with pytest.raises(Unreadable, match=f"no Thing: .*{why}"):
        from_plain(Thing, {**PLAIN, field: content})


@pytest.mark.parametrize("content", [{}, [], None, 5, "id", {"ID": 7}])
def test_what_is_no_such_thing_at_all_is_refused(content: Any) -> None:
    with pytest.raises(Unreadable):
        from_plain(Thing, content)


@pytest.mark.parametrize(
    "content", [{}, {"name": "x"}, {"kind": "Nobody", "name": "x"}, {"kind": ["Other"], "name": "x"}, 5, []]
)
def test_a_member_of_a_union_needs_its_kind(content: Any) -> None:
    with pytest.raises(Unreadable):
        from_plain(Either, content)


def test_a_rule_of_the_class_is_told() -> None:
    with pytest.raises(Unreadable, match="no Conditions: -1 is no quantity of calls"):
        from_plain(Conditions, {"quantity": "calls", "number": -1})


def test_a_moment_without_offset_is_not_written() -> None:
    with pytest.raises(ValueError, match="offset"):
        to_plain(datetime(2026, 11, 28))


SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(PLAIN)), SCRAPS)
def test_nothing_but_unreadable_is_raised(field: str, content: Any) -> None:
    with contextlib.suppress(Unreadable):
        from_plain(Thing, {**PLAIN, field: content})


def test_a_union_of_enums_is_read_by_its_values() -> None:
    either = CallDirection | InnerKind
    for value in (*CallDirection, *InnerKind):
        assert from_plain(either, json.loads(json.dumps(to_plain(value)))) is value
    for wrong in ("sideways", 1, None):
        with pytest.raises(Unreadable):
            from_plain(either, wrong)


@pytest.mark.parametrize("levels", [DEEPEST + 1, 3_000, 200_000])
@pytest.mark.parametrize(("begin", "end"), [("[", "]"), ('{"a":', "}"), ("[[],", "]")])
def test_a_json_text_of_too_many_levels_is_refused_by_every_python(begin: str, end: str, levels: int) -> None:
    with pytest.raises(ValueError, match="more than 100 levels"):
        read_json(begin * levels + "1" + end * levels)


def test_a_json_text_is_read_however_many_lists_it_has() -> None:
    assert read_json("[" * DEEPEST + "]" * DEEPEST) != []
    assert read_json("[" + "[[]]," * 1_000 + "[]]")[:2] == [[[]], [[]]]
    assert read_json('"' + "[" * 200 + '"') == "[" * 200
