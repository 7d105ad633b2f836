"""The audit against what the database says now: each thing changed by SQL is named; what vouches for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.quality.inspected import bring, scenario
from tests.quality.sounds import silence, write
from tests.quality.standing import INSPECTOR, NOW, ONE, Standing

from sottovoce.domain.audit_chain import Head, hash_of
from sottovoce.domain.people import ReviewId
from sottovoce.plain import to_plain
from sottovoce.quality import audit_check, contacts, results
from sottovoce.quality.audit_check import AuditCheck, Elsewhere
from sottovoce.storage.own import anchor, heads_file
from sottovoce.storage.own.anchor import Anchor
from sottovoce.storage.signatures import SigningKey

ITEM = ReviewId("1600226476732482999")


@pytest.fixture
async def inspected(standing: Standing) -> Standing:
    """Two results, one of them revised, a recording with its digest."""
    await scenario(standing)
    contact = await standing.contact()
    write(standing.office.recordings / "call-1.wav", silence(2))
    await contacts.analyse(standing.office, ONE, contact)
    await bring(
        standing,
        {"contact": contact, "rule": "r1", "points": 20, "revise_id": "a"},
        {"contact": contact, "rule": "r2", "points": 5, "revise_id": "b"},
    )
    async with standing.office.work(ONE, INSPECTOR) as work:
        await results.revise(
            work, result="a", kept=True, remark="heard", contact=contact, kind=None, review_item=ITEM
        )
    return standing


async def checked(standing: Standing, known: Elsewhere = Elsewhere(), **other: Any) -> AuditCheck:  # noqa: B008
    return await audit_check.check(standing.engine, ONE, known, other.get("recordings"))


async def tamper(standing: Standing, *statements: str) -> None:
    """Change what triggers protect, as somebody with the owner's rights can."""
    async with standing.owner.begin() as connection:
        for table in ("audit", "audit_signatures", "scores", "revisions"):
            await connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            await connection.execute(sa.text(statement))
        for table in ("audit", "audit_signatures", "scores", "revisions"):
            await connection.execute(sa.text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


async def test_what_is_as_the_audit_says(inspected: Standing) -> None:
    found = await checked(inspected, recordings=inspected.office.recordings)
    assert found.differences == []
    assert found.anchored == ""
    assert found.facts[-2:] == [
        "compared with the audit: 2 scores, 1 revisions, 1 recordings, 0 erasures",
        "1 recording with the very bytes that were finished",
    ]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        (
            "UPDATE scores SET score = 100 WHERE by = 'machine'",
            "machine, version 1, is 100.00; row",
        ),
        ("UPDATE scores SET score = 0 WHERE by = 'manual'", "manual, version 1, is 0.00; row"),
        ("DELETE FROM scores WHERE by = 'manual'", "manual, version 1, is gone; row"),
        (
            'INSERT INTO scores SELECT vdn, contact, scenario, by, 2, 100, reasons, "user", at FROM scores',
            "machine, version 2, came in past the audit",
        ),
        ("UPDATE revisions SET revise = 0", "the revision 1 of result a is another than row"),
        ("UPDATE revisions SET remark = 'x'", "the revision 1 of result a is another than row"),
        ('UPDATE revisions SET "user" = "user" + 1', "the revision 1 of result a is another than row"),
        ("UPDATE revisions SET draft = 1", "the revision 1 of result a is another than row"),
        ("DELETE FROM revisions", "the revision 1 of result a is gone"),
        (
            'INSERT INTO revisions SELECT vdn, result, 2, 0, remark, "user", at FROM revisions',
            "the revision 2 of result a came in past the audit",
        ),
        ("UPDATE contacts SET recording_sha256 = 'x'", "the recording's SHA-256 of contact"),
        ("UPDATE contacts SET recording_sha256 = NULL", "is gone or has no SHA-256; it is row"),
        ("UPDATE contacts SET uuid = gen_random_uuid()", "is gone or has no SHA-256; it is row"),
    ],
)
async def test_what_was_changed_by_sql_is_named(inspected: Standing, statement: str, why: str) -> None:
    await tamper(inspected, statement)
    found = await checked(inspected)
    assert any(why in difference for difference in found.differences), found.differences


async def test_a_recording_under_which_another_lies_is_named(inspected: Standing) -> None:
    path = inspected.office.recordings / "call-1.wav"
    write(path, silence(3))
    [why] = (await checked(inspected, recordings=inspected.office.recordings)).differences
    assert "is another file" in why
    path.unlink()
    [why] = (await checked(inspected, recordings=inspected.office.recordings)).differences
    assert "No such file" in why


async def test_a_track_under_which_another_lies_is_named(inspected: Standing) -> None:
    """Of an inspector; by its digest, and where that was changed in the database."""
    contact = await inspected.contact(recording="call-2.wav", tracks={"102": "call-2.102.wav"})
    paths = [inspected.office.recordings / name for name in ("call-2.wav", "call-2.102.wav")]
    for path in paths:
        write(path, silence(1))
    await contacts.analyse(inspected.office, ONE, contact)
    assert (await checked(inspected, recordings=inspected.office.recordings)).differences == []
    write(paths[1], silence(2))
    [why] = (await checked(inspected, recordings=inspected.office.recordings)).differences
    assert why.startswith(f"the track of 102 in the recording of contact {contact} is another file")
    await tamper(inspected, f"UPDATE contacts SET tracks_sha256 = '{{}}' WHERE contact = {contact}")
    [why] = (await checked(inspected)).differences
    assert f"SHA-256 of contact {contact} is another than row" in why


async def test_many_of_a_kind_are_not_all_named(inspected: Standing) -> None:
    await tamper(
        inspected,
        "INSERT INTO scores SELECT vdn, contact, scenario, by, generate_series(2, 40), 100, reasons,"
        " \"user\", at FROM scores WHERE by = 'machine'",
    )
    found = await checked(inspected)
    assert len(found.differences) == 21
    assert found.differences[-1] == "… and more of that kind"


async def test_what_is_older_than_digests_needs_no_line(inspected: Standing) -> None:
    await tamper(
        inspected,
        "UPDATE scores SET at = at - interval '1 year'",
        "DELETE FROM audit WHERE action LIKE 'score.%' OR action = 'result.revise'",
        "UPDATE revisions SET at = at - interval '1 year'",
    )
    found = await checked(inspected)
    assert [why for why in found.differences if "past the audit" in why] == []


async def anchored(standing: Standing, data: Path) -> tuple[Anchor, str]:
    data.mkdir()
    signs = await Anchor.open(standing.engine, data, standing.clock, data / "heads")
    public = (await anchor.key_of(standing.engine, data)).public
    await signs.sign([ONE], "start")
    return signs, public


async def test_what_vouches_for_a_chain(inspected: Standing, tmp_path: Path) -> None:
    """A public key from elsewhere, a kept file, a noted head; nothing of what lies in the database alone."""
    _, public = await anchored(inspected, tmp_path / "data")
    number = (await checked(inspected)).head.number
    kept = heads_file.kept(tmp_path / "data" / "heads")
    head = (await checked(inspected)).head
    assert (await checked(inspected)).anchored == ""
    by_key = await checked(inspected, Elsewhere(frozenset([public])))
    assert (by_key.differences, by_key.anchored) == (
        [],
        f"up to row {number} by the key {public[:16]}…, which signed it at {NOW:%Y-%m-%d %H:%M:%S} UTC",
    )
    assert (await checked(inspected, Elsewhere(frozenset([SigningKey.generate().public])))).anchored == ""
    by_file = await checked(inspected, Elsewhere(kept=kept))
    assert by_file.anchored.startswith(f"up to row {number} by the file")
    other_key = Elsewhere(frozenset([SigningKey.generate().public]), kept)
    assert (await checked(inspected, other_key)).anchored == ""
    noted = await checked(inspected, Elsewhere(noted=[head]))
    assert noted.anchored == f"up to row {number} by the head noted"
    assert (await checked(inspected, Elsewhere(noted=[Head(number, "00" * 32)]))).differences


async def written_anew(standing: Standing) -> None:
    """The last row made another, and the chain made to fit, as the owner of the tables can."""
    await tamper(
        standing,
        "UPDATE audit SET version = 1, salt = NULL, target = 'x' WHERE vdn = 1 AND number ="
        " (SELECT max(number) FROM audit WHERE vdn = 1)",
    )
    async with standing.engine.begin() as connection:
        query = sa.text("SELECT * FROM audit WHERE vdn = 1 ORDER BY number DESC LIMIT 1")
        row = (await connection.execute(query)).mappings().one()
    digest = hash_of(bytes(row["previous"]), dict(row)).hex()
    await tamper(
        standing,
        f"UPDATE audit SET hash = '\\x{digest}' WHERE vdn = 1 AND number = {row['number']}",
        f"UPDATE audit_heads SET hash = '\\x{digest}' WHERE vdn = 1",
    )


async def test_an_audit_written_anew_does_not_fit_its_signed_heads(
    inspected: Standing, tmp_path: Path
) -> None:
    _, public = await anchored(inspected, tmp_path / "data")
    kept = heads_file.kept(tmp_path / "data" / "heads")
    await written_anew(inspected)
    why = "the row is another than the one expected: the chain was written anew"
    assert why in (await checked(inspected)).differences[0]
    await tamper(inspected, "DELETE FROM audit_signatures")
    hidden = await checked(inspected, Elsewhere(frozenset([public])))
    assert not any(why in difference for difference in hidden.differences)
    assert hidden.anchored == "", "nothing vouches for it any more"
    assert why in (await checked(inspected, Elsewhere(kept=kept))).differences[0]


async def test_a_signature_that_is_false_is_named(inspected: Standing, tmp_path: Path) -> None:
    _, public = await anchored(inspected, tmp_path / "data")
    await tamper(inspected, "UPDATE audit_signatures SET occasion = 'stop'")
    found = await checked(inspected, Elsewhere(frozenset([public])))
    assert found.anchored == ""
    [why] = found.differences
    assert why.startswith("the signature of head")
    line = to_plain(heads_file.kept(tmp_path / "data" / "heads")[0])
    line["vdn"] = 2
    other = tmp_path / "other"
    other.write_text(json.dumps(line) + "\n")
    assert (await checked(inspected, Elsewhere(kept=heads_file.kept(other)))).anchored == ""
