"""The audit's chain, followed by a stranger from its description alone."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sottovoce.domain import audit_chain
from sottovoce.domain.audit_chain import Extract, Head, ShownRow, unfollowed

AT = datetime(2026, 3, 2, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))


def row(number: int, **other: Any) -> dict[str, Any]:
    return {
        "vdn": 1,
        "number": number,
        "at": AT + timedelta(seconds=number),
        "actor": 102,
        "action": "supervise.whisper",
        "target": "质检",
        "detail": {"n": number, "again": False},
        "version": 2,
        "salt": bytes([number]) * 16,
        **other,
    }


def test_a_stranger_hashes_rows_the_same() -> None:
    """SHA-256(previous || SHA-256(row)), the row as the docstring says it, written anew here."""
    text = (
        '[2,1,"07070707070707070707070707070707","2026-03-02T09:00:07.000005+00:00",102,'
        '"supervise.whisper","质检",{"again":false,"n":7}]'
    )
    digest = hashlib.sha256(text.encode()).digest()
    assert audit_chain.digest_of(row(7)) == digest
    assert audit_chain.hash_of(b"before", row(7)) == hashlib.sha256(b"before" + digest).digest()


def test_rows_of_the_first_version_keep_their_hash() -> None:
    content = [1, 7, "2026-03-02T09:00:07.000005+00:00", 102, "supervise.whisper", "质检"]
    text = json.dumps([*content, {"again": False, "n": 7}], separators=(",", ":"), ensure_ascii=False)
    expected = hashlib.sha256(b"before" + text.encode()).digest()
    assert audit_chain.hash_of(b"before", row(7, version=1, salt=None)) == expected


def stretch() -> Extract:
    """Rows 3 to 6 of a chain, of which 4 and 6 are shown."""
    previous = Head(2, "11" * 32)
    rows = [row(number) for number in range(3, 7)]
    chain = bytes.fromhex(previous.hash)
    for one in rows:
        chain = audit_chain.hash_of(chain, one)
    return Extract(
        1,
        previous,
        tuple(audit_chain.digest_of(one).hex() for one in rows),
        tuple(
            ShownRow(
                one["number"],
                one["at"].astimezone(UTC),
                "102",
                one["action"],
                one["target"],
                one["detail"],
                one["salt"].hex(),
            )
            for one in rows
            if one["number"] in (4, 6)
        ),
        Head(6, chain.hex()),
    )


def test_an_extract_leads_from_its_rows_to_the_head() -> None:
    assert unfollowed(stretch()) == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"target": "101"}, "row 4 (supervise.whisper) is not the one of the chain"),
        ({"actor": "103"}, "row 4 (supervise.whisper) is not the one of the chain"),
        ({"at": AT}, "row 4 (supervise.whisper) is not the one of the chain"),
        ({"detail": {}}, "row 4 (supervise.whisper) is not the one of the chain"),
        ({"salt": "xyz"}, "row 4 (supervise.whisper) is not the one of the chain"),
        ({"actor": "nobody"}, "row 4 (supervise.whisper) is not the one of the chain"),
        ({"number": 5}, "row 5 (supervise.whisper) is not the one of the chain"),
        ({"number": 7}, "row 7 is outside of the extract"),
        ({"number": 2}, "row 2 is outside of the extract"),
    ],
)
def test_a_row_that_is_another_is_named(change: dict[str, Any], why: str) -> None:
    whole = stretch()
    changed = dataclasses.replace(whole, rows=(dataclasses.replace(whole.rows[0], **change), whole.rows[1]))
    assert unfollowed(changed) == [why]


@pytest.mark.parametrize(
    "change",
    [
        {"digests": stretch().digests[:-1]},
        {"digests": (*stretch().digests, "22" * 32)},
        {"digests": ("22" * 32, *stretch().digests[1:])},
        {"previous": Head(2, "12" * 32)},
        {"previous": Head(1, "11" * 32)},
        {"head": Head(6, "33" * 32)},
        {"head": Head(7, stretch().head.hash)},
    ],
)
def test_a_chain_that_does_not_lead_to_the_head_is_told(change: dict[str, Any]) -> None:
    changed = dataclasses.replace(stretch(), rows=(), **change)
    [why] = unfollowed(changed)
    assert why == f"the rows do not lead to the head {changed.head.number}:{changed.head.hash}"


def test_a_chain_begins_with_its_vdn() -> None:
    [why] = unfollowed(Extract(1, Head(0, "11" * 32), (), (), Head(0, "11" * 32)))
    assert why == "the extract does not begin where the chain does"
    begin = Head(0, audit_chain.beginning(1).hex())
    assert unfollowed(Extract(1, begin, (), (), begin)) == []
    assert unfollowed(Extract(1, Head(0, "no hash"), (), (), begin)) == [
        "the extract has hashes that are none"
    ]
