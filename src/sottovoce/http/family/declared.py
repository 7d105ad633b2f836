"""What an interface is, and how a family lists its own.

A family's `Interface` adds what it needs beside path and form (a right …); codes and names are the ledger's.
Its modules declare with a decorator, so that path, form and use case stand in one place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Generic, TypeVar

from sottovoce.contracts import Row, rows
from sottovoce.http.family.form import Form

ServeT = TypeVar("ServeT", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, kw_only=True)
class Interface:
    """One row of a ledger, served. What the ledger says of it is not said again."""

    path: str
    """The whole one; `{name}` is a variable of one segment, `{name:path}` of any number."""
    verbs: tuple[str, ...]
    form: type[Form]
    serve: Callable[[Any, Any], Awaitable[Any]]
    """The use case: takes the caller that the dialect found, and the form."""

    @cached_property
    def row(self) -> Row:
        """Its row. KeyError: no ledger has it."""
        return _rows()[self.verbs[0], self.path.replace(":path}", "}")]

    @property
    def name(self) -> str:
        """Its name in logs, as its page prints it."""
        return self.row.name

    @property
    def open(self) -> bool:
        """Whether it needs no caller: a sign-in."""
        return self.row.open

    @property
    def codes(self) -> frozenset[str]:
        """Every code that a refusal may have."""
        return self.row.codes

    @property
    def stranger(self) -> str:
        """The code that tells a stranger so."""
        raise NotImplementedError


@cache
def _rows() -> Mapping[tuple[str, str], Row]:
    return {(verb, row.path): row for row in rows() for verb in row.verbs}


InterfaceT = TypeVar("InterfaceT", bound=Interface)


class Interfaces(Generic[InterfaceT]):
    """The interfaces of one part of a family, in the order declared."""

    def __init__(self) -> None:
        self._declared: list[InterfaceT] = []

    def __iter__(self) -> Iterator[InterfaceT]:
        return iter(self._declared)

    def declare(self, made: Callable[[ServeT], InterfaceT]) -> Callable[[ServeT], ServeT]:
        """A decorator for the use case of which `made` makes an interface."""

        def declared(serve: ServeT) -> ServeT:
            self._declared.append(made(serve))
            return serve

        return declared
