"""Result codes of the quality family: four digits of the module, three of what happened.

A success is `04mm000`. No page lists a failure; these are ours, marked inferred in the ledgers:
the same last three digits mean the same in every module. CC-iSQM's success is `1010200`, its
failures are `1010` and three digits like those of an HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sottovoce.errors import Code


@dataclass(frozen=True, slots=True)
class Module:
    """A part of the family, with the first four digits of its codes."""

    digits: str
    success: str
    failures: Mapping[Code, str]

    def code(self, reason: Code) -> str:
        """The result code of a failure."""
        return self.digits + self.failures[reason]


NEVER_HERE = frozenset(
    {
        Code.NOT_SIGNED_IN,
        Code.ALREADY_SIGNED_IN,
        Code.SIGN_IN_RUNNING,
        Code.WRONG_CREDENTIALS,
        Code.ACCOUNT_LOCKED,
        Code.BAD_SIGN_IN,
        Code.BAD_AGENT_TYPE,
        Code.BAD_PHONE,
        Code.PHONE_NOT_ALLOWED,
        Code.BAD_IP,
        Code.AGENT_BUSY_IN_CALL,
        Code.WRONG_AGENT_STATE,
        Code.TARGET_UNKNOWN,
        Code.TARGET_IS_SELF,
        Code.TARGET_NOT_SIGNED_IN,
        Code.NOT_SUPERVISED,
        Code.WRONG_SUPERVISION_STATE,
        Code.NO_CALL,
        Code.WRONG_CALL_STATE,
        Code.NO_HELD_CALL,
        Code.BAD_NUMBER,
        Code.NUMBER_NOT_ALLOWED,
        Code.NOTHING_TO_ANSWER,
        Code.MEDIA_EXHAUSTED,
    }
)
"""The refusals of the live half; one that came here all the same is answered like INTERNAL."""

SUFFIXES: Mapping[Code, str] = {
    **dict.fromkeys(NEVER_HERE, "012"),
    Code.BAD_PARAMETER: "001",
    Code.NOBODY: "002",
    Code.NO_RIGHT: "003",
    Code.NOT_FOUND: "004",
    Code.WRONG_STATE: "005",
    Code.LOST_RACE: "006",
    Code.NAME_TAKEN: "007",
    Code.NOTHING_QUALIFIES: "008",
    Code.OWN_RESULT: "009",
    Code.NOT_SERVED: "010",
    Code.UNAVAILABLE: "011",
    Code.INTERNAL: "012",
}
_LIKE_HTTP: Mapping[Code, str] = {
    **dict.fromkeys(NEVER_HERE, "500"),
    Code.BAD_PARAMETER: "400",
    Code.NOBODY: "401",
    Code.NO_RIGHT: "403",
    Code.NOT_FOUND: "404",
    Code.WRONG_STATE: "409",
    Code.LOST_RACE: "412",
    Code.NAME_TAKEN: "422",
    Code.NOTHING_QUALIFIES: "424",
    Code.OWN_RESULT: "423",
    Code.NOT_SERVED: "501",
    Code.UNAVAILABLE: "503",
    Code.INTERNAL: "500",
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
MODULES: Mapping[str, Module] = {
    module.digits: module
    for module in (
        SENSITIVE_WORDS,
        SENTENCES,
        RULES,
        SCENARIOS,
        CALLS,
        PLANS,
        TASKS,
        QUALITY_ITEMS,
        SCORES,
        SPEECH,
    )
}
"""By their digits."""

SUCCESSFUL = "Operation successful."
MEANING: Mapping[Code, str] = {
    **dict.fromkeys(NEVER_HERE, "Internal error."),
    Code.BAD_PARAMETER: "Incorrect parameter.",
    Code.NOBODY: "No operator.",
    Code.NO_RIGHT: "No permission.",
    Code.NOT_FOUND: "Not found.",
    Code.WRONG_STATE: "Not allowed in this state.",
    Code.LOST_RACE: "Changed by somebody else meanwhile.",
    Code.NAME_TAKEN: "The name is in use.",
    Code.NOTHING_QUALIFIES: "No call meets the conditions.",
    Code.OWN_RESULT: "The reviewer gave the result.",
    Code.NOT_SERVED: "Not served.",
    Code.UNAVAILABLE: "Temporarily unavailable.",
    Code.INTERNAL: "Internal error.",
}
