"""tokenByAkSk [2211]: what it answers, what it refuses."""

from __future__ import annotations

from sottovoce.client.ccsqm.connection import TOKEN
from sottovoce.compat.bench import Bench, Check
from sottovoce.compat.shapes import documented
from sottovoce.compat.sqm.interfaces import row_of
from sottovoce.compat.wire import NOT_ASKED, Reply

NAME = TOKEN.rsplit("/", 1)[1]
LONGEST_S = 3600


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
    if not wire.bearer:
        return False
    with bench.check(NAME, "ApplyType Bearer, UserID Anonymous, the AppKey asked with") as check:
        check.that(reply.field("ApplyType") == "Bearer", reply.field("ApplyType"))
        check.that(reply.field("UserID") == "Anonymous", reply.field("UserID"))
        check.that(reply.field("AppKey") == wire.app_key, reply.field("AppKey"))
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
    return True


def check_form(check: Check, reply: Reply) -> None:
    """HTTP 200 and the documented form."""
    check.that(reply.status == 200, reply)
    check.like(documented(row_of(TOKEN).answer or {}), reply.document)
