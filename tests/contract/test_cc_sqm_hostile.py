"""Every field of every interface with everything that it does not take, and bodies of no sense at all."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from tests.contract.bodies import body, changed, fields, generated, names, said_otherwise, wrong_values
from tests.contract.sqm_ledger import check
from tests.quality.standing import BY_ROLE, ONE, Standing

from sottovoce.contracts import Row, rows
from sottovoce.domain.rights import RIGHTS, Operation, Scope
from sottovoce.http.ccisqm.served import SERVED as SPEECH_FORMS
from sottovoce.http.ccsqm.served import SERVED as SQM_FORMS
from sottovoce.http.ccsqm.words import BadField, Form

SERVED = [row for row in rows("cc-sqm", "cc-isqm") if row.status == "done" and not row.open]
FORMS = {interface.path: interface.form for interface in (*SQM_FORMS, *SPEECH_FORMS)}
STRANGE: list[Any] = [None, True, 0, -1, 2**63, 10**30, 1.5, 1e308, "", "x", "\x00", "é坐", "9" * 20, "٣²"]
STRANGE += [
    "\u202e",
    "x" * 3000,
    [],
    {},
    [[]],
    [None],
    {"a": {"b": []}},
    [{"count": -1}],
    "1; DROP TABLE users",
]
EDGES: list[Any] = [
    253_402_300_799,
    "253402300799",
    253_402_300_799_999,
    99_999_999_999,
    100_000_000_000,
    0,
    1,
]
EDGES += [2**31 - 1, 2**31, 2**53, 2**62, -(2**62), 2**63 - 1, "0" * 20, "0" * 19 + "1", "9" * 20, 10**18]
"""Where times and numbers end: the year 9999 in seconds and milliseconds, and what a machine can hold."""


def _headers(standing: Standing, row: Row) -> dict[str, str]:
    """Of somebody who may do it."""
    may = next(
        role
        for role in BY_ROLE
        if not row.operation or RIGHTS[role, Operation(row.operation)] is not Scope.NO
    )
    return {"Authorization": f"Bearer {standing.tokens[ONE]}", "X-UserID": BY_ROLE[may]}


async def _ask(standing: Standing, row: Row, content: bytes) -> tuple[int, Any]:
    answer = await standing.http.post(row.path, content=content, headers=_headers(standing, row))
    assert answer.status_code in (200, 400), (row.path, content[:300], answer.text)
    return answer.status_code, check(
        row.path, answer.status_code, answer.headers["content-type"], answer.content
    )


def _wrong_bodies(row: Row) -> Iterator[tuple[str, bytes]]:
    """Each field with each value that it does not take, or missing."""
    whole = body(row)
    for name, schema, needed in fields(row.body or {}):
        wrong = [changed(whole, name, value) for value in wrong_values(schema)]
        if needed:
            wrong.append(changed(whole, name, ...))
        for sent in wrong:
            yield name, json.dumps(sent).encode()


@pytest.mark.parametrize("row", SERVED, ids=lambda row: row.path.split("/rest/")[-1])
def test_a_wrong_type_is_refused_with_the_fields_name(row: Row) -> None:
    """Those that the form itself refuses; the next test has the others too."""
    form = FORMS[row.path]
    form.decode(json.dumps(body(row)).encode())
    of_type = {name for name, schema, _ in fields(row.body or {}) if "enum" not in str(schema)}
    for name, content in _wrong_bodies(row):
        if name in of_type:
            with pytest.raises(BadField) as refused:
                form.decode(content)
            assert names(name, str(refused.value)), (name, content[:300], str(refused.value))


async def test_it_is_told_with_http_200_and_a_code_of_the_family(quality: Standing) -> None:
    chance = random.Random(0)
    for row in SERVED:
        by_field: dict[str, list[bytes]] = {}
        for name, content in _wrong_bodies(row):
            by_field.setdefault(name, []).append(content)
        for name, contents in by_field.items():
            for content in (contents[-1], chance.choice(contents)):
                status, told = await _ask(quality, row, content)
                where = f"{row.path} {name} {content[:400]!r} {told}"
                assert (status, told["resultCode"][4:]) in ((200, "001"), (200, "400")), where
                assert names(name, told["resultDesc"]), where


async def test_bodies_of_no_sense_are_answered_in_the_familys_form(quality: Standing) -> None:
    chance = random.Random(1)
    places = {row.path: [name for name, _, _ in fields(row.body or {})] for row in SERVED}
    for _ in range(300):
        row = chance.choice(SERVED)
        sent = body(row)
        for _ in range(chance.randint(1, 3)):
            name = chance.choice(places[row.path])
            try:
                sent = changed(sent, name, chance.choice([*STRANGE, ...]))
            except (KeyError, IndexError, TypeError, AttributeError):
                continue
        content = json.dumps(sent).encode()
        if chance.random() < 0.1:
            content = content[: chance.randrange(len(content))]
        await _ask(quality, row, content)


async def test_whatever_a_schema_allows_is_answered_as_the_ledger_says(quality: Standing) -> None:
    """Bodies made from the schemas alone: they may name nothing that exists, and never break the server."""
    for row in SERVED:
        found = generated(row.body or {}, 8)
        assert found, row.path
        for sent in found:
            status, _ = await _ask(quality, row, json.dumps(sent).encode())
            assert status == 200, (row.path, sent)


async def test_times_and_numbers_at_their_ends_are_reckoned_with(quality: Standing) -> None:
    """All fields of an interface at one end, then some of them: two times make a span."""
    chance = random.Random(3)
    for row in SERVED:
        numbers = [name for name, schema, _ in fields(row.body or {}) if _counts(schema)]
        for value in chance.sample(EDGES, 6):
            for chosen in (numbers, chance.sample(numbers, len(numbers) // 2)):
                sent = body(row)
                for name in chosen:
                    with suppress(KeyError, IndexError, TypeError):  # what holds it was itself replaced
                        sent = changed(sent, name, value)
                await _ask(quality, row, json.dumps(sent).encode())


def _counts(schema: Any) -> bool:
    told = str(schema)
    return any(f"'{kind}'" in told for kind in ("integer", "number", "id"))


def _decoded(form: type[Form], sent: Any) -> Form | str:
    try:
        return form.decode(json.dumps(sent).encode())
    except BadField as bad:
        return str(bad).partition(":")[0]


def test_what_may_be_said_in_two_ways_means_the_same() -> None:
    for row in SERVED:
        form = FORMS[row.path]
        for sent in generated(row.body or {}, 20):
            other = {"never": {"heard": ["of"]}, **said_otherwise(row.body or {}, sent)}
            assert _decoded(form, sent) == _decoded(form, other), (row.path, sent, other)


NO_OBJECTS = [
    b"",
    b"\x00",
    b"[]",
    b"{}}",
    b'{"a":NaN}',
    b'{"a":-Infinity}',
    b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"a":' + b"1" * 5000 + b"}",
    b'{"a":"\xed\xa0\x80"}',
]


async def test_bodies_that_are_no_json_object(quality: Standing) -> None:
    for place, row in enumerate(SERVED):
        for content in (NO_OBJECTS[place % len(NO_OBJECTS)], NO_OBJECTS[(place * 4 + 1) % len(NO_OBJECTS)]):
            status, told = await _ask(quality, row, content)
            assert (status, told["resultCode"][4:]) in ((400, "001"), (400, "400")), (row.path, content[:80])


async def test_numbers_and_names_without_end(quality: Standing) -> None:
    for row in SERVED[::3]:
        for content in (b'{"a":1e999}', b'{"' + b"a" * 100_000 + b'":1}', b'{"page":1e999}'):
            status, _ = await _ask(quality, row, content)
            assert status == 200
