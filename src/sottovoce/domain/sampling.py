"""The words of sampling: conditions, what was drawn, and the certificate that lets anybody check it.

`domain.frames` has the frame, all that qualified; `domain.drawing` says how a sample is drawn from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sottovoce.domain.people import ReviewId

LARGEST_SAMPLE = 10_000
"""The most contacts in one sample [2510]."""
CERTIFICATE_VERSION = 1


class Quantity(StrEnum):
    """What the number of a sample counts [2499]."""

    CALLS = "calls"
    """Of the whole range."""
    PER_AGENT = "per_agent"
    PERCENT_PER_AGENT = "percent_per_agent"
    """Rounded up."""


class Earlier(StrEnum):
    """Which contacts qualify by whether an earlier task, not deleted, has them (`qualityCondition`)."""

    FRESH = "fresh"
    """In no task yet."""
    SAMPLED = "sampled"
    """In one already."""
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which contacts qualify for a sample, and how many of them it takes.

    A range includes both ends; None: open. `agents` are work numbers; empty: all. ValueError where
    no sample could be meant.
    """

    quantity: Quantity
    number: int
    cap: int = LARGEST_SAMPLE
    """The most contacts in the sample, 1 to LARGEST_SAMPLE."""
    earlier: Earlier = Earlier.ALL
    score_from: int | None = None
    """Of the machine's score; a contact without one fails a range."""
    score_to: int | None = None
    duration_from_s: int | None = None
    duration_to_s: int | None = None
    agents: tuple[int, ...] = ()
    interaction: int = 0
    """0 voice, 2 text."""

    def __post_init__(self) -> None:
        if self.number < 1 or (self.quantity is Quantity.PERCENT_PER_AGENT and self.number > 100):
            raise ValueError(f"{self.number} is no quantity of {self.quantity}")
        if not 1 <= self.cap <= LARGEST_SAMPLE:
            raise ValueError(f"the cap is {self.cap}, not 1 to {LARGEST_SAMPLE}")

    @property
    def by_agent(self) -> bool:
        """Whether every agent's contacts are drawn from for themselves."""
        return self.quantity is not Quantity.CALLS

    def to_json(self) -> dict[str, Any]:
        """As kept with tasks, plans and certificates."""
        return {
            "quantity": self.quantity.value,
            "number": self.number,
            "cap": self.cap,
            "earlier": self.earlier.value,
            "score_from": self.score_from,
            "score_to": self.score_to,
            "duration_from_s": self.duration_from_s,
            "duration_to_s": self.duration_to_s,
            "agents": list(self.agents),
            "interaction": self.interaction,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Conditions:
        """What `to_json` made. ValueError, KeyError or TypeError if it did not."""
        return cls(
            quantity=Quantity(kept["quantity"]),
            number=kept["number"],
            cap=kept["cap"],
            earlier=Earlier(kept["earlier"]),
            score_from=kept["score_from"],
            score_to=kept["score_to"],
            duration_from_s=kept["duration_from_s"],
            duration_to_s=kept["duration_to_s"],
            agents=tuple(kept["agents"]),
            interaction=kept["interaction"],
        )


@dataclass(frozen=True, slots=True)
class Drawn:
    """A contact of a sample."""

    contact: int
    began_at: datetime
    agent: int
    """The work number."""
    place: int
    """In the order of the draw, from 0."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A contact whose turn it was in a draw, but that could not be inspected."""

    contact: int
    stratum: int
    """The agent whose turn it was; 0 where the frame is not split."""
    reason: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """What was drawn, from what, and how: with the frame enough to draw it again."""

    algorithm: str
    vdn: int
    task: ReviewId
    draw: int
    conditions: Conditions
    calls_from: datetime | None
    calls_until: datetime | None
    frame_size: int
    frame_sha256: str
    """Hexadecimal, of `Frame.sha256`."""
    seed: str
    """Hexadecimal."""
    commitment: str
    """SHA-256 of the seed's bytes, hexadecimal; in the audit since `committed_at`."""
    committed_at: datetime
    drawn_at: datetime
    wanted: int
    """How many it should be: fewer are drawn only where too many were passed over."""
    drawn: tuple[int, ...]
    """Contacts, in order."""
    passed_over: tuple[PassedOver, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As kept and exported."""
        return {
            "version": CERTIFICATE_VERSION,
            "algorithm": self.algorithm,
            "vdn": self.vdn,
            "task": self.task,
            "draw": self.draw,
            "conditions": self.conditions.to_json(),
            "calls_from": _time(self.calls_from),
            "calls_until": _time(self.calls_until),
            "frame": {"size": self.frame_size, "sha256": self.frame_sha256},
            "seed": self.seed,
            "commitment": self.commitment,
            "committed_at": _time(self.committed_at),
            "drawn_at": _time(self.drawn_at),
            "wanted": self.wanted,
            "drawn": list(self.drawn),
            "passed_over": [[one.contact, one.stratum, one.reason] for one in self.passed_over],
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Certificate:
        """What `to_json` made. ValueError, KeyError or TypeError if it did not."""
        if kept["version"] != CERTIFICATE_VERSION:
            raise ValueError(f"the certificate's version is {kept['version']}, not {CERTIFICATE_VERSION}")
        calls_from, calls_until = kept["calls_from"], kept["calls_until"]
        return cls(
            algorithm=kept["algorithm"],
            vdn=kept["vdn"],
            task=ReviewId(kept["task"]),
            draw=kept["draw"],
            conditions=Conditions.from_json(kept["conditions"]),
            calls_from=None if calls_from is None else datetime.fromisoformat(calls_from),
            calls_until=None if calls_until is None else datetime.fromisoformat(calls_until),
            frame_size=kept["frame"]["size"],
            frame_sha256=kept["frame"]["sha256"],
            seed=kept["seed"],
            commitment=kept["commitment"],
            committed_at=datetime.fromisoformat(kept["committed_at"]),
            drawn_at=datetime.fromisoformat(kept["drawn_at"]),
            wanted=kept["wanted"],
            drawn=tuple(kept["drawn"]),
            passed_over=tuple(PassedOver(*one) for one in kept["passed_over"]),
        )

    def sha256(self) -> str:
        """The hash, hexadecimal, of the certificate as JSON: keys sorted, no spaces, UTF-8."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")
