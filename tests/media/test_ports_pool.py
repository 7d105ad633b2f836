"""Whose packet is it: proving, sharing, relatching, resting, floods."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain.legs import Codec, RemoteMedia
from sottovoce.errors import Code, Refused
from sottovoce.media.ports_pool import (
    PROOF_PACKETS,
    REST_S,
    SILENCE_S,
    UNKNOWN_PER_PORT,
    PortsPool,
    SourceState,
    host_of,
    port_of,
    source_key,
)

PHONE = ("10.0.0.1", 4000)
BEHIND_NAT = {"nat": True, "signalling_host": "192.0.2.1"}
"""A phone whose SDP names its private address, and whose NAT has that one."""


def rtp(sequence: int, ssrc: int = 7, payload_type: int = 0, version: int = 2) -> bytes:
    head = bytes([version << 6, payload_type]) + (sequence & 0xFFFF).to_bytes(2, "big")
    return head + (sequence * 160 & 0xFFFFFFFF).to_bytes(4, "big") + ssrc.to_bytes(4, "big") + bytes(160)


@dataclass
class Bench:
    """A pool and a clock that moves by 20 ms with every packet."""

    pool: PortsPool
    now: float = 100.0
    refused: list[int] = field(default_factory=list)
    """The slots that the last tick told of a dropped packet on their own port."""

    def leg(self, slot: int, host: str = PHONE[0], port: int = PHONE[1], **more: object) -> int:
        index = self.pool.choose(self.now)
        if index is None:
            index = self.pool.add(20000 + 2 * len(self.pool.ports))
        self.pool.open(slot, index, self.now)
        self.pool.expect(slot, replace(RemoteMedia(host, port, Codec.PCMU), **more))  # type: ignore[arg-type]
        return index

    def send(self, index: int, source: tuple[str, int], *packets: bytes) -> list[int]:
        """One tick with these packets; the slot that each went to."""
        self.now += 0.02
        rows = np.zeros((len(packets), 640), np.uint8)
        for row, packet in zip(rows, packets, strict=True):
            row[: len(packet)] = np.frombuffer(packet, np.uint8)
        found = self.pool.attribute(
            np.full(len(packets), index, np.int64),
            np.full(len(packets), source_key(*source), np.uint64),
            rows,
            np.array([len(packet) for packet in packets], np.int64),
            self.now,
        )
        self.refused = found.refused.tolist()
        return found.slots.tolist()

    def prove(self, index: int, source: tuple[str, int] = PHONE, ssrc: int = 7) -> None:
        for sequence in range(PROOF_PACKETS):
            self.send(index, source, rtp(sequence, ssrc))


@pytest.fixture
def bench() -> Bench:
    return Bench(PortsPool(256, 128))


def test_a_source_key_reads_back() -> None:
    assert host_of(source_key("10.1.2.3", 4002)) == "10.1.2.3"
    assert port_of(source_key("10.1.2.3", 4002)) == 4002


def test_a_leg_is_proven_by_packets_in_a_row_and_then_heard(bench: Bench) -> None:
    index = bench.leg(0)
    assert bench.send(index, PHONE, rtp(1)) == [-1]
    assert bench.send(index, PHONE, rtp(2)) == [-1]
    assert bench.pool.state(0) is SourceState.UNPROVEN
    assert bench.send(index, PHONE, rtp(3)) == [0]
    assert bench.pool.state(0) is SourceState.PROVEN
    assert bench.send(index, PHONE, rtp(4), rtp(5)) == [0, 0]
    assert bench.pool.dropped == 2


@pytest.mark.parametrize(
    ("what", "source", "packets"),
    [
        ("another payload type", PHONE, [rtp(n, payload_type=8) for n in range(6)]),
        ("a new SSRC each time", PHONE, [rtp(n, ssrc=n) for n in range(6)]),
        ("gaps", PHONE, [rtp(n * 2) for n in range(6)]),
        ("the same packet again", PHONE, [rtp(1)] * 6),
        ("not RTP version 2", PHONE, [rtp(n, version=1) for n in range(6)]),
        ("a foreign IP", ("10.0.0.9", 4000), [rtp(n) for n in range(6)]),
        ("headers without payload", PHONE, [rtp(n)[:12] for n in range(6)]),
        ("a byte", PHONE, [b"\x80"] * 6),
        ("nothing", PHONE, [b""] * 6),
    ],
)
def test_what_proves_nothing(bench: Bench, what: str, source: tuple[str, int], packets: list[bytes]) -> None:
    index = bench.leg(0)
    for packet in packets:
        assert bench.send(index, source, packet) == [-1], what
    assert bench.pool.state(0) is SourceState.UNPROVEN


BOTH = (Codec.PCMU, Codec.PCMA)


def alaw(sequence: int, ssrc: int = 7) -> bytes:
    return rtp(sequence, ssrc, payload_type=Codec.PCMA.value)


def test_either_codec_that_the_far_side_named_proves_it(bench: Bench) -> None:
    index = bench.leg(0, codecs=BOTH)
    assert [bench.send(index, PHONE, alaw(n)) for n in (1, 2, 3)] == [[-1], [-1], [0]]
    assert bench.send(index, PHONE, rtp(4), alaw(5)) == [0, 0]


def test_a_re_invite_is_followed_by_either_codec(bench: Bench) -> None:
    index = bench.leg(0, codecs=BOTH)
    bench.prove(index)
    new = ("10.0.0.2", 4500)
    bench.pool.expect(0, RemoteMedia(*new, Codec.PCMU, codecs=BOTH))
    assert [bench.send(index, new, alaw(n, 8)) for n in range(3)] == [[-1], [-1], [0]]
    assert bench.pool.destination(0) == source_key(*new)


def test_after_silence_either_codec_proves_the_new_source(bench: Bench) -> None:
    index = bench.leg(0, anywhere=True, codecs=BOTH)
    bench.prove(index)
    bench.now += SILENCE_S + 0.1
    elsewhere = ("192.0.2.1", 7000)
    assert [bench.send(index, elsewhere, alaw(n, 9)) for n in range(3)] == [[-1], [-1], [0]]


def test_a_re_invite_that_names_one_codec_ends_the_others_word(bench: Bench) -> None:
    index = bench.leg(0, codecs=BOTH)
    bench.prove(index)
    new = ("10.0.0.2", 4500)
    bench.pool.expect(0, RemoteMedia(*new, Codec.PCMU, codecs=(Codec.PCMU,)))
    assert [bench.send(index, new, alaw(n, 8)) for n in range(4)] == [[-1]] * 4


def test_duplicates_between_do_not_undo_a_proof(bench: Bench) -> None:
    index = bench.leg(0)
    assert bench.send(index, PHONE, rtp(1), rtp(1), rtp(2), rtp(2), rtp(3))[-1] == 0


@pytest.mark.parametrize(
    ("source", "more", "destination"),
    [
        (("10.0.0.1", 4000), {}, ("10.0.0.1", 4000)),
        (("10.0.0.1", 9999), {}, ("10.0.0.1", 4000)),
        (("10.0.0.7", 9999), {"signalling_host": "10.0.0.7"}, ("10.0.0.7", 9999)),
        (("10.0.0.1", 9999), {"nat": True}, ("10.0.0.1", 9999)),
        (("192.0.2.1", 9999), BEHIND_NAT, ("192.0.2.1", 9999)),
        (("192.0.2.1", 50_001), BEHIND_NAT, ("192.0.2.1", 50_001)),
        (("8.8.4.4", 9999), {**BEHIND_NAT, "host": "8.8.4.4"}, ("8.8.4.4", 9999)),
        (("198.51.100.66", 5), {"anywhere": True}, ("198.51.100.66", 5)),
        (("10.0.0.1", 9999), {"signalling_host": "trunk.example"}, ("10.0.0.1", 4000)),
    ],
)
def test_who_may_prove_itself_and_where_it_is_answered(
    bench: Bench, source: tuple[str, int], more: dict[str, object], destination: tuple[str, int]
) -> None:
    named = (str(more.pop("host", PHONE[0])), PHONE[1])
    index = bench.leg(0, *named, **more)
    assert bench.pool.destination(0) == source_key(*named)
    bench.prove(index, source)
    assert bench.pool.state(0) is SourceState.PROVEN
    assert bench.pool.destination(0) == source_key(*destination)


@pytest.mark.parametrize("more", [{}, {"nat": True}, BEHIND_NAT], ids=["plain", "unknown", "behind NAT"])
@pytest.mark.parametrize("stranger", [("198.51.100.66", 5), ("192.0.2.2", 7000), ("10.0.0.2", 4000)])
@pytest.mark.parametrize("spoke", [False, True])
def test_a_stranger_wins_no_leg_however_long_its_phone_is_silent(
    bench: Bench, more: dict[str, object], stranger: tuple[str, int], spoke: bool
) -> None:
    index = bench.leg(0, **more)
    source = ("192.0.2.1", 9999) if more is BEHIND_NAT else PHONE
    if spoke:
        bench.prove(index, source)
    answered = bench.pool.destination(0)
    for _ in range(3):
        bench.now += SILENCE_S + 0.1
        bench.prove(index, stranger, ssrc=66)
        assert bench.send(index, stranger, rtp(PROOF_PACKETS, 66)) == [-1]
    report = bytes([0x81, 201, 0, 7]) + (7).to_bytes(4, "big") + bytes(24)
    assert bench.pool.rtcp_owner(index, source_key(*stranger), report) is None
    assert bench.pool.destination(0) == answered
    bench.prove(index, source, ssrc=8)
    assert bench.send(index, source, rtp(PROOF_PACKETS, 8)) == [0]


def test_who_has_the_private_address_of_a_phone_behind_nat_is_a_stranger_here(bench: Bench) -> None:
    index = bench.leg(0, **BEHIND_NAT)
    bench.prove(index, PHONE)
    assert bench.pool.state(0) is SourceState.UNPROVEN


def test_a_phone_behind_nat_that_changes_its_network_is_heard_from_there_at_once(bench: Bench) -> None:
    """Its re-INVITE comes from elsewhere, and its SDP names the same private address."""
    index = bench.leg(0, **BEHIND_NAT)
    bench.prove(index, ("192.0.2.1", 7000))
    remote = RemoteMedia(*PHONE, Codec.PCMU, signalling_host="203.0.113.9", nat=True)
    bench.pool.expect(0, remote)
    assert bench.send(index, ("192.0.2.1", 7000), rtp(3)) == [0]
    bench.prove(index, ("203.0.113.9", 7777), ssrc=8)
    assert bench.pool.destination(0) == source_key("203.0.113.9", 7777)
    assert bench.send(index, ("192.0.2.1", 7000), rtp(4)) == [-1]


@pytest.mark.parametrize("host", ["phone.example", "::1", "", "10.0.0.256"])
def test_an_address_that_is_not_numeric_is_refused(bench: Bench, host: str) -> None:
    with pytest.raises(Refused) as refused:
        bench.leg(0, host=host)
    assert refused.value.code is Code.BAD_PARAMETER


def test_an_unset_or_impossible_address_is_sent_nothing(bench: Bench) -> None:
    bench.leg(0, host="0.0.0.0")
    bench.leg(1, port=0)
    assert bench.pool.destination(0) is None
    assert bench.pool.destination(1) is None
    assert bench.pool.rtcp_destination(0) is None


def test_only_a_proven_leg_shares_its_port(bench: Bench) -> None:
    first = bench.leg(0)
    second = bench.leg(1, "10.0.0.2")
    assert second != first
    bench.prove(first)
    third = bench.leg(2, "10.0.0.3")
    assert third == first
    assert bench.leg(3, "10.0.0.4") not in (first, second)
    bench.prove(third, ("10.0.0.3", 4000), ssrc=9)
    assert bench.send(first, ("10.0.0.3", 4000), rtp(3, 9)) == [2]
    assert bench.send(first, PHONE, rtp(3)) == [0]


def test_a_port_takes_so_many_legs_only() -> None:
    bench = Bench(PortsPool(16, 16, legs_per_port=2))
    indices = []
    for slot in range(4):
        indices.append(bench.leg(slot, f"10.0.1.{slot}"))
        bench.prove(indices[-1], (f"10.0.1.{slot}", 4000), ssrc=slot)
    assert indices == [0, 0, 1, 1]


def test_no_newcomer_joins_a_silent_leg(bench: Bench) -> None:
    index = bench.leg(0)
    bench.prove(index)
    bench.now += SILENCE_S + 0.1
    assert bench.leg(1, "10.0.0.2") != index


def test_exhaustion_is_a_refusal() -> None:
    bench = Bench(PortsPool(8, 2))
    bench.leg(0)
    bench.leg(1)
    with pytest.raises(Refused) as refused:
        bench.leg(2)
    assert refused.value.code is Code.MEDIA_EXHAUSTED


def test_a_freed_port_rests() -> None:
    bench = Bench(PortsPool(8, 1))
    index = bench.leg(0)
    bench.prove(index)
    bench.pool.close(0, bench.now)
    with pytest.raises(Refused):
        bench.leg(1)
    bench.now += REST_S
    assert bench.leg(1) == index


def test_a_shared_port_rests_when_an_unproven_leg_leaves(bench: Bench) -> None:
    index = bench.leg(0)
    bench.prove(index)
    assert bench.leg(1, "10.0.0.2") == index
    bench.pool.close(1, bench.now)
    assert bench.leg(2, "10.0.0.3") != index


def test_the_late_packets_of_an_ended_leg_reach_nobody(bench: Bench) -> None:
    index = bench.leg(0)
    bench.prove(index)
    assert bench.leg(1, "10.0.0.2") == index
    bench.prove(index, ("10.0.0.2", 4000), ssrc=9)
    bench.pool.close(0, bench.now)
    assert bench.leg(2, "10.0.0.1", nat=True, anywhere=True) == index
    for sequence in range(3, 12):
        assert bench.send(index, PHONE, rtp(sequence)) == [-1]
    assert bench.pool.state(2) is SourceState.UNPROVEN
    assert bench.send(index, ("10.0.0.2", 4000), rtp(3, 9)) == [1]


def test_the_same_phone_calling_again_is_known_by_its_new_ssrc(bench: Bench) -> None:
    index = bench.leg(0)
    bench.prove(index)
    assert bench.leg(1, "10.0.0.2") == index
    bench.prove(index, ("10.0.0.2", 4000), ssrc=9)
    bench.pool.close(0, bench.now)
    assert bench.leg(2) == index
    bench.prove(index, PHONE, ssrc=11)
    assert bench.pool.state(2) is SourceState.PROVEN
    assert bench.send(index, PHONE, rtp(3, 11)) == [2]


def test_a_proven_leg_is_not_stolen_while_it_speaks(bench: Bench) -> None:
    index = bench.leg(0, nat=True)
    bench.prove(index)
    for sequence in range(20):
        assert bench.send(index, ("192.0.2.66", 5), rtp(sequence, 66)) == [-1]
        assert bench.send(index, PHONE, rtp(sequence + 3)) == [0]
    assert bench.pool.destination(0) == source_key(*PHONE)


def test_a_source_that_falls_silent_may_come_from_another_port_of_its_nat(bench: Bench) -> None:
    index = bench.leg(0, **BEHIND_NAT)
    bench.prove(index, ("192.0.2.1", 6000))
    bench.now += SILENCE_S + 0.1
    bench.prove(index, ("192.0.2.1", 7000))
    assert bench.pool.destination(0) == source_key("192.0.2.1", 7000)
    assert bench.send(index, ("192.0.2.1", 6000), rtp(50)) == [-1]


def test_a_re_invite_moves_the_leg_when_the_new_source_is_proven(bench: Bench) -> None:
    index = bench.leg(0)
    bench.prove(index)
    new = ("10.0.0.2", 4500)
    bench.pool.expect(0, RemoteMedia(*new, Codec.PCMU))
    assert bench.pool.state(0) is SourceState.MOVED
    assert bench.send(index, PHONE, rtp(3)) == [0]
    assert bench.send(index, new, rtp(0, 8)) == [-1]
    assert bench.send(index, PHONE, rtp(4)) == [0]
    assert bench.send(index, new, rtp(1, 8), rtp(2, 8)) == [-1, 0]
    assert bench.send(index, PHONE, rtp(5)) == [-1]
    assert bench.pool.destination(0) == source_key(*new)


def test_a_re_invite_back_to_the_proven_source_ends_the_search_for_another(bench: Bench) -> None:
    index = bench.leg(0)
    bench.prove(index)
    new = ("10.0.0.2", 4500)
    bench.pool.expect(0, RemoteMedia(*new, Codec.PCMU))
    bench.pool.expect(0, RemoteMedia(*PHONE, Codec.PCMU))
    assert bench.pool.state(0) is SourceState.PROVEN
    assert bench.leg(1, "10.0.0.3") == index, "its port is shared again"


def test_a_re_invite_that_changes_nothing_leaves_the_source_alone(bench: Bench) -> None:
    index = bench.leg(0, **BEHIND_NAT)
    bench.prove(index, ("192.0.2.1", 7000))
    bench.pool.expect(0, replace(RemoteMedia(*PHONE, Codec.PCMU), **BEHIND_NAT))  # type: ignore[arg-type]
    assert bench.pool.state(0) is SourceState.PROVEN
    assert bench.send(index, ("192.0.2.1", 7000), rtp(3)) == [0]


def test_two_silent_legs_behind_one_nat_are_told_apart_by_ssrc_or_not_at_all(bench: Bench) -> None:
    for slot in range(2):
        index = bench.leg(slot, f"10.0.0.{slot + 1}", **BEHIND_NAT)
        bench.prove(index, ("192.0.2.1", 7000 + slot), ssrc=50 + slot)
    assert bench.pool.index(0) == bench.pool.index(1)
    bench.now += SILENCE_S + 0.1
    bench.prove(index, ("192.0.2.1", 7500), ssrc=99)
    assert bench.send(index, ("192.0.2.1", 7500), rtp(3, 99)) == [-1]
    bench.prove(index, ("192.0.2.1", 7501), ssrc=51)
    assert bench.send(index, ("192.0.2.1", 7501), rtp(3, 51)) == [1]


def test_a_flood_is_looked_at_within_bounds_and_starves_no_expected_source(bench: Bench) -> None:
    index = bench.leg(0, anywhere=True)
    flood = 4000
    for sequence in range(PROOF_PACKETS):
        bench.now += 0.02
        rows = np.tile(np.frombuffer(rtp(sequence, 66), np.uint8), (flood + 1, 1))
        rows[flood] = np.frombuffer(rtp(sequence, 7), np.uint8)
        sources = np.arange(flood + 1, dtype=np.uint64) + np.uint64(
            source_key("192.0.2.1", 1) + (sequence << 24)
        )
        sources[flood] = source_key(*PHONE)
        found = bench.pool.attribute(
            np.full(flood + 1, index, np.int64),
            sources,
            rows,
            np.full(flood + 1, rows.shape[1], np.int64),
            bench.now,
        )
    assert found.slots[flood] == 0
    assert bench.pool.dropped == PROOF_PACKETS * (flood + 1) - 1
    assert flood > 100 * UNKNOWN_PER_PORT


def test_what_is_dropped_on_a_leg_s_own_port_is_told_to_it(bench: Bench) -> None:
    """Only while it is alone there: of two nobody knows whose it was."""
    stranger = ("192.0.2.66", 5)
    index = bench.leg(0)
    bench.prove(index)
    bench.send(index, stranger, rtp(1), rtp(2))
    assert bench.refused == [0, 0]
    assert bench.leg(1, "10.0.0.2") == index
    bench.prove(index, ("10.0.0.2", 4000), ssrc=9)
    bench.send(index, stranger, rtp(3))
    assert bench.refused == []
    bench.pool.close(0, bench.now)
    bench.send(index, stranger, rtp(4))
    assert bench.refused == [1]
    bench.pool.close(1, bench.now)
    bench.send(index, stranger, rtp(5))
    assert bench.refused == []


@pytest.mark.parametrize(("sources", "proven"), [(4, True), (5, False)])
def test_so_many_sources_may_prove_themselves_side_by_side(bench: Bench, sources: int, proven: bool) -> None:
    """One more, and the oldest is forgotten: a flood of sources holds bounded memory."""
    index = bench.leg(0, anywhere=True)
    for sequence in range(PROOF_PACKETS):
        for number in range(sources):
            bench.send(index, ("192.0.2.1", 7000 + number), rtp(sequence, ssrc=number))
    assert (bench.pool.state(0) is SourceState.PROVEN) is proven


def test_the_expected_source_is_never_forgotten_for_others(bench: Bench) -> None:
    index = bench.leg(0, anywhere=True)
    for sequence in range(PROOF_PACKETS):
        bench.send(index, PHONE, rtp(sequence))
        for number in range(9):
            bench.send(index, ("192.0.2.1", 7000 + number), rtp(sequence, ssrc=100 + number))
    assert bench.pool.destination(0) == source_key(*PHONE)
    assert bench.pool.state(0) is SourceState.PROVEN


def test_rtcp_belongs_to_the_port_above_or_to_the_ssrc(bench: Bench) -> None:
    index = bench.leg(0)
    other = ("10.0.0.2", 4000)
    bench.prove(index)
    assert bench.leg(1, other[0]) == index
    bench.prove(index, other, ssrc=9)
    report = bytes([0x81, 201, 0, 7]) + (9).to_bytes(4, "big") + bytes(24)
    assert bench.pool.rtcp_owner(index, source_key("10.0.0.1", 4001), report) == 0
    assert bench.pool.rtcp_owner(index, source_key("10.0.0.2", 4001), report) == 1
    assert bench.pool.rtcp_owner(index, source_key("10.0.0.2", 5555), report) == 1
    assert bench.pool.rtcp_owner(index, source_key("10.0.0.1", 5555), report) is None
    assert bench.pool.rtcp_owner(index, source_key("10.9.9.9", 4001), report) is None
    assert bench.pool.rtcp_owner(index, source_key("10.0.0.2", 5555), b"") is None


def test_rtcp_counts_before_the_first_rtp_packet(bench: Bench) -> None:
    """A phone that is muted from the start, or suppresses silence, reports all the same."""
    report = bytes([0x81, 201, 0, 7]) + (9).to_bytes(4, "big") + bytes(24)
    index = bench.leg(0)
    named = bench.leg(1, "10.0.0.2", rtcp_port=4999)
    assert bench.pool.rtcp_owner(index, source_key("10.0.0.1", 4001), report) == 0
    assert bench.pool.rtcp_owner(named, source_key("10.0.0.2", 4999), report) == 1
    assert bench.pool.rtcp_owner(named, source_key("10.0.0.2", 4001), report) is None
    assert bench.pool.rtcp_owner(index, source_key("10.9.9.9", 4001), report) is None
    assert bench.pool.state(0) is SourceState.UNPROVEN


def test_rtcp_goes_where_the_sdp_says(bench: Bench) -> None:
    bench.leg(0, rtcp_port=4999)
    bench.leg(1, port=65535)
    assert bench.pool.rtcp_destination(0) == source_key("10.0.0.1", 4999)
    assert bench.pool.rtcp_destination(1) is None


def test_rtcp_follows_a_source_behind_nat_and_not_the_sdp_s_port(bench: Bench) -> None:
    index = bench.leg(0, nat=True, rtcp_port=4999)
    bench.prove(index, ("10.0.0.1", 6000))
    assert bench.pool.rtcp_destination(0) == source_key("10.0.0.1", 6001)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["open", "close", "send", "wait", "move"]),
        st.integers(0, 7),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=120,
)


@given(STEPS)
def test_no_packet_ever_reaches_another_phones_leg(steps: list[tuple[str, int, int, bool]]) -> None:
    """Eight phones of an IP each: what phone n sends reaches the leg of phone n or nobody."""
    bench = Bench(PortsPool(8, 6, legs_per_port=3))
    lines: dict[int, int] = {}
    sequences = dict.fromkeys(range(8), 0)
    for what, phone, number, flag in steps:
        source = (f"10.0.0.{phone + 1}", 4000 + 2 * number * flag)
        if what == "open" and phone not in lines:
            try:
                lines[phone] = bench.leg(phone, source[0])
            except Refused:
                assert bench.pool.is_full
        elif what == "close" and phone in lines:
            bench.pool.close(phone, bench.now)
            del lines[phone]
        elif what == "move" and phone in lines:
            bench.pool.expect(phone, RemoteMedia(source[0], source[1] + 10, Codec.PCMU))
        elif what == "wait":
            bench.now += number * 12.0
        elif what == "send":
            for index in range(len(bench.pool.ports)):
                for _ in range(number + 1):
                    sequences[phone] += 1
                    packet = rtp(sequences[phone], ssrc=phone)
                    allowed = {-1, phone} if phone in lines else {-1}
                    assert set(bench.send(index, source, packet)) <= allowed
    for index in range(len(bench.pool.ports)):
        unproven = [
            phone
            for phone, line in lines.items()
            if line == index and bench.pool.state(phone) is SourceState.UNPROVEN
        ]
        assert len(unproven) <= 1


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=20), st.booleans())
def test_no_bytes_upset_the_pool(packets: list[bytes], proven: bool) -> None:
    bench = Bench(PortsPool(4, 4))
    index = bench.leg(0)
    if proven:
        bench.prove(index)
    assert set(bench.send(index, ("10.0.0.66", 1), *packets)) == {-1}
    bench.send(index, PHONE, *packets)
    for packet in packets:
        bench.pool.rtcp_owner(index, source_key("10.0.0.1", 4001), packet)
