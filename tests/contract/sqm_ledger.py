"""What the quality family's ledgers allow an answer to be."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.ledger import complaints, find

from sottovoce.contracts import Row, raw


def check(
    path: str,
    status: int,
    content_type: str,
    raw_body: bytes,
    *,
    verb: str = "POST",
    numeric_ids: bool = False,
) -> Any:
    """The answer's body, if the ledgers allow it. Raises AssertionError, naming the interface."""
    assert content_type == "application/json", path
    body = json.loads(raw_body)
    compact = json.dumps(body, separators=(",", ":")).encode()
    assert raw_body == compact, f"{path}: blanks, line breaks or no ASCII in {raw_body[:200]!r}"
    row = find(verb, path)
    if status != 200:
        _check_refusal(path, row, status, body)
    elif row is None:
        raise AssertionError(f"{path} is in no ledger and answers {raw_body[:200]!r}")
    elif _is_failure(row, body):
        assert list(body) == ["resultCode", "resultDesc"], f"{row.path}: a failure with more: {body}"
        assert body["resultCode"] in row.codes, f"{row.path} may not answer {body['resultCode']}: {body}"
        assert body["resultDesc"], f"{row.path}: a failure without a word"
    else:
        assert row.status == "done", f"{row.path} is not served and answers {body}"
        found = complaints(row, body, numeric_ids=numeric_ids)
        assert not found, f"{row.path} answers otherwise than its ledger says:\n" + "\n".join(found[:12])
    return body


def _is_failure(row: Row, body: Any) -> bool:
    if not isinstance(body, dict) or "resultCode" not in body:
        return False
    return row.success not in {body["resultCode"], body.get("returnCode")}


def _check_refusal(path: str, row: Row | None, status: int, body: Any) -> None:
    assert list(body) == ["resultCode", "resultDesc"], f"{path}: {body}"
    speech = path.lower().startswith("/apiaccess/ccisqm")
    document = raw("cc-isqm" if speech else "cc-sqm")
    faults, fault = document["x-faults"], document["x-fault-module"]
    module = row.module if row is not None and row.success else fault
    if status == 500 and body["resultCode"] == module + faults["503"]:
        return
    assert str(status) in faults, f"{path} answers HTTP {status}"
    allowed = {module + faults[str(status)], fault + faults[str(status)]}
    assert body["resultCode"] in allowed, f"{path}: {status} {body}"
