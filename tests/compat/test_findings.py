"""Verdicts, and what they come to."""

from __future__ import annotations

import pytest

from sottovoce.compat.bench import Bench, People, needed
from sottovoce.compat.findings import CheckVerdict, Findings
from sottovoce.compat.wire import Reply, Wire


@pytest.mark.parametrize(
    ("strict", "verdicts", "right"),
    [
        (False, [CheckVerdict.PASS, CheckVerdict.DIFFERS, CheckVerdict.SKIP], True),
        (True, [CheckVerdict.PASS, CheckVerdict.FAIL, CheckVerdict.SKIP], False),
    ],
)
async def test_what_is_only_inferred_fails_when_strict(
    strict: bool, verdicts: list[CheckVerdict], right: bool
) -> None:
    findings = Findings(strict=strict)
    wire = Wire("http://127.0.0.1:1", "key", "secret")
    bench = Bench(wire, People("1"), findings)
    with bench.check("one", "passes") as check:
        check.that(True, "never told")
    with bench.check("two", "is as inferred", inferred=True) as check:
        check.that(False, "it is not")
    with bench.check("three", "can be made") as check:
        needed(None, "it cannot")
    await wire.close()
    assert [finding.verdict for finding in findings.found] == verdicts
    assert [finding.reason for finding in findings.found] == ["", "it is not", "it cannot"]
    assert findings.right is right


async def test_an_unreadable_answer_fails_the_check_and_not_the_walk() -> None:
    findings = Findings()
    wire = Wire("http://127.0.0.1:1", "key", "secret")
    bench = Bench(wire, People("1"), findings)
    with bench.check("one", "has an id"):
        assert {}["id"]
    with bench.check("one", "answers"):
        await wire.token()
    await wire.close()
    assert [finding.verdict for finding in findings.found] == [CheckVerdict.FAIL, CheckVerdict.FAIL]
    assert "no answer" in findings.found[1].reason


@pytest.mark.parametrize(
    ("status", "document", "ok"),
    [
        (200, {"resultCode": "0409000"}, True),
        (200, {"resultCode": "1010200"}, True),
        (200, {"data": []}, True),
        (200, [], True),
        (200, {"resultCode": 0, "returnCode": "0409000"}, True),
        (200, {"resultCode": 0, "returnCode": "0409004"}, False),
        (200, {"resultCode": "0409004"}, False),
        (200, {"resultCode": 409000}, False),
        (500, {"resultCode": "0409000"}, False),
    ],
)
def test_what_is_a_success(status: int, document: object, ok: bool) -> None:
    assert Reply(status, "application/json", "", document, True).ok is ok
