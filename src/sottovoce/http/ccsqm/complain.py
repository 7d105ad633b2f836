"""`appraisecall/complain`: an agent files an appeal [2495]."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from sottovoce.domain.appeals import Chosen
from sottovoce.domain.rights import Operation
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import Flag, Form, LooseText, Text, UserField
from sottovoce.quality import appeals

INTERFACES = Interfaces(SQM, "appraisecall")


class ChosenForm(Form):
    """A member of `chooseRuleGroupList`."""

    scenario: LooseText = Field(alias="ruleGroupId")
    results: list[LooseText] = Field(alias="reviseIdList")


class ComplainForm(Form):
    """The body of complain. `leaderRole` codes a position in a way that no page explains; it is ignored."""

    call: Annotated[LooseText, Field(alias="callId", min_length=1)]
    call_group: LooseText | None = Field(None, alias="callGroupId")
    is_group: Flag = Field(False, alias="isGroup")
    leader_role: LooseText | None = Field(None, alias="leaderRole")
    handler: UserField = Field(alias="leaderUUID")
    reason: Annotated[Text, Field(alias="taskDescription", min_length=1)]
    chosen: list[ChosenForm] = Field(alias="chooseRuleGroupList")
    call_type: LooseText | None = Field(None, alias="callType")


@INTERFACES.serves("complain", ComplainForm, Operation.FILE_APPEAL)
async def complain(visit: Visit, form: ComplainForm) -> Answer:
    """File an appeal against results of a call of one's own."""
    chosen = [Chosen(group.scenario, tuple(group.results)) for group in form.chosen]
    await appeals.file_appeal(
        visit.work, visit.reach(), call=form.call, chosen=chosen, leader=form.handler, reason=form.reason
    )
    content: dict[str, Any] = {"callId": form.call, "available": True}
    return Answer(content, coded=False)
