"""Chains and blocks: what decides the lots of contacts (`domain.lots`), never taken back.

Whoever closes a block holds the tenant's latest chain until the end of the transaction, so that places are
taken one after the other, each once.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from sottovoce.domain.directory import VdnId
from sottovoce.domain.lots import PREIMAGE_BYTES, hashed
from sottovoce.domain.sampling import Block, Chain
from sottovoce.storage.rows import all_of, columns_of, value_of
from sottovoce.storage.tables import sampling_blocks, sampling_chains, vdns
from sottovoce.storage.work import Work

CHAIN_LENGTH = 1 << 14
"""Blocks of a chain; hashing from its root to its end takes some 20 ms."""
CHAIN, BLOCK, WORDS = "sampling.chain", "sampling.block", "sampling.words"
"""Actions in the audit; their targets are the numbers of chain and block, and `lots`."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """A chain as it is kept."""

    chain: int
    root: bytes
    length: int
    used: int
    committed_at: datetime
    numbered: int
    words: str

    def revealed(self, place: int) -> Chain:
        """What everybody may know once the block at that place is closed."""
        preimage = hashed(self.root, self.length - place)
        end = hashed(preimage, place).hex()
        return Chain(self.chain, end, self.length, self.committed_at, self.numbered, place, preimage.hex())


async def commit(work: Work) -> None:
    """Have the tenant's first chain on record; nothing where it has one."""
    await _latest(work)


async def without(connection: AsyncConnection) -> list[VdnId]:
    """The tenants that have no chain."""
    chained = sa.select(sampling_chains.c.vdn)
    query = sa.select(vdns.c.vdn).where(vdns.c.vdn.not_in(chained)).order_by(vdns.c.vdn)
    return [VdnId(vdn) for vdn in (await connection.execute(query)).scalars()]


async def close(work: Work) -> Block | None:
    """The tenant's last block: a new one of all contacts numbered since the one before, if there are any.

    From now on no contact can come into it, so its preimage may be known. None: there was no contact ever.
    """
    chain = await _latest(work)
    query = sa.select(sampling_blocks).where(sampling_blocks.c.vdn == work.vdn)
    found = (
        await work.connection.execute(query.order_by(sampling_blocks.c.block.desc()).limit(1))
    ).mappings()
    row = found.first()
    last = None if row is None else value_of(Block, row)
    after, until = 0 if last is None else last.until, await _last_number(work)
    if until <= after:
        return last
    place = chain.used + 1
    number = 1 if last is None else last.block + 1
    block = Block(number, chain.chain, place, after, until, chain.words, work.at)
    await work.connection.execute(sa.insert(sampling_blocks).values(columns_of(block, vdn=work.vdn)))
    await _change(work, chain.chain, used=place)
    work.audit(
        BLOCK,
        str(number),
        chain=chain.chain,
        place=place,
        after=after,
        until=until,
        words=chain.words,
    )
    if place == chain.length:
        await _begin(work, chain)
    return block


async def say(work: Work, words: str) -> None:
    """Mix an outsider's words into the key of every block that is closed from now on."""
    chain = await _latest(work)
    await _change(work, chain.chain, words=words)
    work.audit(WORDS, "lots", words=words)


async def touched(work: Work, first: int, last: int) -> tuple[list[Chain], list[Block]]:
    """The blocks of the contacts from `first` to `last`, and their chains, with what those reveal."""
    row = sampling_blocks.c
    query = sa.select(sampling_blocks).where(row.vdn == work.vdn, row.until >= first, row.after < last)
    blocks = all_of(Block, (await work.connection.execute(query.order_by(row.block))).mappings())
    places = {block.chain: block.place for block in blocks}
    chains = sa.select(sampling_chains).where(
        sampling_chains.c.vdn == work.vdn, sampling_chains.c.chain.in_(list(places))
    )
    kept = all_of(
        _Chain, (await work.connection.execute(chains.order_by(sampling_chains.c.chain))).mappings()
    )
    return [chain.revealed(places[chain.chain]) for chain in kept], blocks


async def numbered(work: Work, block: int | None) -> int:
    """The last contact of a block; 0 for none."""
    row = sampling_blocks.c
    query = sa.select(row.until).where(row.vdn == work.vdn, row.block == block)
    return (await work.connection.execute(query)).scalar_one_or_none() or 0


async def all_blocks(work: Work) -> list[Block]:
    """Every block of the tenant, the first one first."""
    query = sa.select(sampling_blocks).where(sampling_blocks.c.vdn == work.vdn)
    rows = await work.connection.execute(query.order_by(sampling_blocks.c.block))
    return all_of(Block, rows.mappings())


async def _latest(work: Work) -> _Chain:
    """The tenant's latest chain, locked; made if there is none."""
    query = (
        sa.select(sampling_chains)
        .where(sampling_chains.c.vdn == work.vdn)
        .order_by(sampling_chains.c.chain.desc())
        .limit(1)
        .with_for_update()
    )
    tenant = sa.select(vdns.c.vdn).where(vdns.c.vdn == work.vdn).with_for_update(key_share=True)
    while True:
        row = (await work.connection.execute(query)).mappings().first()
        if row is None:  # there is nothing yet to be held but the tenant itself
            await work.connection.execute(tenant)
            row = (await work.connection.execute(query)).mappings().first()
            if row is None:
                return await _begin(work, None)
        # One that was used up while this waited for it has a follower.
        if row["used"] < row["length"]:
            return value_of(_Chain, row)


async def _begin(work: Work, before: _Chain | None) -> _Chain:
    chain = _Chain(
        chain=1 if before is None else before.chain + 1,
        root=secrets.token_bytes(PREIMAGE_BYTES),
        length=CHAIN_LENGTH,
        used=0,
        committed_at=work.at,
        numbered=await _last_number(work),
        words="" if before is None else before.words,
    )
    await work.connection.execute(sa.insert(sampling_chains).values(columns_of(chain, vdn=work.vdn)))
    end = hashed(chain.root, chain.length).hex()
    work.audit(CHAIN, str(chain.chain), end=end, length=chain.length, numbered=chain.numbered)
    return chain


async def _last_number(work: Work) -> int:
    """The number of the last contact on record, of whichever tenant."""
    query = sa.text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM contact_numbers")
    return int((await work.connection.execute(query)).scalar_one())


async def _change(work: Work, chain: int, **columns: int | str) -> None:
    where = (sampling_chains.c.vdn == work.vdn, sampling_chains.c.chain == chain)
    await work.connection.execute(sa.update(sampling_chains).where(*where).values(columns))


def audited(blocks: Sequence[Block], chains: Sequence[Chain]) -> list[tuple[str, str]]:
    """The rows of the audit that blocks and chains have: action and target."""
    return [(CHAIN, str(chain.chain)) for chain in chains] + [(BLOCK, str(block.block)) for block in blocks]
