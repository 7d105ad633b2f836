"""Samples of contacts: a block is closed, the frame frozen, the draw made, the certificate kept.

Three steps, the first in a transaction of its own: (1) `begin` closes the block of all contacts numbered so
far, which decides their lots, and puts the draw down; (2) `draw` freezes and hashes the frame, all that
qualifies at that moment, and takes the lowest lots as `domain.lots` says; (3) the certificate is kept with
the draw, its hash goes into the audit, and the caller makes the task's items in the same transaction. Lots
belong to contacts: who draws again from the same contacts gets the same sample. What the machine has to do
for millions of contacts is done in threads: calls go on meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np

from sottovoce.domain import lots as lots_rules
from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import VdnId
from sottovoce.domain.drawing import Drawing
from sottovoce.domain.frames import BadFrame, Contacts, Frame
from sottovoce.domain.lots import ALGORITHM
from sottovoce.domain.people import SERVER, ReviewId, UserId
from sottovoce.domain.sampling import (
    CERTIFICATE_VERSION,
    AnyCertificate,
    Arrivals,
    Certificate,
    Conditions,
    DrawnCall,
    Earlier,
    FrameDigest,
)
from sottovoce.domain.verifying import keyed
from sottovoce.errors import Code, Refused
from sottovoce.plain import to_plain
from sottovoce.quality.office import Office
from sottovoce.storage.review import draws, ids, lots
from sottovoce.storage.review.draws import Candidate
from sottovoce.storage.work import Work
from sottovoce.wording import counted

BEGUN, DRAWN = "sampling.begin", "sampling.draw"
"""Actions in the audit; their target is the task."""
MISSING, CHANGED = "recording missing", "no longer to be inspected"
"""Why a contact is passed over. The second: it changed in the moment between frame and draw."""
_LOOKERS = 8
"""Files looked at at once: on a network's storage each look waits."""


async def commit_chains(office: Office) -> None:
    """Have a chain on record for every tenant that has none. Refused(UNAVAILABLE)."""
    async with office.transaction() as connection:
        missing = await lots.without(connection)
    for vdn in missing:
        async with office.work(vdn, SERVER) as work:
            await lots.commit(work)


async def begin(
    office: Office, vdn: VdnId, user: UserId, task: ReviewId | None = None, *, maker: UserId | None = None
) -> tuple[ReviewId, int]:
    """Begin a draw for `task`, in a transaction of its own: the lots of all contacts so far are decided.

    The task, whose id is made unless given, and the draw. `maker`: who has it drawn, if it is not the user.

    What follows may fail: that it was begun stays on record. Refused(UNAVAILABLE).
    """
    async with office.work(vdn, user) as work:
        if task is None:
            (task,) = await ids.fresh(work.connection, work.at)
        block = await lots.close(work)
        number = None if block is None else block.block
        draw = await draws.begin(work, task, maker or user, number)
        work.audit(BEGUN, task, draw=draw, block=number or 0)
    return task, draw


def sha256_of(certificate: AnyCertificate) -> str:
    """The hash, hexadecimal, of the certificate as JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(to_plain(certificate), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


async def draw(
    work: Work,
    office: Office,
    draw: int,
    task: ReviewId,
    conditions: Conditions,
    calls_from: datetime | None,
    calls_until: datetime | None,
    arrivals: Arrivals | None = None,
) -> tuple[DrawnCall, ...]:
    """The sample of `task`, as `draw` in the transaction of `work`, in order.

    It is of the contacts that began in `calls_from` ≤ … < `calls_until` (None: open), and of `arrivals`; of
    those that were numbered when the draw was begun. A voice contact whose recording is missing is passed
    over. Refused(NOTHING_QUALIFIES), (BAD_PARAMETER) where more qualify than a frame holds; (WRONG_STATE)
    where the draw is unknown, another task's, or was used already.
    """
    kept = await draws.find(work, draw, lock=True)
    if kept is None or kept.task != task or kept.drawn_at is not None or kept.maker is None:
        raise Refused(Code.WRONG_STATE, f"draw {draw} cannot be used for task {task}")
    await draws.hold_facts(work)
    last = await lots.numbered(work, kept.block)
    frame = await _freeze(work, office, task, conditions, calls_from, calls_until, arrivals, last)
    if frame.size == 0:
        raise Refused(Code.NOTHING_QUALIFIES, "no call meets the conditions")
    first, last = frame.bounds
    chains, blocks = await lots.touched(work, first, last)
    # Hashing and packing millions takes as long as looking up the drawn: both cores have something to do.
    freezing = asyncio.gather(asyncio.to_thread(frame.sha256), asyncio.to_thread(frame.pack))
    try:
        keys, _ = keyed(chains, blocks)
        drawing = await asyncio.to_thread(lots_rules.drawing, frame, keys, conditions)
        known = await _look(work, office, drawing, conditions.interaction)
    finally:
        digest, packed = await freezing
    if not drawing.drawn:
        raise Refused(
            Code.NOTHING_QUALIFIES,
            f"no recording exists: {counted(len(drawing.passed_over), 'call')} looked at",
        )
    past, before = await draws.fates(work, kept.maker, conditions.interaction, first, last, but=draw)
    certificate = Certificate(
        version=CERTIFICATE_VERSION,
        algorithm=ALGORITHM,
        vdn=int(work.vdn),
        task=task,
        draw=draw,
        maker=kept.maker,
        conditions=conditions,
        calls_from=calls_from,
        calls_until=calls_until,
        arrivals=arrivals,
        frame=FrameDigest(frame.size, digest),
        chains=tuple(chains),
        blocks=tuple(blocks),
        begun_at=kept.committed_at,
        drawn_at=work.at,
        wanted=drawing.wanted,
        drawn=await _bound(work, [known[contact] for contact in drawing.drawn]),
        passed_over=tuple(drawing.passed_over),
        before=tuple(before),
        before_in_all=past,
    )
    await draws.keep(work, draw, packed, to_plain(certificate), first, last)
    work.audit(DRAWN, task, draw=draw, frame_sha256=digest, certificate_sha256=sha256_of(certificate))
    return certificate.drawn


async def _bound(work: Work, drawn: Sequence[Candidate]) -> tuple[DrawnCall, ...]:
    begins = [one.began_at for one in drawn]
    found = await draws.bindings(work, [one.contact for one in drawn], (min(begins), max(begins)))
    return tuple(found[one.contact][0] for one in drawn)


async def _freeze(
    work: Work,
    office: Office,
    task: ReviewId,
    conditions: Conditions,
    calls_from: datetime | None,
    calls_until: datetime | None,
    arrivals: Arrivals | None,
    last: int,
) -> Frame:
    taken: Contacts | None = None
    if conditions.earlier is not Earlier.ALL:
        taken = await draws.sampled_already(work, but=task)
    parts = await draws.frame(office.engine, work, conditions, calls_from, calls_until, arrivals, last)
    try:
        return await asyncio.to_thread(_frame, parts, conditions, taken)
    except BadFrame as failure:
        raise Refused(Code.BAD_PARAMETER, f"the conditions are too wide: {failure}") from failure


def _frame(parts: Sequence[Mapping[int, Contacts]], conditions: Conditions, taken: Contacts | None) -> Frame:
    found = {
        stratum: np.concatenate([part[stratum] for part in parts if stratum in part])
        for stratum in {stratum for part in parts for stratum in part}
    }
    if taken is not None:
        fresh = conditions.earlier is Earlier.FRESH
        found = {stratum: some[np.isin(some, taken, invert=fresh)] for stratum, some in found.items()}
    return Frame.of(found)


async def _look(
    work: Work, office: Office, drawing: Drawing, interaction: Interaction
) -> dict[int, Candidate]:
    """Carry the draw through, passing over what lost its recording; all contacts looked at."""
    known: dict[int, Candidate] = {}
    with ThreadPoolExecutor(_LOOKERS, "recordings") as threads:
        while wanted := await asyncio.to_thread(drawing.candidates):
            found = await draws.candidates(work, interaction, wanted)
            unfit = {contact: CHANGED for contact in wanted if contact not in found}
            if interaction is Interaction.VOICE:
                unfit |= dict.fromkeys(
                    await _missing(threads, office.recordings, list(found.values())), MISSING
                )
            drawing.looked(unfit)
            known |= found
    return known


async def _missing(threads: ThreadPoolExecutor, folder: Path, candidates: Sequence[Candidate]) -> list[int]:
    """Those whose recording is no file (any more). Relative paths begin at `folder`."""
    loop = asyncio.get_running_loop()
    parts = [candidates[first::_LOOKERS] for first in range(_LOOKERS)]
    looks = (loop.run_in_executor(threads, _missing_of, folder, part) for part in parts if part)
    return [contact for missing in await asyncio.gather(*looks) for contact in missing]


def _missing_of(folder: Path, candidates: Sequence[Candidate]) -> list[int]:
    return [
        one.contact
        for one in candidates
        if one.recording is not None and not (folder / one.recording).is_file()
    ]
