"""The agent gateway's ledger against the routes, both ways, and against itself."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.contract.ledger import ALWAYS, Row, find, load

from sottovoce.clock import ManualClock
from sottovoce.contracts.document import document
from sottovoce.errors import Code
from sottovoce.http.ccgateway.events import WIRE
from sottovoce.http.ccgateway.gateway import BASE, Gateway, Interface
from sottovoce.http.ccgateway.retcodes import ALWAYS as ALWAYS_ANSWERED
from sottovoce.http.ccgateway.retcodes import (
    CANDIDATES,
    MEANING,
    NEVER_HERE,
    SUCCESS,
    general_failure,
    retcode,
)
from sottovoce.http.ccgateway.served import SERVED, unserved
from sottovoce.http.family.routes import Places
from sottovoce.http.site import inner_site
from sottovoce.tasks import Tasks

ROWS = load("cc-gateway")


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
    """181 interfaces of the JavaScript client and 39 found elsewhere (cc-gateway.md Part 1)."""
    assert len(ROWS) == 181 + 39
    assert len([row for row in ROWS if row.status == "done"]) == len(SERVED) == 52


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
        if row.status == "done":
            assert (row.name, row.answer["message"]) == (interface.name, interface.message), key
        assert set(row.verbs) == set(interface.verbs), key
        assert set(row.errors) == set(interface.errors), key
        assert set(row.inferred) == set(interface.inferred), key
        assert all(row.inferred.values()), "an inferred code needs its reason"


def _schema_words(schema: dict[str, Any]) -> dict[str, Any]:
    if "anyOf" in schema:
        schema = {**schema, **next(one for one in schema["anyOf"] if one.get("type") != "null")}
    types = {"string": "string", "integer": "int", "boolean": "bool", "array": "skills"}
    words: dict[str, Any] = {"type": "agent" if schema.get("format") == "agent-id" else types[schema["type"]]}
    for name, word in (
        ("minimum", "min"),
        ("maximum", "max"),
        ("maxLength", "max_length"),
        ("maxItems", "max_items"),
    ):
        if name in schema:
            words[word] = schema[name]
    if "pattern" in schema and words["type"] == "string":
        words["pattern"] = schema["pattern"]
    return words


@pytest.mark.parametrize(("row", "interface"), DONE)
def test_fields_agree(row: Row, interface: Interface) -> None:
    schema = interface.form.model_json_schema(by_alias=True)
    variables = re.findall(r"\{(\w+)", interface.path)
    expected = {}
    for name, field in schema.get("properties", {}).items():
        words = _schema_words(field)
        words["in"] = "path" if name in variables else "body" if interface.form.in_body else "query"
        if name not in schema.get("required", []):
            words["required"] = False
            if field.get("default") is not None:
                words["default"] = list(field["default"]) if words["type"] == "skills" else field["default"]
        expected[name] = words
    remarks = {"name", "unit", "values"}
    found = {field["name"]: {k: v for k, v in field.items() if k not in remarks} for field in row.fields}
    assert found == expected
    assert {name for name in variables if name != "agentid"} <= found.keys()


def test_path_variables_of_every_row_are_described() -> None:
    for row in ROWS:
        callers = {"agentid", "workno"} if "/textchat/" in row.path else {"agentid"}
        in_path = {field["name"] for field in row.fields if field["in"] == "path"}
        assert set(re.findall(r"\{(\w+)\}", row.path)) - callers == in_path, row.path


def test_every_refusal_has_a_retcode_that_its_interface_lists() -> None:
    assert set(CANDIDATES) == set(Code), "a code without a row"
    for (verb, path), interface in IN_CODE.items():
        row = IN_LEDGER[verb, path]
        for code in Code:
            answered = retcode(code, interface.listed)
            assert answered in row.codes, (verb, path, code)
            assert answered in MEANING
            assert answered != SUCCESS
            if code in NEVER_HERE:
                assert answered == general_failure(interface.listed)


def test_fallbacks_of_decision_11() -> None:
    whisper = find(ROWS, "POST", f"{BASE}/qualitycontrol/101/requestwhisperagent")
    listen = find(ROWS, "PUT", f"{BASE}/qualitycontrol/101/addsupervise/102")
    stop = find(ROWS, "DELETE", f"{BASE}/qualitycontrol/101/102")
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
    rows = {"listen": listen, "whisper": whisper, "stop": stop}
    found = {(code, name): retcode(code, rows[name].codes - ALWAYS) for code, name in table}
    assert found == table
    assert ALWAYS == ALWAYS_ANSWERED


def test_events_named_by_rows_have_a_wire_form() -> None:
    known = {name for name, _ in WIRE.values()}
    named = {event for row in ROWS if row.status == "done" for event in (*row.events, *row.events_inferred)}
    assert named <= known


def test_openapi_has_every_route() -> None:
    paths = document("cc-gateway")["paths"]
    assert {(verb, path) for (verb, path) in IN_LEDGER} == {
        (verb.upper(), path) for path, verbs in paths.items() for verb in verbs
    }
