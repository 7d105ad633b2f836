"""Lists of review tasks and of their items: what can be asked for, and a line of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sottovoce.domain.contacts import Contact
from sottovoce.domain.directory import AgentId
from sottovoce.domain.people import UserId
from sottovoce.domain.reviews import Item, ItemState, Task, TaskState


class Review(StrEnum):
    """How far the appeals and problems of an item are."""

    NONE = "none"
    """It has none."""
    OPEN = "open"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Which tasks; None: no matter. A person is their user id or a part of their name."""

    name: str | None = None
    """A part of it, whatever its case."""
    file_name: str | None = None
    """A part of the file name of one of its calls."""
    maker: str | None = None
    reviewer: str | None = None
    state: TaskState | None = None
    made_from: datetime | None = None
    made_until: datetime | None = None
    calls_from: datetime | None = None
    """It has a call that began not before."""
    calls_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a list."""

    task: Task
    inspect_total: int
    inspect_done: int
    review_total: int
    """Items with appeals or problems."""
    review_done: int
    """Those of them without an open one."""
    reviewer: UserId | None
    """Whose turn it is in the latest open appeal or problem, else who judged the latest."""
    reviewer_name: str | None
    stranded: int
    """Open items whose inspector cannot inspect (any more): disabled, or without the role."""
    mine: bool
    """The asking user made it."""
    changeable: bool
    """The asking user may update, appoint or terminate it as it is."""


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items of a task; None: no matter. A person is their user id or a part of their name."""

    has_reviewer: bool | None = None
    state: ItemState | None = None
    inspector: str | None = None
    file_name: str | None = None
    """A part of it."""
    reviewer: str | None = None
    review: Review | None = None
    agent: str | None = None
    """Also a work number."""
    duration_from_s: int | None = None
    duration_to_s: int | None = None


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item in a list."""

    item: Item
    contact: Contact
    inspector_name: str | None
    stranded: bool
    """It is open, and its inspector cannot inspect (any more)."""
    staff: UserId | AgentId | None
    """Whose call it is: the agent's user, else their work number."""
    staff_name: str | None
