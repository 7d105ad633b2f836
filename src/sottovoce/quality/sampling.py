"""Samples of contacts: the seed is committed, the frame frozen, the draw made, the certificate kept.

Three steps, the first in a transaction of its own: (1) `commit_seed` keeps 32 random bytes and puts
their hash into the audit; (2) `draw` freezes and hashes the frame, all that qualifies at that moment,
and draws from it as `domain.drawing` says; (3) the certificate is kept with the draw, its hash goes
into the audit, and the caller makes the task's items in the same transaction. What the machine has to do
for millions of contacts is done in threads: calls go on meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np

from sottovoce.domain.contacts import Interaction
from sottovoce.domain.directory import VdnId
from sottovoce.domain.drawing import ALGORITHM, SEED_BYTES, Drawing
from sottovoce.domain.frames import BadFrame, Contacts, Frame
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.sampling import (
    CERTIFICATE_VERSION,
    Arrivals,
    Certificate,
    Conditions,
    Drawn,
    Earlier,
    FrameDigest,
)
from sottovoce.errors import Code, Refused
from sottovoce.plain import to_plain
from sottovoce.quality.office import Office
from sottovoce.storage.review import draws, ids
from sottovoce.storage.review.draws import Candidate
from sottovoce.storage.work import Work

COMMITTED, DRAWN = "sampling.commit", "sampling.draw"
"""Actions in the audit; their target is the task."""
MISSING, CHANGED = "recording missing", "no longer to be inspected"
"""Why a contact is passed over. The second: it changed in the moment between frame and draw."""
_LOOKERS = 8
"""Files looked at at once: on a network's storage each look waits."""


async def commit_seed(
    office: Office, vdn: VdnId, user: UserId, task: ReviewId | None = None
) -> tuple[ReviewId, int]:
    """A fresh seed for the sample of `task`, its hash in the audit, in a transaction of its own.

    The task, whose id is made unless given, and the draw.

    What follows may fail: the commitment stays, and a draw without a certificate is seen as such.
    Refused(UNAVAILABLE).
    """
    seed = secrets.token_bytes(SEED_BYTES)
    async with office.work(vdn, user) as work:
        if task is None:
            (task,) = await ids.fresh(work.connection, work.at)
        draw = await draws.commit(work, task, seed)
        work.audit(COMMITTED, task, draw=draw, seed_sha256=hashlib.sha256(seed).hexdigest())
    return task, draw


def sha256_of(certificate: Certificate) -> str:
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
) -> list[Drawn]:
    """The sample of `task`, drawn with the seed of `draw` in the transaction of `work`, in order.

    It is of the contacts that began in `calls_from` ≤ … < `calls_until` (None: open), and of `arrivals`.
    A voice contact whose recording is missing is passed over. Refused(NOTHING_QUALIFIES), (BAD_PARAMETER)
    where more qualify than a frame holds; (WRONG_STATE) where the draw is unknown, another task's, or was
    used already.
    """
    kept = await draws.find(work, draw, lock=True)
    if kept is None or kept.task != task or kept.drawn_at is not None:
        raise Refused(Code.WRONG_STATE, f"draw {draw} cannot be used for task {task}")
    frame = await _freeze(work, office, task, conditions, calls_from, calls_until, arrivals)
    if frame.size == 0:
        raise Refused(Code.NOTHING_QUALIFIES, "no call meets the conditions")
    # Hashing and packing millions takes as long as looking up the drawn: both cores have something to do.
    freezing = asyncio.gather(asyncio.to_thread(frame.sha256), asyncio.to_thread(frame.pack))
    try:
        drawing = await asyncio.to_thread(Drawing, frame, kept.seed, conditions)
        known = await _look(work, office, drawing, conditions.interaction)
    finally:
        digest, packed = await freezing
    if not drawing.drawn:
        raise Refused(
            Code.NOTHING_QUALIFIES,
            f"no recording exists of the {len(drawing.passed_over)} calls looked at",
        )
    certificate = Certificate(
        version=CERTIFICATE_VERSION,
        algorithm=ALGORITHM,
        vdn=int(work.vdn),
        task=task,
        draw=draw,
        conditions=conditions,
        calls_from=calls_from,
        calls_until=calls_until,
        frame=FrameDigest(frame.size, digest),
        seed=kept.seed.hex(),
        commitment=hashlib.sha256(kept.seed).hexdigest(),
        committed_at=kept.committed_at,
        drawn_at=work.at,
        wanted=drawing.wanted,
        drawn=tuple(drawing.drawn),
        passed_over=tuple(drawing.passed_over),
    )
    await draws.keep(work, draw, packed, to_plain(certificate))
    work.audit(DRAWN, task, draw=draw, frame_sha256=digest, certificate_sha256=sha256_of(certificate))
    return [
        Drawn(contact, known[contact].began_at, known[contact].agent, place)
        for place, contact in enumerate(certificate.drawn)
    ]


async def _freeze(
    work: Work,
    office: Office,
    task: ReviewId,
    conditions: Conditions,
    calls_from: datetime | None,
    calls_until: datetime | None,
    arrivals: Arrivals | None,
) -> Frame:
    taken: Contacts | None = None
    if conditions.earlier is not Earlier.ALL:
        taken = await draws.sampled_already(work, but=task)
    parts = await draws.frame(office.engine, work, conditions, calls_from, calls_until, arrivals)
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
