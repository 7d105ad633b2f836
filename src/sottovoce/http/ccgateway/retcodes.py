"""Refusals on this wire: one table from the domain's codes to retcodes, and what each retcode means.

A page lists the codes that its interface may answer, and nothing else is answered but `ALWAYS`.
Clients read 000-003 as the end of their session, so it is said of a Guid alone.
So each domain code has candidates in order of preference; the first that the interface lists is taken.
Sources: [0580] and the pages' own lists; the order is inferred (design, decision 11).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sottovoce.errors import Code

SUCCESS = "0"
BAD_URL = "000-002"
NO_PERMISSION = "000-003"
SELF_INSPECTION = "000-005"
TOO_OFTEN = "000-007"
NOT_SIGNED_IN = "100-006"
INTERNAL = "100-007"
RESOURCE_UNAVAILABLE = "900-003"

ALWAYS = frozenset({BAD_URL, NO_PERMISSION, SELF_INSPECTION, TOO_OFTEN})
"""What any interface may answer, whatever its page lists."""

_RECORD_STATE = tuple(f"500-00{number}" for number in range(1, 10))
"""Of recording and of hearing: each interface lists its own."""

_NO_CALL = (
    "200-002",
    "200-003",
    "200-007",
    "200-009",
    "200-010",
    "200-012",
    "200-013",
    "200-015",
    "200-017",
    "200-018",
    "200-023",
    "200-025",
    *_RECORD_STATE,
    RESOURCE_UNAVAILABLE,
    "400-001",
    "400-002",
    INTERNAL,
)
_NO_AGENT = ("900-004", RESOURCE_UNAVAILABLE, "300-002", "300-003", "600-001", INTERNAL)
_NOTHING_LISTED = ("300-004", "600-001", "600-002", "600-003", "600-004", "600-005")
_CALL_STATE = ("200-002", "200-004", "200-008", "200-014", "200-016", "200-017", "900-005")

NEVER_HERE = frozenset(
    {
        Code.NOBODY,
        Code.WRONG_STATE,
        Code.LOST_RACE,
        Code.NAME_TAKEN,
        Code.NOTHING_QUALIFIES,
        Code.OWN_RESULT,
    }
)
"""The refusals of the after-call half; one that came here all the same is a general failure."""

CANDIDATES: Mapping[Code, tuple[str, ...]] = {
    **dict.fromkeys(NEVER_HERE, ()),
    Code.BAD_PARAMETER: ("106-002", "100-001", "100-005", BAD_URL),
    Code.NOT_SIGNED_IN: (NOT_SIGNED_IN, NO_PERMISSION),
    Code.ALREADY_SIGNED_IN: ("100-002",),
    Code.SIGN_IN_RUNNING: ("100-021",),
    Code.WRONG_CREDENTIALS: ("110-003", "100-004"),
    Code.ACCOUNT_LOCKED: ("110-016", "100-004"),
    Code.CREDENTIALS_EXPIRED: ("100-020", "100-004"),
    Code.CREDENTIALS_REFUSED: ("110-002", INTERNAL),
    Code.BAD_SIGN_IN: ("100-001", BAD_URL),
    Code.BAD_AGENT_TYPE: ("100-012",),
    Code.BAD_PHONE: ("100-013",),
    Code.PHONE_NOT_ALLOWED: ("100-014",),
    Code.BAD_IP: ("100-016",),
    Code.EVENTS_PUSHED: ("000-001", INTERNAL),
    Code.AGENT_BUSY_IN_CALL: ("100-009", "900-005", RESOURCE_UNAVAILABLE, INTERNAL),
    Code.WRONG_AGENT_STATE: ("100-009", "900-005", RESOURCE_UNAVAILABLE, INTERNAL),
    Code.UNAVAILABLE: ("900-001", "100-003", INTERNAL),
    Code.INTERNAL: (INTERNAL, RESOURCE_UNAVAILABLE),
    Code.NO_RIGHT: ("900-002", "300-001", "104-002", "100-009", INTERNAL),
    Code.TARGET_UNKNOWN: _NO_AGENT,
    Code.TARGET_IS_SELF: (SELF_INSPECTION,),
    Code.TARGET_NOT_SIGNED_IN: _NO_AGENT,
    Code.NOT_SUPERVISED: ("900-004", RESOURCE_UNAVAILABLE),
    Code.WRONG_SUPERVISION_STATE: ("900-005", RESOURCE_UNAVAILABLE),
    Code.NO_CALL: _NO_CALL,
    Code.WRONG_CALL_STATE: (*_CALL_STATE, *_RECORD_STATE, RESOURCE_UNAVAILABLE, INTERNAL),
    Code.NO_HELD_CALL: (
        "200-015",
        "200-011",
        "200-006",
        "200-014",
        "400-003",
        RESOURCE_UNAVAILABLE,
        INTERNAL,
    ),
    Code.BAD_NUMBER: ("200-001", BAD_URL),
    Code.NUMBER_NOT_ALLOWED: ("200-001", INTERNAL),
    Code.NOTHING_TO_ANSWER: ("200-002", RESOURCE_UNAVAILABLE, INTERNAL),
    Code.MEDIA_EXHAUSTED: ("106-003", RESOURCE_UNAVAILABLE, "100-003", INTERNAL),
    Code.NOT_SERVED: (RESOURCE_UNAVAILABLE, INTERNAL),
    Code.TOO_OFTEN: (TOO_OFTEN,),
    Code.NOT_FOUND: (
        "200-024",
        "104-005",
        RESOURCE_UNAVAILABLE,
        "400-002",
        "300-002",
        *_NOTHING_LISTED,
        INTERNAL,
    ),
}

MEANING: Mapping[str, str] = {
    "000-001": "events are fetched in another way",
    BAD_URL: "invalid URL or parameter",
    NO_PERMISSION: "no permission",
    SELF_INSPECTION: "an inspector cannot inspect himself",
    TOO_OFTEN: "called too often, try again later",
    "100-001": "sign-in parameters are empty or invalid",
    "100-002": "the agent is signed in already",
    "100-003": "resource unavailable",
    "100-004": "wrong agent or password",
    "100-005": "invalid sign-out parameter",
    NOT_SIGNED_IN: "the agent is not signed in",
    INTERNAL: "the operation failed",
    "100-009": "wrong agent state, or no right to set it",
    "100-012": "invalid agent type",
    "100-013": "invalid phone number",
    "100-014": "the phone number is outside the configured ones",
    "100-016": "invalid IP address",
    "100-020": "the password has expired",
    "100-021": "a sign-in is in progress",
    "104-002": "no right to that recording",
    "104-005": "no such recording",
    "106-002": "the message is empty or too long",
    "106-003": "too many chats",
    "110-002": "the password cannot be changed to that",
    "110-003": "wrong agent or old password",
    "110-016": "the account is locked",
    "200-001": "invalid number",
    "200-002": "no call to answer",
    "200-003": "no call to mute",
    "200-004": "the call cannot be muted now",
    "200-006": "no held call",
    "200-007": "no call to unmute",
    "200-008": "the call cannot be unmuted now",
    "200-009": "no call to report to",
    "200-010": "no call to join",
    "200-011": "no held call",
    "200-012": "no call to transfer",
    "200-013": "no call to hold",
    "200-014": "the call cannot be held now",
    "200-015": "no held call",
    "200-016": "the call cannot be taken back now",
    "200-017": "no call to release",
    "200-018": "no call",
    "200-023": "no call",
    "200-024": "no such party in the call",
    "200-025": "no such call",
    "300-001": "no right",
    "300-002": "no such agent",
    "300-003": "no such agent",
    "300-004": "no such group",
    "400-001": "no call to keep data with",
    "400-002": "no data",
    "400-003": "no held calls",
    "500-001": "nothing is played that could go back",
    "500-002": "nothing is played that could go forward",
    "500-003": "nothing is played that could be paused",
    "500-004": "the recording cannot be paused now",
    "500-005": "nothing is played that could be resumed",
    "500-006": "the recording cannot be resumed now",
    "500-007": "nothing can be played now",
    "500-008": "the recording cannot begin now",
    "500-009": "nothing is played that could be stopped",
    "600-001": "no such agent, or no skill queue of that agent",
    "600-002": "no skill queue of that VDN",
    "600-003": "no access code",
    "600-004": "no IVR",
    "600-005": "no skill queue of the agent's VDN",
    "900-001": "the provider is unavailable",
    "900-002": "no right to inspect",
    RESOURCE_UNAVAILABLE: "the resource is unavailable",
    "900-004": "no information about the agent",
    "900-005": "wrong state",
}


def retcode(code: Code, listed: Collection[str]) -> str:
    """The retcode for `code` at an interface that lists `listed`.

    Where none of the candidates may be said, it is the interface's own general failure.
    """
    for candidate in CANDIDATES[code]:
        if candidate in listed or candidate in ALWAYS:
            return candidate
    return general_failure(listed)


def general_failure(listed: Collection[str]) -> str:
    """What an interface says when nothing more precise may be said."""
    for candidate in (RESOURCE_UNAVAILABLE, INTERNAL, "100-003"):
        if candidate in listed:
            return candidate
    return BAD_URL
