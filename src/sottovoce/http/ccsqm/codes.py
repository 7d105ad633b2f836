"""Result codes of the quality family: four digits of the module, three of what happened.

A success is `04mm000`. No page lists a failure; these are ours, marked inferred in the ledgers:
the same last three digits mean the same in every module. CC-iSQM's success is `1010200`, its
failures are `1010` and three digits like those of an HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sottovoce.errors import ReviewCode


@dataclass(frozen=True, slots=True)
class Module:
    """A part of the family, with the first four digits of its codes."""

    digits: str
    success: str
    failures: Mapping[ReviewCode, str]

    def code(self, reason: ReviewCode) -> str:
        """The result code of a failure."""
        return self.digits + self.failures[reason]


SUFFIXES: Mapping[ReviewCode, str] = {
    ReviewCode.BAD_PARAMETER: "001",
    ReviewCode.NOBODY: "002",
    ReviewCode.NO_RIGHT: "003",
    ReviewCode.NOT_FOUND: "004",
    ReviewCode.WRONG_STATE: "005",
    ReviewCode.LOST_RACE: "006",
    ReviewCode.NAME_TAKEN: "007",
    ReviewCode.NOTHING_QUALIFIES: "008",
    ReviewCode.OWN_RESULT: "009",
    ReviewCode.NOT_SERVED: "010",
    ReviewCode.UNAVAILABLE: "011",
    ReviewCode.INTERNAL: "012",
}
_LIKE_HTTP: Mapping[ReviewCode, str] = {
    ReviewCode.BAD_PARAMETER: "400",
    ReviewCode.NOBODY: "401",
    ReviewCode.NO_RIGHT: "403",
    ReviewCode.NOT_FOUND: "404",
    ReviewCode.WRONG_STATE: "409",
    ReviewCode.LOST_RACE: "412",
    ReviewCode.NAME_TAKEN: "422",
    ReviewCode.NOTHING_QUALIFIES: "424",
    ReviewCode.OWN_RESULT: "423",
    ReviewCode.NOT_SERVED: "501",
    ReviewCode.UNAVAILABLE: "503",
    ReviewCode.INTERNAL: "500",
}


def _module(digits: str) -> Module:
    return Module(digits, digits + "000", SUFFIXES)


ANY = _module("0400")
"""What belongs to no module: the token, an unknown path, a request that cannot be read."""
SENSITIVE_WORDS = _module("0401")
SENTENCES = _module("0402")
RULES = _module("0405")
SCENARIOS = _module("0406")
CALLS = _module("0407")
PLANS = _module("0408")
TASKS = _module("0409")
QUALITY_ITEMS = _module("0410")
SCORES = _module("0412")
SPEECH = Module("1010", "1010200", _LIKE_HTTP)
"""CC-iSQM."""

SUCCESSFUL = "Operation successful."
MEANING: Mapping[ReviewCode, str] = {
    ReviewCode.BAD_PARAMETER: "Incorrect parameter.",
    ReviewCode.NOBODY: "No operator.",
    ReviewCode.NO_RIGHT: "No permission.",
    ReviewCode.NOT_FOUND: "Not found.",
    ReviewCode.WRONG_STATE: "Not allowed in this state.",
    ReviewCode.LOST_RACE: "Changed by somebody else meanwhile.",
    ReviewCode.NAME_TAKEN: "The name is in use.",
    ReviewCode.NOTHING_QUALIFIES: "No call meets the conditions.",
    ReviewCode.OWN_RESULT: "The reviewer gave the result.",
    ReviewCode.NOT_SERVED: "Not served.",
    ReviewCode.UNAVAILABLE: "Temporarily unavailable.",
    ReviewCode.INTERNAL: "Internal error.",
}
