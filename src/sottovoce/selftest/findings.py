"""What a selftest found, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sottovoce.phones.tones import SILENT_BELOW_DBOV, ToneVerdict

LEAK_RISE_DB = 3.0
"""The most by which the whisper's bin on the customer's leg may rise when the whisper begins."""
LEVEL_CHANGE_DB = 1.0
"""The most by which the agent's level at the customer may change when somebody supervises."""
LOST_SHARE = 0.02
"""The largest share of frames that may be lost between agent and customer, either way."""


class Party(StrEnum):
    """Who takes part, each with its tone."""

    CUSTOMER = "customer"
    AGENT = "agent"
    COLLEAGUE = "colleague"
    """Another agent, whom the first one consults and hands calls over to."""
    INSPECTOR = "inspector"


Hears = Mapping[Party, frozenset[Party]]
"""Listener to exactly the parties heard."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One listener and one talker in one step."""

    listener: Party
    talker: Party
    expected: bool
    level_dbov: float
    verdict: ToneVerdict

    @property
    def right(self) -> bool:
        """Whether it is as expected; an unclear level never is."""
        return self.verdict is (ToneVerdict.HEARD if self.expected else ToneVerdict.SILENT)


@dataclass(frozen=True, slots=True)
class StepFound:
    """One step of the walk. `failure` says why it could not be taken; then it has no cells."""

    name: str
    request: str
    cells: tuple[Cell, ...] = ()
    failure: str | None = None

    @property
    def right(self) -> bool:
        """Whether the step was taken and every cell of it is as expected."""
        return self.failure is None and all(cell.right for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Leak:
    """The whisper's bin on the customer's leg, in dBov: in the second before, and while whispering."""

    before_dbov: float
    during_dbov: float
    rise_db: float

    @property
    def right(self) -> bool:
        """Whether the customer's leg carries nothing of the whisper, by rise and by level."""
        return self.rise_db <= LEAK_RISE_DB and self.during_dbov < SILENT_BELOW_DBOV


@dataclass(frozen=True, slots=True)
class SameBytes:
    """What the customer's leg was sent on the in-process engine, with and without a whisper."""

    packets: int
    differing: int

    @property
    def right(self) -> bool:
        """Whether packets were compared and none differs."""
        return self.packets > 0 and self.differing == 0


@dataclass(frozen=True, slots=True)
class Delays:
    """Times from the HTTP request to the first changed packet at the agent's phone, in ms."""

    on_ms: tuple[float, ...]
    off_ms: tuple[float, ...]
    missed: int
    """Changes that did not come within 2 s."""

    @property
    def right(self) -> bool:
        """Whether every change was heard."""
        return not self.missed


@dataclass(frozen=True, slots=True)
class PathFigures:
    """The road between agent and customer over the whole walk."""

    to_customer_lost: int
    to_agent_lost: int
    to_customer_received: int
    to_agent_received: int
    watched: int
    """Frames of 20 ms at the customer that were looked at while nobody held or muted."""
    gaps: int
    """Those without the agent's tone."""
    level_change_db: float
    """The agent's level at the customer while supervised, against before: the largest difference."""

    @property
    def to_customer_right(self) -> bool:
        """Whether at most LOST_SHARE of the packets and of the frames to the customer is missing."""
        return _few(self.to_customer_lost, self.to_customer_received + self.to_customer_lost) and _few(
            self.gaps, self.watched
        )

    @property
    def to_agent_right(self) -> bool:
        """Whether at most LOST_SHARE of the packets to the agent is missing."""
        return _few(self.to_agent_lost, self.to_agent_received + self.to_agent_lost)

    @property
    def level_right(self) -> bool:
        """Whether supervision leaves the agent's level at the customer as it was."""
        return self.level_change_db <= LEVEL_CHANGE_DB

    @property
    def right(self) -> bool:
        """Whether nothing of these is out of its bound."""
        return self.to_customer_right and self.to_agent_right and self.level_right


def _few(lost: int, of: int) -> bool:
    """Whether that is within LOST_SHARE; of nothing it never is."""
    return of > 0 and lost <= LOST_SHARE * of


@dataclass(frozen=True, slots=True)
class EchoFigures:
    """The whisper in what the agent's phone sends."""

    headset_dbov: float
    """At the customer while the agent's microphone hears nothing of it."""
    loudspeaker_dbov: float
    """At the customer while the microphone hears the agent's loudspeaker, 6 dB softer."""
    warned: bool
    """Whether the server told the inspector of the loudspeaker's echo (AgentOther_Note)."""

    @property
    def right(self) -> bool:
        """Whether the inspector was warned."""
        return self.warned


@dataclass(slots=True)
class Findings:
    """Everything that one selftest found: steps, leakage, delays, losses, echo, and the verdict of all."""

    steps: list[StepFound] = field(default_factory=list)
    leaks: list[Leak] = field(default_factory=list)
    same_bytes: SameBytes | None = None
    delays: Delays | None = None
    path: PathFigures | None = None
    echo: EchoFigures | None = None
    left_out: tuple[str, ...] = ()
    """Steps that were not taken because the stage names no colleague."""
    failure: str | None = None
    """Why the walk ended early, if it did."""

    @property
    def right(self) -> bool:
        """Whether nothing is wrong, and nothing missing but what the stage has nobody for."""
        return (
            self.failure is None
            and bool(self.steps)
            and all(step.right for step in self.steps)
            and bool(self.leaks)
            and all(leak.right for leak in self.leaks)
            and all(part is not None and part.right for part in self._parts.values())
        )

    @property
    def _parts(self) -> dict[str, SameBytes | Delays | PathFigures | EchoFigures | None]:
        return {
            "same_bytes": self.same_bytes,
            "delays": self.delays,
            "path": self.path,
            "echo": self.echo,
        }

    def as_json(self) -> dict[str, Any]:
        """For machines: everything above, each verdict beside it."""
        document = asdict(self)
        for found, step in zip(document["steps"], self.steps, strict=True):
            found["right"] = step.right
            for cell_found, cell in zip(found["cells"], step.cells, strict=True):
                cell_found["right"] = cell.right
        for found, leak in zip(document["leaks"], self.leaks, strict=True):
            found["right"] = leak.right
        for name, part in self._parts.items():
            if part is not None:
                document[name]["right"] = part.right
        document["right"] = self.right
        return document
