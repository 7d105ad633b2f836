"""What a client reads when the domain finds a field at fault: the wire's names, byte for byte."""

from __future__ import annotations

import pytest

from sottovoce.errors import Code, Refused
from sottovoce.http.ccsqm import (
    appraisescore,
    complain,
    qualityitem,
    qualitytask,
    qualitytaskdetail,
    regularqualitytask,
    scenariomanage,
)
from sottovoce.http.ccsqm.words import Form


@pytest.mark.parametrize(
    ("form", "field", "why", "told"),
    [
        (qualitytask.Appoint, "people", "names nobody", "setCounts: names nobody"),
        (qualitytask.Appoint, "people.2.person", "stands twice", "setCounts.2.personID: stands twice"),
        (qualitytask.Appoint, "people.0.count", "is missing", "setCounts.0.count: is missing"),
        (qualitytask.Create, "agents.3", "is none", "fixedColumns.staffIds.3: is none"),
        (qualitytask.Update, "agents.3", "is none", "fixedColumns.staffIds.3: is none"),
        (regularqualitytask.Add, "people.1.count", "is off", "appointQuality.setCounts.1.count: is off"),
        (
            regularqualitytask.Update,
            "agents.0",
            "is none",
            "extractionRange.fixedColumns.staffIds.0: is none",
        ),
        (complain.ComplainForm, "handler", "is nobody", "leaderUUID: is nobody"),
        (complain.ComplainForm, "chosen", "is empty", "chooseRuleGroupList: is empty"),
        (
            complain.ComplainForm,
            "chosen.1.results.0",
            "is none",
            "chooseRuleGroupList.1.reviseIdList.0: is none",
        ),
        (qualityitem.AppealItemForm, "handler", "is nobody", "assignee: is nobody"),
        (qualityitem.ReassignForm, "handler", "is nobody", "handler: is nobody"),
        (qualityitem.ModifyForm, "remark", "is long", "ruleInfo.description: is long"),
        (qualityitem.ModifyForm, "rule_kind", "is off", "ruleType: is off"),
        (qualityitem.ModifyForm, "kind", "is off", "qualityItemType: is off"),
        (qualitytaskdetail.ModifyResult, "remark", "is long", "ruleInfo.description: is long"),
        (qualitytaskdetail.ModifyResult, "rule_kind", "is off", "ruleType: is off"),
        (scenariomanage.CreateForm, "name", "is long", "group_name: is long"),
        (scenariomanage.UpdateForm, "interaction", "is off", "interaction_type: is off"),
        (
            scenariomanage.UpdateForm,
            "calls.calls_until",
            "must not be before `calls_from`",
            "other.call_end: must not be before call_from",
        ),
        (
            appraisescore.ProfileForm,
            "lower",
            "must not be above `upper`",
            "lower_bound: must not be above upper_bound",
        ),
        (
            appraisescore.ModifyForm,
            "base",
            "must not be outside `lower` and `upper`",
            "base: must not be outside lower_bound and upper_bound",
        ),
        (qualitytask.OneTask, "", "there is no such task", "there is no such task"),
        (qualitytask.OneTask, "handler", "what the form does not have", "what the form does not have"),
    ],
)
def test_a_field_of_the_domain_is_told_by_its_name_on_the_wire(
    form: type[Form], field: str, why: str, told: str
) -> None:
    assert form.told(Refused(Code.BAD_PARAMETER, why, field=field)) == told
