"""What an interface of the quality family is: its right and its module; and the visit that reaches it.

A use case is reached with a `Visit`, which exists only once the token has been found valid and the user to
be of its tenant; and with a `Reach`, which the visit gives once the user's right is granted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from sottovoce.domain.directory import AgentId
from sottovoce.domain.people import AppKey, Role, User, UserId
from sottovoce.domain.rights import Operation
from sottovoce.errors import Code
from sottovoce.http.ccsqm.codes import ANY, Module
from sottovoce.http.ccsqm.words import Form, FormT
from sottovoce.http.family import declared
from sottovoce.quality import access, tasks
from sottovoce.quality.access import Reach
from sottovoce.quality.office import Office, Work

SQM = "/apiaccess/CCSQM/rest/ccisqm/v1"


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, and by whom."""

    app: AppKey
    user: User
    """The user named; of an interface of CC-iSQM, which names none, the app itself."""
    operation: Operation | None
    """The interface's; None: it is the app that asks."""

    def reach(self, acting_as: Role | None = None, operation: Operation | None = None) -> Reach:
        """The user's right to the interface's operation, or to another. Refused(NO_RIGHT)."""
        wanted = operation or self.operation
        return access.for_an_app(self.app) if wanted is None else access.granted(self.user, wanted, acting_as)


@dataclass(frozen=True, slots=True)
class Visit(_Asked):
    """One request's way to the use cases: all of it happens in one transaction, from the token to the audit.

    It has no way to a second connection, so that no request holds one while it waits for another.
    """

    work: Work

    async def agents_of(self, staff: Sequence[UserId]) -> tuple[AgentId, ...]:
        """The work numbers of users. Refused(BAD_PARAMETER)."""
        return await tasks.agents_of(self.work, staff)


@dataclass(frozen=True, slots=True)
class VisitApart(_Asked):
    """The same where the use case commits more than once. It holds no connection between its transactions."""

    office: Office

    async def agents_of(self, staff: Sequence[UserId]) -> tuple[AgentId, ...]:
        """The work numbers of users. Refused(BAD_PARAMETER)."""
        if not staff:
            return ()
        async with self.office.work(self.user.vdn, self.user.user) as work:
            return await tasks.agents_of(work, staff)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success."""

    content: Any = field(default_factory=dict)
    """Fields beside `resultCode` and `resultDesc`; the whole body where `coded` is False."""
    coded: bool = True


Serve = Callable[[Visit, FormT], Awaitable[Answer | None]]
"""A use case; what returns nothing is a success with nothing to tell."""
ServeApart = Callable[[VisitApart, FormT], Awaitable[Answer | None]]


@dataclass(frozen=True, kw_only=True)
class Interface(declared.Interface):
    """One row of a ledger, served."""

    form: type[Form]
    operation: Operation | None
    """Whose line of the rights' table holds; None: every app with a token (CC-iSQM)."""
    snapshot: bool = False
    """Whether all that it reads is of one moment; it then changes nothing."""
    apart: bool = False
    """Whether its use case opens transactions of its own (`VisitApart`)."""

    @cached_property
    def module(self) -> Module:
        """Whose codes it answers; the token's are of no module."""
        return Module(self.row.module, self.row.success) if self.row.module else ANY

    @property
    def user_required(self) -> bool:
        """Whether all editions of its page want x-UserId; else the app's own user acts where it is absent."""
        return self.row.user == "required"

    @property
    def stranger(self) -> str:
        """The code for who names no user of the tenant."""
        return self.module.code(Code.NOBODY)


class Interfaces(declared.Interfaces[Interface]):
    """The interfaces of one part of the path (`qualitytask`, `appraisecall` …)."""

    def __init__(self, base: str, part: str) -> None:
        super().__init__()
        self.path = f"{base}/{part}"

    def serves(
        self, name: str, form: type[FormT], operation: Operation | None, *, snapshot: bool = False
    ) -> Callable[[Serve[FormT]], Serve[FormT]]:
        """Declare that the decorated use case serves POST on the path that ends with `name`."""
        return self.declare(
            partial(self._interface, name=name, form=form, operation=operation, snapshot=snapshot)
        )

    def serves_apart(
        self, name: str, form: type[FormT], operation: Operation | None
    ) -> Callable[[ServeApart[FormT]], ServeApart[FormT]]:
        """The same of a use case that must commit something before it goes on."""
        return self.declare(partial(self._interface, name=name, form=form, operation=operation, apart=True))

    def _interface(self, serve: Callable[..., Awaitable[Answer]], *, name: str, **rest: Any) -> Interface:
        return Interface(path=f"{self.path}/{name}", verbs=("POST",), serve=serve, **rest)
