"""Review tasks that a walk has made, and how tasks and their items are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sottovoce.compat.bench import Bench, Check, Wrong, needed
from sottovoce.compat.filters import Row
from sottovoce.compat.sqm.catalogue import Interfaces
from sottovoce.compat.sqm.interfaces import task_body
from sottovoce.compat.sqm.requests import digits
from sottovoce.compat.wire import Reply

NO_TASK = "no task could be made"


@dataclass(slots=True)
class Made:
    """The tasks that were made: id by what it is for."""

    bench: Bench
    known: Interfaces
    ids: dict[str, str] = field(default_factory=dict)
    in_effect: Any = None
    """The status of a task in effect, once there is one."""
    rest: list[Row] = field(default_factory=list)
    """Items of the task in effect that nobody finishes."""

    def name(self, what: str) -> str:
        """What the task is called."""
        return f"{self.bench.name}-{what}"

    def id(self, what: str) -> str:
        """The id of a task, or the end of the check."""
        return str(needed(self.ids.get(what), NO_TASK))

    async def rows(self, **changed: Any) -> list[Mapping[str, Any]]:
        """The tasks of this walk, as they are listed."""
        body = {**self.known.query.example, "rows": 100, "fixedColumns": {"planName": self.bench.name}}
        reply = await self.bench.ask(self.known.query.path, body | changed)
        rows = reply.field("data")
        if not reply.ok or not isinstance(rows, list):
            raise Wrong(str(reply))
        return [row for row in rows if str(row.get("planName", "")).startswith(self.bench.name)]

    async def statuses(self) -> dict[str, Any]:
        """The effective status of each."""
        return {str(row["id"]): row["status"] for row in await self.rows()}

    async def row(self, what: str) -> Mapping[str, Any]:
        """One of them, by its name."""
        for row in await self.rows():
            if row["planName"] == self.name(what):
                return row
        raise Wrong(f"{self.name(what)} is not listed")

    async def create(self, check: Check, what: str, **columns: Any) -> Reply:
        """Make one, and find its id in the list, where the answer need not have it."""
        reply = await self.bench.ask(self.known.create.path, task_body(self.name(what), **columns))
        check.done(reply, self.known.create.code)
        self.ids[what] = digits((await self.row(what)).get("id"))
        return reply


async def named(bench: Bench, known: Interfaces, name: str) -> Row:
    """The task of that name, as it is listed."""
    body = {**known.query.example, "rows": 100, "fixedColumns": {"planName": name}}
    reply = await bench.ask(known.query.path, body)
    for row in reply.field("data") or ():
        if row["planName"] == name:
            return dict(row)
    raise Wrong(f"{name} is not listed: {reply}")


async def items_of(
    bench: Bench, known: Interfaces, code: str, user: str | None = "", **columns: Any
) -> list[Row]:
    """The items of a task, of all pages, as the director sees them or as an inspector. Wrong if declined."""
    found: list[Row] = []
    for page in range(1, 101):
        body = {
            "currentRole": "qualityDirector" if user == "" else "qualityInspector",
            "page": page,
            "rows": 100,
            "fixedColumns": {"planCode": code, **columns},
        }
        reply = await bench.ask(known.calls.path, body, user=user)
        if not reply.ok or not isinstance(reply.field("data"), list):
            raise Wrong(str(reply))
        found += reply.field("data")
        if len(reply.field("data")) < 100:
            break
    return found


def staff(item: Row) -> Any:
    """The agent of an item."""
    return (item.get("setting") or {}).get("staffId")
