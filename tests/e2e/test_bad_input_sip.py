"""SIP that no honest phone sends, over UDP and TCP, at a server in the middle of a supervised call.

Each group comes from a loopback address of its own: what one source may ask is bounded.
"""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.e2e.hostile_sip import Intruder, header_of, intruder, message, offer, status_of, stream
from tests.e2e.served import ACCESS_CODE, LOOPBACK, OUTSIDE, SECRET, outside, registered
from tests.e2e.under_attack import AGENT, CUSTOMER, Standing

from sottovoce.doors.sip.digest import Challenge, authorize
from sottovoce.phones.phone import CallState

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


def address(standing: Standing, user: str = ACCESS_CODE) -> str:
    return f"sip:{user}@{LOOPBACK}:{standing.served.sip_port}"


async def test_bytes_that_are_no_sip(attacked: Standing) -> None:
    chance = random.Random(1)
    served = attacked.served
    async with intruder(served, "127.0.0.11") as one:
        good = one.request("INVITE", address(attacked), body=offer(one.host))
        for _ in range(300):
            one.throw(chance.randbytes(chance.randrange(0, 1400)))
        for length in range(0, len(good), 7):
            one.throw(good[:length])
        one.throw(b"\r\n\r\n" * 100 + b"\x00" * 100)
        one.throw(chance.randbytes(60_000))
        assert 200 not in await one.count()
    async with intruder(served, "127.0.0.12") as two:
        good = two.request("INVITE", address(attacked), body=offer(two.host))
        for _ in range(300):
            broken = bytearray(good)
            for _ in range(chance.randrange(1, 30)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            two.throw(bytes(broken))
        assert 200 not in await two.count()
    for _ in range(40):
        assert b" 200 " not in await stream(
            served, "127.0.0.13", chance.randbytes(chance.randrange(1, 5000)), b"\r\n\r\n"
        )
    assert b" 200 " not in await stream(served, "127.0.0.13", *[b"A" * 65536] * 40)
    assert await stream(served, "127.0.0.13", b"\r\n\r\n" * 3) == b"\r\n", "a keep-alive is answered"
    await attacked.unharmed()


async def test_strangers_do_not_call(attacked: Standing) -> None:
    served = attacked.served
    async with intruder(served, "127.0.0.14") as stranger:
        for user in (ACCESS_CODE, "8101", "101", "555", "' or 1=1", "%00", "a" * 500):
            invite = stranger.request(
                "INVITE", address(attacked, user.replace(" ", "%20")), body=offer(stranger.host)
            )
            assert status_of(await stranger.ask(invite)) in (400, 407)
        borrowed = stranger.request(
            "INVITE", address(attacked), sender="<sip:8101@sottovoce.local>", body=offer(stranger.host)
        )
        answer = await stranger.ask(borrowed)
        assert status_of(answer) == 407
        challenge = Challenge.parse(header_of(answer, "Proxy-Authenticate"))
        for password in ("", "secret", "8101"):
            credentials = authorize(
                challenge, method="INVITE", uri=address(attacked), user="8101", password=password, cnonce="x"
            )
            again = stranger.request(
                "INVITE",
                address(attacked),
                sender="<sip:8101@sottovoce.local>",
                extra=[f"Proxy-Authorization: {credentials}"],
                body=offer(stranger.host),
            )
            assert status_of(await stranger.ask(again)) == 403
        asserted = stranger.request(
            "INVITE",
            address(attacked),
            extra=["P-Asserted-Identity: <sip:8101@sottovoce.local>", f"Route: <sip:{OUTSIDE};lr>"],
            body=offer(stranger.host),
        )
        assert status_of(await stranger.ask(asserted)) == 407
    invite = message("INVITE", address(attacked), "127.0.0.14", 5060, transport="TCP", body=offer(LOOPBACK))
    assert status_of(await stream(served, "127.0.0.14", invite, answers=1)) == 407
    await attacked.unharmed()


async def test_dialogs_are_not_guessed(attacked: Standing) -> None:
    session = attacked.calls[CUSTOMER].session
    assert session is not None
    dialog = session.dialog
    assert dialog is not None
    theirs, ours = dialog.remote_tag, dialog.local_tag
    async with intruder(attacked.served, "127.0.0.15") as forger:
        for call_id, from_tag, to_tag in (
            (dialog.call_id, "guess", "guess"),
            (dialog.call_id, "guess", theirs),
            (dialog.call_id, ours, "guess"),
            (dialog.call_id, theirs, ours),
            (dialog.call_id, ours.upper() + "x", theirs),
            (dialog.call_id, None, theirs),
            ("another", ours, theirs),
        ):
            for method in ("BYE", "INVITE", "UPDATE", "PRACK", "INFO", "REFER"):
                forged = forger.request(
                    method,
                    address(attacked),
                    call_id=call_id,
                    from_tag=from_tag,
                    to_tag=to_tag,
                    number=1000,
                    body=offer(forger.host) if method in ("INVITE", "UPDATE") else "",
                )
                assert status_of(await forger.ask(forged)) in (400, 481), (method, from_tag, to_tag)
            forger.throw(forger.request("ACK", address(attacked), call_id=call_id, to_tag=to_tag))
        for to_tag in (None, theirs, "guess"):
            for branch in ("z9hG4bKguess", "", "z9hG4bK"):
                cancel = forger.request(
                    "CANCEL",
                    address(attacked),
                    call_id=dialog.call_id,
                    from_tag=ours,
                    to_tag=to_tag,
                    branch=branch or None,
                )
                assert status_of(await forger.ask(cancel)) == 481
        assert (
            status_of(await forger.ask(forger.request("BYE", address(attacked), call_id=dialog.call_id)))
            == 481
        )
        for status in (100, 180, 200, 302, 401, 487, 603):
            forger.throw(
                f"SIP/2.0 {status} Forged\r\nVia: SIP/2.0/UDP {LOOPBACK}:{attacked.served.sip_port};"
                f"branch=z9hG4bKguess\r\nFrom: <sip:a@b>;tag={theirs}\r\nTo: <sip:c@d>;tag={ours}\r\n"
                f"Call-ID: {dialog.call_id}\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n".encode()
            )
    await attacked.unharmed()


async def register(
    sender: Intruder,
    uri: str,
    *,
    number: int,
    password: str = SECRET,
    nc: int = 1,
    nonce: Challenge | None = None,
) -> bytes:
    """A REGISTER for 8103, with credentials if there is a challenge to answer."""
    extra = []
    if nonce is not None:
        credentials = authorize(
            nonce, method="REGISTER", uri=uri, user="8103", password=password, cnonce="c", nc=nc
        )
        extra = [f"Authorization: {credentials}"]
    return await sender.ask(
        sender.request(
            "REGISTER",
            uri,
            call_id=f"register-{sender.host}",
            sender="<sip:8103@sottovoce.local>",
            to="<sip:8103@sottovoce.local>",
            number=number,
            extra=extra,
        )
    )


async def guess_passwords(sender: Intruder, uri: str, nonce: Challenge, first: int = 2) -> None:
    """As many wrong ones as a source may send before it is not listened to."""
    for number in range(first, first + 10):
        wrong = await register(sender, uri, number=number, nonce=nonce, password=f"guess {number}")
        assert status_of(wrong) == 403


async def test_digests_that_are_wrong_or_old(attacked: Standing) -> None:
    uri = f"sip:{LOOPBACK}:{attacked.served.sip_port}"
    async with intruder(attacked.served, "127.0.0.16") as listener:
        asked = await register(listener, uri, number=1)
        assert status_of(asked) == 401
        nonce = Challenge.parse(header_of(asked, "WWW-Authenticate"))
        assert status_of(await register(listener, uri, number=2, nonce=nonce)) == 200
        for number, count in ((3, 1), (4, 0)):  # what an eavesdropper would send again
            replayed = await register(listener, uri, number=number, nonce=nonce, nc=count)
            assert status_of(replayed) == 401
            assert Challenge.parse(header_of(replayed, "WWW-Authenticate")).stale
        assert status_of(await register(listener, uri, number=5, nonce=nonce, nc=7)) == 200
        assert status_of(await register(listener, uri, number=6, nonce=nonce, nc=6)) == 401
        made_up = Challenge(realm=nonce.realm, nonce="bm9uY2U=")
        assert status_of(await register(listener, uri, number=7, nonce=made_up)) == 401
        other_realm = Challenge(realm="elsewhere", nonce=nonce.nonce)
        assert status_of(await register(listener, uri, number=8, nonce=other_realm)) == 401
        for broken in ("Digest", "Digest realm=", "Basic ODEwMzp4", "Digest " + "a=b," * 500, "\xff" * 100):
            strange = listener.request("REGISTER", uri, extra=[f"Authorization: {broken}"])
            assert status_of(await listener.ask(strange)) in (400, 401)
    async with intruder(attacked.served, "127.0.0.17") as guesser:
        asked = await register(guesser, uri, number=1)
        nonce = Challenge.parse(header_of(asked, "WWW-Authenticate"))
        await guess_passwords(guesser, uri, nonce)
        guesser.throw(guesser.request("OPTIONS", uri))
        assert await guesser.count() == [], "after ten wrong passwords nobody listens"
    await attacked.unharmed()


async def test_offers_that_cannot_be_taken(attacked: Standing) -> None:
    uri = address(attacked)
    async with intruder(attacked.served, OUTSIDE) as trunk:
        for expected, body in (
            (488, offer(OUTSIDE, "18")),
            (488, offer(OUTSIDE, "9 96")),
            (488, offer(OUTSIDE).replace("audio", "video")),
            (488, offer(OUTSIDE).replace("RTP/AVP", "RTP/SAVP")),
            (400, "v=0"),
            (400, "v=9\r\n" * 50),
            (400, "\x00\x01\x02"),
            (513, offer(OUTSIDE) + "a=x:" + "y" * 40_000 + "\r\n"),
            (513, offer(OUTSIDE) + "a=x\r\n" * 8000),
        ):
            answer = await trunk.ask(trunk.request("INVITE", uri, body=body))
            assert status_of(answer) == expected, body[:200]
        for body in (
            offer(OUTSIDE).replace("40000", "99999"),
            offer(OUTSIDE).replace("40000", "-1"),
            offer("999.999.999.999"),
            offer("::1"),
            offer("a" * 300),
            offer(OUTSIDE) + "m=audio 40002 RTP/AVP 0\r\n" * 400,
            offer(OUTSIDE) + "a=rtpmap:0 PCMU/0/0\r\na=rtpmap:300 X/8000\r\na=ptime:-20\r\na=fmtp:\r\n",
        ):
            call_id = f"odd-{abs(hash(body))}"
            answer = await trunk.ask(trunk.request("INVITE", uri, call_id=call_id, body=body))
            if status_of(answer) == 200:
                tag = header_of(answer, "To").partition(";tag=")[2]
                trunk.throw(trunk.request("ACK", uri, call_id=call_id, to_tag=tag))
                bye = trunk.request("BYE", uri, call_id=call_id, to_tag=tag, number=2)
                assert status_of(await trunk.ask(bye)) == 200
            else:
                assert status_of(answer) in (400, 488, 513), body[:200]
        plain = trunk.request("INVITE", uri, body=offer(OUTSIDE))
        encoded = plain.replace(b"application/sdp", b"application/x-unknown")
        assert status_of(await trunk.ask(encoded)) == 415
        required = trunk.request("INVITE", uri, extra=["Require: teleportation"], body=offer(OUTSIDE))
        assert status_of(await trunk.ask(required)) == 420
        assert status_of(await trunk.ask(trunk.request("BREW", uri))) == 501
        assert status_of(await trunk.ask(trunk.request("INVITE", address(attacked, "nobody")))) == 404
    await attacked.unharmed()


async def test_streams_that_lie(attacked: Standing) -> None:
    served, uri = attacked.served, address(attacked)

    def options(**how: object) -> bytes:
        return message("OPTIONS", uri, "127.0.0.18", 5060, transport="TCP", **how)  # type: ignore[arg-type]

    async def send(*pieces: bytes, answers: int = 0) -> bytes:
        return await stream(served, "127.0.0.18", *pieces, answers=answers)

    half = options()
    holding = [
        await asyncio.open_connection(LOOPBACK, served.sip_port, local_addr=("127.0.0.18", 0))
        for _ in range(20)
    ]
    for number, (_, writer) in enumerate(holding):
        writer.write(half[: 10 * number])
    for lie in ("5", "1000000000", "99999999999", "-1", "x", "1 2", "", "0x10"):
        heard = await send(options(length=lie), b"BYE sip:x SIP/2.0\r\n\r\n")
        assert b" 200 " not in heard or lie == "5", lie
    assert await send(options(length=60_000), b"x" * 1000) == b"", "a body that never comes"
    without = half.replace(b"Content-Length: 0\r\n", b"")
    assert status_of(await send(without, answers=1)) == 400
    doubled = half.replace(b"Content-Length: 0\r\n", b"Content-Length: 0\r\nl: 9\r\n")
    assert status_of(await send(doubled, answers=1)) == 400
    in_bytes = [bytes([byte]) for byte in options()]
    assert status_of(await send(*in_bytes, answers=1)) == 200
    many = await send(b"".join(options() for _ in range(10)), answers=10)
    assert many.count(b"SIP/2.0 200 ") == 10
    for _, writer in holding:
        writer.transport.abort()
    await asyncio.gather(*(writer.wait_closed() for _, writer in holding), return_exceptions=True)
    await attacked.unharmed()


async def test_a_flood_of_registrations(attacked: Standing) -> None:
    served = attacked.served
    uri = f"sip:{LOOPBACK}:{served.sip_port}"
    async with intruder(served, "127.0.0.19") as flood:
        for number in range(3000):
            flood.throw(
                flood.request(
                    "REGISTER",
                    uri,
                    sender=f"<sip:{number}@sottovoce.local>",
                    to=f"<sip:{number}@sottovoce.local>",
                    call_id=f"flood-{number}",
                )
            )
            if number % 50 == 0:
                await asyncio.sleep(0)
        async with registered(served, "8103"), outside("5559") as caller:
            call = await caller.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            assert call.state is CallState.TALKING, "others are served meanwhile"
            call.hang_up()
            await call.ended()
        answers = await flood.count()
    assert answers.count(401) < 1000
    assert len(answers) < 2000, "beyond its share a source is not answered at all"
    attacked.call_ids = await attacked.ann.call_ids()
    await attacked.unharmed()


async def test_calls_outlive_those_who_share_their_address(attacked: Standing) -> None:
    """Last, for it blocks the phones' own address: what belongs to a call still passes, and so do trunks."""
    served = attacked.served
    uri = f"sip:{LOOPBACK}:{served.sip_port}"
    for host in (LOOPBACK, OUTSIDE):
        async with intruder(served, host) as neighbour:
            for number in range(20):  # from a forged address nobody hears the challenge
                made_up = Challenge(realm="sottovoce.local", nonce=f"nonce {number}")
                assert status_of(await register(neighbour, uri, number=number + 1, nonce=made_up)) == 401
            asked = await register(neighbour, uri, number=50)
            assert status_of(asked) == 401, "made-up nonces block nobody"
            nonce = Challenge.parse(header_of(asked, "WWW-Authenticate"))
            await guess_passwords(neighbour, uri, nonce, 51)
            neighbour.throw(neighbour.request("OPTIONS", uri))
            assert await neighbour.count() == ([] if host == LOOPBACK else [200])
    blocked = [
        told["host"] for told in attacked.told() if told["event"].startswith("too many wrong passwords")
    ]
    assert {LOOPBACK, OUTSIDE} <= set(blocked)
    agent = attacked.calls[AGENT]
    attacked.ann.forget_events()
    agent.hold()
    await attacked.ann.next_event("AgentEvent_linkagePhoneHold")
    agent.resume()
    await attacked.ann.next_event("AgentEvent_linkagePhoneUnHold")
    async with outside("5558") as caller:
        call = await caller.call(ACCESS_CODE, via=served.hop)
        await call.talking()
        call.hang_up()
        await call.ended()
    await attacked.unharmed()
