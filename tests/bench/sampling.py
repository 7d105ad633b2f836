"""Drawing a sample from ten million contacts: what `quality.sampling.draw` takes, commit included.

The contacts are made by SQL in a PostgreSQL of their own, run as the server runs its own; the recordings of
all of them are a few thousand empty files.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.bench.tables import Say, Table
from tests.storage.works import work_of

from sottovoce.clock import SystemClock
from sottovoce.config import DatabaseSettings
from sottovoce.domain.contacts import Search
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import SERVER
from sottovoce.domain.sampling import Conditions, Earlier, Quantity
from sottovoce.quality import sampling
from sottovoce.quality.office import Office
from sottovoce.storage.own.opening import opened
from sottovoce.storage.review import contacts, ids

CONTACTS = 10_000_000
MONTHS = 12
YEAR = 2025
AGENTS, FIRST_AGENT = 500, 1001
SOME = tuple(range(FIRST_AGENT, FIRST_AGENT + 50))
FILES = 8192
NEEDED_GB = 10
ROUNDS = 7
VDN = VdnId(1)

_MONTH = sa.text(
    """
    INSERT INTO contacts (
        vdn, began_at, contact, uuid, call, source, ended_at, duration_ms, direction, caller, called, agent,
        skill, ended_by, reason, file_name, recording, uploaded_at, status, analysed_at, analysis,
        machine_score
    )
    SELECT
        1, began, number, gen_random_uuid(), extract(epoch FROM began)::bigint || '-' || number, 'live',
        began + make_interval(secs => spoken), 1000 * spoken,
        CASE WHEN number % 4 = 0 THEN 'outbound' ELSE 'inbound' END,
        '0049' || 30000000 + number * 7919 % 69999999, '4000',
        :agent + (hashint8(number) & 2147483647) % :agents, 1 + number % 5,
        CASE WHEN number % 3 = 0 THEN 'agent' ELSE 'customer' END, 'normal',
        extract(epoch FROM began)::bigint || '-' || number || '.wav',
        to_char(number % 64, 'FM00') || '/customer-and-agent-' || to_char(number % :files, 'FM000000')
            || '.wav',
        began + make_interval(secs => spoken + 5), 2, began + make_interval(secs => spoken + 20),
        '{"duration_s": 71.2, "silence_s": 9.1,'
        ' "customer": {"speech_ratio": 0.41, "silence_s": 12.4, "longest_silence_s": 3.1},'
        ' "agent": {"speech_ratio": 0.38, "silence_s": 14.9, "longest_silence_s": 2.7}}',
        CASE WHEN number % 10 > 0 THEN 40 + (hashint8(number + 1) & 63) END
    FROM (
        SELECT
            number, 15 + (hashint8(number) & 511) AS spoken,
            CAST(:month AS timestamptz) + (number - :first) * interval '27 days' / :count AS began
        FROM generate_series(CAST(:first AS bigint), CAST(:first + :count - 1 AS bigint)) AS number
    ) AS numbered
    """
)


@dataclass(frozen=True)
class Case:
    """One kind of sample."""

    name: str
    conditions: Conditions
    calls_from: datetime | None = None
    calls_until: datetime | None = None


def _month(number: int) -> datetime:
    return datetime(YEAR + (number - 1) // 12, (number - 1) % 12 + 1, 1, tzinfo=UTC)


CASES = [
    Case("10,000 of all 10,000,000", Conditions(Quantity.CALLS, 10_000)),
    Case("20 of each of 500 agents", Conditions(Quantity.PER_AGENT, 20)),
    Case("10,000 of those in no task yet", Conditions(Quantity.CALLS, 10_000, earlier=Earlier.FRESH)),
    Case(
        "1,000 of one month, 50 agents, scores 60 to 80",
        Conditions(
            Quantity.CALLS,
            1_000,
            score_from=60,
            score_to=80,
            agents=tuple(range(FIRST_AGENT, FIRST_AGENT + 50)),
        ),
        _month(6),
        _month(7),
    ),
]


async def measure(say: Say) -> list[Table]:
    """How long building, drawing and listing take; how large it all is."""
    with tempfile.TemporaryDirectory(prefix="sottovoce-bench-") as folder:
        if shutil.disk_usage(folder).free < NEEDED_GB * 2**30:
            return [_without(folder)]
        Path(folder).chmod(0o711)  # as root, PostgreSQL runs as another user, who must reach it
        recordings = Path(folder) / "recordings"
        await asyncio.to_thread(_files, recordings)
        async with opened(DatabaseSettings(), Path(folder)) as engine:
            begun = time.perf_counter()
            await _build(engine, say)
            built_s = time.perf_counter() - begun
            return [await _draws(Office(engine, SystemClock(), recordings), engine, built_s, say)]


def _without(folder: str) -> Table:
    return Table(
        "Sampling", ["what"], [["not measured"]], [f"{folder} has less than {NEEDED_GB} GB to spare."]
    )


def _files(recordings: Path) -> None:
    for number in range(FILES):
        file = recordings / f"{number % 64:02}" / f"customer-and-agent-{number:06}.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


async def _build(engine: AsyncEngine, say: Say) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.text("INSERT INTO vdns (vdn, name) VALUES (1, 'Bench')"))
    done = 0

    async def fill(months: list[int]) -> None:
        nonlocal done
        for month in months:
            first = CONTACTS * (month - 1) // MONTHS + 1
            async with engine.begin() as connection:
                await connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
                await connection.execute(sa.select(sa.func.contacts_month(_month(month))))
                await connection.execute(
                    _MONTH,
                    {
                        "month": _month(month),
                        "first": first,
                        "count": CONTACTS * month // MONTHS + 1 - first,
                        "agent": FIRST_AGENT,
                        "agents": AGENTS,
                        "files": FILES,
                    },
                )
            done += 1
            say(f"sampling: {done} of {MONTHS} months of contacts are there")

    await asyncio.gather(*(fill(list(range(first, MONTHS + 1, 2))) for first in (1, 2)))
    async with engine.begin() as connection:
        await connection.execute(sa.text(f"SELECT setval('contact_numbers', {CONTACTS})"))
    say("sampling: vacuum, which comes by itself otherwise")
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(sa.text("SET statement_timeout = 0"))
        await connection.execute(sa.text("VACUUM (ANALYZE) contacts"))


async def _draws(office: Office, engine: AsyncEngine, built_s: float, say: Say) -> Table:
    rows = []
    for case in CASES:
        times = []
        drawn = frame = packed = 0
        for number in range(ROUNDS):
            say(f"sampling: {case.name}, {number} of {ROUNDS}")
            took, drawn, frame, packed = await _draw(office, case)
            times.append(took)
        rows.append([case.name, f"{frame:,}", f"{drawn:,}", f"{packed / 1000:,.0f}", *_figures(times)])
    one = Search(began_from=_month(6), began_to=_month(7), agents=frozenset({AgentId(FIRST_AGENT)}))
    for name, search in (
        ("the first page, 100, of the list of all contacts", Search()),
        ("… of one agent's in one month", one),
    ):
        say(f"sampling: {name}")
        times = [await _page(engine, search) for _ in range(ROUNDS)]
        rows.append([name, "", "100", "", *_figures(times)])
    async with engine.connect() as connection:
        size, indexes = map(float, (await connection.execute(_SIZES)).one())
    return Table(
        f"A sample of {CONTACTS:,} contacts",
        ["what", "qualify", "drawn", "frame kept, kB", "first, s", "median, s", "longest, s"],
        rows,
        [
            "Bar: 10,000 of 10,000,000 within 2 s. Measured is one transaction, from locking the draw to the"
            " commit with its audit row: the frame is queried, hashed and packed, the sample drawn, the"
            " recording of each drawn contact looked for, frame and certificate kept.",
            f"{ROUNDS} draws each, always of other contacts; the first ones read the index from the disk.",
            f"The contacts: {MONTHS} months, {AGENTS} agents; made by SQL in {built_s:,.0f} s, with vacuum;"
            f" {size / 1e9:.1f} GB on disk, {indexes / 1e9:.1f} GB of it indexes.",
        ],
    )


_SIZES = sa.text(
    """
    SELECT sum(pg_total_relation_size(inhrelid)), sum(pg_indexes_size(inhrelid))
    FROM pg_inherits WHERE inhparent = 'contacts'::regclass
    """
)


async def _draw(office: Office, case: Case) -> tuple[float, int, int, int]:
    """Seconds, and how many were drawn of how many, and the packed frame's bytes."""
    async with office.engine.begin() as connection:
        (task,) = await ids.fresh(connection, office.clock.now())
    _, draw = await sampling.begin(office, VDN, SERVER, task)
    begun = time.perf_counter()
    async with office.work(VDN, SERVER) as work:
        drawn = await sampling.draw(
            work, office, draw, task, case.conditions, case.calls_from, case.calls_until
        )
    took = time.perf_counter() - begun
    query = sa.text(
        "SELECT certificate #> '{frame,size}', length(frame) FROM sampling_draws WHERE draw = :draw"
    )
    async with office.engine.connect() as connection:
        frame, packed = (await connection.execute(query, {"draw": draw})).one()
    return took, len(drawn), frame, packed


async def _page(engine: AsyncEngine, search: Search) -> float:
    """Seconds."""
    begun = time.perf_counter()
    async with engine.connect() as connection:
        _, found = await contacts.page(work_of(connection, VDN), search, offset=0, limit=100)
    assert len(found) == 100
    return time.perf_counter() - begun


def _figures(times: list[float]) -> list[str]:
    return [f"{value:.2f}" for value in (times[0], float(np.median(times)), max(times))]
