"""What a ledger says of one interface."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_CODE = re.compile(r"\d{3}-\d{3}")
Schema = dict[str, Any]
"""A JSON Schema (2020-12) without references."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the path, the query or the headers. Without a type in `schema`, none is known."""

    name: str
    where: str
    """`path`, `query` or `header`."""
    required: bool
    schema: Schema
    caller: bool = False
    """Whether it names the agent who calls."""
    slashes: bool = False
    """Whether its value may hold slashes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One interface: what all verbs of a path share."""

    family: str
    path: str
    """The whole one, variables in braces."""
    verbs: tuple[str, ...]
    name: str
    """As its page prints it."""
    title: str
    status: str
    """`done`, `pending` or `wont`."""
    reason: str
    """Why it will not be served."""
    source: tuple[str, ...]
    open: bool
    """Whether it needs no caller and no token."""
    success: str
    """The code of a success; empty where there is none."""
    listed: tuple[str, ...]
    """Codes of refusals: of the gateway what its page lists, of the quality family all that are its own."""
    inferred: Mapping[str, str]
    """What no page states, with the reason; codes of the gateway are keys of their own."""
    always: tuple[str, ...]
    """Codes that every interface of the family may answer."""
    parameters: tuple[Parameter, ...]
    body: Schema | None
    """What a request's JSON body must be; None: it has none. An empty schema: not known."""
    answer: Schema | None
    """What a success is, the whole of it; None of what is not served."""
    user: str
    """`required`, `optional` or `none`: whether x-UserId is sent."""
    operation: str
    """Its line in the table of rights."""
    mandatory: tuple[str, ...]
    """Fields that its page documents as mandatory, dotted, members of lists by number."""
    events: tuple[str, ...]
    events_inferred: tuple[str, ...]

    @property
    def part(self) -> str:
        """The word of the path that its siblings share: `voicecall`, `qualitytask` …"""
        return part_of(self.path)

    @property
    def module(self) -> str:
        """The first four digits of a quality interface's codes."""
        return self.success[:4]

    @property
    def codes(self) -> frozenset[str]:
        """Every code that a refusal may have."""
        return (
            frozenset(self.listed) | {key for key in self.inferred if _CODE.fullmatch(key)} | {*self.always}
        )

    @property
    def fields(self) -> Mapping[str, Schema]:
        """What it takes besides the caller and headers: in path, query and body."""
        told = {one.name: one.schema for one in self.parameters if not one.caller and one.where != "header"}
        return {**told, **(self.body or {}).get("properties", {})}


def part_of(path: str) -> str:
    """The word of a path that its siblings share."""
    segments = path.split("/")
    return segments[3] if path.startswith("/agentgateway/") else segments[-2]
