"""What is served of CC-iSQM, what is known and not served, and the routes of both."""

from __future__ import annotations

from sottovoce.http.ccisqm import appraisecall, credit
from sottovoce.http.ccsqm.codes import SPEECH
from sottovoce.http.ccsqm.dialect import Quality, SqmDialect, family
from sottovoce.http.ccsqm.served import unserved
from sottovoce.http.ccsqm.visit import Interface
from sottovoce.http.family.routes import Places

LEDGER = "cc-isqm"
FAMILY = family("/apiaccess/CCISQM", SPEECH)

SERVED: tuple[Interface, ...] = (*appraisecall.INTERFACES, *credit.INTERFACES)


def isqm_places(quality: Quality) -> Places:
    """Where all of CC-iSQM is reached."""
    return Places((*SERVED, *unserved(LEDGER)), SqmDialect(FAMILY, quality))
