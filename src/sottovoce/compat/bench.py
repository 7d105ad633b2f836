"""Where checks run: the server, the people given, and what was made there and must go again."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from sottovoce.compat.findings import Findings
from sottovoce.compat.shapes import unlike
from sottovoce.compat.wire import Reply, Wire
from sottovoce.contracts import Schema

_UNREADABLE = (LookupError, TypeError, AttributeError, ValueError)
"""What comes of an answer of any form that is read as if it were documented."""


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

    def equal(
        self,
        found: Mapping[str, Any],
        wanted: Mapping[str, Any],
        same: Callable[[str, Any, Any], bool] = lambda name, one, other: bool(one == other),
    ) -> None:
        """All that is wanted is found so; else all that is not is told."""
        wrong = {name: value for name, value in wanted.items() if not same(name, found.get(name), value)}
        told = [f"{name} {found.get(name)!r}, not {value!r}" for name, value in wrong.items()]
        self.that(not wrong, "; ".join(told))

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
    only: tuple[str, ...] = ()
    """The parts to check, each perhaps with a colon and one of its fields; empty: all."""
    fields: frozenset[str] = frozenset()
    """Of the part that is checked now, the only fields to look at; empty: all."""
    calls: list[Mapping[str, Any]] = field(default_factory=list)
    """Inspected calls that the server has, as listed."""
    window: tuple[int, int] | None = None
    """The seconds between which `calls` began, where the server has more of them."""
    ended: set[str] = field(default_factory=set)
    """Tasks that were terminated: these stay."""
    _undo: list[tuple[str, Callable[[], Awaitable[None]]]] = field(default_factory=list)

    def begin(self, part: str) -> bool:
        """Whether that part is to be checked; `wants` then speaks of its fields."""
        chosen = [word.partition(":") for word in self.only]
        mine = [field for name, _, field in chosen if name == part]
        self.fields = frozenset() if "" in mine else frozenset(mine)
        return bool(mine) or not self.only

    def wants(self, field: str) -> bool:
        """Whether the checks of a field are to be made."""
        return not self.fields or field in self.fields

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
        except _UNREADABLE as failure:
            wrong = f"the answer could not be read: {failure!r}"
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
            except (Wrong, Untestable, httpx.HTTPError, *_UNREADABLE) as failure:
                left.append(f"{what}: {failure}")
        self._undo.clear()
        return left


def needed(value: Any, why: str) -> Any:
    """`value`, or the end of the check because there is none."""
    if value in (None, "", [], {}, set()):
        raise Untestable(why)
    return value


Found = TypeVar("Found")


def first(found: Iterable[Found], otherwise: str) -> Found:
    """The first of `found`; Wrong if there is none."""
    for one in found:
        return one
    raise Wrong(otherwise)
