"""Brings calls of other systems in as contacts, with their recordings; may be interrupted and repeated.

Each call is a transaction of its own: its recording lies in the recordings' folder before its row says so,
under a name that follows from its reference, so that a second attempt makes the same file again.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid5

from sottovoce.domain.contacts import Analysis, Contact, Inspection, Interaction, Origin
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER
from sottovoce.errors import Code, Refused
from sottovoce.quality import csv_calls, recordings, vcon_calls
from sottovoce.quality.foreign_calls import ForeignCall, LeftOut, Mistake
from sottovoce.quality.office import Office
from sottovoce.quality.recordings import BadRecording, StillRecording
from sottovoce.storage.live.talks import NOT_RECORDED
from sottovoce.storage.review import contacts, imports
from sottovoce.storage.review.imports import Tenant

FOLDER = "import"
"""Below the recordings' folder and the VDN's in it."""
_NAMES = UUID("0d8f2d0c-8a0e-4b52-9a55-0f6a5a3a6a11")
_BATCH = 100
"""Calls looked up at a time …"""
_BATCH_BYTES = 32 << 20
"""… unless so much sound was in the files themselves."""


class ImportOutcome(StrEnum):
    """What became of a call."""

    IMPORTED = "imported"
    THERE = "there already"
    REFUSED = "refused"


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    imported: int = 0
    there: int = 0
    """Imported before."""
    tried: set[str] = field(default_factory=set)
    """References that a dry run would have brought in."""
    refused: list[LeftOut] = field(default_factory=list)
    warned: list[LeftOut] = field(default_factory=list)
    """Brought in, with what had to be guessed or is missing."""


@dataclass(frozen=True, slots=True)
class ImportWish:
    """How an import goes about it."""

    strict: bool = False
    """Refuse what would be warned of."""
    dry_run: bool = False
    """Bring nothing in; say what would become of it."""


_USUAL = ImportWish()
Told = Callable[[ImportOutcome], None]


def sources(paths: Sequence[Path]) -> list[Path]:
    """The CSV and vCon files that are named, and those in the folders that are, each once, by name.

    Refused(BAD_PARAMETER) where a file is neither, or there is nothing. OSError.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = sorted(one for one in path.rglob("*") if one.is_file() and _is_source(one))
            found.update(dict.fromkeys(inside))
        elif not path.exists():
            raise Refused(Code.BAD_PARAMETER, f"{path}: there is no such file or folder")
        elif _is_source(path):
            found[path] = None
        else:
            raise Refused(Code.BAD_PARAMETER, f"{path}: is neither CSV (.csv) nor vCon (.vcon, .json)")
    if not found:
        raise Refused(Code.BAD_PARAMETER, "there is no CSV or vCon file; the WAVs alone say too little")
    return list(found)


def count(files: Sequence[Path]) -> int:
    """How many calls they hold, roughly: the measure of progress. OSError."""
    return sum(csv_calls.count(path) if _is_csv(path) else 1 for path in files)


async def bring_in(
    office: Office, vdn: VdnId, files: Sequence[Path], tell: Told, wish: ImportWish = _USUAL
) -> ImportReport:
    """Import all calls of these files; `tell` is told of each as it is done.

    Refused(NOT_FOUND) where there is no such VDN, (UNAVAILABLE): what was done by then stays. OSError where
    a file cannot be read or a recording not be written.
    """
    async with office.work(vdn, SERVER) as work:
        tenant = await imports.tenant(work)
    if tenant is None:
        raise Refused(Code.NOT_FOUND, f"there is no VDN {vdn}")
    report = ImportReport()
    batches = _batches(_calls(office, path, tenant) for path in files)
    try:
        while batch := await asyncio.to_thread(next, batches, None):
            await _batch(office, tenant, batch, report, tell, wish)
    finally:
        if report.imported and not wish.dry_run:
            async with office.work(vdn, SERVER) as work:
                work.audit("contacts.import", files[0].name, contacts=report.imported, files=len(files))
    return report


async def _batch(
    office: Office,
    tenant: Tenant,
    batch: Sequence[ForeignCall | LeftOut],
    report: ImportReport,
    tell: Told,
    wish: ImportWish,
) -> None:
    references = [call.reference for call in batch if isinstance(call, ForeignCall)]
    async with office.work(tenant.vdn, SERVER) as work:
        there = set(await imports.already(work, references)) | report.tried
    for call in batch:
        outcome = ImportOutcome.REFUSED
        if isinstance(call, LeftOut):
            report.refused.append(call)
        elif call.reference in there:
            outcome = ImportOutcome.THERE
        else:
            try:
                outcome = ImportOutcome.THERE
                if (warnings := await _keep(office, tenant, call, wish)) is not None:
                    outcome = ImportOutcome.IMPORTED
                    report.warned += [LeftOut(call.place, warning, call.row) for warning in warnings]
                    if wish.dry_run:
                        report.tried.add(call.reference)
                        there.add(call.reference)
            except (BadRecording, StillRecording, Mistake) as bad:
                outcome = ImportOutcome.REFUSED
                report.refused.append(LeftOut(call.place, str(bad), call.row))
        report.imported += outcome is ImportOutcome.IMPORTED
        report.there += outcome is ImportOutcome.THERE
        tell(outcome)


async def _keep(
    office: Office, tenant: Tenant, call: ForeignCall, wish: ImportWish
) -> tuple[str, ...] | None:
    """Keep a call and its recording; what to warn of. None: somebody else did meanwhile. Mistake."""
    if wish.strict and call.warnings:
        raise Mistake("; ".join(call.warnings))
    if call.sound is not None and (wish.dry_run or wish.strict):
        fault = await asyncio.to_thread(_fault, call)
        if wish.strict and fault:
            raise Mistake(fault)
        if wish.dry_run:
            return (*call.warnings, fault) if fault else call.warnings
    elif wish.dry_run:
        return call.warnings
    warnings = call.warnings
    uuid = uuid5(_NAMES, f"{tenant.vdn}/{call.reference}")
    recording, digest, length = None, None, call.duration_s
    if call.sound is not None:
        day = call.began_at.strftime("%Y/%m/%d")
        recording = f"{tenant.vdn}/{FOLDER}/{day}/{uuid}.wav"
        target = office.recordings / recording
        try:
            sound = await asyncio.to_thread(recordings.store, call.sound, target, swapped=call.agent_left)
        except BadRecording as bad:
            raise BadRecording(f"{call.file_name}: {bad}") from bad
        length, digest = sound.duration_s, sound.sha256
        warnings = (*warnings, sound.fault) if sound.fault else warnings
    async with office.work(tenant.vdn, SERVER) as work:
        contact = _contact(tenant, call, uuid, recording, digest, length, work.at)
        number = await contacts.keep(work.connection, call.reference, contact)
        if number is not None and digest is not None:
            work.add(contacts.recorded(contact, number, work.at))
        return None if number is None else warnings


def _fault(call: ForeignCall) -> str:
    """What is wrong with a call's recording, which is kept nowhere. BadRecording."""
    assert call.sound is not None
    with tempfile.TemporaryDirectory(prefix="sottovoce-") as folder:
        try:
            return recordings.store(call.sound, Path(folder) / "tried.wav").fault
        except BadRecording as bad:
            raise BadRecording(f"{call.file_name}: {bad}") from bad


def _contact(
    tenant: Tenant,
    call: ForeignCall,
    uuid: UUID,
    recording: str | None,
    digest: str | None,
    length: float,
    at: datetime,
) -> Contact:
    status, analysis = Inspection.WAITING, Analysis()
    if recording is None and call.transcript is not None:
        status = Inspection.SUCCESS
    elif recording is None:
        status, analysis = Inspection.BAD_RECORDING, Analysis(failure=NOT_RECORDED)
    return Contact(
        contact=0,
        uuid=uuid,
        vdn=tenant.vdn,
        call=call.call,
        source=Origin.IMPORT,
        interaction=Interaction.VOICE if call.transcript is None else Interaction.TEXT,
        began_at=call.began_at,
        ended_at=call.began_at + timedelta(seconds=length),
        duration_ms=round(length * 1000),
        direction=call.direction,
        caller=call.caller,
        called=call.called,
        agent=call.agent,
        skill=call.skill,
        ended_by=call.ended_by,
        reason="imported",
        file_name=call.file_name,
        recording=recording,
        uploaded_at=at,
        status=status,
        analysed_at=None if status is Inspection.WAITING else at,
        analysis=analysis,
        transcript=call.transcript,
        recording_sha256=digest,
    )


def _batches(files: Iterable[Iterator[ForeignCall | LeftOut]]) -> Iterator[list[ForeignCall | LeftOut]]:
    batch: list[ForeignCall | LeftOut] = []
    size = 0
    for calls in files:
        for call in calls:
            batch.append(call)
            if isinstance(call, ForeignCall) and isinstance(call.sound, bytes):
                size += len(call.sound)
            if len(batch) >= _BATCH or size >= _BATCH_BYTES:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def _calls(office: Office, path: Path, tenant: Tenant) -> Iterator[ForeignCall | LeftOut]:
    read = csv_calls.calls if _is_csv(path) else vcon_calls.calls
    return read(path, tenant, office.clock.now())


def _is_csv(path: Path) -> bool:
    return path.suffix.lower() == ".csv"


def _is_source(path: Path) -> bool:
    return _is_csv(path) or path.name.lower().endswith(vcon_calls.SUFFIXES)
