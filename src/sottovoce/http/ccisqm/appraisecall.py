"""`appraisecall/detail` of CC-iSQM: one call with all about it, for an app that names no user [2526]."""

from __future__ import annotations

from sottovoce.http.ccisqm.words import ISQM
from sottovoce.http.ccsqm import calls_wire
from sottovoce.http.ccsqm.appraisecall import DetailForm, uuid_of
from sottovoce.http.ccsqm.visit import Answer, Interfaces, Visit
from sottovoce.quality import contacts

INTERFACES = Interfaces(ISQM, "appraisecall")


@INTERFACES.serves("detail", DetailForm, None)
async def detail(visit: Visit, form: DetailForm) -> Answer:
    """One call with its figures and its transcript."""
    shown = await contacts.show(visit.work, visit.reach(), uuid_of(form.call_uuid))
    return Answer(calls_wire.detailed_for_apps(shown), coded=False)
