"""`appraisecall/credit`: the scores of one call by business scenario [2527]."""

from __future__ import annotations

from sottovoce.http.ccisqm.words import ISQM
from sottovoce.http.ccsqm.credit_wire import credit_of
from sottovoce.http.ccsqm.visit import Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import Form, Text, seconds
from sottovoce.quality import results

INTERFACES = Interfaces(ISQM, "appraisecall")


class CreditForm(Form):
    """The body of `appraisecall/credit`: the call whose scores are asked for."""

    call_uuid: Text


@INTERFACES.serves("credit", CreditForm, None)
async def credit(visit: Visit, form: CreditForm) -> Answer:
    """What every scenario found on a call, with its scores; an empty list before any did."""
    scores = await results.credit(visit.work, visit.reach(), form.call_uuid)
    if not scores:
        return Answer([], coded=False)
    inspected = [one.machine.at for one in scores if one.machine is not None]
    found = [result.made_at for one in scores for result in one.results]
    at = max(inspected or found)
    return Answer([{"create_time": seconds(at), "credit": [credit_of(one) for one in scores]}], coded=False)
