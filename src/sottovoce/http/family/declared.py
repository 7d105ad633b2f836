"""What an interface is, and how a family lists its own.

A family's `Interface` adds what its pages say beside path and form (listed codes, a right …). Its modules
declare with a decorator, so that path, form and use case stand in one place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sottovoce.http.family.form import Form

ServeT = TypeVar("ServeT", bound=Callable[..., Awaitable[Any]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """One row of a ledger, served."""

    path: str
    """The whole one; `{name}` is a variable of one segment, `{name:path}` of any number."""
    verbs: tuple[str, ...]
    name: str
    """Its name in logs, as its page prints it."""
    form: type[Form]
    serve: Callable[[Any, Any], Awaitable[Any]]
    """The use case: takes the caller that the dialect found, and the form."""
    open: bool = False
    """Whether it needs no caller: a sign-in."""

    def __post_init__(self) -> None:
        if not self.open and self.stranger not in self.codes:
            raise ValueError(f"{self.path} must be able to say that its caller is not known")

    @property
    def stranger(self) -> str:
        """The code that tells a stranger so."""
        raise NotImplementedError

    @property
    def codes(self) -> frozenset[str]:
        """Every code that it may answer."""
        raise NotImplementedError


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
