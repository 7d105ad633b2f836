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
    ALREADY_SIGNED_OUT = "already_signed_out"
    SIGN_IN_RUNNING = "sign_in_running"
    WRONG_CREDENTIALS = "wrong_credentials"
    ACCOUNT_LOCKED = "account_locked"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - a reason, not a password
    BAD_SIGN_IN = "bad_sign_in"
    BAD_AGENT_TYPE = "bad_agent_type"
    BAD_PHONE = "bad_phone"
    PHONE_NOT_ALLOWED = "phone_not_allowed"
    BAD_IP = "bad_ip"
    AGENT_BUSY_IN_CALL = "agent_busy_in_call"
    WRONG_AGENT_STATE = "wrong_agent_state"
    WRONG_FETCH = "wrong_fetch"
    UNAVAILABLE = "unavailable"
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


class ReviewCode(StrEnum):
    """The reasons for which the after-call half declines (`http/ccsqm/codes.py` has their wire codes)."""

    BAD_PARAMETER = "bad_parameter"
    NOBODY = "nobody"
    """The request names no user of the tenant who could act."""
    NO_RIGHT = "no_right"
    NOT_FOUND = "not_found"
    """Unknown, or another tenant's: never told apart."""
    WRONG_STATE = "wrong_state"
    LOST_RACE = "lost_race"
    """Somebody else changed it first; looking again shows how."""
    NAME_TAKEN = "name_taken"
    NOTHING_QUALIFIES = "nothing_qualifies"
    """No call meets the conditions of a sample."""
    OWN_RESULT = "own_result"
    """Whoever gave a result may not review it."""
    NOT_SERVED = "not_served"
    UNAVAILABLE = "unavailable"
    """The database is away."""
    INTERNAL = "internal"


class Declined(Exception):
    """A use case of the after-call half that was declined; nothing of it happened.

    `detail` is one English sentence for people. For BAD_PARAMETER it begins with the field's wire name.
    """

    def __init__(self, code: ReviewCode, detail: str = "") -> None:
        super().__init__(detail or code.value)
        self.code = code
        self.detail = detail


class Refused(Exception):
    """A use case that was refused; nothing of it happened.

    `detail` is one English sentence for people and logs, never parsed.
    """

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(detail or code.value)
        self.code = code
        self.detail = detail
