"""The audit's anchor: this server's key, which signs the heads of the audit at start, at stop and every day.

The key lies in the data folder, for its owner's eyes only. Each signed head goes to the table
`audit_signatures`, to the log, and to the file that the operator set: whoever keeps one of them elsewhere, or
the public key, can tell later whether the audit was written anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.clock import Clock
from sottovoce.domain.audit_chain import SignedHead
from sottovoce.domain.directory import VdnId
from sottovoce.plain import to_plain
from sottovoce.storage import audit, heads
from sottovoce.storage.database import DatabaseAway, transaction
from sottovoce.storage.own import key_file
from sottovoce.storage.own.heads_file import HeadsFile
from sottovoce.storage.signatures import BadKey, SigningKey
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

KEY_FILE = "audit.key"
LOOK_EVERY_S = 600.0
"""How often is looked whether a day has begun in which nothing was signed yet."""


class KeyRefused(Exception):
    """The key is not the one that signed the audit before, or is gone; the text says what to do."""


class Anchor:
    """Signs the heads of the VDNs of this server. `begin` when they are there, `end` when they are closed."""

    def __init__(self, engine: AsyncEngine, key: SigningKey, clock: Clock, kept_in: Path | None) -> None:
        self._engine, self._key, self._clock = engine, key, clock
        self._file = HeadsFile(kept_in) if kept_in is not None else None
        self._vdns: Sequence[VdnId] = ()
        self._daily: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, engine: AsyncEngine, data: Path, clock: Clock, kept_in: Path | None) -> Anchor:
        """With the key of the data folder, made now if nothing was ever signed. KeyRefused, DatabaseAway."""
        return cls(engine, await key_of(engine, data), clock, kept_in)

    async def begin(self, vdns: Sequence[VdnId], tasks: Tasks) -> None:
        """Sign now and every day; `vdns` may grow meanwhile."""
        self._vdns = vdns
        await self._signed(vdns, "start")
        self._daily = tasks.spawn(self._every_day(), name="audit heads")

    async def end(self) -> None:
        """Sign a last time."""
        if self._daily is None:
            return
        self._daily.cancel()
        await self._signed(self._vdns, "stop")

    async def sign(self, vdns: Sequence[VdnId], occasion: str) -> list[SignedHead]:
        """Sign the heads of these VDNs as they are, and keep that in all places. DatabaseAway."""
        made = []
        async with transaction(self._engine) as connection:
            for vdn in vdns:
                head = await audit.head_of(connection, vdn)
                signed = self._key.sign(vdn, head, self._clock.now(), occasion)
                await heads.keep(connection, signed)
                made.append(signed)
        for signed in made:
            log.info("audit head signed", **_line(signed))
        if self._file is not None and made:
            try:
                await self._file.add(made)
            except OSError as failure:
                log.error(
                    "audit heads not kept",
                    file=str(self._file.path),
                    reason=failure.strerror or str(failure),
                )
        return made

    async def sign_due(self) -> list[SignedHead]:
        """Sign the heads that this key has not signed since the day (UTC) began. DatabaseAway."""
        today = self._clock.now().date()
        async with transaction(self._engine) as connection:
            last = await heads.last_signed(connection, self._key.public)
        due = [vdn for vdn in self._vdns if vdn not in last or last[vdn].date() < today]
        return await self.sign(due, "day") if due else []

    async def _signed(self, vdns: Sequence[VdnId], occasion: str) -> None:
        try:
            await self.sign(vdns, occasion)
        except DatabaseAway as failure:
            log.error("audit heads not signed", occasion=occasion, reason=str(failure))

    async def _every_day(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.sign_due()
            except DatabaseAway as failure:
                log.error("audit heads not signed", occasion="day", reason=str(failure))


async def key_of(engine: AsyncEngine, data: Path) -> SigningKey:
    """The key of the data folder; made now if there is none and nothing was ever signed.

    Raises KeyRefused where another one signed before: a lost key is never replaced unasked. DatabaseAway.
    """
    async with transaction(engine) as connection:
        known = await heads.keys(connection)
    found = await asyncio.to_thread(_read, data)
    if found is not None and (not known or found.public in known):
        return found
    if found is None and not known:
        made = SigningKey.generate()
        await asyncio.to_thread(_write, data, made)
        log.warning("audit key made: note its public half elsewhere", file=KEY_FILE, public=made.public)
        return made
    what = "is missing" if found is None else f"has the public key {found.public}"
    raise KeyRefused(
        f"the audit was signed by the key {', '.join(known)}, but {data / KEY_FILE} {what}: bring the file"
        " back from a backup, or begin with another key, on record, by `sottovoce audit key --new`"
    )


async def renew(engine: AsyncEngine, data: Path, at: datetime, vdns: Sequence[VdnId]) -> SigningKey:
    """Begin with a new key, which the audit of each VDN records; the former file stays beside it."""
    former = await asyncio.to_thread(_read_or_none, data)
    made = SigningKey.generate()
    async with transaction(engine) as connection:
        for vdn in vdns:
            detail = {"public": made.public, "before": former.public if former is not None else ""}
            await audit.by_command_line(connection, vdn, at, "audit.key", "", detail)
            head = await audit.head_of(connection, vdn)
            await heads.keep(connection, made.sign(vdn, head, at, "key"))
        await asyncio.to_thread(_replace, data, made, former)
    return made


def key_there(data: Path) -> SigningKey | None:
    """The key of the data folder, whoever signed before. KeyRefused where the file is none. Blocks."""
    return _read(data)


def bring_back(data: Path, key: SigningKey) -> None:
    """Put a key from a backup into the data folder; another one that is there stays beside it. Blocks."""
    _replace(data, key, _read_or_none(data))


def _line(signed: SignedHead) -> dict[str, object]:
    """A signed head in the words of the log."""
    return {
        "vdn": signed.vdn,
        "number": signed.head.number,
        "hash": signed.head.hash,
        **to_plain(signed.signature),
    }


def _read(data: Path) -> SigningKey | None:
    path = data / KEY_FILE
    try:
        return SigningKey.read(path.read_bytes())
    except FileNotFoundError:
        return None
    except BadKey as failure:
        raise KeyRefused(f"{path}: {failure}: bring the file back from a backup") from failure


def _read_or_none(data: Path) -> SigningKey | None:
    try:
        return _read(data)
    except KeyRefused:
        return None


def _write(data: Path, key: SigningKey) -> None:
    key_file.write(data / KEY_FILE, key.pem())


def _replace(data: Path, key: SigningKey, former: SigningKey | None) -> None:
    path = data / KEY_FILE
    if path.exists():
        path.rename(data / f"{KEY_FILE}.{former.public[:16] if former is not None else 'unreadable'}")
    _write(data, key)
