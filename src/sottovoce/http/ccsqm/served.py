"""What is served of CC-SQM, and its routes."""

from __future__ import annotations

from sottovoce.http.ccsqm import (
    appraisecall,
    appraisescore,
    complain,
    qualityitem,
    qualitytask,
    qualitytaskdetail,
    regularqualitytask,
    scenariomanage,
)
from sottovoce.http.ccsqm.codes import ANY
from sottovoce.http.ccsqm.dialect import Quality, SqmDialect, family
from sottovoce.http.ccsqm.pending import pending
from sottovoce.http.ccsqm.visit import Interface
from sottovoce.http.family.routes import Places

FAMILY = family("/apiaccess", ANY)

SERVED: tuple[Interface, ...] = tuple(
    interface
    for module in (
        appraisecall,
        appraisescore,
        scenariomanage,
        complain,
        qualityitem,
        qualitytask,
        qualitytaskdetail,
        regularqualitytask,
    )
    for interface in module.INTERFACES
)


def sqm_places(quality: Quality) -> Places:
    """Where they are reached, and those that are known and not served."""
    return Places((*SERVED, *pending()), SqmDialect(FAMILY, quality))
