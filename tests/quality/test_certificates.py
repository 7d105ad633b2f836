"""Whoever tampers with a sample is found out, in the database and in an exported file."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
import structlog
from tests.quality.asking import asked
from tests.quality.standing import DIRECTOR, LEADER, NOW, ONE, Standing

from sottovoce.cli import main
from sottovoce.domain import shuffling
from sottovoce.domain.frames import Frame
from sottovoce.domain.people import ReviewId
from sottovoce.domain.reviews import TaskOrder
from sottovoce.domain.sampling import Conditions, FrameDigest, Quantity, ShuffledCertificate
from sottovoce.domain.verifying import untrue
from sottovoce.errors import Code, Refused
from sottovoce.plain import to_plain
from sottovoce.quality import certificates, sampling, tasks
from sottovoce.quality.certificates import BadFile
from sottovoce.storage import audit, heads
from sottovoce.storage.database import transaction
from sottovoce.storage.review.draws import read_certificate
from sottovoce.storage.signatures import SigningKey

UNKNOWN = ReviewId("1772442000999999999")
SIX = Conditions(Quantity.CALLS, 6)


@pytest.fixture
async def task(standing: Standing) -> ReviewId:
    """A task with a sample of 6 of 24 calls, 2 of each of three agents."""
    for number in range(24):
        await standing.contact(101 + number % 3)
    order = TaskOrder("Checked", Conditions(Quantity.PER_AGENT, 2))
    return await asked(tasks.create, standing.office, await standing.caller(DIRECTOR), order)


async def tampered(standing: Standing, statement: str, **values: Any) -> None:
    async with standing.owner.begin() as connection:
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
    assert "the task has the drawn contacts, in their order: 6 items" in said
    assert "row 3 has the beginning, row 4 the draw" in said


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


async def test_another_chain_is_found(standing: Standing, task: ReviewId) -> None:
    await tampered(
        standing,
        """UPDATE sampling_draws SET
           certificate = jsonb_set(certificate, '{chains,0,preimage}', to_jsonb(repeat('01', 32)))""",
    )
    said = await differences(standing, task)
    assert "what is revealed of chain 1 does not lead to its end" in said
    assert "certificate_sha256" in said


async def test_a_chain_chosen_with_its_end_is_found_in_the_audit(standing: Standing, task: ReviewId) -> None:
    end = hashlib.sha256(bytes.fromhex("01" * 32)).hexdigest()
    await tampered(
        standing,
        """UPDATE sampling_draws SET certificate = jsonb_set(jsonb_set(
           certificate, '{chains,0,preimage}', to_jsonb(repeat('01', 32))),
           '{chains,0,end}', to_jsonb(CAST(:end AS text)))""",
        end=end,
    )
    said = await differences(standing, task)
    assert "the audit's end of chain 1 is" in said
    assert f"it should be {end}" in said
    assert "drawn again, not in the certificate" in said
    assert "does not lead to its end" not in said


async def test_other_blocks_are_found(standing: Standing, task: ReviewId) -> None:
    await tampered(standing, "UPDATE sampling_blocks SET after = 3")
    said = await differences(standing, task)
    assert "block 1 is kept otherwise than the certificate says" in said
    assert "block 1 does not begin where the one before ended" in said


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("uuid = gen_random_uuid()", "call_uuid"),
        ("agent = 999", "agent 10"),
        ("began_at = began_at + interval '1 second'", "began_at"),
        ("recording_sha256 = repeat('0', 64)", "recording_sha256"),
    ],
)
async def test_another_call_under_a_drawn_number_is_found(
    standing: Standing, change: str, named: str
) -> None:
    for number in range(3):
        file = standing.office.recordings / f"{number}.wav"
        file.write_bytes(b"RIFF")
        digest = hashlib.sha256(b"RIFF").hexdigest()
        await standing.contact(101 + number, recording=file.name, recording_sha256=digest)
        file.write_bytes(b"RIFF")
    order = TaskOrder("Checked", Conditions(Quantity.CALLS, 3))
    task = await asked(tasks.create, standing.office, await standing.caller(DIRECTOR), order)
    verdict = await certificates.verify(standing.engine, task, standing.office.recordings)
    assert verdict.passed
    assert "3 recordings with the bytes that were drawn, 0 not there, 0 had no hash" in "".join(verdict.facts)
    await tampered(standing, f"UPDATE contacts SET {change} WHERE contact = 2")
    said = await differences(standing, task)
    assert f"contact 2 was drawn with {named}" in said


async def test_another_recording_under_a_drawn_call_is_found(standing: Standing, task: ReviewId) -> None:
    assert "0 recordings with the bytes" in " ".join(
        (await certificates.verify(standing.engine, task, standing.office.recordings)).facts
    )
    digest = hashlib.sha256(b"").hexdigest()
    await standing.contact(102, recording="bound.wav", recording_sha256=digest)
    order = TaskOrder("Checked", Conditions(Quantity.CALLS, 100))
    bound = await asked(tasks.create, standing.office, await standing.caller(DIRECTOR), order)
    (standing.office.recordings / "bound.wav").write_bytes(b"another voice")
    assert (await certificates.verify(standing.engine, bound)).passed, "files are not looked at"
    verdict = await certificates.verify(standing.engine, bound, standing.office.recordings)
    assert verdict.differences == ["the recording of contact 25 is another than the one that was drawn"]


async def test_other_draws_of_the_same_person_are_told(standing: Standing, task: ReviewId) -> None:
    caller = await standing.caller(DIRECTOR)
    await asked(tasks.delete, standing.office, caller, task)
    order = TaskOrder("Again", Conditions(Quantity.CALLS, 5))
    second = await asked(tasks.create, standing.office, caller, order)
    await asked(tasks.update, standing.office, caller, second, lambda held: replace(held, conditions=SIX))
    said = "\n".join((await certificates.verify(standing.engine, second)).facts)
    assert f"{DIRECTOR} made 2 other draws from this range of contacts" in said
    assert f"6 of 24 calls for task {task}, deleted" in said
    assert f"5 of 24 calls for task {second}, redrawn" in said
    leader = await standing.caller(LEADER)
    alone = await asked(tasks.create, standing.office, leader, order)
    text = await certificates.export(standing.engine, alone)
    assert f"{LEADER} made no other draw" in "\n".join(certificates.verify_file(text).facts)


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
    drawn = list(kept.certificate.contacts)
    other = next(contact for contact in range(1, 25) if contact not in drawn)
    await tampered(
        standing,
        """UPDATE sampling_draws SET certificate =
           jsonb_set(certificate, '{drawn,0,contact}', CAST(:other AS jsonb))""",
        other=str(other),
    )
    said = await differences(standing, task)
    assert f"contact {drawn[0]} is drawn again, not in the certificate" in said
    assert f"contact {other} is in the certificate, not drawn again" in said
    assert f"contact {drawn[0]} is an item of the task, not in the certificate" in said


async def test_items_are_the_drawn_contacts_in_their_order(standing: Standing, task: ReviewId) -> None:
    verdict = await certificates.verify(standing.engine, task)
    drawn = verdict.certificate.contacts
    await tampered(standing, "UPDATE review_items SET place = 99 WHERE place = 0")
    assert await differences(standing, task) == "the order differs from place 0 on"
    await tampered(standing, "DELETE FROM review_items WHERE place = 99")
    said = await differences(standing, task)
    assert said == f"contact {drawn[0]} is in the certificate, not an item of the task"


async def test_a_substitution_that_never_was_is_found(standing: Standing, task: ReviewId) -> None:
    verdict = await certificates.verify(standing.engine, task)
    spared = verdict.certificate.contacts[0]
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
    assert "the audit's end of chain 1 is None" in said
    await tampered(standing, "DELETE FROM audit")
    assert "the audit has no row of the draw" in await differences(standing, task)


async def test_what_has_no_sample_is_said_so(standing: Standing) -> None:
    with pytest.raises(Refused, match="no draw for a task") as declined:
        await certificates.verify(standing.engine, UNKNOWN)
    assert declined.value.code is Code.NOT_FOUND
    await sampling.begin(standing.office, ONE, DIRECTOR, UNKNOWN)
    with pytest.raises(Refused, match=r"never made; draw 1 was begun .* and never drawn"):
        await certificates.verify(standing.engine, UNKNOWN)


async def test_an_exported_certificate_passes_alone(standing: Standing, task: ReviewId) -> None:
    verdict = certificates.verify_file(await certificates.export(standing.engine, task))
    assert verdict.passed
    assert not verdict.anchored
    said = "\n".join(verdict.facts)
    assert "row 1 of the audit of VDN 1, sampling.chain: " in said
    assert "checked: the file against itself" in said


async def test_a_file_passes_against_the_key_that_signed_the_audit(
    standing: Standing, task: ReviewId
) -> None:
    """And only against that one: a file whose rows, signature or stretch were touched does not."""
    key = SigningKey.generate()
    async with transaction(standing.engine) as connection:
        head = await audit.head_of(connection, ONE)
        await heads.keep(connection, key.sign(ONE, head, NOW, "day"))
    text = await certificates.export(standing.engine, task)
    verdict = certificates.verify_file(text, frozenset([key.public]))
    assert (list(verdict.differences), verdict.anchored) == ([], True)
    assert not certificates.verify_file(text, frozenset([SigningKey.generate().public])).anchored
    assert not certificates.verify_file(text).anchored

    def named(change: Callable[[Any], None]) -> str:
        file = json.loads(text)
        change(file)
        return " | ".join(certificates.verify_file(json.dumps(file), frozenset([key.public])).differences)

    stretch = "row 1 of the audit is not in a stretch of the chain"
    assert stretch in named(lambda file: file["audit"][0].update(salt="00" * 16))
    assert stretch in named(lambda file: file["proof"][0].update(rows=[]))
    assert "do not lead to the head" in named(lambda file: file["proof"][0]["digests"].pop())
    assert "is not its own" in named(lambda file: file["proof"][0]["signature"].update(occasion="stop"))
    assert "another VDN's" in named(lambda file: file["proof"][0].update(vdn=2))
    invented = json.loads(text) | {"proof": []}
    assert not certificates.verify_file(json.dumps(invented), frozenset([key.public])).anchored


def test_an_exported_certificate_of_version_1_is_still_read() -> None:
    """What its seed and frame gave is what its file has; a changed seed is found."""
    frame = Frame.of({0: np.arange(1, 41)})
    conditions = Conditions(Quantity.CALLS, 3)
    drawing = shuffling.drawing(frame, bytes(32), conditions)
    assert drawing.candidates()
    drawing.looked({})
    made = ShuffledCertificate(
        version=1,
        algorithm="sottovoce-sample-1",
        vdn=1,
        task=UNKNOWN,
        draw=1,
        conditions=conditions,
        calls_from=None,
        calls_until=None,
        frame=FrameDigest(40, frame.sha256()),
        seed=bytes(32).hex(),
        commitment=hashlib.sha256(bytes(32)).hexdigest(),
        committed_at=NOW,
        drawn_at=NOW,
        wanted=3,
        drawn=tuple(drawing.drawn),
    )
    assert untrue(made, frame) == []
    assert untrue(replace(made, drawn=made.drawn[::-1]), frame) == ["the order differs from place 0 on"]
    kept = json.loads(json.dumps(to_plain(made)))
    assert read_certificate(kept) == made
    file = {"format": "sottovoce-certificate-1", "certificate": kept, "audit": []}
    file["frame"] = base64.b64encode(frame.pack()).decode()
    assert certificates.verify_file(json.dumps(file)).differences == [
        "the audit has no row of the commitment",
        "the audit has no row of the draw",
    ]


Change = Callable[[dict[str, Any]], object]
CHANGES: list[tuple[Change, str]] = [
    (lambda file: file["certificate"]["chains"][0].update(preimage="00" * 32), "does not lead to its end"),
    (lambda file: file["certificate"]["chains"].clear(), "nothing is revealed of block 1"),
    (lambda file: file["certificate"]["blocks"][0].update(words="sun"), "the audit's words of block 1"),
    (lambda file: file["certificate"]["blocks"][0].update(until=20), "a contact is in no block"),
    (lambda file: file["certificate"]["drawn"].reverse(), "the order differs from place 0 on"),
    (lambda file: file["certificate"]["conditions"].update(number=1), "3 are to be drawn"),
    (lambda file: file["certificate"].update(algorithm="other-1"), "the algorithm is other-1"),
    (lambda file: file["certificate"].update(calls_from="2026-01-01T00:00:00+00:00"), "certificate_sha256"),
    (lambda file: file["certificate"].update(before_in_all=3), "certificate_sha256"),
    (lambda file: file["audit"][0]["detail"].update(end="ab"), "row 1 of the audit does not have"),
    (lambda file: file["audit"].pop(0), "the audit has no row of chain 1"),
    (lambda file: file["audit"].append(file["audit"][0]), "a step of this draw twice"),
    (lambda file: file["audit"][0].update(number=9), "was not closed between its chain's commitment"),
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
    "text",
    ["", "[]", "{}", "null", '{"certificate": 3}', '{"format": "sottovoce-certificate-2"}', "[" * 9999],
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
    assert (await told("verify", task, "--key", "0" * 64))[0] == 2
    assert (await told("verify", "--file", file, "--key", "no key"))[0] == 2
    code, out, _ = await told("verify", "--file", file)
    assert (code, out.splitlines()[-1].split(":")[0]) == (3, "CONSISTENT, but not anchored")
    assert (await told("words", "rain on the ninth of May", "--vdn", "1"))[0] == 0
    await sampling.begin(standing.office, ONE, DIRECTOR, UNKNOWN)
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
