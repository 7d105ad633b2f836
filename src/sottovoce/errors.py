"""Why a use case was refused: one stable code each, and no number of any wire.

Each wire adapter owns a table from these codes to what its clients know
(`http/ccgateway/retcodes.py`, `http/ccsqm/codes.py`); a test proves that no code lacks a row.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """The reasons for a refusal."""

    BAD_PARAMETER = "bad_parameter"
    NOT_SIGNED_IN = "not_signed_in"
    ALREADY_SIGNED_IN = "already_signed_in"
    SIGN_IN_RUNNING = "sign_in_running"
    WRONG_CREDENTIALS = "wrong_credentials"
    ACCOUNT_LOCKED = "account_locked"
    CREDENTIALS_EXPIRED = "credentials_expired"
    CREDENTIALS_REFUSED = "credentials_refused"
    """A new password that breaks a rule, or of an agent who has none."""
    BAD_SIGN_IN = "bad_sign_in"
    BAD_AGENT_TYPE = "bad_agent_type"
    BAD_PHONE = "bad_phone"
    PHONE_NOT_ALLOWED = "phone_not_allowed"
    BAD_IP = "bad_ip"
    EVENTS_PUSHED = "events_pushed"
    """Events of this agent are pushed, and not polled."""
    AGENT_BUSY_IN_CALL = "agent_busy_in_call"
    WRONG_AGENT_STATE = "wrong_agent_state"
    UNAVAILABLE = "unavailable"
    """The database, or what else the use case cannot do without, is away."""
    INTERNAL = "internal"
    NO_RIGHT = "no_right"
    TARGET_UNKNOWN = "target_unknown"
    TARGET_IS_SELF = "target_is_self"
    TARGET_NOT_SIGNED_IN = "target_not_signed_in"
    NOT_SUPERVISED = "not_supervised"
    WRONG_SUPERVISION_STATE = "wrong_supervision_state"
    NO_CALL = "no_call"
    WRONG_CALL_STATE = "wrong_call_state"
    NO_HELD_CALL = "no_held_call"
    BAD_NUMBER = "bad_number"
    NUMBER_NOT_ALLOWED = "number_not_allowed"
    NOTHING_TO_ANSWER = "nothing_to_answer"
    MEDIA_EXHAUSTED = "media_exhausted"
    NOT_FOUND = "not_found"
    """Unknown, or another tenant's: never told apart."""
    NOBODY = "nobody"
    """The request names no user of the tenant who could act."""
    WRONG_STATE = "wrong_state"
    LOST_RACE = "lost_race"
    """Somebody else changed it first; looking again shows how."""
    NAME_TAKEN = "name_taken"
    NOTHING_QUALIFIES = "nothing_qualifies"
    """No call meets the conditions of a sample."""
    OWN_RESULT = "own_result"
    """Whoever gave a result may not review it."""
    NOT_SERVED = "not_served"
    TOO_OFTEN = "too_often"
    """More is asked in a time than one may; a little later it is answered."""


class Refused(Exception):
    """A use case that was refused; nothing of it happened.

    `why` is an English sentence for people and logs, never parsed. `field`, where one parameter is at fault,
    is its name in the domain, with places in lists counted from 0: `people.2.count`; other parameters that
    `why` mentions stand in backticks. The adapters put their wire's names in the place of both.
    """

    def __init__(self, code: Code, why: str = "", *, field: str = "") -> None:
        super().__init__(": ".join(part for part in (field, why) if part) or code.value)
        self.code = code
        self.why = why
        self.field = field
