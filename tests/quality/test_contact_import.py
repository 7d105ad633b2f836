"""Foreign calls brought in: the good ones once, each bad one told with its place, none lost."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import soundfile
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.quality.sounds import silence, stereo, tone, write
from tests.quality.standing import NOW, ONE, Standing
from tests.storage.works import work_of

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import (
    Contact,
    Ender,
    Inspection,
    Interaction,
    Origin,
    Search,
    Sentence,
    Speaker,
)
from sottovoce.domain.directory import AgentId, SkillId, VdnId
from sottovoce.errors import Code, Refused
from sottovoce.quality import contact_import, csv_calls, recordings, vcon_calls
from sottovoce.quality.contact_import import ImportOutcome, ImportReport, ImportWish
from sottovoce.quality.foreign_calls import ForeignCall, LeftOut
from sottovoce.storage import audit
from sottovoce.storage.review import contacts
from sottovoce.storage.review.imports import Tenant
from sottovoce.storage.tables import vdns

TENANT = Tenant(
    ONE, "Europe/Berlin", {AgentId(101): frozenset(["agent 101", "ann", "8001"])}, frozenset([SkillId(1)])
)
START = "2026-02-01T10:00:00+01:00"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "calls"
    write(made / "a.wav", silence(2))
    write(made / "b.wav", stereo(tone(3), silence(3)), "ULAW")
    return made


def listed(folder: Path, *rows: str, name: str = "calls.csv") -> Path:
    path = folder / name
    path.write_text("file,began_at,agent,caller,called,direction,reference\n" + "\n".join(rows) + "\n")
    return path


async def bring(
    standing: Standing, *paths: Path, vdn: VdnId = ONE, **wish: bool
) -> tuple[ImportReport, list[str]]:
    told: list[str] = []
    files = contact_import.sources(paths)
    report = await contact_import.bring_in(
        standing.office, vdn, files, lambda one: told.append(one.value), ImportWish(**wish)
    )
    return report, told


async def kept(standing: Standing) -> list[Contact]:
    async with standing.engine.begin() as connection:
        total, found = await contacts.page(work_of(connection, ONE), Search(), offset=0, limit=1000)
    assert total == len(found)
    return sorted(found, key=lambda contact: contact.contact)


async def jobs(standing: Standing) -> int:
    async with standing.engine.begin() as connection:
        found = await connection.execute(
            sa.text(
                "SELECT count(*) FROM procrastinate.procrastinate_jobs WHERE task_name = 'analyse_contact'"
            )
        )
        return int(found.scalar_one())


async def test_a_row_is_a_contact(standing: Standing, folder: Path) -> None:
    path = folder / "calls.csv"
    path.write_text(
        "\ufeffFile;Began at;Agent;Caller;Called;Direction;Skill;Ended by;Agent channel;Reference;Notes\n"
        'b.wav;2026-03-01T10:00:00+01:00;101;555;"40;00";outbound;1;agent;left;R-7;"two\nlines"\n',
        encoding="utf-8",
    )
    report, told = await bring(standing, path)
    assert (report.imported, report.there, report.refused) == (1, 0, [])
    assert told == ["imported"]
    [contact] = await kept(standing)
    began_at = datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert contact == Contact(
        contact=contact.contact, uuid=contact.uuid, vdn=ONE, call="R-7", source=Origin.IMPORT,
        interaction=Interaction.VOICE, began_at=began_at, ended_at=began_at + timedelta(seconds=3),
        duration_ms=3000, direction=CallDirection.OUTBOUND, caller="555", called="40;00", agent=AgentId(101),
        skill=SkillId(1), ended_by=Ender.AGENT, reason="imported", file_name="b.wav",
        recording=f"1/import/2026/03/01/{contact.uuid}.wav", uploaded_at=NOW,
        recording_sha256=contact.recording_sha256,
    )  # fmt: skip
    path = standing.office.recordings / str(contact.recording)
    assert contact.recording_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    [told] = [one for one in await audit.read(standing.engine, ONE) if one.action == "recording.finished"]
    assert (told.target, told.detail["sha256"]) == (str(contact.uuid), contact.recording_sha256)
    sound, _ = soundfile.read(path)
    assert abs(sound[:, 1]).max() > 0.2, "the left channel's agent is on the right one now"
    assert abs(sound[:, 0]).max() < 0.01
    assert await jobs(standing) == 1
    [entry] = [
        one for one in await audit.read(standing.engine, ONE, after=0) if one.action == "contacts.import"
    ]
    assert entry.detail == {"contacts": 1, "files": 1}


BAD_ROWS = {
    "none.wav,2026-02-01T10:00:00Z,101": "there is no file 'none.wav'",
    "../outside.wav,2026-02-01T10:00:00Z,101": "is not in the folder",
    "link.wav,2026-02-01T10:00:00Z,101": "is not in the folder",
    "/etc/passwd,2026-02-01T10:00:00Z,101": "is not in the folder",
    "text.wav,2026-02-01T10:00:00Z,101": "text.wav: it is no WAV",
    ",2026-02-01T10:00:00Z,101": "file is missing",
    "a.wav,,101": "began_at is missing",
    "a.wav,yesterday,101": "is no time",
    "a.wav,1899-01-01,101": "before 1990",
    "a.wav,2027-01-01T00:00:00Z,101": "in the future",
    "a.wav,2026-02-01T10:00:00Z,201": "no agent '201'",
    "a.wav,2026-02-01T10:00:00Z,Ann": "no agent 'Ann'",
    f"a.wav,2026-02-01T10:00:00Z,101,{'5' * 65}": "caller is longer than 64",
    "a.wav,2026-02-01T10:00:00Z,101,5\x005": "caller has signs",
    "a.wav,2026-02-01T10:00:00Z,101,,,sideways": "direction must be one of inbound, outbound",
    "a.wav,2026-02-01T10:00:00Z,101,,,,,,,,": "11 values",
    'a.wav,"2026-02-01T10:00:00Z,101': "not closed",
    "a.wav,2026-02-01T10:00:00Z," + "1" * csv_calls.LONGEST_LINE: "longer than",
}


async def test_bad_rows_are_told_with_their_line_and_good_ones_land(standing: Standing, folder: Path) -> None:
    write(folder.parent / "outside.wav", silence(1))
    (folder / "link.wav").symlink_to(folder.parent / "outside.wav")
    (folder / "text.wav").write_text("hello")
    rows: list[str] = []
    for number, bad in enumerate(BAD_ROWS):
        rows += [bad, f"a.wav,{1_769_900_000 + number},101", ""]
    report, told = await bring(standing, listed(folder, *rows))
    assert report.imported == len(BAD_ROWS) == told.count("imported")
    assert len(report.refused) == len(BAD_ROWS)
    for number, (refused, why) in enumerate(zip(report.refused, BAD_ROWS.values(), strict=True)):
        assert refused.place == f"calls.csv:{2 + 3 * number}"
        assert why in refused.reason
    assert len(await kept(standing)) == len(BAD_ROWS)


async def test_again_and_after_an_interruption(standing: Standing, folder: Path) -> None:
    """Wherever it is cut off, the next run brings in what is missing and nothing twice."""
    path = listed(folder, *(f"a.wav,{1_769_900_000 + number},101" for number in range(7)))

    class Cut(Exception):
        pass

    for stop in (1, 3):
        done: list[ImportOutcome] = []

        def tell(outcome: ImportOutcome, done: list[ImportOutcome] = done, stop: int = stop) -> None:
            done.append(outcome)
            if done.count(ImportOutcome.IMPORTED) == stop:
                raise Cut

        with pytest.raises(Cut):
            await contact_import.bring_in(standing.office, ONE, [path], tell)
    assert len(await kept(standing)) == 4
    report, _ = await bring(standing, path)
    assert (report.imported, report.there, report.refused) == (3, 4, [])
    report, _ = await bring(standing, folder)
    assert (report.imported, report.there, report.refused) == (0, 7, [])
    found = await kept(standing)
    assert len(found) == 7
    assert await jobs(standing) == 7
    files = {
        str(one.relative_to(standing.office.recordings)) for one in standing.office.recordings.rglob("*.wav")
    }
    assert {contact.recording for contact in found} == {one for one in files if one.startswith("1/import/")}


async def test_a_reference_is_one_call_whatever_else_its_rows_say(standing: Standing, folder: Path) -> None:
    path = listed(
        folder, "a.wav,1769900000,101,,,,X", "b.wav,1769900001,102,,,,X", "a.wav,1769900000,101,,,,Y"
    )
    report, _ = await bring(standing, path)
    assert (report.imported, report.there) == (2, 1)
    assert [contact.call for contact in await kept(standing)] == ["X", "Y"]


async def test_the_clock_of_the_tenant(standing: Standing, folder: Path) -> None:
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(vdns).values(time_zone="Europe/Berlin"))
    await bring(standing, listed(folder, "a.wav,2025-07-01 10:00,101", "a.wav,2025-12-01T10:00:00,101"))
    assert [contact.began_at.hour for contact in await kept(standing)] == [8, 9]


def vcon(folder: Path, *dialog: dict[str, Any], name: str = "one.vcon.json", **more: Any) -> Path:
    content = {
        "vcon": "0.3.0",
        "uuid": f"018b4f72-e3fb-8770-b9a2-{len(name):012}",
        "created_at": START,
        "parties": [
            {"tel": "tel:+49301234", "name": "Carla Customer", "role": "customer"},
            {"name": "Ann", "role": "agent", "tel": "tel:8001"},
        ],
        "dialog": list(dialog),
        **more,
    }
    path = folder / name
    path.write_text(json.dumps(content))
    return path


def recorded(folder: Path, **more: Any) -> dict[str, Any]:
    body = base64.urlsafe_b64encode((folder / "b.wav").read_bytes()).decode().rstrip("=")
    return {
        "type": "recording",
        "start": START,
        "duration": 3.0,
        "parties": [0, 1],
        "originator": 0,
        "mediatype": "audio/x-wav",
        "filename": "call.wav",
        "body": body,
        "encoding": "base64url",
        **more,
    }


async def test_a_vcon_with_its_sound_inside_and_one_beside(standing: Standing, folder: Path) -> None:
    beside = {**recorded(folder), "filename": "a.wav", "parties": [1, 0], "originator": 1}
    del beside["body"], beside["encoding"]
    vcon(
        folder,
        recorded(folder),
        beside,
        {"type": "transfer"},
        {"type": "incomplete", "start": START, "parties": [0, 1]},
    )
    report, _ = await bring(standing, folder)
    assert (report.imported, report.refused) == (3, [])
    first, second, nobody = await kept(standing)
    assert (first.agent, first.caller, first.called, first.direction) == (101, "+49301234", "8001", "inbound")
    assert (first.began_at, first.duration_s, first.file_name) == (
        datetime(2026, 2, 1, 9, tzinfo=UTC),
        3,
        "call.wav",
    )
    stored = standing.office.recordings / str(first.recording)
    assert stored.read_bytes() == (folder / "b.wav").read_bytes()
    assert (second.direction, second.caller, second.file_name, second.duration_s) == (
        "outbound",
        "8001",
        "a.wav",
        2,
    )
    assert (nobody.agent, nobody.recording, nobody.status) == (None, None, Inspection.BAD_RECORDING)
    assert await jobs(standing) == 2


async def test_the_texts_of_a_vcon_are_one_contact(standing: Standing, folder: Path) -> None:
    def text(party: int, minute: int, body: str, **more: Any) -> dict[str, Any]:
        start = f"2026-02-01T10:0{minute}:00+01:00"
        return {"type": "text", "start": start, "parties": [0, 1], "originator": party, "body": body, **more}

    encoded = base64.urlsafe_b64encode("Grüß Gott".encode()).decode()
    vcon(folder, text(0, 2, "Thanks"), text(0, 0, "Hello"), text(1, 1, encoded, encoding="base64url"))
    report, _ = await bring(standing, folder)
    assert (report.imported, report.refused) == (1, [])
    [contact] = await kept(standing)
    assert (contact.interaction, contact.agent, contact.status) == (Interaction.TEXT, 101, Inspection.SUCCESS)
    assert (contact.direction, contact.duration_s, contact.recording) == ("inbound", 120, None)
    assert contact.transcript == (
        Sentence("Hello", Speaker.CUSTOMER, 0, 0),
        Sentence("Grüß Gott", Speaker.AGENT, 60, 60),
        Sentence("Thanks", Speaker.CUSTOMER, 120, 120),
    )
    assert await jobs(standing) == 0


async def test_bad_dialogs_are_told_by_number_and_good_ones_land(standing: Standing, folder: Path) -> None:
    good = recorded(folder)
    bad: dict[str, dict[str, Any]] = {
        "is not followed": {"type": "recording", "start": START, "url": "https://example.com/a.wav"},
        "neither body nor filename": {"type": "recording", "start": START},
        "is not in the folder": {"type": "recording", "start": START, "filename": "../../etc/passwd"},
        "wanted: WAV": {**good, "mediatype": "audio/x-mp3"},
        "is not base64url": {**good, "body": "?!"},
        "encoding of its body": {**good, "encoding": "none"},
        "it is no WAV": {**good, "body": "aGVsbG8"},
        "has no start": {**good, "start": None},
        "is no time": {**good, "start": "soon"},
        "parties are not those": {**good, "parties": [0, 7]},
        "its type is": {**good, "type": "video"},
    }
    vcon(folder, *bad.values(), good)
    report, _ = await bring(standing, folder)
    assert report.imported == 1
    assert [refused.place for refused in report.refused] == [
        f"one.vcon.json: dialog {n}" for n in range(len(bad))
    ]
    for refused, why in zip(report.refused, bad, strict=True):
        assert why in refused.reason


async def test_files_that_are_no_list_of_calls(standing: Standing, folder: Path) -> None:
    (folder / "broken.json").write_text('{"vcon": "0.3.0",\n "uuid": }')
    (folder / "other.json").write_text('{"settings": []}')
    (folder / "signed.vcon").write_text('{"payload": "", "signatures": []}')
    (folder / "deep.json").write_text("[" * 100_000)
    (folder / "empty.csv").write_text("")
    (folder / "headless.csv").write_text("a.wav,1769900000\n")
    (folder / "bytes.csv").write_bytes(b"file,began_at\n\xff.wav,1769900000\n")
    vcon(
        folder,
        recorded(folder),
        name="stranger.json",
        parties=[{"tel": "tel:1"}, {"role": "agent", "name": "Zoe"}],
    )
    report, _ = await bring(standing, folder)
    assert report.imported == 0
    assert {refused.place: refused.reason.split(";")[0] for refused in report.refused} == {
        "broken.json": "line 2: Expecting value",
        "other.json": "it is no vCon: it has no parties",
        "signed.vcon": "it is signed or encrypted",
        "deep.json": "it is no JSON in UTF-8",
        "empty.csv:1": "the file is empty",
        "headless.csv:1": "the first line has no column 'file'",
        "bytes.csv:2": "the file's name has signs that are no text",
        "stranger.json: dialog 0": "VDN 1 has no agent with the number, phone or name of its agent party",
    }


async def test_what_cannot_begin(standing: Standing, folder: Path) -> None:
    for paths, code in (
        ([folder], Code.BAD_PARAMETER),
        ([folder / "a.wav"], Code.BAD_PARAMETER),
        ([folder / "none.csv"], Code.BAD_PARAMETER),
    ):
        with pytest.raises(Refused) as refused:
            contact_import.sources(paths)
        assert refused.value.code is code
    with pytest.raises(Refused) as refused:
        await bring(standing, listed(folder, "a.wav,1769900000,101"), vdn=VdnId(9))
    assert refused.value.code is Code.NOT_FOUND


async def test_a_foreign_tenant_may_have_the_same_calls(standing: Standing, folder: Path) -> None:
    path = listed(folder, "a.wav,1769900000,")
    for vdn in (ONE, VdnId(2)):
        report, _ = await bring(standing, path, vdn=vdn)
        assert report.imported == 1
    [mine] = await kept(standing)
    assert str(mine.recording).startswith("1/import/")


LIST = "file,began_at,agent\r\na.wav,1769900000,101\r\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("sep=;\r\n" + LIST.replace(",", ";"), 3),
        ("sep=,\r\n" + LIST, 3),
        ('"sep=|"\n' + LIST.replace(",", "|"), 3),
        (LIST.replace(",", "\t").encode("utf-16"), 2),
        (LIST.encode("utf-16-le"), 2),
        (LIST.encode("utf-16-be"), 2),
        ("\ufeff" + LIST, 2),
        ("\ufeff\ufeff" + LIST, 2),
        ("\ufeff\ufeffsep=,\r\n" + LIST, 3),
        ("\r\n \r\n" + LIST, 4),
    ],
)
def test_what_spreadsheets_write(folder: Path, content: str | bytes, line: int) -> None:
    path = folder / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    [found] = csv_calls.calls(path, TENANT, NOW)
    assert isinstance(found, ForeignCall), found
    assert (found.place, found.agent) == (f"x.csv:{line}", 101)
    assert found.began_at.timestamp() == 1769900000


WARNED = {
    "a.wav,2026-02-01T10:00:00Z,": "it has no agent",
    "a.wav,2025-03-30 02:30,101": "2025-03-30 02:30 did not exist in Europe/Berlin; taken for 03:30",
    "a.wav,2025-10-26 02:30,101": "2025-10-26 02:30 came twice in Europe/Berlin; taken for the first",
    "cut.wav,2026-02-01T10:00:01Z,101": "the WAV is cut off: 16000 of 32000 bytes",
    "open.wav,2026-02-01T10:00:02Z,101": "the WAV was never closed",
    "two.wav,2026-02-01T10:00:03Z,101": "sound in 2 pieces",
}


@pytest.fixture
async def doubtful(standing: Standing, folder: Path) -> Path:
    """A list whose calls can be brought in, but not without a warning, and a good one."""
    async with standing.engine.begin() as connection:
        await connection.execute(sa.update(vdns).values(time_zone="Europe/Berlin"))
    whole = (folder / "a.wav").read_bytes()
    head, sound = whole[:40], whole[44:]
    (folder / "cut.wav").write_bytes(whole[: 44 + 16000])
    (folder / "open.wav").write_bytes(b"RIFF\0\0\0\0" + head[8:] + b"\0\0\0\0" + sound)
    piece = (len(sound) // 2).to_bytes(4, "little")
    halves = piece + sound[: len(sound) // 2] + b"data" + piece + sound[len(sound) // 2 :]
    (folder / "two.wav").write_bytes(head + halves)
    return listed(folder, *WARNED, "a.wav,2026-02-01T10:00:04Z,101")


async def test_doubtful_calls_are_brought_in_with_a_warning(standing: Standing, doubtful: Path) -> None:
    tried, _ = await bring(standing, doubtful, dry_run=True)
    assert await kept(standing) == []
    assert not (standing.office.recordings / "1").exists()
    report, _ = await bring(standing, doubtful)
    assert (report.imported, report.refused) == (len(WARNED) + 1, [])
    assert (tried.imported, tried.warned) == (report.imported, report.warned)
    for number, (warned, (row, why)) in enumerate(zip(report.warned, WARNED.items(), strict=True), 2):
        assert (warned.place, warned.row) == (f"calls.csv:{number}", row)
        assert why in warned.reason
    found = {contact.file_name: contact.duration_ms for contact in await kept(standing)}
    assert found == {"a.wav": 2000, "cut.wav": 1000, "open.wav": 2000, "two.wav": 2000}


async def test_strictly_no_doubtful_call_is_brought_in(standing: Standing, doubtful: Path) -> None:
    report, _ = await bring(standing, doubtful, strict=True)
    assert (report.imported, report.warned) == (1, [])
    for refused, (row, why) in zip(report.refused, WARNED.items(), strict=True):
        assert refused.row == row
        assert why in refused.reason
    assert len(list((standing.office.recordings / "1").rglob("*.wav"))) == 1


async def test_a_dry_run_refuses_what_an_import_refuses(standing: Standing, folder: Path) -> None:
    form = b"fmt \x12\0\0\0\x55" + bytes(17)
    (folder / "mp3.wav").write_bytes(b"RIFF\x26\0\0\0WAVE" + form + b"data\4\0\0\0abcd")
    twice = "a.wav,1769900001,101,,,,X"
    path = listed(folder, "mp3.wav,1769900000,101", twice, twice)
    for dry_run in (True, False):
        report, told = await bring(standing, path, dry_run=dry_run)
        assert told == ["refused", "imported", "there already"]
        [refused] = report.refused
        assert "mp3.wav: its samples are MP3; wanted: 8-bit PCM" in refused.reason


def of_version_1(*parties: dict[str, Any], **dialog: Any) -> dict[str, Any]:
    """A vCon as the exporters of version 0.0.1 write it, nulls and all."""
    return {
        "vcon": "0.0.1",
        "uuid": "018f0000-0000-8000-8000-000000000002",
        "subject": None,
        "group": [],
        "parties": [{"stir": None, **party} for party in parties],
        "dialog": [
            {
                "type": "recording",
                "start": START,
                "parties": [0, 1],
                "filename": "a.wav",
                "mimetype": "audio/x-wav",
                "url": None,
                "body": None,
                "encoding": None,
                **dialog,
            }
        ],
    }


CUSTOMER = {"tel": "+15550100", "name": "Customer One"}
ANN = {"tel": "8001", "name": "Ann", "mailto": None}
ANN_BY_META = {**ANN, "meta": {"role": "agent"}}
OUT, IN = {"direction": "out"}, {"direction": "in"}


@pytest.mark.parametrize(
    ("content", "direction", "left"),
    [
        (of_version_1({**CUSTOMER, "meta": {"role": "customer"}}, ANN_BY_META), "inbound", False),
        (of_version_1(ANN_BY_META, CUSTOMER, meta=OUT), "outbound", True),
        (of_version_1(ANN_BY_META, CUSTOMER, meta=IN), "inbound", True),
        (of_version_1(CUSTOMER, ANN_BY_META, meta=OUT), "outbound", False),
        (of_version_1(CUSTOMER, ANN), "inbound", False),
        (of_version_1(CUSTOMER, {"name": "Ann"}, parties=None), "inbound", False),
        (of_version_1(CUSTOMER, {**ANN, "role": "agent"}, mediatype=None, duration=None), "inbound", False),
    ],
)
def test_roles_directions_and_nulls_of_other_vcons(
    folder: Path, content: dict[str, Any], direction: str, left: bool
) -> None:
    path = folder / "x.vcon.json"
    path.write_text(json.dumps(content))
    [found] = vcon_calls.calls(path, TENANT, NOW)
    assert isinstance(found, ForeignCall), found
    assert (found.agent, found.direction, found.agent_left) == (101, direction, left)
    assert (found.called if direction == "outbound" else found.caller) == "+15550100"
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (of_version_1(CUSTOMER, ANN, mediatype=None, mimetype="audio/mpeg"), "its sound is 'audio/mpeg'"),
        (
            of_version_1(CUSTOMER, ANN, filename=None, body="", url="https://example.com/a.wav"),
            "not followed",
        ),
    ],
)
def test_a_vcon_is_refused_by_its_real_cause(folder: Path, content: dict[str, Any], why: str) -> None:
    path = folder / "x.vcon.json"
    path.write_text(json.dumps(content))
    [found] = vcon_calls.calls(path, TENANT, NOW)
    assert isinstance(found, LeftOut)
    assert why in found.reason
    assert json.loads(found.row)["start"] == START


@pytest.mark.parametrize("content", [of_version_1(CUSTOMER, ANN, type="incomplete", duration=None)])
def test_an_incomplete_call_may_say_no_duration(folder: Path, content: dict[str, Any]) -> None:
    path = folder / "x.vcon.json"
    path.write_text(json.dumps(content))
    [found] = vcon_calls.calls(path, TENANT, NOW)
    assert isinstance(found, ForeignCall), found
    assert (found.duration_s, found.agent, found.warnings) == (0, None, ())


def test_a_chat_whose_messages_name_only_their_senders(folder: Path) -> None:
    path = folder / "x.vcon.json"
    texts = [
        {"type": "text", "start": f"2026-02-01T10:0{at}:00Z", "parties": who, "body": "Hm", "duration": None}
        for at, who in ((0, [0]), (1, 1), (2, [0]))
    ]
    path.write_text(json.dumps({**of_version_1(CUSTOMER, {**ANN, "role": "agent"}), "dialog": texts}))
    [found] = vcon_calls.calls(path, TENANT, NOW)
    assert isinstance(found, ForeignCall), found
    assert (found.agent, found.direction, found.caller, found.called) == (101, "inbound", "+15550100", "8001")
    assert found.transcript is not None
    assert [one.side for one in found.transcript] == [Speaker.CUSTOMER, Speaker.AGENT, Speaker.CUSTOMER]
    [warning] = found.warnings
    assert "first message names only its sender" in warning


def test_a_recording_without_an_agent_is_warned_of(folder: Path) -> None:
    path = folder / "x.vcon.json"
    path.write_text(json.dumps(of_version_1(CUSTOMER, {"tel": "+15550199"})))
    [found] = vcon_calls.calls(path, TENANT, NOW)
    assert isinstance(found, ForeignCall), found
    assert found.warnings == ("none of its parties is an agent: no sample will have it",)


SIGNS = st.text(st.sampled_from("a1,;\"\n\r\t\0'é\ud800 .wav/-:"), max_size=60)
FUZZED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FUZZED
@given(st.binary(max_size=300) | SIGNS.map(lambda text: text.encode("utf-8", "surrogatepass")), st.booleans())
def test_no_csv_is_more_than_mistakes(folder: Path, data: bytes, headed: bool) -> None:
    path = folder / "x.csv"
    path.write_bytes((b"file,began_at,agent,caller\na.wav,1769900000,101,5\n" if headed else b"") + data)
    csv_calls.count(path)
    found = list(csv_calls.calls(path, TENANT, NOW))
    assert all(isinstance(one, ForeignCall | LeftOut) for one in found)
    assert not headed or any(isinstance(one, ForeignCall) for one in found), "the good row is not lost"


@FUZZED
@given(
    st.lists(
        st.tuples(st.booleans(), SIGNS.filter(lambda text: "\n" not in text and "\r" not in text)), max_size=8
    )
)
def test_no_row_takes_another_with_it(folder: Path, rows: list[tuple[bool, str]]) -> None:
    """Each good row lands, on its own line, whatever stands between, unless a quotation mark holds it."""
    lines = [f"a.wav,{1_769_900_000 + n},101,5" if good else text for n, (good, text) in enumerate(rows)]
    path = folder / "x.csv"
    path.write_bytes(("file,began_at,agent,caller\n" + "\n".join(lines)).encode("utf-8", "surrogatepass"))
    found = list(csv_calls.calls(path, TENANT, NOW))
    places = {one.place for one in found}
    if not any('"' in text for good, text in rows if not good):
        assert {f"x.csv:{n}" for n, (good, _) in enumerate(rows, 2) if good} <= places
        assert len(places) == len(found)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | SIGNS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "start", "parties", "body", "filename", "duration", "role", "name", "tel"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@FUZZED
@given(
    st.dictionaries(st.sampled_from(["uuid", "parties", "dialog", "vcon"]), JUNK),
    st.lists(st.fixed_dictionaries({"type": st.sampled_from(["recording", "text", "incomplete"])}, optional={
        "start": JUNK | st.just(START), "parties": JUNK, "originator": JUNK, "body": JUNK, "filename": JUNK,
        "encoding": JUNK, "duration": JUNK, "mediatype": JUNK | st.just("audio/wav"),
    }), max_size=3),
)  # fmt: skip
def test_no_vcon_is_more_than_mistakes(
    folder: Path, content: dict[str, Any], dialog: list[dict[str, Any]]
) -> None:
    path = folder / "x.json"
    whole = {
        "uuid": "u",
        "parties": [{"role": "agent", "name": "Ann"}, {"tel": "1"}],
        "dialog": dialog,
        **content,
    }
    path.write_text(json.dumps(whole))
    assert all(isinstance(one, ForeignCall | LeftOut) for one in vcon_calls.calls(path, TENANT, NOW))


@FUZZED
@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_a_mistake(folder: Path, data: bytes) -> None:
    path = folder / "x.vcon"
    path.write_bytes(data)
    assert [type(one) for one in vcon_calls.calls(path, TENANT, NOW)] == [LeftOut]


def test_sizes_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "LARGEST_FILE", 100)
    monkeypatch.setattr(vcon_calls, "LARGEST_FILE", 100)
    with pytest.raises(recordings.BadRecording, match="larger than"):
        recordings.store(folder / "a.wav", folder / "kept.wav")
    [refused] = vcon_calls.calls(vcon(folder, recorded(folder)), TENANT, NOW)
    assert isinstance(refused, LeftOut)
    assert "larger than" in refused.reason


def test_a_call_is_known_by_what_its_list_says_of_it(folder: Path) -> None:
    [one] = csv_calls.calls(listed(folder, "a.wav,1769900000,101"), TENANT, NOW)
    [same] = csv_calls.calls(listed(folder, "a.wav,2026-01-31T22:53:20+00:00,101", name="z.csv"), TENANT, NOW)
    assert isinstance(one, ForeignCall)
    assert same == dataclasses.replace(one, place="z.csv:2")
