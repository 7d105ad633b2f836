"""What is served of CC-SQM, what is known and not served, and the routes of both."""

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
from sottovoce.http.ccsqm.visit import Interface
from sottovoce.http.ccsqm.words import Form
from sottovoce.http.family.pending import not_served, pending
from sottovoce.http.family.routes import Places

LEDGER = "cc-sqm"
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


def unserved(ledger: str) -> tuple[Interface, ...]:
    """Every interface of a quality family's ledger that is known and not served; they need no user."""
    return tuple(
        Interface(path=path, verbs=row.verbs, form=Form, serve=not_served, operation=None)
        for row, path in pending(ledger)
    )


def sqm_places(quality: Quality) -> Places:
    """Where all of CC-SQM is reached, but the token."""
    return Places((*SERVED, *unserved(LEDGER)), SqmDialect(FAMILY, quality))
