"""Whoever tampers with a sample is found out, in the database and in an exported file."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from tests.quality.asking import asked
from tests.quality.standing import DIRECTOR, ONE, Standing

from sottovoce.cli import main
from sottovoce.domain.frames import Frame
from sottovoce.domain.people import ReviewId
from sottovoce.domain.reviews import TaskOrder
from sottovoce.domain.sampling import Conditions, Quantity
from sottovoce.errors import Code, Refused
from sottovoce.quality import certificates, sampling, tasks
from sottovoce.quality.certificates import BadFile

UNKNOWN = ReviewId("1772442000999999999")


@pytest.fixture
async def task(standing: Standing) -> ReviewId:
    """A task with a sample of 6 of 24 calls, 2 of each of three agents."""
    for number in range(24):
        await standing.contact(101 + number % 3)
    order = TaskOrder("Checked", Conditions(Quantity.PER_AGENT, 2))
    return await asked(tasks.create, standing.office, await standing.caller(DIRECTOR), order)


async def tampered(standing: Standing, statement: str, **values: Any) -> None:
    async with standing.engine.begin() as connection:
        await connection.execute(sa.text(statement), values)


async def differences(standing: Standing, task: ReviewId) -> str:
    verdict = await certificates.verify(standing.engine, task)
    assert not verdict.passed
    return " | ".join(verdict.differences)


async def test_an_untouched_sample_passes(standing: Standing, task: ReviewId) -> None:
    verdict = await certificates.verify(standing.engine, task)
    assert (verdict.passed, verdict.differences) == (True, [])
    said = "\n".join(verdict.facts)
    assert "frame of 24 contacts" in said
    assert "6 of 6 drawn, 0 passed over" in said
    assert "the task's 6 items are the drawn contacts" in said
    assert "row 1 has the commitment, row 2 the draw" in said


async def test_a_sample_with_substitutions_passes(standing: Standing) -> None:
    for number in range(12):
        await standing.contact(101, recording=f"{number}.wav")
        if number % 2:
            (standing.office.recordings / f"{number}.wav").unlink()
    order = TaskOrder("Checked", Conditions(Quantity.CALLS, 6))
    made = await asked(tasks.create, standing.office, await standing.caller(DIRECTOR), order)
    verdict = await certificates.verify(standing.engine, made)
    assert verdict.passed
    assert verdict.certificate.passed_over
    assert "passed over (recording missing)" in "\n".join(verdict.facts)


async def test_another_seed_is_found(standing: Standing, task: ReviewId) -> None:
    await tampered(
        standing,
        """UPDATE sampling_draws SET seed = '\\x01',
           certificate = jsonb_set(certificate, '{seed}', '"01"')""",
    )
    said = await differences(standing, task)
    assert "the seed's SHA-256 is" in said
    assert "certificate_sha256" in said
    assert "drawn again, not in the certificate" in said


async def test_a_seed_chosen_with_its_commitment_is_found_in_the_audit(
    standing: Standing, task: ReviewId
) -> None:
    import hashlib

    digest = hashlib.sha256(b"\x01").hexdigest()
    await tampered(
        standing,
        """UPDATE sampling_draws SET seed = '\\x01', certificate =
           certificate || jsonb_build_object('seed', '01', 'commitment', CAST(:digest AS text))""",
        digest=digest,
    )
    said = await differences(standing, task)
    assert "the audit's commitment is" in said
    assert "the seed's SHA-256" not in said


async def test_a_changed_frame_is_found(standing: Standing, task: ReviewId) -> None:
    async with standing.engine.begin() as connection:
        packed = (await connection.execute(sa.text("SELECT frame FROM sampling_draws"))).scalar_one()
        frame = Frame.unpack(bytes(packed))
        smaller = Frame.of({agent: some[1:] for agent, some in frame.strata.items()})
        await connection.execute(sa.text("UPDATE sampling_draws SET frame = :f"), {"f": smaller.pack()})
    said = await differences(standing, task)
    assert "the frame has 21 contacts, the certificate says 24" in said
    assert "the frame's SHA-256 is" in said
    await tampered(standing, "UPDATE sampling_draws SET frame = '\\x0102'")
    assert "the frame cannot be read" in await differences(standing, task)


async def test_a_contact_put_in_for_another_is_found_everywhere(standing: Standing, task: ReviewId) -> None:
    kept = await certificates.verify(standing.engine, task)
    drawn = list(kept.certificate.drawn)
    other = next(contact for contact in range(1, 25) if contact not in drawn)
    await tampered(
        standing,
        "UPDATE sampling_draws SET certificate = jsonb_set(certificate, '{drawn,0}', CAST(:other AS jsonb))",
        other=str(other),
    )
    said = await differences(standing, task)
    assert f"contact {drawn[0]} is drawn again, not in the certificate" in said
    assert f"contact {other} is in the certificate, not drawn again" in said
    assert f"contact {drawn[0]} is an item of the task, not in the certificate" in said


async def test_items_are_the_drawn_contacts_in_their_order(standing: Standing, task: ReviewId) -> None:
    verdict = await certificates.verify(standing.engine, task)
    drawn = verdict.certificate.drawn
    await tampered(standing, "UPDATE review_items SET place = 99 WHERE place = 0")
    assert await differences(standing, task) == "the order differs from place 0 on"
    await tampered(standing, "DELETE FROM review_items WHERE place = 99")
    said = await differences(standing, task)
    assert said == f"contact {drawn[0]} is in the certificate, not an item of the task"


async def test_a_substitution_that_never_was_is_found(standing: Standing, task: ReviewId) -> None:
    verdict = await certificates.verify(standing.engine, task)
    spared = verdict.certificate.drawn[0]
    await tampered(
        standing,
        """UPDATE sampling_draws SET certificate = jsonb_set(certificate, '{passed_over}',
           jsonb_build_array(jsonb_build_array(CAST(:contact AS bigint), 101, 'recording missing')))""",
        contact=spared,
    )
    assert "certificate_sha256" in await differences(standing, task)


async def test_an_audit_that_was_written_anew_is_found(standing: Standing, task: ReviewId) -> None:
    await tampered(standing, "ALTER TABLE audit DISABLE TRIGGER USER")
    await tampered(standing, "UPDATE audit SET detail = '{}' WHERE number = 1")
    said = await differences(standing, task)
    assert "the audit of VDN 1 is broken at row 1" in said
    assert "the audit has no commitment to the seed" in said
    await tampered(standing, "DELETE FROM audit")
    assert "the audit has no row of the draw" in await differences(standing, task)


async def test_what_has_no_sample_is_said_so(standing: Standing) -> None:
    with pytest.raises(Refused, match="no draw for a task") as declined:
        await certificates.verify(standing.engine, UNKNOWN)
    assert declined.value.code is Code.NOT_FOUND
    await sampling.commit_seed(standing.office, ONE, DIRECTOR, UNKNOWN)
    with pytest.raises(Refused, match=r"never made; draw 1 was committed .* and never drawn"):
        await certificates.verify(standing.engine, UNKNOWN)


async def test_an_exported_certificate_passes_alone(standing: Standing, task: ReviewId) -> None:
    verdict = certificates.verify_file(await certificates.export(standing.engine, task))
    assert verdict.passed
    assert "row 1 of the audit of VDN 1, sampling.commit: " in "\n".join(verdict.facts)


Change = Callable[[dict[str, Any]], object]
CHANGES: list[tuple[Change, str]] = [
    (lambda file: file["certificate"].update(seed="00" * 32), "the seed's SHA-256 is"),
    (lambda file: file["certificate"]["drawn"].reverse(), "the order differs from place 0 on"),
    (lambda file: file["certificate"]["conditions"].update(number=1), "3 are to be drawn"),
    (lambda file: file["certificate"].update(algorithm="other-1"), "the algorithm is other-1"),
    (lambda file: file["certificate"].update(calls_from="2026-01-01T00:00:00+00:00"), "certificate_sha256"),
    (lambda file: file["audit"][0]["detail"].update(seed_sha256="ab"), "row 1 of the audit does not have"),
    (lambda file: file["audit"].pop(0), "the audit has no commitment"),
    (lambda file: file["audit"].append(file["audit"][0]), "a step of this draw twice"),
    (lambda file: file["audit"][0].update(number=9), "the seed was committed after the draw"),
    (lambda file: file["audit"][1].update(target="5"), "is about another draw"),
    (lambda file: file.update(frame=base64.b64encode(b"no").decode()), "the frame cannot be read"),
]


@pytest.mark.parametrize(("change", "named"), CHANGES, ids=[named for _, named in CHANGES])
async def test_a_changed_file_differs(standing: Standing, task: ReviewId, change: Change, named: str) -> None:
    file = json.loads(await certificates.export(standing.engine, task))
    change(file)
    verdict = certificates.verify_file(json.dumps(file))
    assert named in " | ".join(verdict.differences)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format": "x"}', '{"format": "sottovoce-certificate-1"}', "[" * 9999]
)
def test_what_is_no_certificate_is_refused(text: str) -> None:
    with pytest.raises(BadFile):
        certificates.verify_file(text)


@pytest.fixture
def commands(
    monkeypatch: pytest.MonkeyPatch, postgres_dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Runs a command line on the tests' database: exit code, standard output and standard error."""
    monkeypatch.setenv("SOTTOVOCE_DATABASE__DSN", postgres_dsn)
    monkeypatch.setenv("SOTTOVOCE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def told(*arguments: str) -> tuple[int, str, str]:
        code = main(["sampling", *arguments])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return code, output.out, output.err

    yield told
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


async def test_the_commands_verify_export_and_list(
    standing: Standing, task: ReviewId, commands: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    async def told(*arguments: object) -> tuple[int, str, str]:
        return await asyncio.to_thread(commands, *map(str, arguments))

    code, out, _ = await told("verify", task)
    assert (code, out.splitlines()[-1].split(":")[0]) == (0, "PASS")
    file = tmp_path / "sample.json"
    assert (await told("certificate", task, "--out", file))[0] == 0
    assert (await told("certificate", task, "--out", file))[0] == 2
    code, out, _ = await told("verify", "--file", file)
    assert (code, out.splitlines()[-1].split(":")[0]) == (0, "PASS")
    await sampling.commit_seed(standing.office, ONE, DIRECTOR, UNKNOWN)
    code, out, _ = await told("list", "--vdn", "1")
    assert code == 0
    assert "never" in out
    assert task in out
    await tampered(standing, "UPDATE review_items SET place = 99 WHERE place = 0")
    code, out, _ = await told("verify", task)
    assert code == 1
    assert "DIFFERS: the order differs from place 0 on" in out
    assert out.splitlines()[-1].startswith("FAIL")
    for wrong, named in (
        ((UNKNOWN,), "was never made"),
        (("12x",), "no id of a task"),
        ((), "give either"),
        ((task, "--file", file), "give either"),
        (("--file", tmp_path / "none"), "there is no file"),
        (("--file", Path(__file__)), "no exported certificate"),
    ):
        code, _, err = await told("verify", *wrong)
        assert (code, named in err) == (2, True), err
