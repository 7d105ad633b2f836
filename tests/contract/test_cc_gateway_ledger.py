"""The agent gateway's ledger against the routes, both ways, and against itself."""

from __future__ import annotations

import re

import pytest
from tests.contract.forms import of_form, spelled
from tests.contract.ledger import find

from sottovoce.clock import ManualClock
from sottovoce.contracts import Row, raw, rows
from sottovoce.contracts.document import document
from sottovoce.errors import Code
from sottovoce.http.ccgateway.dialect import FAMILY
from sottovoce.http.ccgateway.events import WIRE
from sottovoce.http.ccgateway.gateway import BASE, Gateway, Interface
from sottovoce.http.ccgateway.retcodes import (
    ALWAYS,
    CANDIDATES,
    MEANING,
    NEVER_HERE,
    SUCCESS,
    general_failure,
    retcode,
)
from sottovoce.http.ccgateway.served import SERVED, unserved
from sottovoce.http.family.answer import Fault
from sottovoce.http.family.routes import Places
from sottovoce.http.site import inner_site
from sottovoce.tasks import Tasks

ROWS = rows("cc-gateway")


def _plain(path: str) -> str:
    return path.replace(":path}", "}")


def _key(row: Row, verb: str) -> tuple[str, str]:
    return verb, row.path


IN_LEDGER = {_key(row, verb): row for row in ROWS for verb in row.verbs}
IN_CODE = {
    (verb, _plain(interface.path)): interface
    for interface in (*SERVED, *unserved())
    for verb in interface.verbs
}
DONE = [
    pytest.param(row, IN_CODE[key], id=" ".join(key))
    for key, row in IN_LEDGER.items()
    if row.status == "done"
]


def test_the_sheet_is_complete() -> None:
    """181 interfaces of the JavaScript client and 42 found elsewhere (cc-gateway.md Part 1)."""
    assert len(ROWS) == 181 + 42
    assert len([row for row in ROWS if row.status == "done"]) == len(SERVED)


def test_every_route_has_its_row_and_every_row_its_route() -> None:
    assert IN_LEDGER.keys() == IN_CODE.keys()
    app = inner_site(Gateway(None, ManualClock(), Tasks()))  # type: ignore[arg-type]
    routed = {
        (verb, _plain(place.path))
        for family in app.routes
        if isinstance(family, Places)
        for place in family.places
        for verb in place.interfaces
    }
    assert routed == IN_LEDGER.keys()


def test_status_of_rows() -> None:
    served = {(verb, _plain(interface.path)) for interface in SERVED for verb in interface.verbs}
    done = {_key(row, verb) for row in ROWS if row.status == "done" for verb in row.verbs}
    assert done == served
    assert all(row.reason for row in ROWS if row.status == "wont")
    assert {row.status for row in ROWS} == {"done", "pending", "wont"}


def test_rows_and_interfaces_agree() -> None:
    for key, interface in IN_CODE.items():
        row = IN_LEDGER[key]
        if row.status == "done" and row.answer is not None and row.answer.get("format") != "binary":
            message = row.answer["properties"]["message"]["const"]
            assert message == interface.message, key
        assert set(row.verbs) == set(interface.verbs), key
        assert interface.row == row, key
        assert all(row.inferred.values()), "an inferred code needs its reason"


@pytest.mark.parametrize(("row", "interface"), DONE)
def test_fields_agree(row: Row, interface: Interface) -> None:
    form = of_form(interface.form)
    variables = re.findall(r"\{(\w+)", interface.path)
    expected = {
        name: (
            "path" if name in variables else "body" if interface.form.in_body else "query",
            name in variables or name in form["required"],
            schema,
        )
        for name, schema in form["properties"].items()
    }
    found = {
        one.name: (one.where, one.required, spelled(one.schema)) for one in row.parameters if not one.caller
    }
    for name, schema in (row.body or {}).get("properties", {}).items():
        found[name] = ("body", name in (row.body or {}).get("required", ()), spelled(schema))
    assert found == expected
    assert {name for name in variables if name != interface.agent_field} <= found.keys()


def test_the_caller_of_every_row_is_described() -> None:
    for row in ROWS:
        callers = [one.name for one in row.parameters if one.caller]
        named = re.findall(r"\{(\w+)\}", row.path)
        assert callers == named[:1], row.path
        assert [one.name for one in row.parameters if one.where == "path"] == named, row.path


def test_every_refusal_has_a_retcode_that_its_interface_lists() -> None:
    assert set(CANDIDATES) == set(Code), "a code without a row"
    for (verb, path), interface in IN_CODE.items():
        row = IN_LEDGER[verb, path]
        for code in Code:
            answered = retcode(code, interface.codes)
            assert answered in row.codes, (verb, path, code)
            assert answered in MEANING
            assert answered != SUCCESS
            if code in NEVER_HERE:
                assert answered == general_failure(interface.codes)


def test_fallbacks_of_decision_11() -> None:
    whisper = find("POST", f"{BASE}/qualitycontrol/101/requestwhisperagent")
    listen = find("PUT", f"{BASE}/qualitycontrol/101/addsupervise/102")
    stop = find("DELETE", f"{BASE}/qualitycontrol/101/102")
    assert whisper is not None
    assert listen is not None
    assert stop is not None
    table = {
        (Code.WRONG_SUPERVISION_STATE, "listen"): "900-005",
        (Code.WRONG_SUPERVISION_STATE, "whisper"): "900-003",
        (Code.WRONG_AGENT_STATE, "listen"): "900-005",
        (Code.WRONG_AGENT_STATE, "whisper"): "900-003",
        (Code.TARGET_UNKNOWN, "whisper"): "900-004",
        (Code.TARGET_UNKNOWN, "stop"): "900-003",
        (Code.NOT_SUPERVISED, "stop"): "900-003",
        (Code.NOT_SUPERVISED, "whisper"): "900-004",
        (Code.NO_RIGHT, "stop"): "900-002",
        (Code.TARGET_IS_SELF, "listen"): "000-005",
        (Code.UNAVAILABLE, "whisper"): "900-001",
        (Code.MEDIA_EXHAUSTED, "whisper"): "900-003",
        (Code.MEDIA_EXHAUSTED, "listen"): "900-003",
        (Code.NOT_SIGNED_IN, "stop"): "100-006",
    }
    asked = {"listen": listen, "whisper": whisper, "stop": stop}
    found = {(code, name): retcode(code, asked[name].codes - ALWAYS) for code, name in table}
    assert found == table
    assert set(raw("cc-gateway")["x-always"]) == ALWAYS


def test_faults_have_the_codes_of_the_ledger() -> None:
    for status, code in raw("cc-gateway")["x-faults"].items():
        assert FAMILY.fault(Fault(int(status)))["retcode"] == code, status
    assert {str(fault.value) for fault in Fault} == raw("cc-gateway")["x-faults"].keys()


def test_events_named_by_rows_have_a_wire_form() -> None:
    known = {name for name, _ in WIRE.values()}
    named = {event for row in ROWS if row.status == "done" for event in (*row.events, *row.events_inferred)}
    assert named <= known


def test_openapi_has_every_route() -> None:
    paths = document("cc-gateway")["paths"]
    assert {(verb, path) for (verb, path) in IN_LEDGER} == {
        (verb.upper(), path) for path, verbs in paths.items() for verb in verbs
    }
