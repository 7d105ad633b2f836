"""Result codes of the quality family: four digits of the module, three of what happened.

A success is `04mm000`. No page lists a failure; these are ours, marked inferred in the ledgers:
the same last three digits mean the same in every module. CC-iSQM's success is `1010200`, its
failures are `1010` and three digits like those of an HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sottovoce.errors import Code

NEVER_HERE = frozenset(
    {
        Code.NOT_SIGNED_IN,
        Code.ALREADY_SIGNED_IN,
        Code.SIGN_IN_RUNNING,
        Code.WRONG_CREDENTIALS,
        Code.ACCOUNT_LOCKED,
        Code.CREDENTIALS_EXPIRED,
        Code.CREDENTIALS_REFUSED,
        Code.BAD_SIGN_IN,
        Code.BAD_AGENT_TYPE,
        Code.BAD_PHONE,
        Code.PHONE_NOT_ALLOWED,
        Code.BAD_IP,
        Code.EVENTS_PUSHED,
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
        Code.TOO_OFTEN,
    }
)
"""The refusals of the live half; one that came here all the same is answered like INTERNAL."""

_TABLE: Mapping[Code, tuple[str, str, str]] = {
    Code.BAD_PARAMETER: ("001", "400", "Incorrect parameter."),
    Code.NOBODY: ("002", "401", "No operator."),
    Code.NO_RIGHT: ("003", "403", "No permission."),
    Code.NOT_FOUND: ("004", "404", "Not found."),
    Code.WRONG_STATE: ("005", "409", "Not allowed in this state."),
    Code.LOST_RACE: ("006", "412", "Changed by somebody else meanwhile."),
    Code.NAME_TAKEN: ("007", "422", "The name is in use."),
    Code.NOTHING_QUALIFIES: ("008", "424", "No call meets the conditions."),
    Code.OWN_RESULT: ("009", "423", "The reviewer gave the result."),
    Code.NOT_SERVED: ("010", "501", "Not served."),
    Code.UNAVAILABLE: ("011", "503", "Temporarily unavailable."),
    Code.INTERNAL: ("012", "500", "Internal error."),
}
"""The last three digits of CC-SQM and of CC-iSQM, and what is said where the use case says nothing."""
_ROWS = {**dict.fromkeys(NEVER_HERE, _TABLE[Code.INTERNAL]), **_TABLE}
SUFFIXES: Mapping[Code, str] = {code: row[0] for code, row in _ROWS.items()}
_LIKE_HTTP: Mapping[Code, str] = {code: row[1] for code, row in _ROWS.items()}
MEANING: Mapping[Code, str] = {code: row[2] for code, row in _ROWS.items()}
SUCCESSFUL = "Operation successful."


@dataclass(frozen=True, slots=True)
class Module:
    """A part of the family, with the first four digits of its codes, and the code of its successes."""

    digits: str
    success: str = ""

    @property
    def failures(self) -> Mapping[Code, str]:
        """The last three digits of its failures."""
        return _LIKE_HTTP if self.digits == SPEECH.digits else SUFFIXES

    def code(self, reason: Code) -> str:
        """The result code of a failure."""
        return self.digits + self.failures[reason]


ANY = Module("0400")
"""What belongs to no module: the token, an unknown path, a request that cannot be read."""
TASKS = Module("0409", "0409000")
SPEECH = Module("1010", "1010200")
"""CC-iSQM, which is one module."""
