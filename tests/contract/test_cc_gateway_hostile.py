"""Hundreds of hostile requests to every interface: each answer is one that the ledger allows."""

from __future__ import annotations

import json
import random
import re
from typing import Any
from urllib.parse import quote

import pytest
from tests.contract.client import ROWS, LedgerClient
from tests.contract.ledger import Row
from tests.contract.standing import Standing

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


def _path(row: Row, agent: int, chance: random.Random) -> str:
    known = re.sub(r"/\{(agentid|workno)\}", f"/{agent}", row.path, count=1)

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
        fields = {field["name"]: chance.choice(VALUES) for field in row.fields if "name" in field}
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
