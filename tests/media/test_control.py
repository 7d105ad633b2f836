"""The control protocol: every message reads back, and no bytes do harm."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.legs import (
    Codec,
    LegAddress,
    LegDirection,
    LegFigures,
    LegId,
    Recording,
    RecordingId,
    RecordingResult,
    RemoteMedia,
    Routing,
    Sound,
)
from sottovoce.errors import Code
from sottovoce.media.control import VOCABULARY, Message, ReadTicks, TickFigures
from sottovoce.media.engine import (
    Apply,
    CloseLeg,
    DigitPressed,
    EchoHeard,
    HaltSound,
    LegProven,
    LegsLost,
    LegTimedOut,
    MoveSound,
    OpenLeg,
    Play,
    ReadFigures,
    RecordingStopped,
    SendDigits,
    SetRemote,
    SoundEnded,
    StartRecording,
    StopRecording,
)
from sottovoce.processes.protocol import (
    MOST_BYTES,
    ControlAnswer,
    ControlCall,
    ControlError,
    ControlRefusal,
    Framer,
    Leave,
)

A, B = LegId("a"), LegId("b")
RESULT = RecordingResult(
    RecordingId("r"), Path("/tmp/r.wav"), 160, {A: Path("/tmp/r.a.wav")}, failure="disk full"
)
MESSAGES: list[Message] = [
    ControlCall(1, OpenLeg(A, "1")),
    ControlCall(
        2,
        SetRemote(A, RemoteMedia("10.0.0.1", 4000, Codec.PCMA, 30, 101, LegDirection.SENDONLY, 5, "h", True)),
    ),
    ControlCall(3, CloseLeg(A)),
    ControlCall(
        4,
        Apply(Routing({A: frozenset({B}), B: frozenset()}, frozenset({B}), RecordingId("r"), frozenset({A}))),
    ),
    ControlCall(5, Apply(Routing({}))),
    ControlCall(6, Play(A, Sound("music", loop=False, before=("/tmp/one.wav",)))),
    ControlCall(7, Play(A, None)),
    ControlCall(7, Play(A, Sound("/tmp/talk.wav", loop=False), 90_000)),
    ControlCall(7, MoveSound(A, -15_000)),
    ControlCall(7, HaltSound(A, True)),
    ControlCall(8, SendDigits(A, "12#")),
    ControlCall(9, StartRecording(Recording(RecordingId("r"), Path("/tmp/r.wav"), A, B))),
    ControlCall(10, StopRecording(RecordingId("r"))),
    ControlCall(11, ReadFigures(A)),
    ControlCall(12, ReadTicks(reset=True)),
    ControlCall(13, Leave()),
    ControlAnswer(1, LegAddress("127.0.0.1", 20000)),
    ControlAnswer(0, None),
    ControlAnswer(2, None),
    ControlAnswer(3, LegFigures(received=5, round_trip_ms=3.5)),
    ControlAnswer(10, RESULT),
    ControlAnswer(
        12,
        TickFigures(
            *([3] * 8), *([4] * 4), *([0.5] * 6), classes=(1, 2), work_s=0.5, heard=3, lost=2, late=1
        ),
    ),
    ControlRefusal(5, Code.MEDIA_EXHAUSTED, "no more media ports"),
    LegProven(A),
    LegTimedOut(A),
    DigitPressed(A, "#"),
    RecordingStopped(RESULT),
    EchoHeard(A, B),
    LegsLost(frozenset({A, B})),
    SoundEnded(A, "/tmp/one.wav"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_reads_back(message: Message) -> None:
    assert list(Framer(VOCABULARY).feed(VOCABULARY.encode(message))) == [message]


def test_every_request_and_answer_is_among_them() -> None:
    requests = {type(message.request) for message in MESSAGES if isinstance(message, ControlCall)}
    assert requests == set(VOCABULARY.results)
    values = {type(message.value) for message in MESSAGES if isinstance(message, ControlAnswer)}
    assert values == set(VOCABULARY.results.values())


@given(st.lists(st.integers(1, 40), min_size=1))
def test_messages_come_out_whole_however_they_are_cut(cuts: list[int]) -> None:
    stream = b"".join(map(VOCABULARY.encode, MESSAGES))
    framer, found, at = Framer(VOCABULARY), [], 0
    for cut in [*cuts, len(stream)]:
        found += list(framer.feed(stream[at : at + cut]))
        at += cut
    assert found == MESSAGES


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_control_error(body: bytes) -> None:
    with contextlib.suppress(ControlError):
        VOCABULARY.decode(body)


FIELDS = st.sampled_from(["leg", "remote", "routing", "hears", "host", "port", "codec", "sound", "recording"])
SCRAPS = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=20,
)
NAMES = st.sampled_from(
    [
        *(type(message.request).__name__ for message in MESSAGES if isinstance(message, ControlCall)),
        *("LegProven", "LegsLost", "RecordingStopped", "=", "!", "Nothing"),
    ]
)


@given(st.lists(SCRAPS, max_size=3), NAMES, st.integers(0, 3))
def test_no_well_formed_nonsense_raises_anything_but_a_control_error(
    rest: list[object], name: str, number: int
) -> None:
    with contextlib.suppress(ControlError):
        VOCABULARY.decode(msgpack.packb([number, name, *rest]))


@pytest.mark.parametrize(
    "content",
    [
        [1, "OpenLeg", []],
        [1, "OpenLeg", {}],
        [1, "OpenLeg", {"leg": 5}],
        [1, "OpenLeg", {"leg": "x" * 5000}],
        [1, "OpenLeg", {"leg": "a", "other": "b"}],
        [-1, "OpenLeg", {"leg": "a"}],
        [True, "OpenLeg", {"leg": "a"}],
        [1.0, "OpenLeg", {"leg": "a"}],
        [False, "LegProven", {"leg": "a"}],
        [0.0, "LegProven", {"leg": "a"}],
        [1, "LegProven", {"leg": "a"}],
        [0, "OpenLeg", {"leg": "a"}],
        [1, "Shutdown", {}],
        [1, "SetRemote", {"leg": "a", "remote": {"host": "10.0.0.1", "port": 4000, "codec": 99}}],
        [1, "SetRemote", {"leg": "a", "remote": {"host": "10.0.0.1", "port": 4e3, "codec": 0}}],
        [1, "Apply", {"routing": {"hears": [["a", ["b"]]]}}],
        [1, "Apply", {"routing": {"hears": {"a": "b"}}}],
        [1, "=", "LegAddress", {"host": "h"}],
        [1, "=", "OpenLeg", {"leg": "a"}],
        [0, "=", "LegAddress", {"host": "h", "port": 1}],
        [1, "!", "no_such_code", ""],
        [1, "!", "media_exhausted", 5],
        {"a": 1},
        [0, "LegProven"],
    ],
)
def test_what_is_not_the_protocol_is_refused(content: object) -> None:
    with pytest.raises(ControlError):
        VOCABULARY.decode(msgpack.packb(content))


def test_a_frame_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(ControlError):
        list(Framer(VOCABULARY).feed((MOST_BYTES + 1).to_bytes(4, "big")))
    with pytest.raises(ControlError):
        VOCABULARY.encode(ControlCall(1, SendDigits(A, "1" * (MOST_BYTES + 1))))
