"""Why a leg ended, as a SIP status and back."""

from __future__ import annotations

from sottovoce.domain.legs import ReleaseCause

_STATUS = {
    ReleaseCause.NORMAL: 480,
    ReleaseCause.BUSY: 486,
    ReleaseCause.NO_ANSWER: 480,
    ReleaseCause.REJECTED: 403,
    ReleaseCause.CANCELLED: 487,
    ReleaseCause.UNREACHABLE: 404,
    ReleaseCause.UNSUPPORTED_MEDIA: 488,
    ReleaseCause.MEDIA_TIMEOUT: 480,
    ReleaseCause.SESSION_EXPIRED: 480,
    ReleaseCause.OVERLOAD: 503,
    ReleaseCause.WORKER_LOST: 503,
    ReleaseCause.FAILED: 500,
}

_CAUSE = {
    401: ReleaseCause.REJECTED,
    403: ReleaseCause.REJECTED,
    404: ReleaseCause.UNREACHABLE,
    407: ReleaseCause.REJECTED,
    408: ReleaseCause.UNREACHABLE,
    410: ReleaseCause.UNREACHABLE,
    415: ReleaseCause.UNSUPPORTED_MEDIA,
    480: ReleaseCause.NO_ANSWER,
    481: ReleaseCause.FAILED,
    484: ReleaseCause.UNREACHABLE,
    486: ReleaseCause.BUSY,
    487: ReleaseCause.CANCELLED,
    488: ReleaseCause.UNSUPPORTED_MEDIA,
    503: ReleaseCause.UNREACHABLE,
    600: ReleaseCause.BUSY,
    603: ReleaseCause.REJECTED,
    604: ReleaseCause.UNREACHABLE,
    606: ReleaseCause.UNSUPPORTED_MEDIA,
}


def status_of(cause: ReleaseCause) -> int:
    """The status that refuses an offer for this cause."""
    return _STATUS[cause]


def cause_of(status: int, *, rang: bool = False) -> ReleaseCause:
    """What a final status (300-699) to our INVITE means; a time-out after ringing is no answer."""
    if status == 408 and rang:
        return ReleaseCause.NO_ANSWER
    if 300 <= status < 400:
        return ReleaseCause.REJECTED
    return _CAUSE.get(status, ReleaseCause.FAILED)
