"""What an interface of the quality family is: its module, right and failures; and the visit that reaches it.

A use case is reached with a `Visit`, which exists only once the token has been found valid and the user to
be of its tenant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sottovoce.domain.people import AppKey
from sottovoce.domain.rights import Operation
from sottovoce.errors import Code
from sottovoce.http.ccsqm.codes import Module
from sottovoce.http.ccsqm.words import Form, FormT
from sottovoce.http.family import declared
from sottovoce.quality.office import Caller, Office

SQM = "/apiaccess/CCSQM/rest/ccisqm/v1"


@dataclass(frozen=True, slots=True)
class Visit:
    """One request's way to the use cases."""

    office: Office
    app: AppKey
    caller: Caller
    """The user named; of an interface of CC-iSQM, which names none, the app itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success."""

    content: Any = field(default_factory=dict)
    """Fields beside `resultCode` and `resultDesc`; the whole body where `coded` is False."""
    coded: bool = True


DONE = Answer()
"""Success, with nothing to tell."""

Serve = Callable[[Visit, FormT], Awaitable[Answer]]

ALWAYS = (
    Code.BAD_PARAMETER,
    Code.NOBODY,
    Code.NO_RIGHT,
    Code.UNAVAILABLE,
    Code.INTERNAL,
)
"""What every interface may decline with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface(declared.Interface):
    """One row of a ledger, served."""

    form: type[Form]
    module: Module
    operation: Operation | None
    """Whose line of the rights' table holds; None: every app with a token (CC-iSQM)."""
    user_required: bool = False
    """Whether all editions of its page want x-UserId; else the app's own user acts where it is absent."""
    failures: tuple[Code, ...] = ()
    """What it may decline with, besides what every interface may."""

    @property
    def stranger(self) -> str:
        return self.module.code(Code.NOBODY)


class Interfaces(declared.Interfaces[Interface]):
    """The interfaces of one part of the path (`qualitytask`, `appraisecall` …)."""

    def __init__(self, base: str, part: str, module: Module) -> None:
        super().__init__()
        self.path, self.module = f"{base}/{part}", module

    def serves(
        self,
        name: str,
        form: type[FormT],
        operation: Operation | None,
        *failures: Code,
        user_required: bool = False,
    ) -> Callable[[Serve[FormT]], Serve[FormT]]:
        """Declare that the decorated use case serves POST on the path that ends with `name`."""
        return self.declare(
            lambda serve: Interface(
                path=f"{self.path}/{name}",
                verbs=("POST",),
                form=form,
                serve=serve,
                module=self.module,
                operation=operation,
                user_required=user_required,
                failures=failures,
            )
        )
