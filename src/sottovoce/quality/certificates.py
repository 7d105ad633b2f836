"""Certificates of samples: checked where they are kept, exported to a file, and checked there alone.

A check in the database covers the chains and blocks that decided the lots, their rows in the audit, the
audit's chain, the frame, the draw made again, the task's items, and that each drawn call is still the one
that was drawn: its UUID, begin, agent and recording. A file holds certificate, frame and audit rows; alone it
can only be consistent in itself: whoever invents one invents its rows as well. So it also holds the stretch
of the audit's chain from its rows to a signed head, other rows as digests: with the public key known from
elsewhere, it proves that its rows are the audit's.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.digests import file_sha256
from sottovoce.domain.audit_chain import Extract, digest_of, hash_of, unfollowed
from sottovoce.domain.frames import BadFrame, Frame
from sottovoce.domain.people import SERVER, ReviewId
from sottovoce.domain.retention import Erasure, erased_since
from sottovoce.domain.sampling import (
    AnyCertificate,
    Block,
    Certificate,
    Chain,
    DrawnCall,
    EarlierDraw,
    ShuffledCertificate,
)
from sottovoce.domain.verifying import differing, untrue
from sottovoce.errors import Code, Refused
from sottovoce.plain import Unreadable, from_plain, to_plain
from sottovoce.quality.sampling import BEGUN, DRAWN, sha256_of
from sottovoce.storage import audit, heads
from sottovoce.storage.audit import ChainCheck
from sottovoce.storage.database import transaction
from sottovoce.storage.review import draws, erasing, lots
from sottovoce.storage.review.draws import Draw
from sottovoce.storage.signatures import is_true
from sottovoce.storage.work import Work
from sottovoce.wording import counted

FORMATS = {1: "sottovoce-certificate-1", 2: "sottovoce-certificate-2"}
"""By the certificate's version."""
COMMITTED = "sampling.commit"
"""The action in the audit that version 1 had instead of BEGUN."""
_NAMED = 20
AuditRow = Mapping[str, Any]


class BadFile(ValueError):
    """The file is no exported certificate; the text says why."""


@dataclass(frozen=True, slots=True)
class DrawCheck:
    """What a check found."""

    certificate: AnyCertificate
    differences: Sequence[str]
    """One sentence each; none: all is as it should be."""
    facts: Sequence[str] = field(default=())
    """What was checked, against what, for people."""
    anchored: bool = True
    """Whether it was compared with something that the one who made the certificate does not hold."""

    @property
    def passed(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class _Kept:
    """All that is kept of the sample that a task has."""

    draw: Draw
    certificate: AnyCertificate
    frame: bytes
    others: Sequence[Draw]
    """Earlier and later draws of the task."""
    items: Sequence[int]
    rows: Sequence[AuditRow]
    now: Mapping[int, DrawnCall]
    """The drawn calls as they are on record today."""
    recordings: Mapping[int, str]
    erased: Mapping[int, Sequence[Erasure]]
    """What of the drawn calls was erased since."""
    fates: Sequence[EarlierDraw]
    """The maker's other draws from these contacts, the later ones too, and what became of each."""
    in_all: int
    """How many they are."""
    blocks: Sequence[Block]


async def verify(engine: AsyncEngine, task: ReviewId, folder: Path | None = None) -> DrawCheck:
    """Repeat the draw of a task from what is kept; with `folder`, hash the drawn calls' recordings too.

    Refused(NOT_FOUND): no such task, or it has no draw.
    """
    kept = await _kept(engine, task)
    chain = await audit.verify(engine, kept.draw.vdn)
    certificate = kept.certificate
    found = []
    if chain.broken:
        found.append(f"the audit of VDN {chain.vdn} is broken at row {chain.broken}: {chain.why}")
    if (certificate.vdn, certificate.task, certificate.draw) != (kept.draw.vdn, task, kept.draw.draw):
        found.append("the certificate is of another task or draw")
    found += _unlike(certificate, kept)
    found += _unaudited(certificate, kept.rows)
    found += await asyncio.to_thread(_repeat, certificate, kept.frame)
    found += differing(kept.items, certificate.contacts, "an item of the task", "in the certificate")
    facts = [*_facts(certificate, len(kept.frame)), *(_other(draw) for draw in kept.others)]
    if isinstance(certificate, Certificate):
        found += _changed(certificate, kept.now)
        facts += erased_since(kept.erased)
        facts += _drew_before(certificate, kept.fates, kept.in_all)
        if folder is not None:
            wrong, said = await asyncio.to_thread(_heard, certificate, kept.recordings, folder)
            found += wrong
            facts += said
    if not found:
        facts += _confirmed(certificate, kept, chain)
    return DrawCheck(certificate, found, facts)


async def export(engine: AsyncEngine, task: ReviewId) -> str:
    """A file that can be checked without any database. Refused(NOT_FOUND)."""
    kept = await _kept(engine, task)
    numbers = [row["number"] for row in kept.rows]
    async with transaction(engine) as connection:
        try:
            proof = await heads.extract(connection, kept.draw.vdn, numbers)
        except Refused:  # a row is older than digests are: nothing leads from it to a signed head
            proof = []
    return json.dumps(
        {
            "format": FORMATS[kept.certificate.version],
            "certificate": to_plain(kept.certificate),
            "audit": [_written(row) for row in kept.rows],
            "proof": to_plain(proof),
            "frame": base64.b64encode(kept.frame).decode(),
        },
        indent=1,
        ensure_ascii=False,
    )


def verify_file(text: str, keys: frozenset[str] = frozenset()) -> DrawCheck:
    """Repeat the draw of an exported certificate, which is compared with itself and with public `keys`.

    It is anchored where each of its audit rows is in a stretch of the chain up to a head that one of the keys
    signed (64 hexadecimal digits each, known from elsewhere). BadFile.
    """
    try:
        file = json.loads(text)
        certificate = draws.read_certificate(file["certificate"])
        if file["format"] != FORMATS[certificate.version]:
            raise BadFile(f"its format is {file['format']!r}, not {FORMATS[certificate.version]!r}")
        packed = base64.b64decode(file["frame"], validate=True)
        rows = [_read(row) for row in file["audit"]]
        found = [
            f"row {row['number']} of the audit does not have its hash"
            for row in rows
            if hash_of(row["previous"], row) != row["hash"]
        ]
        found += _unaudited(certificate, rows)
        found += _repeat(certificate, packed)
        proof = from_plain(tuple[Extract, ...], file.get("proof", []))
        found += _unproved(certificate, rows, proof)
    except BadFile:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error) as failure:
        raise BadFile(f"it is no exported certificate: {type(failure).__name__} {failure}") from failure
    facts = _facts(certificate, len(packed))
    if isinstance(certificate, Certificate):
        facts += _drew_before(certificate, certificate.before, certificate.before_in_all)
    facts += [
        f"row {row['number']} of the audit of VDN {row['vdn']}, {row['action']}: {row['hash'].hex()}"
        for row in rows
    ]
    signed = [one.signature for one in proof if one.signature is not None and one.signature.key in keys]
    anchored = 0 < len(signed) == len(proof)
    facts += [f"signed {one.at:%Y-%m-%d %H:%M:%S} UTC by {one.key}, a key that you gave" for one in signed]
    against = "itself and the chain of the audit up to the signed heads" if anchored else "itself"
    unchecked = "calls, recordings, other draws" if anchored else "calls, recordings, other draws, the audit"
    facts.append(f"checked: the file against {against}; not: {unchecked}")
    return DrawCheck(certificate, found, facts, anchored)


def _unproved(
    certificate: AnyCertificate, rows: Sequence[AuditRow], proof: Sequence[Extract]
) -> Iterator[str]:
    """What the stretches of the chain do not say as the rows do; a file without any has nothing to say."""
    shown: dict[int, str] = {}
    for extract in proof:
        yield from unfollowed(extract)
        if extract.vdn != certificate.vdn:
            yield "a stretch of the chain is another VDN's"
        if extract.signature and not is_true(extract.vdn, extract.head, extract.signature):
            yield f"the signature of head {extract.head.number} is not its own"
        first = extract.previous.number + 1
        places = {row.number: row.number - first for row in extract.rows}
        shown |= {row: extract.digests[at] for row, at in places.items() if 0 <= at < len(extract.digests)}
    for row in rows if proof else ():
        if shown.get(row["number"]) != digest_of(row).hex():
            yield f"row {row['number']} of the audit is not in a stretch of the chain"


def _repeat(certificate: AnyCertificate, packed: bytes) -> list[str]:
    try:
        frame = Frame.unpack(packed)
    except BadFrame as failure:
        return [f"the frame cannot be read: {failure}"]
    return untrue(certificate, frame)


def _unlike(certificate: AnyCertificate, kept: _Kept) -> list[str]:
    """What the tables say otherwise than the certificate."""
    found = []
    if isinstance(certificate, ShuffledCertificate):
        if kept.draw.seed is None or kept.draw.seed.hex() != certificate.seed:
            found.append("the seed kept with the draw is another than the certificate's")
        if kept.draw.committed_at != certificate.committed_at:
            found.append("the draw says another time of the commitment than the certificate")
        return found
    if (kept.draw.maker, kept.draw.committed_at) != (certificate.maker, certificate.begun_at):
        found.append("the draw says another maker or beginning than the certificate")
    blocks = {block.block: block for block in kept.blocks}
    found += [
        f"block {block.block} is kept otherwise than the certificate says"
        for block in certificate.blocks
        if blocks.get(block.block) != block
    ]
    after = 0
    for block in kept.blocks:
        if block.after != after:
            found.append(f"block {block.block} does not begin where the one before ended")
        after = block.until
    return found


def _unaudited(certificate: AnyCertificate, rows: Sequence[AuditRow]) -> list[str]:
    """What the audit does not say as the certificate does."""
    found = []
    by_step = {(row["action"], row["target"]): row for row in rows}
    if len(rows) > len(by_step):
        found.append("the audit has a step of this draw twice")
    if any(row["vdn"] != certificate.vdn for row in rows):
        found.append("the audit's rows are another VDN's")
    numbers = [0]
    for action, target, what, at, detail in _steps(certificate):
        row = by_step.pop((action, target), None)
        if row is None:
            found.append(f"the audit has no row of {what}")
            continue
        for name, value in detail.items():
            if row["detail"].get(name) != value:
                found.append(
                    f"the audit's {name} of {what} is {row['detail'].get(name)}, it should be {value}"
                )
        if row["at"] != at:
            found.append(f"the audit has {what} at {row['at']}")
        numbers.append(row["number"])
    found += [f"row {row['number']} of the audit is about another draw" for row in by_step.values()]
    if isinstance(certificate, Certificate):
        found += _out_of_order(certificate, rows)
    elif numbers != sorted(numbers):
        found.append("the seed was committed after the draw")
    return found


def _steps(certificate: AnyCertificate) -> Iterator[tuple[str, str, str, datetime, Mapping[str, Any]]]:
    """What has to stand in the audit: action, target, what it is, when, and the detail."""
    if isinstance(certificate, ShuffledCertificate):
        seed = {"draw": certificate.draw, "seed_sha256": certificate.commitment}
        yield COMMITTED, certificate.task, "the commitment", certificate.committed_at, seed
    else:
        for chain in certificate.chains:
            said = {"end": chain.end, "length": chain.length, "numbered": chain.numbered}
            yield lots.CHAIN, str(chain.chain), f"chain {chain.chain}", chain.committed_at, said
        for block in certificate.blocks:
            held = {name: getattr(block, name) for name in ("chain", "place", "after", "until", "words")}
            yield lots.BLOCK, str(block.block), f"block {block.block}", block.closed_at, held
        begun = {"draw": certificate.draw}
        yield BEGUN, certificate.task, "the beginning", certificate.begun_at, begun
    digests = {
        "draw": certificate.draw,
        "frame_sha256": certificate.frame.sha256,
        "certificate_sha256": sha256_of(certificate),
    }
    yield DRAWN, certificate.task, "the draw", certificate.drawn_at, digests


def _out_of_order(certificate: Certificate, rows: Sequence[AuditRow]) -> list[str]:
    """Blocks on record before their chain, or after the draw's beginning."""
    number = {(row["action"], row["target"]): row["number"] for row in rows}
    begun = number.get((BEGUN, certificate.task), 0)
    drawn = number.get((DRAWN, certificate.task), 0)
    found = [] if begun < drawn else ["the draw is on record before it was begun"]
    for block in certificate.blocks:
        chain = number.get((lots.CHAIN, str(block.chain)), 0)
        if not chain < number.get((lots.BLOCK, str(block.block)), 0) < begun:
            found.append(f"block {block.block} was not closed between its chain's commitment and the draw")
    return found


def _changed(certificate: Certificate, now: Mapping[int, DrawnCall]) -> list[str]:
    """Which drawn calls are on record otherwise than when they were drawn."""
    found = []
    for call in certificate.drawn:
        today = now.get(call.contact)
        if today is None:
            found.append(f"contact {call.contact} is not on record any more")
            continue
        for one in fields(DrawnCall):
            was, is_now = getattr(call, one.name), getattr(today, one.name)
            # A recording that was not finished when it was drawn may have got its hash since.
            if was != is_now and not (one.name == "recording_sha256" and was is None):
                found.append(f"contact {call.contact} was drawn with {one.name} {was}, now it is {is_now}")
    return found


def _heard(
    certificate: Certificate, recordings: Mapping[int, str], folder: Path
) -> tuple[list[str], list[str]]:
    """Which recordings are others than those that were drawn, and what was hashed. Blocks."""
    found = []
    same = away = 0
    bound = [call for call in certificate.drawn if call.recording_sha256 is not None]
    for call in bound:
        try:
            digest = file_sha256(folder / recordings[call.contact])
        except (OSError, KeyError):
            away += 1
            continue
        if digest == call.recording_sha256:
            same += 1
        else:
            found.append(f"the recording of contact {call.contact} is another than the one that was drawn")
    said = f"{counted(same, 'recording')} with the bytes that were drawn"
    return found, [f"{said}, {away} not there, {len(certificate.drawn) - len(bound)} had no hash then"]


def _confirmed(certificate: AnyCertificate, kept: _Kept, chain: ChainCheck) -> list[str]:
    said = [f"the task has the drawn contacts, in their order: {counted(len(kept.items), 'item')}"]
    if isinstance(certificate, Certificate):
        said.append("UUID, begin, agent and recording's hash of each are on record as they were drawn")
        said.append(f"VDN {chain.vdn} has {counted(len(kept.blocks), 'block')} without a gap")
    numbers = {row["action"]: row["number"] for row in kept.rows}
    begun = numbers.get(BEGUN, numbers.get(COMMITTED))
    said.append(
        f"the audit of VDN {chain.vdn} is whole, {counted(chain.head.number, 'row')}: row {begun} has the"
        f" beginning, row {numbers[DRAWN]} the draw; compare its head with one noted elsewhere"
    )
    return said


def _facts(certificate: AnyCertificate, packed: int) -> list[str]:
    passed = len(certificate.passed_over)
    drawn = f"drawn {certificate.drawn_at:%Y-%m-%d %H:%M:%S} UTC"
    said = [
        f"VDN {certificate.vdn}, task {certificate.task}, draw {certificate.draw}, {certificate.algorithm}"
    ]
    if isinstance(certificate, Certificate):
        said.append(f"begun {certificate.begun_at:%Y-%m-%d %H:%M:%S} UTC for {certificate.maker}, {drawn}")
        said += [_chain(chain, certificate) for chain in certificate.chains]
        said += [
            f"block {block.block}, contacts {block.after + 1} to {block.until}: the words {block.words!r}"
            for block in certificate.blocks
            if block.words
        ]
    else:
        said.append(
            f"seed committed {certificate.committed_at:%Y-%m-%d %H:%M:%S} UTC as {certificate.commitment},"
            f" {drawn}; version 1: a seed for each draw, so another draw gave another sample"
        )
    return [
        *said,
        f"frame of {counted(certificate.frame.size, 'contact')}, SHA-256 {certificate.frame.sha256},"
        f" kept in {packed} bytes",
        f"{len(certificate.drawn)} of {certificate.wanted} drawn, {passed} passed over"
        + (f" ({_reasons(certificate)})" if passed else ""),
    ]


def _chain(chain: Chain, certificate: Certificate) -> str:
    places = [block.place for block in certificate.blocks if block.chain == chain.chain]
    early = sum(contact <= chain.numbered for contact in certificate.contacts)
    known = f"; {early} of the drawn calls were on record before that" if early else ""
    return (
        f"lots from chain {chain.chain}, committed {chain.committed_at:%Y-%m-%d %H:%M:%S} UTC as {chain.end},"
        f" {counted(len(places), 'block')} up to place {chain.place}{known}"
    )


def _drew_before(certificate: Certificate, fates: Sequence[EarlierDraw], in_all: int) -> list[str]:
    if not in_all:
        return [f"{certificate.maker} made no other draw from this range of contacts"]
    more = f", the last {len(fates)} of which are" if in_all > len(fates) else ""
    return [
        f"{certificate.maker} made {counted(in_all, 'other draw')} from this range of contacts{more}:"
    ] + [
        f"draw {one.draw} of {one.drawn_at:%Y-%m-%d %H:%M:%S} UTC: {one.sample}"
        f" of {counted(one.frame, 'call')} for task {one.task}, {one.fate}"
        for one in fates
    ]


def _reasons(certificate: AnyCertificate) -> str:
    return ", ".join(sorted({one.reason for one in certificate.passed_over}))


def _other(draw: Draw) -> str:
    if draw.drawn_at is None:
        return f"draw {draw.draw} was begun at {draw.committed_at:%Y-%m-%d %H:%M:%S} UTC and never drawn"
    return f"draw {draw.draw} was drawn at {draw.drawn_at:%Y-%m-%d %H:%M:%S} UTC and is no longer the task's"


async def _kept(engine: AsyncEngine, task: ReviewId) -> _Kept:
    async with transaction(engine, snapshot=True) as connection:
        vdn = await draws.tenant_of(connection, task)
        if vdn is None:
            raise Refused(Code.NOT_FOUND, f"there is no draw for a task {task}")
        work = Work(connection, vdn, datetime.now(UTC), SERVER)
        made, used = await draws.of_task(work, task)
        if used is None:
            raise Refused(Code.NOT_FOUND, f"task {task} was never made; {_other(made[-1])}")
        draw = next((one for one in made if one.draw == used), None)
        if draw is None or draw.frame is None or draw.certificate is None:
            raise Refused(Code.NOT_FOUND, f"task {task} has draw {used}, of which nothing is kept")
        try:
            certificate = draws.read_certificate(draw.certificate)
        except Unreadable as failure:
            raise Refused(
                Code.WRONG_STATE, f"the certificate of draw {used} is damaged: {failure}"
            ) from failure
        others: list[tuple[str, str]] = []
        fates: list[EarlierDraw] = []
        in_all = 0
        if isinstance(certificate, Certificate):
            others = lots.audited(certificate.blocks, certificate.chains)
            if certificate.blocks:
                in_all, fates = await draws.fates(
                    work,
                    certificate.maker,
                    certificate.conditions.interaction,
                    certificate.blocks[0].after + 1,
                    certificate.blocks[-1].until,
                    but=used,
                )
        now = await draws.bindings(work, certificate.contacts)
        return _Kept(
            draw,
            certificate,
            draw.frame,
            [one for one in made if one.draw != used],
            await draws.items_of(work, task),
            await draws.audited(work, task, used, others),
            {contact: call for contact, (call, _) in now.items()},
            {contact: file for contact, (_, file) in now.items() if file is not None},
            await erasing.tombstones(work, certificate.contacts),
            fates,
            in_all,
            await lots.all_blocks(work),
        )


def _written(row: AuditRow) -> dict[str, Any]:
    return {
        **row,
        "at": row["at"].isoformat(timespec="microseconds"),
        "actor": str(row["actor"]),
        "previous": bytes(row["previous"]).hex(),
        "hash": bytes(row["hash"]).hex(),
        "salt": bytes(row["salt"] or b"").hex(),
    }


def _read(row: Mapping[str, Any]) -> AuditRow:
    return {
        **row,
        "at": datetime.fromisoformat(row["at"]),
        "actor": int(row["actor"]),
        "previous": bytes.fromhex(row["previous"]),
        "hash": bytes.fromhex(row["hash"]),
        "version": row.get("version", 1),
        "salt": bytes.fromhex(row.get("salt", "")),
    }
