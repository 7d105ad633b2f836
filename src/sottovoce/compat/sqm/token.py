"""tokenByAkSk [2211]: what it answers, what it refuses."""

from __future__ import annotations

import asyncio

from sottovoce.client.ccsqm.connection import SQM, TOKEN
from sottovoce.compat.bench import Bench, Check, needed
from sottovoce.compat.shapes import documented
from sottovoce.compat.sqm.interfaces import row_of
from sottovoce.compat.wire import NOT_ASKED, Reply

NAME = TOKEN.rsplit("/", 1)[1]
LONGEST_S = 3600
_SHORT_S, _MARGIN_S = 1, 1.5
_ANY = "regularqualitytask/queryQualityTask"
"""An interface that needs a token."""


def _none(check: Check, reply: Reply) -> None:
    check.that(not reply.field("AccessToken"), f"a token was given: {reply}")


async def walk(bench: Bench) -> bool:
    """The checks; whether a token was had, without which nothing else can be asked."""
    wire = bench.wire
    reply = wrong = NOT_ASKED
    with bench.check(NAME, "key and secret give a token; every value is a String"):
        reply = await wire.token()
        wire.bearer = str(reply.field("AccessToken") or "")
        check_form(Check(), reply)
    if not wire.bearer or not bench.begin("token"):
        return bool(wire.bearer)
    loop = asyncio.get_running_loop()
    before = loop.time()
    short = await wire.token(expire=str(_SHORT_S))
    after = loop.time()
    with bench.check(NAME, "ApplyType Bearer, UserID Anonymous, the AppKey asked with") as check:
        told = {"ApplyType": "Bearer", "UserID": "Anonymous", "AppKey": wire.app_key}
        check.equal(reply.document, told)
    with bench.check(NAME, "Expires is the lifetime asked for, in seconds") as check:
        check.that(reply.field("Expires") == "600", f"Expires is {reply.field('Expires')!r}, asked was 600")
    with bench.check(NAME, "CreateTime is in seconds since the epoch") as check:
        made = str(reply.field("CreateTime"))
        check.that(made.isdigit() and len(made) == 10, f"CreateTime is {made!r}")
    with bench.check(NAME, f"a lifetime of {LONGEST_S} s is given") as check:
        longest = await wire.token(expire=str(LONGEST_S))
        check.that(longest.field("Expires") == str(LONGEST_S), longest)
        wire.bearer = str(longest.field("AccessToken") or wire.bearer)
    with bench.check(NAME, "no token lives longer than 3600 s") as check:
        longer = await wire.token(expire=str(LONGEST_S + 1))
        if longer.field("AccessToken"):
            check.that(int(str(longer.field("Expires"))) <= LONGEST_S, longer)
    for expire in ("0", "-1", "ten"):
        with bench.check(NAME, f"X-Token-Expire {expire} is refused", inferred=True) as check:
            _none(check, await wire.token(expire=expire))
    with bench.check(NAME, "X-Token-Expire may be left out", inferred=True) as check:
        usual = await wire.token(expire=None)
        check.that(bool(usual.field("AccessToken")), usual)
    with bench.check(NAME, "a wrong secret gives no token") as check:
        wrong = await wire.token(secret=f"{wire.secret}x")
        _none(check, wrong)
    with bench.check(NAME, "a wrong secret is told with HTTP 401", inferred=True) as check:
        check.that(wrong.status == 401, wrong)
    with bench.check(NAME, "a wrong key gives no token") as check:
        _none(check, await wire.token(key=f"{wire.app_key}x"))
    with bench.check(NAME, "key and secret are mandatory") as check:
        for body in (b"{}", b'{"app_key":"%s"}' % wire.app_key.encode(), b'{"app_secret":"x"}'):
            _none(check, await wire.send(TOKEN, body, {"X-Token-Expire": "600"}))
    await asyncio.sleep(after + _SHORT_S + _MARGIN_S - loop.time())
    with bench.check(NAME, "CreateTime goes on with time") as check:
        begun = loop.time()
        later = await wire.token()
        passed = int(str(later.field("CreateTime"))) - int(str(short.field("CreateTime")))
        least, most = begun - after - _MARGIN_S, loop.time() - before + _MARGIN_S
        check.that(least <= passed <= most, f"it went on by {passed} s in {least:.1f} to {most:.1f} s")
    await _expired(bench, short)
    return True


async def _expired(bench: Bench, short: Reply) -> None:
    reply = NOT_ASKED
    with bench.check(NAME, "a token is good for its lifetime, and no longer") as check:
        needed(short.field("AccessToken"), f"no token of {_SHORT_S} s is given")
        for bearer in (bench.wire.bearer, short.field("AccessToken")):
            asked = {"page": 1, "rows": 1}
            reply = await bench.ask(f"{SQM}/{_ANY}", asked, Authorization=f"Bearer {bearer}")
            if bearer == bench.wire.bearer:
                check.done(reply)
        check.that(not reply.ok, f"taken after its {_SHORT_S} s: {reply}")
    with bench.check(NAME, "an expired token is told with HTTP 401", inferred=True) as check:
        check.that(needed(reply.status or None, "it could not be asked") == 401, reply)


def check_form(check: Check, reply: Reply) -> None:
    """HTTP 200 and the documented form."""
    check.that(reply.status == 200, reply)
    check.like(documented(row_of(TOKEN).answer or {}), reply.document)
