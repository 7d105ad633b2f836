"""Hundreds of hostile requests to every interface: each answer is one that the ledger allows."""

from __future__ import annotations

import json
import random
import re
from typing import Any
from urllib.parse import quote

import pytest
from tests.contract.bodies import generated, names, sample, wrong_values
from tests.contract.client import ROWS, LedgerClient
from tests.contract.standing import Standing

from sottovoce.contracts import Row, Schema
from sottovoce.contracts.judge import Judge
from sottovoce.http.edge import EdgeLimits

A, INSPECTOR = 101, 300
TEXTS = [
    "",
    "0",
    "1",
    "101",
    "300",
    "59999",
    "60000",
    "-1",
    "1e9",
    "9" * 400,
    "true",
    "null",
    "a b",
    "é坐",
    "\x00",
]
TEXTS += [
    "\n",
    "%",
    "%00",
    "...",
    ";",
    "'",
    '"',
    "{}",
    "[]",
    "\u202e",
    "*#",
    "x" * 3000,
    "1-1",
    "101;102",
    "٣",
]
VALUES: list[Any] = [*TEXTS, None, True, False, 0, -1, 1.5, 10**30, [], {}, [1, "2"], [[[]]], {"a": 1}]


def _as(row: Row, agent: int) -> str:
    """The row's path, asked by that agent."""
    return re.sub(r"/\{(agentid|workno)\}", f"/{agent}", row.path, count=1)


def _path(row: Row, agent: int, chance: random.Random) -> str:
    known = _as(row, agent)

    def fill(found: re.Match[str]) -> str:
        text = chance.choice([str(A), "1", chance.choice(TEXTS)])
        return quote(text.replace("/", "") or "_", safe="")

    return re.sub(r"\{\w+\}", fill, known)


@pytest.mark.parametrize("seed", range(3))
async def test_hostile_requests(standing: Standing, client: LedgerClient, seed: int) -> None:
    chance = random.Random(seed)
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    for number in range(400):
        agent = chance.choice((A, INSPECTOR))
        row = chance.choice([row for row in ROWS if row.status == "done"] if number % 4 else ROWS)
        fields = {name: chance.choice(VALUES) for name in row.fields}
        sent: dict[str, Any] = {"headers": {"Guid": client.guids[agent]}}
        if chance.random() < 0.7:
            sent["params"] = {name: str(value) for name, value in fields.items() if value is not None}
        if chance.random() < 0.7:
            sent["content"] = json.dumps(fields)[: None if chance.random() < 0.9 else 7].encode()
        answered = await client.raw(chance.choice(row.verbs), _path(row, agent, chance), **sent)
        assert answered.status in (200, 404, 405, 431)
        if answered.retcode == "100-006":
            await client.sign_in(agent, force=True)
    await standing.quiet()


DONE = [row for row in ROWS if row.status == "done"]


def _sent(row: Row, agent: int, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path of a request with those values, and its query or body."""
    path = _as(row, agent)
    for name in [name for name in values if f"{{{name}}}" in path]:
        written = json.dumps(values[name]).strip('"') if isinstance(values[name], bool) else str(values[name])
        path = path.replace(f"{{{name}}}", quote(written, safe="") or "_")
    if row.body is not None:
        inner = {name: values[name] for name in row.body.get("properties", {}) if name in values}
        return path, {"content": json.dumps(inner).encode()}
    asked = {one.name for one in row.parameters if one.where == "query"} & values.keys()
    return path, {"params": {name: _written(values[name]) for name in asked}}


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ";".join(map(str, value))
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _needed(row: Row) -> list[str]:
    """The fields that a request cannot go without."""
    found = [one.name for one in row.parameters if one.required and not one.caller]
    return [*found, *(row.body or {}).get("required", ())]


async def test_whatever_a_schema_allows_is_answered_as_the_ledger_says(
    standing: Standing, client: LedgerClient
) -> None:
    """Requests made from the schemas alone, in the ledger's order; sign-ins and sign-outs among them."""
    await standing.at_work(A, INSPECTOR)
    await standing.call_in()
    for row in DONE:
        whole = {"type": "object", "properties": dict(row.fields), "required": _needed(row)}
        for values in generated(whole, 8 if row.fields else 1):
            path, sent = _sent(row, A, values)
            answered = await client.raw(row.verbs[0], path, headers={"Guid": client.guids[A]}, **sent)
            assert answered.status in (200, 404), (path, sent)
            if answered.retcode == "100-006" or row.open:
                await client.sign_in(A, force=True)
    await standing.quiet()


def _takes(schema: Schema, value: Any) -> bool:
    """Whether the gateway takes `value` there: a number, flag or list as text, a text as a number."""
    if isinstance(value, str) and (any("\ud800" <= sign <= "\udfff" for sign in value) or "\x00" in value):
        return False
    said = [value]
    if isinstance(value, int | float) and not isinstance(value, bool):
        said += [str(value), int(value)] if value == int(value) else [str(value)]
        said += [bool(value)] if value in (0, 1) else []
    if isinstance(value, str):
        said += [int(value)] if re.fullmatch(r"-?[0-9]{1,4000}", value) else []
        said += [True] if value.lower() in ("true", "yes", "on", "1", "t", "y") else []
        said += [False] if value.lower() in ("false", "no", "off", "0", "f", "n") else []
    if schema["type"] == "array":
        parts = value.replace(",", ";").split(";") if isinstance(value, str) else value
        parts = parts if isinstance(parts, list) else [parts]
        judge = Judge({key: limit for key, limit in schema.items() if key != "items"})
        return judge.is_valid(parts) and all(_takes(schema["items"], part) for part in parts)
    return any(Judge(schema).is_valid(one) for one in said)


async def test_what_no_schema_allows_is_refused_with_the_fields_name(
    standing: Standing, client: LedgerClient
) -> None:
    """The name, but where only some values of a type have a meaning: these the interface itself refuses."""
    await standing.at_work(A, INSPECTOR)
    for row in DONE:
        for name, schema in row.fields.items():
            in_body = row.body is not None and name in row.body.get("properties", {})
            for value in wrong_values(schema, _takes):
                if not in_body and (not isinstance(value, str) or "\ud800" in value):
                    continue  # in a path or a query all is text, and UTF-8
                whole = {other: sample(row.fields[other], {}) for other in _needed(row)} | {name: value}
                path, sent = _sent(row, A, whole)
                answered = await client.raw(row.verbs[0], path, headers={"Guid": client.guids[A]}, **sent)
                assert answered.retcode != "0", (path, sent)
                if not in_body and len(value) > EdgeLimits().target_bytes:
                    assert answered.status == 431, path
                    continue
                assert answered.status == 200, (path, sent)
                told = names(name, str(answered.body["message"])) or "enum" in schema
                assert told, (path, sent, answered.body)
    await standing.quiet()
