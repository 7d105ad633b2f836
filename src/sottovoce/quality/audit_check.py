"""Whether the audit of a VDN is whole, is anchored, and agrees with what the database says now.

Three questions: does each row follow the one before, are the signed heads true and still in the chain, and
are scores, revisions and recordings what the audit says. Whoever may write the whole database can make all of
it fit; so it counts only against something known from elsewhere: a public key, the file of signed heads, or a
head noted earlier.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.digests import file_sha256
from sottovoce.domain.audit_chain import Head, SignedHead
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import SERVER
from sottovoce.storage import audit, heads
from sottovoce.storage.database import transaction
from sottovoce.storage.own import roles
from sottovoce.storage.review import audited
from sottovoce.storage.signatures import is_true
from sottovoce.storage.work import Work
from sottovoce.wording import counted

_MOST = 20


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What whoever checks knows from elsewhere."""

    keys: frozenset[str] = frozenset()
    """Public keys, hexadecimal."""
    kept: Sequence[SignedHead] = ()
    """Of the file that the server added its signed heads to, of all VDNs."""
    noted: Sequence[Head] = ()
    """Heads that must still be in this VDN's chain."""


@dataclass(slots=True)
class AuditCheck:
    """What a check found."""

    vdn: VdnId
    head: Head
    anchored: str = ""
    """What vouches for the chain, and up to which row; empty: nothing from elsewhere."""
    differences: list[str] = field(default_factory=list)
    """One sentence each; none: all is as it should be."""
    facts: list[str] = field(default_factory=list)
    """What was checked, for people."""


async def check(engine: AsyncEngine, vdn: VdnId, known: Elsewhere, recordings: Path | None) -> AuditCheck:
    """Check a VDN's audit; with `recordings` (their folder) each file whose digest is known, too.

    Raises DatabaseAway.
    """
    async with transaction(engine) as connection:
        here = await heads.signed(connection, vdn)
    kept = [one for one in known.kept if one.vdn == vdn]
    false = [one for one in [*here, *kept] if not is_true(one.vdn, one.head, one.signature)]
    true = [one for one in [*here, *kept] if one not in false]
    found = await audit.verify(engine, vdn, [*known.noted, *(one.head for one in true)])
    verdict = AuditCheck(vdn, found.head)
    verdict.facts.append(f"{counted(found.head.number, 'row')}, head {found.head.number}:{found.head.hash}")
    if found.broken:
        verdict.differences.append(f"row {found.broken}: {found.why}")
    verdict.differences += [
        f"the signature of head {one.head.number} of {_at(one.signature.at)} is not the key's that it names"
        for one in false[:_MOST]
    ]
    verdict.facts += _signers(true)
    verdict.anchored = _anchored(known, true, kept)
    async with transaction(engine, snapshot=True) as connection:
        await connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        work = Work(connection, vdn, datetime.min, SERVER)
        role = await roles.rewriter(connection)
        if role is not None:
            verdict.facts.append(
                f"the database role {role} could write the audit anew: see database.owner_dsn"
            )
        looked_at = await audited.counts(work)
        verdict.facts.append(
            "compared with the audit: " + ", ".join(f"{number} {name}" for name, number in looked_at.items())
        )
        verdict.differences += await audited.contradictions(work)
        if recordings is not None:
            await _listen(work, recordings, verdict)
    return verdict


async def _listen(work: Work, folder: Path, verdict: AuditCheck) -> None:
    """Compare each file with its digest."""
    whole = 0
    async for one in audited.recordings(work):
        try:
            digest = await asyncio.to_thread(file_sha256, folder / one.recording)
        except OSError as failure:
            verdict.differences.append(f"{_named(one)}: {failure.strerror}")
            continue
        if digest == one.sha256:
            whole += 1
        else:
            verdict.differences.append(f"{_named(one)} is another file: {digest}")
    verdict.facts.append(f"{counted(whole, 'recording')} with the very bytes that were finished")


def _named(one: audited.KeptRecording) -> str:
    track = f"track of {one.inspector} in the " if one.inspector else ""
    return f"the {track}recording of contact {one.contact}"


def _signers(signed: Sequence[SignedHead]) -> list[str]:
    by_key: dict[str, list[SignedHead]] = {}
    for one in signed:
        by_key.setdefault(one.signature.key, []).append(one)
    return [
        f"{counted(len({(one.head, one.signature.at) for one in group}), 'head')} signed by {key}, from"
        f" {_at(min(one.signature.at for one in group))} to {_at(max(one.signature.at for one in group))}"
        for key, group in sorted(by_key.items())
    ]


def _anchored(known: Elsewhere, signed: Sequence[SignedHead], kept: Sequence[SignedHead]) -> str:
    """The newest head that something from elsewhere vouches for."""
    vouched = [(head.number, "the head noted") for head in known.noted]
    for one in signed:
        if one.signature.key in known.keys:
            when, by = _at(one.signature.at), f"the key {one.signature.key[:16]}…"
            vouched.append((one.head.number, f"{by}, which signed it at {when}"))
        elif one in kept and not known.keys:
            vouched.append((one.head.number, f"the file, where it was kept at {_at(one.signature.at)}"))
    if not vouched:
        return ""
    number, by = max(vouched)
    return f"up to row {number} by {by}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
