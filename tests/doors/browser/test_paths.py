"""Paths to browsers: who proves to be where, who is heard, who is given up. Real DTLS and SRTP, no socket."""

from __future__ import annotations

import secrets
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.doors.browser.pages import HERE, IDENTITY, Page, rtp, value

from sottovoce.doors.browser.control import PathConnected, PathEvent, PathId, PathLost
from sottovoce.doors.browser.paths import MOST_SOURCES, Paths, Source
from sottovoce.doors.browser.secured import identity
from sottovoce.errors import Code, Refused

A, B = PathId("a"), PathId("b")
DOOR: Source = ("198.51.100.1", 8044)
OTHER: Source = ("203.0.113.9", 50_000)
LIMITS = {"half_open_s": 15.0, "consent_s": 30.0}


class Town:
    """The door's paths, and pages at addresses."""

    def __init__(self, most: int = 3) -> None:
        self.said: list[PathEvent] = []
        self.sent: list[tuple[bytes, Source]] = []
        self.to_leg: list[tuple[bytes, bool]] = []
        self.paths = Paths(
            IDENTITY,
            lambda datagram, to: self.sent.append((datagram, to)),
            self.said.append,
            most=most,
            bits=secrets.randbits,
        )
        self.pages: dict[Source, Page] = {}
        self.now = 0.0

    def open(self, path: PathId = A, page: Page | None = None) -> Page:
        page = page or Page()
        page.answered(self.paths.open(path, page.offer(), [DOOR], self.now).sdp)
        return page

    def come(self, page: Page, source: Source = HERE, **how: bool) -> None:
        """Check from there, and talk until nothing is left to say."""
        self.pages[source] = page
        self.give(page.check(**how), source)

    def give(self, datagram: bytes, source: Source) -> None:
        self.paths.take(datagram, source, self.now)
        while self.sent:
            answer, to = self.sent.pop(0)
            page = self.pages.get(to)
            for further in page.take(answer) if page is not None else []:
                self.paths.take(further, to, self.now)

    def connected(self, path: PathId = A, source: Source = HERE) -> Page:
        page = self.open(path)
        self.come(page, source)
        assert self.said[-1] == PathConnected(path)
        self.paths.find(path).to_leg = lambda packet, control: self.to_leg.append((packet, control))
        return page

    def say(self, page: Page, packet: bytes, source: Source = HERE) -> None:
        assert page.secured is not None
        sealed = page.secured.seal_rtp(packet)
        assert sealed is not None
        self.give(sealed, source)

    def pass_on(self, packet: bytes, path: PathId = A, *, control: bool = False) -> None:
        self.paths.pass_on(self.paths.find(path), packet, control=control, now=self.now)
        while self.sent:
            datagram, to = self.sent.pop(0)
            self.pages[to].take(datagram)


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_page_connects_speaks_and_hears(town: Town) -> None:
    page = town.connected()
    town.say(page, rtp(5))
    assert town.to_leg == [(rtp(5), False)]
    town.pass_on(rtp(9, ssrc=77))
    assert [packet[12:] for packet in page.heard] == [rtp(9)[12:]]
    assert (town.paths.received, town.paths.sent, town.paths.dropped) == (1, 1, 0)


def test_the_answer_is_what_a_browser_takes(town: Town) -> None:
    page = Page()
    sdp = town.paths.open(A, page.offer(), [DOOR, ("127.0.0.1", 8044)], 0.0).sdp
    lines = sdp.splitlines()
    assert {"a=ice-lite", "a=setup:passive", "a=rtcp-mux", "a=group:BUNDLE 0", "a=sendrecv"} <= set(lines)
    assert "m=audio 8044 UDP/TLS/RTP/SAVPF 0 126" in lines
    candidates = [line.split() for line in lines if line.startswith("a=candidate:")]
    assert [(words[4], words[5]) for words in candidates] == [
        (DOOR[0], "8044"),
        ("127.0.0.1", "8044"),
    ]
    assert int(candidates[0][3]) > int(candidates[1][3])


def test_one_ssrc_and_one_count_from_leg_to_leg(town: Town) -> None:
    page = town.connected()
    path = town.paths.find(A)
    town.pass_on(rtp(65_535, ssrc=77, timestamp=1000))
    town.pass_on(rtp(0, ssrc=77, timestamp=1160))
    path.out.begin()
    town.now = 2.0
    town.pass_on(rtp(400, ssrc=78, timestamp=5))
    heads = [(packet[2:4], int.from_bytes(packet[4:8], "big"), packet[8:12]) for packet in page.heard]
    first = int.from_bytes(heads[0][0], "big")
    assert [int.from_bytes(head[0], "big") for head in heads] == [
        first,
        (first + 1) & 0xFFFF,
        (first + 2) & 0xFFFF,
    ]
    steps = [(later[1] - earlier[1]) & 0xFFFF_FFFF for earlier, later in pairwise(heads)]
    assert steps == [160, 16_000]
    assert {head[2] for head in heads} == {path.out.ssrc.to_bytes(4, "big")}


def test_reports_name_the_stream_that_their_reader_knows(town: Town) -> None:
    page = town.connected()
    ours = town.paths.find(A).out.ssrc.to_bytes(4, "big")
    town.pass_on(rtp(1, ssrc=77, timestamp=800))
    leg = (77).to_bytes(4, "big")
    report = bytes([0x80, 200, 0, 6]) + leg + bytes(8) + (800).to_bytes(4, "big") + bytes(8)
    town.pass_on(report, control=True)
    (heard,) = page.reports
    assert heard[4:8] == ours
    assert heard[16:20] == page.heard[0][4:8]
    block = bytes([0x81, 201, 0, 7]) + bytes(4) + ours + bytes(20)
    assert page.secured is not None
    sealed = page.secured.seal_rtcp(block)
    assert sealed is not None
    town.give(sealed, HERE)
    assert town.to_leg == [(block.replace(ours, leg), True)]


def test_who_does_not_know_the_password_is_not_answered_and_takes_nothing(town: Town) -> None:
    page = town.open()
    for forged in (page.check(password="x" * 24), page.check(fragment="00000000"), b"\x00\x01" + bytes(18)):
        town.give(forged, OTHER)
    assert town.sent == []
    assert town.paths.dropped == 3
    town.come(page)
    assert town.said == [PathConnected(A)]
    town.give(page.check(password="x" * 24), OTHER)
    town.pass_on(rtp(1))
    assert len(page.heard) == 1


def test_from_an_unproven_address_nothing_is_taken(town: Town) -> None:
    page = town.connected()
    assert page.secured is not None
    sealed = page.secured.seal_rtp(rtp(1))
    assert sealed is not None
    town.give(sealed, OTHER)
    assert town.to_leg == []
    hello = Page()
    hello.answered(town.paths.open(B, hello.offer(), [DOOR], 0.0).sdp)
    assert hello.secured is not None
    for datagram in hello.secured.take():
        town.give(datagram, OTHER)
    assert town.sent == []


def test_forged_and_repeated_audio_is_dropped(town: Town) -> None:
    page = town.connected()
    assert page.secured is not None
    sealed = page.secured.seal_rtp(rtp(1))
    assert sealed is not None
    for datagram in (sealed, sealed, sealed[:-1] + bytes([sealed[-1] ^ 1]), rtp(2), b"\x80", b""):
        town.give(datagram, HERE)
    assert town.to_leg == [(rtp(1), False)]
    assert town.paths.dropped == 5


def test_a_browser_that_moves_is_followed_by_its_checks(town: Town) -> None:
    page = town.connected()
    town.come(page, OTHER, nominate=False)
    town.pass_on(rtp(1))
    assert town.paths.find(A).source == HERE
    town.come(page, OTHER)
    assert town.paths.find(A).source == OTHER
    town.say(page, rtp(2), OTHER)
    assert town.to_leg == [(rtp(2), False)]


def test_the_addresses_of_one_browser_are_bounded(town: Town) -> None:
    page = town.connected()
    for port in range(50_000, 50_050):
        town.come(page, ("203.0.113.9", port), nominate=False)
    path = town.paths.find(A)
    assert len(path.sources) == MOST_SOURCES
    assert HERE in path.sources
    town.say(page, rtp(1))
    assert town.to_leg == [(rtp(1), False)]


def test_another_certificate_than_the_offer_s_is_refused(town: Town) -> None:
    page = Page(identity())
    page.secrets = Page().secrets
    page.answered(town.paths.open(A, page.offer(), [DOOR], 0.0).sdp)
    town.come(page)
    assert [type(event) for event in town.said] == [PathLost]
    assert len(town.paths) == 0


def test_who_does_not_connect_and_who_falls_silent_is_given_up(town: Town) -> None:
    town.open(B)
    page = town.connected()
    town.now = 14.0
    town.give(page.check(), HERE)
    town.paths.wake(15.1, **LIMITS)
    assert town.said[1:] == [PathLost(B, "the browser did not connect")]
    town.paths.wake(44.0, **LIMITS)
    assert len(town.said) == 2
    town.paths.wake(44.1, **LIMITS)
    assert town.said[2:] == [PathLost(A, "the browser is silent")]
    town.say(page, rtp(1))
    assert town.to_leg == []


def test_a_lost_hello_is_made_up_for(town: Town) -> None:
    page = town.open()
    town.pages[HERE] = page
    assert page.secured is not None
    town.paths.take(page.check(), HERE, 0.0)
    (answer, _) = town.sent.pop()
    for datagram in page.take(answer):
        town.paths.take(datagram, HERE, 0.0)
    assert town.sent
    town.sent.clear()  # our half of the handshake is lost
    while not town.sent:  # until it is time to say it again
        time.sleep(0.05)
        town.paths.wake(0.0, **LIMITS)
    while town.sent:
        datagram, _ = town.sent.pop(0)
        for further in page.take(datagram):
            town.give(further, HERE)
    assert town.said == [PathConnected(A)]


def test_an_end_is_said_to_the_browser(town: Town) -> None:
    page = town.connected()
    town.paths.close(A)
    for datagram, _ in town.sent:
        page.take(datagram)
    assert page.secured is not None
    assert page.secured.failed == "the browser closed it"
    assert town.said == [PathConnected(A)]
    with pytest.raises(Refused):
        town.paths.find(A)


def test_a_browser_that_closes_is_gone_at_once(town: Town) -> None:
    page = town.connected()
    assert page.secured is not None
    for datagram in page.secured.close():
        town.give(datagram, HERE)
    assert town.said[1:] == [PathLost(A, "the browser closed it")]


def test_more_than_there_is_room_for_is_refused() -> None:
    town = Town(most=1)
    town.open()
    with pytest.raises(Refused) as refused:
        town.open(B)
    assert refused.value.code is Code.MEDIA_EXHAUSTED
    town.paths.close(A)
    town.open(B)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("m=audio 9", "m=video 9", "no audio"),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "SAVPF"),
        ("SAVPF 111 0 8", "SAVPF 111 8", "PCMU"),
        ("a=rtcp-mux\r\n", "", "rtcp-mux"),
        ("a=sendrecv", "a=recvonly", "sendrecv"),
        ("setup:actpass", "setup:passive", "DTLS"),
        ("sha-256", "sha-1", "fingerprint"),
        ("a=ice-pwd:", "a=ice-password:", "ICE"),
        ("a=mid:0", "a=mid:a b", "name"),
        ("v=0", "v=1", "session description"),
        ("s=-", "s=" + "x" * 20_000, "too long"),
    ],
)
def test_an_offer_that_cannot_be_answered(town: Town, old: str, new: str, why: str) -> None:
    page = Page()
    with pytest.raises(Refused, match=why) as refused:
        town.paths.open(A, page.offer().replace(old, new, 1), [DOOR], 0.0)
    assert refused.value.code is Code.BAD_PARAMETER
    assert len(town.paths) == 0


def test_other_streams_are_refused_in_their_place(town: Town) -> None:
    sdp = Page().offer().replace("m=audio", "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\nm=audio")
    answer = town.paths.open(A, sdp, [DOOR], 0.0).sdp
    assert [line.split()[:2] for line in answer.splitlines() if line.startswith("m=")] == [
        ["m=video", "0"],
        ["m=audio", "8044"],
    ]
    assert value(answer, "mid") == "0"


@given(st.lists(st.tuples(st.binary(max_size=200), st.sampled_from([HERE, OTHER])), max_size=20))
def test_no_datagram_does_harm(datagrams: list[tuple[bytes, Source]]) -> None:
    town = Town()
    town.connected()
    for datagram, source in datagrams:
        town.paths.take(datagram, source, 0.0)
    assert len(town.paths) == 1 or town.said[-1].path == A


def test_the_end_of_a_path_leaves_a_later_one_at_its_address_heard(town: Town) -> None:
    town.connected(A)
    later = town.connected(B)
    town.paths.close(A)
    town.say(later, rtp(5))
    assert town.to_leg == [(rtp(5), False)]
