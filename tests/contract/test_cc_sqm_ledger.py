"""The quality family's ledgers against the routes, both ways, and against themselves."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.contract.forms import of_form, spelled

from sottovoce.contracts import Row, raw, rows
from sottovoce.contracts.document import document
from sottovoce.domain.people import Role
from sottovoce.domain.rights import RIGHTS, Operation, Scope
from sottovoce.errors import Code
from sottovoce.http.ccisqm import served as ccisqm
from sottovoce.http.ccsqm import served as ccsqm
from sottovoce.http.ccsqm.codes import MEANING, NEVER_HERE, SPEECH, SUFFIXES
from sottovoce.http.ccsqm.dialect import Quality
from sottovoce.http.ccsqm.token import PATH as TOKEN
from sottovoce.http.ccsqm.token import TokenForm
from sottovoce.http.ccsqm.visit import Interface
from sottovoce.http.family.answer import Fault
from sottovoce.http.family.routes import Places
from sottovoce.http.site import inner_site

ROWS = rows("cc-sqm", "cc-isqm")
IN_LEDGER = {row.path: row for row in ROWS}
SERVED = (*ccsqm.SERVED, *ccisqm.SERVED)
PENDING = (*ccsqm.unserved(ccsqm.LEDGER), *ccsqm.unserved(ccisqm.LEDGER))
IN_CODE = {interface.path: interface for interface in (*SERVED, *PENDING)}
DONE = [
    pytest.param(IN_LEDGER[interface.path], interface, id=interface.path.split("/rest/ccisqm/v1/")[1])
    for interface in SERVED
    if interface.path in IN_LEDGER
]
DOCUMENTED = {
    "sensitiveWordManage": "0401000",
    "conversation-rules": "0405000",
    "interposal-rules": "0405000",
    "silencerule": "0405000",
    "speedrule": "0405000",
    "scenariomanage": "0406000",
    "regularqualitytask": "0408000",
    "qualitytask": "0409000",
    "qualityitem": "0410000",
    "appraisescore": "0412000",
    "openapi": "1010200",
}
"""The successes that pages print (cc-sqm.md 2.0)."""
UNSTATED = {"appraisecall": {"0407000", "1010200"}, "sentencemanage": {"0402000"}}
UNSTATED |= {"conversationspecific": {"0405000"}, "SemanticKeywordTraining": {"0402000"}}

ALWAYS_DECLINED = (Code.BAD_PARAMETER, Code.NOBODY, Code.NO_RIGHT, Code.UNAVAILABLE, Code.INTERNAL)


def _quality() -> Quality:
    return Quality(None)  # type: ignore[arg-type]


def test_the_sheet_is_complete() -> None:
    """The token, and every interface of cc-sqm.md Part 1 of which at least a title was found."""
    by_part: dict[str, int] = {}
    for row in ROWS:
        part = "/".join(row.path.split("/")[-2:-1])
        by_part[part] = by_part.get(part, 0) + 1
    assert by_part == {
        "oauth": 1,
        "appraisecall": 4 + 2,
        "regularqualitytask": 6,
        "qualitytask": 10,
        "qualityitem": 7,
        "openapi": 3,
        "appraisescore": 5,
        "sentencemanage": 8,
        "sensitiveWordManage": 7,
        "conversationspecific": 4,
        "SemanticKeywordTraining": 2,
        "conversation-rules": 9,
        "interposal-rules": 3,
        "silencerule": 5,
        "speedrule": 5,
        "scenariomanage": 6,
    }
    assert len(IN_LEDGER) == len(ROWS) == 87


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert IN_LEDGER.keys() - {TOKEN} == IN_CODE.keys()
    assert len(IN_CODE) == len(SERVED) + len(PENDING), "a path is served twice"
    app = inner_site(quality=_quality())
    routed = {
        (verb, place.path)
        for family in app.routes
        if isinstance(family, Places)
        for place in family.places
        for verb in place.interfaces
    }
    assert routed == {(verb, row.path) for row in ROWS for verb in row.verbs}
    assert {row.verbs for row in ROWS} == {("POST",)}
    lowered = {path.lower() for path in IN_LEDGER}
    assert len(lowered) == len(IN_LEDGER), "paths are matched without case"


def test_status_of_rows() -> None:
    done = {row.path for row in ROWS if row.status == "done"}
    assert done == {TOKEN, *(interface.path for interface in SERVED)}
    assert {row.status for row in ROWS} == {"done", "pending", "wont"}
    assert all(bool(row.reason) == (row.status == "wont") for row in ROWS)
    assert all(row.source and row.title for row in ROWS)


def test_rows_and_interfaces_agree() -> None:
    for path, interface in IN_CODE.items():
        row = IN_LEDGER[path]
        assert (row.name, row.success) == (interface.name, interface.module.success), path
        assert path.endswith("/" + row.name)
        codes = {interface.module.code(reason) for reason in Code}
        assert row.codes <= codes, path
        assert row.codes == interface.codes, path
        assert not set(row.listed) & set(row.always), path
        if row.status != "done":
            assert row.operation == "", path
            assert row.listed == (interface.module.code(Code.NOT_SERVED),), path
            continue
        user = "none" if interface.operation is None else "optional"
        assert row.user == ("required" if interface.user_required else user), path
        assert row.operation == (interface.operation.value if interface.operation else ""), path


def test_successes_are_the_documented_ones() -> None:
    for row in ROWS:
        part = row.path.split("/")[-2]
        if row.path != TOKEN:
            assert row.success in {DOCUMENTED.get(part), *UNSTATED.get(part, ())}, row.path


@pytest.mark.parametrize(("row", "interface"), DONE)
def test_fields_agree(row: Row, interface: Interface) -> None:
    assert spelled(row.body) == of_form(interface.form)


def test_the_tokens_fields_agree() -> None:
    assert spelled(IN_LEDGER[TOKEN].body) == of_form(TokenForm)


def test_the_documented_success_is_what_is_answered() -> None:
    for row in ROWS:
        told = (row.answer or {}).get("properties", {}).get("resultCode", {})
        assert told.get("const", row.success) == row.success, row.path


def test_faults_have_the_codes_of_the_ledgers() -> None:
    for ledger, family in (("cc-sqm", ccsqm.FAMILY), ("cc-isqm", ccisqm.FAMILY)):
        module, codes = raw(ledger)["x-fault-module"], raw(ledger)["x-faults"]
        for fault in Fault:
            assert family.fault(fault)["resultCode"] == module + codes[str(fault.value)], (ledger, fault)


def test_every_reason_has_a_code_in_every_module() -> None:
    assert set(SUFFIXES) == set(SPEECH.failures) == set(MEANING) == set(Code)
    for module in {interface.module.digits: interface.module for interface in IN_CODE.values()}.values():
        codes = [module.code(reason) for reason in Code if reason not in NEVER_HERE]
        assert len({*codes, module.success}) == len(codes) + 1
        assert {module.code(reason) for reason in NEVER_HERE} == {module.code(Code.INTERNAL)}
        assert all(len(code) == 7 and code.isdigit() for code in codes)
        ledger = raw("cc-isqm" if module == SPEECH else "cc-sqm")
        assert {module.failures[reason] for reason in ALWAYS_DECLINED} == set(ledger["x-always"])


def test_rights_have_no_empty_cell_and_every_operation_its_interface() -> None:
    assert set(RIGHTS) == {(role, operation) for role in Role for operation in Operation}
    assert all(isinstance(scope, Scope) for scope in RIGHTS.values())
    served = Counter(interface.operation for interface in SERVED if interface.operation is not None)
    assert set(served) == set(Operation) - {Operation.HEAR_RECORDING}, "of the native interface"
    assert {operation: count for operation, count in served.items() if count != 1} == {
        Operation.EDIT_SCORE_PROFILES: 4,
        Operation.EDIT_SCENARIOS: 4,
        Operation.QUERY_SCENARIOS: 2,
    }
    alone = {interface.path.split("/")[2] for interface in SERVED if interface.operation is None}
    assert alone == {"CCISQM"}, "an interface of CC-SQM without a right"
    for operation in Operation:
        assert any(RIGHTS[role, operation] is not Scope.NO for role in Role), f"nobody may {operation}"


def test_openapi_has_every_route() -> None:
    paths = document(ccsqm.LEDGER, ccisqm.LEDGER)["paths"]
    assert paths.keys() == IN_LEDGER.keys()
    for path, verbs in paths.items():
        assert verbs.keys() == {"post"}, path
