"""What is served of CC-iSQM, and its routes."""

from __future__ import annotations

from sottovoce.http.ccisqm import appraisecall, credit
from sottovoce.http.ccisqm.pending import pending
from sottovoce.http.ccsqm.codes import SPEECH
from sottovoce.http.ccsqm.dialect import Quality, SqmDialect, family
from sottovoce.http.ccsqm.visit import Interface
from sottovoce.http.family.routes import Places

FAMILY = family("/apiaccess/CCISQM", SPEECH)

SERVED: tuple[Interface, ...] = (*appraisecall.INTERFACES, *credit.INTERFACES)


def isqm_places(quality: Quality) -> Places:
    """Where they are reached, and those that are known and not served."""
    return Places((*SERVED, *pending()), SqmDialect(FAMILY, quality))
