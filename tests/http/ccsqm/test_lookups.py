"""Floods of wrong tokens and app secrets: what reaches the database, and who does not notice."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs
from tests.contract.sqm_ledger import check
from tests.http.ccsqm.test_token import PATH
from tests.quality.standing import DIRECTOR, NOW, ONE, Standing
from tests.storage.works import work_of

from sottovoce.clock import ManualClock
from sottovoce.contracts import rows
from sottovoce.http.ccsqm.lookups import SOURCES_IN_LINE, WRONG_OF_SOURCE, Lookups
from sottovoce.http.ccsqm.visit import SQM
from sottovoce.http.family.routes import Crowded, Unauthorized
from sottovoce.storage.database import connect
from sottovoce.storage.review import app_keys

ASKED = f"{SQM}/qualitytask/queryQualityTask"
SPEECH = next(row.path for row in rows("cc-isqm") if row.status == "done")
BAD, GOOD = "192.0.2.66", "192.0.2.1"


CLOCK = ManualClock()


async def shown(lookups: Lookups, credential: str, source: str, *, valid: bool = False) -> str:
    """What became of a credential: `right`, `wrong`, or `crowded` without a look."""
    try:
        async with lookups.turn(credential, source, CLOCK) as right:
            if not valid:
                raise Unauthorized
            right()
    except Unauthorized:
        return "wrong"
    except Crowded:
        return "crowded"
    return "right"


async def test_wrong_ones_of_a_source_are_counted_and_cost_no_other_source_anything() -> None:
    lookups = Lookups()
    told = [await shown(lookups, f"guess {number}", BAD) for number in range(WRONG_OF_SOURCE + 5)]
    assert told == ["wrong"] * WRONG_OF_SOURCE + ["crowded"] * 5
    assert await shown(lookups, "token", BAD, valid=True) == "crowded", "right or wrong: nobody looks"
    assert await shown(lookups, "token", GOOD, valid=True) == "right"
    CLOCK.advance(3)
    told = [await shown(lookups, f"later {number}", BAD) for number in range(5)]
    assert told == ["wrong"] * 3 + ["crowded"] * 2
    CLOCK.advance(3)
    await shown(lookups, "token", BAD, valid=True)
    assert [await shown(lookups, f"x {number}", BAD) for number in range(4)].count("wrong") == 3, (
        "a right one forgives nothing"
    )


async def test_what_was_right_lately_passes_where_all_else_is_refused() -> None:
    lookups = Lookups()
    assert await shown(lookups, "token", BAD, valid=True) == "right"
    lookups.know("given out")
    for number in range(WRONG_OF_SOURCE):
        await shown(lookups, f"guess {number}", BAD)
    assert await shown(lookups, "other", BAD, valid=True) == "crowded"
    assert await shown(lookups, "token", BAD, valid=True) == "right"
    assert await shown(lookups, "given out", BAD, valid=True) == "right"
    assert await shown(lookups, "token", GOOD) == "wrong", "it has ended"
    assert await shown(lookups, "token", BAD, valid=True) == "crowded"


async def test_the_line_is_bounded_and_its_places_are_given_back() -> None:
    lookups = Lookups()
    await shown(lookups, "token", GOOD, valid=True)
    async with AsyncExitStack() as stack:
        right = await stack.enter_async_context(lookups.turn("slow", "s", CLOCK))
        waiting = [asyncio.ensure_future(shown(lookups, "x", f"s{n}")) for n in range(SOURCES_IN_LINE)]
        await asyncio.sleep(0)
        assert await shown(lookups, "x", "one more") == "crowded"
        assert await shown(lookups, "token", "one more", valid=True) == "right"
        assert await shown(lookups, "new", GOOD, valid=True) == "right", "known sources go before strangers"
        assert not any(task.done() for task in waiting)
        right()
        assert await asyncio.gather(*waiting) == ["wrong"] * SOURCES_IN_LINE
        assert await shown(lookups, "x", "one more") == "wrong"


async def test_who_waits_behind_too_many_wrong_ones_is_refused_when_their_turn_comes() -> None:
    lookups = Lookups()
    async with lookups.turn("slow", "s", CLOCK):
        waiting = [asyncio.ensure_future(shown(lookups, f"x{n}", BAD)) for n in range(2 * WRONG_OF_SOURCE)]
        await asyncio.sleep(0)
    told = await asyncio.gather(*waiting)
    assert (told.count("wrong"), told.count("crowded")) == (WRONG_OF_SOURCE, WRONG_OF_SOURCE)


async def test_a_flood_holds_one_connection_and_nobody_honest_fails(
    postgres_dsn: str, tmp_path: Path
) -> None:
    """Two hundred wrong tokens and secrets from forty sources, all at once; without a line they hold all ten
    connections, and whoever waits for one too long is answered 500."""
    standing = Standing(postgres_dsn, tmp_path, engine=connect(postgres_dsn))
    await standing.open()
    held, most = 0, 0

    def taken(*_: object) -> None:
        nonlocal held, most
        held += 1
        most = max(most, held)

    def returned(*_: object) -> None:
        nonlocal held
        held -= 1

    async def wrong(http: httpx.AsyncClient, number: int) -> int:
        if number % 2:
            body = {"app_key": standing.keys[ONE][0], "app_secret": str(number)}
            return (await http.post(PATH, json=body)).status_code
        headers = {"Authorization": f"Bearer {number}", "X-UserID": DIRECTOR}
        path = ASKED if number % 4 else SPEECH
        return (await http.post(path, content=b"x" * 5000, headers=headers)).status_code

    try:
        sa.event.listen(standing.engine.sync_engine, "checkout", taken)
        sa.event.listen(standing.engine.sync_engine, "checkin", returned)
        async with AsyncExitStack() as stack:
            bots = [
                await stack.enter_async_context(standing.elsewhere(f"192.0.2.{100 + n}")) for n in range(40)
            ]
            flood = [asyncio.ensure_future(wrong(bots[n % 40], n)) for n in range(200)]
            honest = [await standing.call("scenariomanage/queryScenario", {}) for _ in range(5)]
            assert set(await asyncio.gather(*flood)) == {401}
        assert [answer.status for answer in honest] == [200] * 5
        assert most == 2, "one of the flood, one of an honest program"
    finally:
        await standing.close()


async def test_beyond_the_count_the_family_answers_503_and_the_database_is_not_asked(
    standing: Standing,
) -> None:
    key, secret = standing.keys[ONE]
    async with standing.engine.begin() as connection:
        unseen = await app_keys.issue(connection, key, secret, NOW, 600)
    assert unseen is not None
    asked = 0

    def count(*_: object) -> None:
        nonlocal asked
        asked += 1

    async def ask(http: httpx.AsyncClient, path: str, token: str, **body: object) -> int:
        headers = {"Authorization": f"Bearer {token}", "X-UserID": DIRECTOR}
        answer = await http.post(path, json=body, headers=headers)
        check(path, answer.status_code, answer.headers["content-type"], answer.content)
        if answer.status_code == 503:
            assert answer.headers["connection"] == "close"
        return answer.status_code

    async with standing.elsewhere(BAD) as bad, standing.elsewhere(GOOD) as good:
        for number in range(WRONG_OF_SOURCE):
            assert await ask(bad, SPEECH if number % 2 else ASKED, f"guess {number}") == 401
        sa.event.listen(standing.engine.sync_engine, "begin", count)
        with capture_logs() as logs:
            assert await ask(bad, ASKED, "guess") == 503
            assert await ask(bad, SPEECH, "guess", filler="x" * 5000) == 503
            assert await ask(bad, ASKED, unseen.text) == 503
            assert await ask(bad, PATH, "", app_key=key, app_secret="guess") == 503
        assert asked == 0
        assert {(line["event"], line["source"], line["what"]) for line in logs} == {
            ("requests refused, too many", BAD, "wrong tokens and app secrets")
        }
        assert await ask(bad, PATH, "", app_key=key, app_secret=secret) == 200, "it was right lately"
        assert await ask(bad, SPEECH, standing.tokens[ONE]) != 503
        assert await ask(good, SPEECH, unseen.text) != 503
        assert await ask(bad, SPEECH, unseen.text) != 503, "it was right lately, whoever showed it"


@pytest.mark.parametrize("end", ["revoked", "expired"])
async def test_the_end_of_a_token_counts_at_once(standing: Standing, end: str) -> None:
    async with standing.engine.begin() as connection:
        app, secret = await app_keys.make(work_of(connection, ONE, NOW), "CRM", DIRECTOR)
    body = {"app_key": app.app_key, "app_secret": secret}
    token = (await standing.http.post(PATH, json=body)).json()["AccessToken"]
    headers = {"Authorization": f"Bearer {token}"}
    assert (await standing.http.post(SPEECH, json={}, headers=headers)).status_code == 200
    if end == "revoked":
        async with standing.engine.begin() as connection:
            await app_keys.revoke(connection, app.app_key, NOW)
    else:
        standing.clock.advance(600)
    assert (await standing.http.post(SPEECH, json={}, headers=headers)).status_code == 401
    again = await standing.http.post(PATH, json=body)
    assert again.status_code == (401 if end == "revoked" else 200)
