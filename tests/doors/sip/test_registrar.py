"""The registrar and its client, over the network without sockets."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.doors.sip.far_sides import trunk
from tests.doors.sip.network import Counted, Network, Peer, answering

from sottovoce.config import SipSettings, TrunkSettings
from sottovoce.domain.directory import PhoneAccount, VdnId
from sottovoce.doors.sip import events
from sottovoce.doors.sip.admission import ALGORITHMS, Admitted, Authenticator, Guard, Refusal
from sottovoce.doors.sip.calling import OutgoingCall
from sottovoce.doors.sip.digest import Algorithm, Challenge, NonceKeeper, authorize, ha1
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.limits import LimitVerdict, SourceLimits
from sottovoce.doors.sip.message import Request, Response, parse
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.registering import RegisterWith
from sottovoce.doors.sip.registrar import Binding, Registrar

VDN = VdnId(7)
REALM = "test"


class Book:
    def account(self, username: str) -> tuple[PhoneAccount, VdnId] | None:
        if username not in ("anna", "bert"):
            return None
        number = {"anna": "501", "bert": "502"}[username]
        secrets = {a.value: ha1(a, username, REALM, "secret") for a in Algorithm}
        return PhoneAccount(number, username, secrets), VDN

    def route(self, called: str) -> VdnId | None:
        return VDN if called == "100" else None


class Office:
    """A registrar at 10.0.0.2 and a phone at 10.0.0.1."""

    def __init__(
        self,
        trunks: tuple[TrunkSettings, ...] = (),
        *,
        nat: tuple[str, ...] = (),
        algorithms: tuple[Algorithm, ...] = ALGORITHMS,
        **settings: int,
    ) -> None:
        self.network = Network()
        self.limits = SourceLimits(1000, 1000, failures=3)
        self.server = self.network.peer(
            "10.0.0.2", settings=SipSettings(domain="test", **settings), limits=self.limits
        )
        ua = self.server.ua
        keeper = NonceKeeper(b"k" * 32)
        authenticator = Authenticator(REALM, Book(), keeper, Counted("salt"), self.limits, algorithms)
        self.registrar = ua.registrar = Registrar(authenticator, ua.timers, ua.emit, ua.settings, nat=nat)
        ua.doorman = self.guard = Guard(trunks, Book(), authenticator, self.registrar, nat=nat)
        self.phone = self.network.peer("10.0.0.1")
        self._numbers = 0

    def wanted(self, user: str = "anna", password: str = "secret", expires: int = 300) -> RegisterWith:
        return RegisterWith(f"sip:{user}@{REALM}", self.server.hop, Account(user, password), expires)

    def send(
        self,
        contacts: str,
        expires: str = "",
        *,
        user: str = "anna",
        to: str = "anna",
        call_id: str = "reg",
        seq: int | None = None,
        password: str = "secret",
        algorithm: Algorithm = Algorithm.MD5,
        source: Hop | None = None,
        path: str = "",
    ) -> Response:
        """A REGISTER by hand, challenge met."""
        authorization = ""
        for _ in range(2):
            self._numbers += 1
            number = self._numbers if seq is None else seq
            text = (
                f"REGISTER sip:{REALM} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKreg{self._numbers}\r\n"
                f"From: <sip:{to}@{REALM}>;tag=t\r\nTo: <sip:{to}@{REALM}>\r\n"
                f"Call-ID: {call_id}\r\nCSeq: {number} REGISTER\r\n"
            )
            text += f"Contact: {contacts}\r\n" if contacts else ""
            text += f"Expires: {expires}\r\n" if expires else ""
            text += f"Path: {path}\r\n" if path else ""
            text += f"Authorization: {authorization}\r\n" if authorization else ""
            self.network.inject(text.encode() + b"\r\n", source or self.phone.hop, self.server)
            self.network.run(0.05)
            answer = self.network.wire[-1][3]
            assert isinstance(answer, Response)
            if answer.status != 401 or authorization:
                return answer
            challenges = [Challenge.parse(v) for v in answer.headers.get_all("WWW-Authenticate")]
            authorization = str(
                authorize(
                    next(c for c in challenges if c.algorithm is algorithm),
                    method="REGISTER",
                    uri=f"sip:{REALM}",
                    user=user,
                    password=password,
                    cnonce="c",
                )
            )
        raise AssertionError

    def contacts(self, user: str = "anna") -> list[str]:
        return [binding.contact for binding in self.registrar.of_user(user)]


def expiry(answer: Response) -> dict[str, int]:
    found = {}
    for value in answer.headers.get_all("Contact"):
        uri, _, seconds = value.partition(">;expires=")
        found[uri[1:]] = int(seconds)
    return found


# --- the client


def test_a_phone_registers_and_refreshes_until_it_leaves() -> None:
    office = Office()
    registration = office.phone.act(lambda ua: ua.register(office.wanted(expires=120)))
    office.network.run(1)
    assert registration.registered
    assert office.phone.of(events.Registered)[0].expires == 120
    assert office.contacts() == ["sip:anna@10.0.0.1:5060"]
    office.network.run(1000)
    assert office.contacts() == ["sip:anna@10.0.0.1:5060"]
    assert len(office.phone.of(events.Registered)) == 10
    assert office.server.of(events.Unbound) == []
    office.phone.act(lambda ua: registration.remove())
    office.network.run(1)
    assert office.contacts() == []
    assert len(office.phone.of(events.Unregistered)) == 1
    assert len(office.server.of(events.Unbound)) == 1


def test_a_phone_asks_for_longer_when_told_so() -> None:
    office = Office()
    office.phone.act(lambda ua: ua.register(office.wanted(expires=20)))
    office.network.run(1)
    assert len(office.network.sent(423)) == 1
    assert office.phone.of(events.Registered)[0].expires == 60


@pytest.mark.parametrize(("realm", "answers"), [(None, True), (REALM, True), ("elsewhere", False)])
def test_credentials_of_one_realm_are_sent_to_that_realm_alone(realm: str | None, answers: bool) -> None:
    office = Office()
    wanted = replace(office.wanted(), account=Account("anna", "secret", realm))
    registration = office.phone.act(lambda ua: ua.register(wanted))
    office.network.run(1)
    assert registration.registered is answers
    sent = [request.headers.get("Authorization") for request in office.network.sent("REGISTER")]
    assert any(sent) is answers


def test_a_wrong_password_is_tried_again_ever_more_slowly() -> None:
    office = Office()
    office.phone.act(lambda ua: ua.register(office.wanted(password="wrong")))
    office.network.run(29)
    assert [e.status for e in office.phone.of(events.RegistrationFailed)] == [403]
    office.network.run(60)
    assert len(office.phone.of(events.RegistrationFailed)) == 2


def test_a_phone_registers_again_after_the_server_restarted() -> None:
    office = Office()
    office.network.lose = lambda message, number: True
    office.phone.act(lambda ua: ua.register(office.wanted()))
    office.network.run(33)
    assert [e.status for e in office.phone.of(events.RegistrationFailed)] == [408]
    office.network.lose = lambda message, number: False
    office.network.run(31)
    assert office.contacts() == ["sip:anna@10.0.0.1:5060"]


# --- the registrar


def test_several_contacts_are_kept_and_fetched_newest_first() -> None:
    office = Office()
    assert office.send("<sip:a@10.0.0.1>;expires=100").status == 200
    answer = office.send('"Anna" <sip:a@10.0.0.1:5070;transport=TCP>', "200")
    assert expiry(answer) == {"sip:a@10.0.0.1": 100, "sip:a@10.0.0.1:5070;transport=TCP": 200}
    office.network.run(50)
    fetched = office.send("")
    assert list(expiry(fetched)) == ["sip:a@10.0.0.1:5070;transport=TCP", "sip:a@10.0.0.1"]
    assert expiry(fetched)["sip:a@10.0.0.1"] in (49, 50)
    tcp = office.registrar.of_number(VDN, "501")[0]
    assert tcp.hop == Hop(Transport.TCP, "10.0.0.1", 5070)
    assert office.registrar.of_number(VdnId(8), "501") == []


def test_a_binding_runs_out() -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1>;expires=60")
    office.network.run(59)
    assert office.registrar.is_registered("anna")
    office.network.run(2)
    assert not office.registrar.is_registered("anna")
    assert office.registrar.of_number(VDN, "501") == []
    assert [e.contact for e in office.server.of(events.Unbound)] == ["sip:a@10.0.0.1"]


def test_capitals_and_default_ports_make_no_second_contact() -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1;transport=UDP>")
    office.send("<sip:a@10.0.0.1:5060>")
    assert office.contacts() == ["sip:a@10.0.0.1:5060"]
    assert office.server.of(events.Unbound) == []


def test_one_contact_or_all_are_removed() -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1>, <sip:a@10.0.0.3>, <sip:a@10.0.0.4>")
    office.send("<sip:a@10.0.0.3>;expires=0")
    assert office.contacts() == ["sip:a@10.0.0.4", "sip:a@10.0.0.1"]
    assert office.send("*", "100").status == 400
    assert office.send("*, <sip:a@10.0.0.1>", "0").status == 400
    assert office.send("*", "0").status == 200
    assert office.contacts() == []


def test_bounds_of_expiry_and_of_contacts() -> None:
    office = Office()
    brief = office.send("<sip:a@10.0.0.1>;expires=30")
    assert (brief.status, brief.headers.get("Min-Expires")) == (423, "60")
    assert expiry(office.send("<sip:a@10.0.0.1>;expires=999999")) == {"sip:a@10.0.0.1": 3600}
    assert expiry(office.send("<sip:a@10.0.0.1>")) == {"sip:a@10.0.0.1": 600}
    for port in range(6000, 6020):
        office.send(f"<sip:a@10.0.0.1:{port}>")
    assert len(office.contacts()) == 8
    assert office.contacts()[0] == "sip:a@10.0.0.1:6019"
    many = ", ".join(f"<sip:a@10.0.0.1:{port}>" for port in range(7000, 7009))
    assert office.send(many).status == 403


def test_the_bounds_of_expiry_are_settings() -> None:
    office = Office(registration_min=900, registration_max=1000)
    assert office.send("<sip:a@10.0.0.1>;expires=899").headers.get("Min-Expires") == "900"
    assert expiry(office.send("<sip:a@10.0.0.1>;expires=2000")) == {"sip:a@10.0.0.1": 1000}
    assert expiry(office.send("<sip:a@10.0.0.1>")) == {"sip:a@10.0.0.1": 900}


def test_nothing_is_done_when_one_contact_is_bad() -> None:
    office = Office()
    assert office.send("<sip:a@10.0.0.1>, <sip:a@10.0.0.2>;expires=1").status == 423
    assert office.send("<sip:a@10.0.0.1>, <sips:a@10.0.0.2>").status == 400
    assert office.contacts() == []


def test_a_register_out_of_order_is_refused() -> None:
    office = Office()
    for _ in range(3):
        office.send("<sip:a@10.0.0.1>", call_id="x")
    office.network.run(40)
    assert office.send("", call_id="x").status == 200
    office._numbers = 0
    assert office.send("<sip:a@10.0.0.1>;expires=0", call_id="x").status == 500
    assert office.contacts() == ["sip:a@10.0.0.1"]


def test_the_same_phone_at_a_new_address_replaces_the_old() -> None:
    office = Office()
    office.send('<sip:a@10.0.0.1:6000>;+sip.instance="<urn:uuid:1>"')
    office.send('<sip:a@10.0.0.1:6001>;+sip.instance="<urn:uuid:1>"')
    office.send('<sip:a@10.0.0.1:6002>;+sip.instance="<urn:uuid:2>"')
    assert office.contacts() == ["sip:a@10.0.0.1:6002", "sip:a@10.0.0.1:6001"]


def test_who_may_register_whom() -> None:
    office = Office()
    assert office.send("<sip:a@10.0.0.1>", to="bert").status == 403
    assert office.send("<sip:a@10.0.0.1>", to="501").status == 200
    assert office.send("<sip:a@10.0.0.1>", password="wrong").status == 403
    assert office.send("<sip:a@10.0.0.1>", user="nobody", to="nobody").status == 403
    assert office.contacts() == ["sip:a@10.0.0.1"]


def test_one_challenge_for_old_phones_and_sha_256_by_setting() -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1>")
    assert len(office.network.sent(401)[0].headers.get_all("WWW-Authenticate")) == 1
    office = Office(algorithms=(Algorithm.SHA256, Algorithm.MD5))
    assert office.send("<sip:a@10.0.0.1>", algorithm=Algorithm.SHA256).status == 200


def test_guessing_passwords_blocks_the_source_only() -> None:
    office = Office()
    guesser = Hop(Transport.UDP, "10.6.6.6", 5060)
    for _ in range(3):
        office.send("<sip:a@10.6.6.6>", password="wrong", source=guesser)
    sent = len(office.network.wire)
    options = (
        b"OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKq\r\nFrom: <sip:a@b>;tag=1\r\n"
        b"To: <sip:a@b>\r\nCall-ID: q\r\nCSeq: 1 OPTIONS\r\n\r\n"
    )
    office.network.inject(options, guesser, office.server)
    office.network.run(1)
    assert len(office.network.wire) == sent
    assert office.send("<sip:a@10.0.0.1>").status == 200


@pytest.mark.parametrize("user", ["anna", "nobody"])
def test_credentials_from_a_forged_address_do_not_block_its_owner(user: str) -> None:
    """Who forges an address hears no challenge: their nonce is made up, or was sent to somebody else."""
    office = Office()
    office.send("<sip:a@10.6.6.6>", source=Hop(Transport.UDP, "10.6.6.6", 5060))
    overheard = Challenge.parse(office.network.sent(401)[0].headers.get("WWW-Authenticate") or "")
    for number in range(8):
        for nonce in (overheard.nonce, f"made-up-{number}"):
            credentials = authorize(
                replace(overheard, nonce=nonce),
                method="REGISTER",
                uri="sip:test",
                user=user,
                password="guess",
                cnonce="c",
            )
            forged = (
                f"REGISTER sip:test SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK{nonce[-9:]}{number}\r\n"
                f"From: <sip:a@b>;tag=1\r\nTo: <sip:{user}@test>\r\nCall-ID: f{number}{nonce}\r\n"
                f"CSeq: 1 REGISTER\r\nAuthorization: {credentials}\r\nContent-Length: 0\r\n\r\n"
            )
            office.network.inject(forged.encode(), office.phone.hop, office.server)
            office.network.run(1)
    assert office.limits.judge("10.0.0.1", office.network.now) is not LimitVerdict.DROP
    assert office.send("<sip:a@10.0.0.1>").status == 200


def test_a_phone_behind_nat_is_reached_where_it_came_from() -> None:
    office = Office(nat=("10.7.0.0/16",))
    outside = Hop(Transport.UDP, "10.7.0.1", 41234)
    office.send("<sip:a@192.168.1.5>", source=outside)
    binding: Binding = office.registrar.of_user("anna")[0]
    assert binding.behind_nat
    assert binding.hop == outside
    assert binding.contact == "sip:a@192.168.1.5"


# --- over a restart


def told(office: Office) -> list[list[str]]:
    """The contacts each time that some were to be kept."""
    return [[b.contact for b in e.bindings] for e in office.server.of(events.ContactsChanged)]


def test_a_new_place_is_kept_at_once_and_a_refresh_with_others() -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1>")
    assert told(office) == [["sip:a@10.0.0.1"]]
    for _ in range(5):
        office.send("<sip:a@10.0.0.1>")
    assert len(told(office)) == 1
    office.network.run(1.1)
    assert told(office) == [["sip:a@10.0.0.1"]] * 2
    office.send("<sip:a@10.0.0.1:6000>")
    assert told(office)[2:] == [["sip:a@10.0.0.1", "sip:a@10.0.0.1:6000"]]
    office.send("<sip:a@10.0.0.1>;expires=0")
    assert told(office)[3:] == [["sip:a@10.0.0.1:6000"]]
    office.send("*", "0")
    assert told(office)[4:] == [[]]


def test_what_ran_out_is_kept_no_more() -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1>;expires=60")
    office.network.run(62)
    assert told(office) == [["sip:a@10.0.0.1"], []]


def test_a_phone_that_registered_anew_goes_before_what_was_kept() -> None:
    office, later = Office(), Office()
    office.send("<sip:a@10.0.0.1>;expires=3000", call_id="x", seq=7)
    [kept] = office.registrar.of_user("anna")
    later.send("<sip:a@10.0.0.1>;expires=100")
    later.registrar.restore(kept)
    assert later.registrar.of_user("anna")[0].expires_at - later.network.now < 101


def test_what_was_kept_holds_as_long_as_it_may_and_keeps_its_order() -> None:
    office, later = Office(), Office(registration_max=500)
    office.send("<sip:a@10.0.0.1;transport=tcp>;expires=3000", call_id="x", seq=7)
    [kept] = office.registrar.of_user("anna")
    later.registrar.restore(replace(kept, source=replace(kept.source, flow=3), hop=replace(kept.hop, flow=3)))
    [restored] = later.registrar.of_number(VDN, "501")
    assert (restored.source.flow, restored.hop.flow) == (0, 0)
    assert later.registrar.is_phone_at(later.phone.hop, "anna")
    assert later.send("<sip:a@10.0.0.1;transport=tcp>", call_id="x", seq=7).status == 500
    assert later.server.of(events.Bound) == []
    later.network.run(499)
    assert later.contacts() == ["sip:a@10.0.0.1;transport=tcp"]
    later.network.run(2)
    assert later.contacts() == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["1", "2", "3"]), st.sampled_from([0, 60, 300])),
        st.tuples(st.just("wait"), st.sampled_from([2, 61])),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_a_restart_brings_back_exactly_what_was_registered(steps: list[tuple[str, int]]) -> None:
    office, later = Office(), Office()
    for what, seconds in steps:
        if what == "wait":
            office.network.run(seconds)
        else:
            office.send(f"<sip:a@10.0.0.{what}>;expires={seconds}")
    office.server.act(lambda ua: office.registrar.tell())
    changes = office.server.of(events.ContactsChanged)
    for kept in changes[-1].bindings if changes else ():
        later.registrar.restore(kept)
    assert later.registrar.of_user("anna") == office.registrar.of_user("anna")


# --- who may call


def invite(
    office: Office, source: Hop, user: str = "anna", called: str = "100", to: str = "", more: str = ""
) -> Admitted | Refusal:
    request = parse(
        f"INVITE sip:{called}@test SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKi\r\n"
        f"From: <sip:{user}@test>;tag=1\r\nTo: <sip:{to or called}@test>\r\nCall-ID: i\r\n"
        f"CSeq: 1 INVITE\r\nP-Asserted-Identity: <sip:+4930@x>\r\n{more}\r\n".encode()
    )
    assert isinstance(request, Request)
    return office.guard.admit(request, source, office.network.now)


def challenged(answer: Admitted | Refusal) -> bool:
    return isinstance(answer, Refusal) and answer.status == 407


def test_admission() -> None:
    trunks = (
        trunk("provider", "203.0.113.1", networks=("203.0.113.0/29",)),
        trunk("edge", "10.3.0.1", networks=("10.3.0.1/32",), ports=(5060,), carries_phones=True),
    )
    office = Office(trunks)
    provider, edge = Hop(Transport.UDP, "203.0.113.3", 9), Hop(Transport.UDP, "10.3.0.1", 5060)
    assert invite(office, provider) == Admitted("+4930", "100", VDN, "provider")
    assert invite(office, provider, called="666") == Refusal(404)
    assert invite(office, edge) == Admitted("501", "100", VDN, "edge", "501")
    for stranger in (replace(edge, port=5061), Hop(Transport.UDP, "203.0.113.9", 5060), office.phone.hop):
        assert challenged(invite(office, stranger))
    office.send("<sip:a@10.0.0.1>")
    assert all(office.registrar.is_phone_at(office.phone.hop, name) for name in ("anna", "501"))
    assert challenged(invite(office, office.phone.hop))
    assert challenged(invite(office, office.phone.hop, user="bert"))


@pytest.mark.parametrize("called", ["1-0-0", "(10)0", "1.00", "1%2d00"])
def test_visual_separators_do_not_hide_an_access_code(called: str) -> None:
    office = Office((trunk("provider", "203.0.113.1", networks=("203.0.113.0/29",)),))
    provider = Hop(Transport.UDP, "203.0.113.3", 9)
    assert invite(office, provider, called=called) == Admitted("+4930", "100", VDN, "provider")
    assert invite(office, provider, called="6-6-6") == Refusal(404)
    office.server.answer = answering(office.server)
    office.phone.act(lambda ua: ua.register(office.wanted()))
    office.network.run(1)
    account = Account("anna", "secret")
    office.phone.call(office.server, account=account, from_uri="sip:anna@test", user=called)
    office.network.run(1)
    assert office.server.offered().called == "100"


def test_a_stranger_learns_from_no_answer_which_numbers_are_registered() -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1>")
    answers = [
        invite(office, Hop(Transport.UDP, "198.51.100.1", 5060), user)
        for user in ("anna", "501", "bert", "x")
    ]
    assert all(isinstance(answer, Refusal) and answer.status == 407 for answer in answers)
    assert {tuple(name for name, _ in answer.extra) for answer in answers if isinstance(answer, Refusal)} == {
        ("Proxy-Authenticate",)
    }


@pytest.mark.parametrize("user", ["anna", "x"])
def test_a_stranger_s_invite_draws_one_answer_about_as_long(user: str) -> None:
    office = Office()
    office.send("<sip:a@10.0.0.1>")
    before = len(office.network.wire)
    data = (
        f"INVITE sip:100@test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKq\r\n"
        f"From: <sip:{user}@test>;tag=1\r\nTo: <sip:100@test>\r\nCall-ID: q\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:{user}@198.51.100.1>\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    office.network.inject(data, Hop(Transport.UDP, "198.51.100.1", 5060), office.server)
    office.network.run(40)
    sent = [message for _, _, host, message in office.network.wire[before:] if host == "198.51.100.1"]
    assert [answer.status for answer in sent if isinstance(answer, Response)] == [407]
    assert len(sent[0].encode()) < 2 * len(data)
    assert len(office.server.ua.transactions) == 0


def test_a_registered_phone_calls_with_its_password() -> None:
    office = Office()
    office.server.answer = answering(office.server)
    office.phone.act(lambda ua: ua.register(office.wanted()))
    office.network.run(1)
    good, bad = Account("anna", "secret"), Account("anna", "wrong")
    phone: Peer = office.phone
    for account, user in ((good, "anna"), (good, "501"), (bad, "anna")):
        call = phone.call(office.server, account=account, from_uri=f"sip:{user}@test")
        office.network.run(1)
        assert call.phase.name == ("TALKING" if account is good else "ENDED")
    offered = office.server.offered()
    assert (offered.admitted.account, offered.admitted.vdn) == ("501", VDN)
    invites = office.network.sent("INVITE")
    assert [m.cseq[0] for m in invites] == [1, 2] * 3
    assert len({m.call_id for m in invites}) == 3
    order = [m.method if isinstance(m, Request) else m.status for *_, m in office.network.wire]
    assert order[order.index(407) + 1 : order.index(407) + 3] == ["ACK", "INVITE"]


def test_a_phone_inside_a_trunk_s_network_is_a_phone() -> None:
    office = Office((trunk("lan", "10.0.0.9", networks=("10.0.0.0/24",)),))
    assert invite(office, office.phone.hop) == Admitted("+4930", "100", VDN, "lan")
    office.send("<sip:a@10.0.0.1>;expires=60")
    assert challenged(invite(office, office.phone.hop))
    assert invite(office, replace(office.phone.hop, port=5099)) == Admitted("+4930", "100", VDN, "lan")
    office.network.run(61)
    assert invite(office, office.phone.hop) == Admitted("+4930", "100", VDN, "lan")


def test_a_phone_that_registers_from_a_trunk_s_address_shuts_nobody_out() -> None:
    """Behind a PBX or an edge, phones and customers come from one address and port."""
    edge = Hop(Transport.UDP, "10.3.0.1", 5060)
    trunks = (trunk("edge", "10.3.0.1", networks=("10.3.0.1/32",), ports=(5060,)),)
    office = Office(trunks)
    office.send("<sip:a@10.0.0.1>", source=edge)
    assert office.registrar.is_phone_at(edge, "anna")
    for customer in ("004930123456", "bert"):
        assert invite(office, edge, user=customer) == Admitted("+4930", "100", VDN, "edge")
    for phone in ("anna", "501"):
        assert challenged(invite(office, edge, user=phone))


def test_a_proxy_that_has_authenticated_its_phones_is_believed_though_they_register_through_it() -> None:
    edge = Hop(Transport.UDP, "10.3.0.1", 5060)
    office = Office((trunk("edge", "10.3.0.1", networks=("10.3.0.1/32",), carries_phones=True),))
    office.send("<sip:a@10.0.0.1>", source=edge)
    assert invite(office, edge) == Admitted("501", "100", VDN, "edge", "501")


def test_a_path_is_kept_and_told_back() -> None:
    office = Office()
    path = "<sip:10.3.0.1:5070;lr;received=x>, <sip:10.3.0.2;transport=tcp;lr>"
    answer = office.send("<sip:a@192.168.1.5>", path=path, source=Hop(Transport.UDP, "10.3.0.1", 5060))
    routers = ("<sip:10.3.0.1:5070;lr;received=x>", "<sip:10.3.0.2;transport=tcp;lr>")
    assert tuple(answer.headers.get_all("Path")) == routers
    binding = office.registrar.of_user("anna")[0]
    assert (binding.path, binding.hop) == (routers, Hop(Transport.UDP, "10.3.0.1", 5070))


@pytest.mark.parametrize(
    "path",
    [
        "<sip:10.3.0.1>",
        "<sips:10.3.0.1;lr>",
        "<sip:10.3.0.1;lr;transport=sctp>",
        "nonsense",
        ", ".join(["<sip:10.3.0.1;lr>"] * 5),
    ],
)
def test_a_path_that_no_invite_can_go_is_refused(path: str) -> None:
    office = Office()
    assert office.send("<sip:a@192.168.1.5>", path=path).status == 400
    assert not office.registrar.of_user("anna")


def test_an_invite_goes_along_the_path_and_its_cancel_too() -> None:
    network = Network()
    server, edge = network.peer("10.0.0.2"), network.peer("10.3.0.1")
    edge.answer = lambda session: session.ring()
    routes = ("<sip:10.3.0.1;lr>", "<sip:10.3.0.2;lr>")
    call = OutgoingCall("sip:a@192.168.1.5", edge.hop, server.media, "sip:1@test", routes=routes)
    session = server.act(lambda ua: ua.invite(call))
    network.run(1)
    server.act(lambda ua: session.hang_up())
    network.run(1)
    for method in ("INVITE", "CANCEL", "ACK"):
        (sent,) = [m for _, _, to, m in network.wire if isinstance(m, Request) and m.method == method]
        assert (sent.uri, tuple(sent.headers.get_all("Route"))) == ("sip:a@192.168.1.5", routes)


@pytest.mark.parametrize(
    ("to", "more", "number", "called"),
    [
        ("1-00", "", "", "100"),
        ("us", "P-Called-Party-ID: <sip:100@x>\r\n", "", "100"),
        ("666", "P-Called-Party-ID: nonsense\r\n", "100", "100"),
        ("us", "", "100", "100"),
        ("us", "", "", None),
    ],
)
def test_a_call_to_the_contact_that_we_registered_finds_its_callee(
    to: str, more: str, number: str, called: str | None
) -> None:
    """A registrar calls `sip:account@us`: the number is in To, in P-Called-Party-ID, or nowhere."""
    up = {"networks": ("203.0.113.0/29",), "account": Account("us", "secret"), "number": number}
    office = Office((trunk("provider", "203.0.113.1", register_here=True, **up),))  # type: ignore[arg-type]
    source = Hop(Transport.UDP, "203.0.113.1", 5060)
    expected = Refusal(404) if called is None else Admitted("+4930", called, VDN, "provider")
    assert invite(office, source, called="us", to=to, more=more) == expected
    assert invite(office, source, called="666", to="100") == Refusal(404)


def test_a_short_request_under_a_long_one_s_branch_draws_no_long_answer() -> None:
    """Else one long OPTIONS, and many short ones with a forged source, would flood whoever is named."""
    office = Office()

    def options(call_id: str) -> list[int]:
        before = len(office.network.wire)
        text = (
            "OPTIONS sip:test SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bKq\r\n"
            f"From: <sip:x@test>;tag=1\r\nTo: <sip:test>\r\nCall-ID: {call_id}\r\nCSeq: 1 OPTIONS\r\n\r\n"
        )
        office.network.inject(text.encode(), Hop(Transport.UDP, "198.51.100.1", 5060), office.server)
        office.network.run(0.1)
        return [len(message.encode()) for *_, message in office.network.wire[before:]]

    (long,) = options("q" * 5000)
    assert long > 5000
    assert options("q") == []
    assert options("q" * 5000) == [long], "the same again is answered the same"
