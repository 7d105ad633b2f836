"""Where checks run: the server, the people given, and what was made there and must go again."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from sottovoce.compat.findings import Findings
from sottovoce.compat.shapes import unlike
from sottovoce.compat.wire import Reply, Wire
from sottovoce.contracts import Schema


class Wrong(Exception):
    """A check that did not come out as expected; the text says how."""


class Untestable(Exception):
    """A check that cannot be made here; the text says why."""


class Check:
    """One check that runs."""

    def that(self, held: bool, otherwise: object) -> None:
        """Go on if it held, else end the check with what was found instead."""
        if not held:
            raise Wrong(str(otherwise))

    def like(self, shape: Schema, value: Any) -> None:
        """`value` has the documented form."""
        if wrong := unlike(shape, value):
            raise Wrong(wrong)

    def done(self, reply: Reply, code: str | None = None) -> None:
        """It was done: HTTP 200, and where `code` is documented, that as a String in `resultCode`."""
        self.that(reply.ok, reply)
        if code is not None:
            self.that(reply.field("resultCode") == code, f"resultCode is not {code!r}: {reply}")

    def declined(self, reply: Reply) -> None:
        """It was not done, and the answer says so: a documented HTTP status, or a code that is no success."""
        self.that(not reply.ok, f"taken for right: {reply}")
        self.that(reply.status in (200, 400, 401, 404, 409, 500), reply)


@dataclass(frozen=True, slots=True)
class People:
    """User ids at the server, by what they are there; only the director is always needed."""

    director: str
    inspector: str | None = None
    leader: str | None = None
    table_director: str | None = None
    table_leader: str | None = None
    agent: str | None = None


@dataclass(slots=True)
class Bench:
    """One walk over one server."""

    wire: Wire
    people: People
    findings: Findings
    scratch_call: str | None = None
    """The uuid of a call whose results may be changed and appealed against."""
    lasting: bool = False
    """Whether to make also what the family cannot take away again."""
    name: str = field(default_factory=lambda: f"compat-{secrets.token_hex(4)}")
    """With which the names of all that is made begin."""
    calls: list[Mapping[str, Any]] = field(default_factory=list)
    """Inspected calls that the server has, as listed."""
    _undo: list[tuple[str, Callable[[], Awaitable[None]]]] = field(default_factory=list)

    @contextmanager
    def check(self, interface: str, name: str, *, inferred: bool = False) -> Iterator[Check]:
        """One check: `Wrong`, or no answer or an unreadable one, is put down and the walk goes on."""
        wrong: str | None = None
        skipped = False
        try:
            yield Check()
        except Wrong as found:
            wrong = str(found)
        except Untestable as reason:
            wrong, skipped = str(reason), True
        except httpx.HTTPError as failure:
            wrong = f"no answer: {failure!r}"
        except (LookupError, TypeError, AttributeError, ValueError) as failure:
            wrong = f"the answer could not be read: {failure!r}"  # it may have any form
        self.findings.add(interface, name, wrong, inferred=inferred, skipped=skipped)

    async def ask(self, path: str, body: Any, *, user: str | None = "", **headers: str | None) -> Reply:
        """Ask as the director, or as `user` (None: as nobody). A header's underscores stand for hyphens."""
        who = self.people.director if user == "" else user
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.wire.ask(path, body, user=who, headers=changed)

    def afterwards(self, what: str, undo: Callable[[], Awaitable[None]]) -> None:
        """Do that when all checks are made, last first."""
        self._undo.append((what, undo))

    async def put_away(self) -> list[str]:
        """Undo what was made; what could not be undone, in words."""
        left: list[str] = []
        for what, undo in reversed(self._undo):
            try:
                await undo()
            except (Wrong, httpx.HTTPError) as failure:
                left.append(f"{what}: {failure}")
        self._undo.clear()
        return left


def needed(value: Any, why: str) -> Any:
    """`value`, or the end of the check because there is none."""
    if value in (None, "", [], {}, set()):
        raise Untestable(why)
    return value
