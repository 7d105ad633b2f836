"""Work that nobody waits for, by procrastinate: analyses of recordings, plans and reserved tasks due.

Two tasks run between `start` and `stop`. The *worker* is procrastinate's: it takes jobs, a few at a time, in
this process; they await the database or a thread and never compute here. The *watch* looks every few
seconds whether a plan or a reserved task has come due, and puts off one `come_due` where it has: what
is due stands in the rows of plans and tasks, so a job that is lost is put off anew, and one too many
finds nothing to do (`quality.plans`). Any number of servers do this on one database.

A database that is away ends the worker; it begins anew once the database is back. Jobs of a server that
died go back into the queue when it has not been heard of for half a minute.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from procrastinate.jobs import Job
from psycopg_pool import PoolTimeout

from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId
from sottovoce.errors import Code, Refused
from sottovoce.quality import contacts, plans, retention, tasks
from sottovoce.quality.office import Office
from sottovoce.quality.recordings import StillRecording
from sottovoce.storage.database import CONNECT_TIMEOUT, DatabaseAway, transaction
from sottovoce.storage.review import jobs as queue
from sottovoce.storage.review import plans as plan_rows
from sottovoce.storage.review import tasks as task_rows
from sottovoce.storage.review.contacts import ANALYSE
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

Analyse = Callable[[Office, VdnId, int], Awaitable[object]]

COME_DUE = "come_due"
TIDY = "tidy"
RETAIN = "retain"
JOBS = (ANALYSE, COME_DUE)
"""The kinds of job whose backlog says something."""
AT_ONCE = 2
"""Jobs of one server that run at the same time; what is due goes first and waits for one analysis at most."""
WATCH_EVERY_S = 3.0
AGAIN_AFTER_S = 3.0
"""Between two attempts to reach the database."""
POLL_EVERY_S = 5.0
"""Between two looks for jobs whose time has come; of new ones the database tells at once."""
STOP_WITHIN_S = 3.0
_FINISH_WITHIN_S = 1.5
_SILENT_S = 30.0
"""A server whose heartbeat is older is dead; three of its beats."""
_LONGEST_JOB_S = 3600.0
_KEEP_FAILED_H = 7 * 24
_URGENT = 10
_ATTEMPTS = 8
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 10.0, 600.0
_RESERVED = "reserved tasks"
_AWAY = (ProcrastinateException, psycopg.Error, PoolTimeout, DatabaseAway, OSError)


class Jobs:
    """The worker and the watch of one server."""

    def __init__(
        self,
        office: Office,
        spawner: Tasks,
        *,
        at_once: int = AT_ONCE,
        watch_every_s: float = WATCH_EVERY_S,
        again_after_s: float = AGAIN_AFTER_S,
        poll_every_s: float = POLL_EVERY_S,
        analyse: Analyse = contacts.analyse,
    ) -> None:
        self._office, self._spawner, self._analyse = office, spawner, analyse
        self._watch_every_s, self._again_after_s = watch_every_s, again_after_s
        self._poll_every_s, self._at_once = poll_every_s, at_once
        self._running: set[asyncio.Task[Any]] = set()
        self._pauses: dict[str, _Pause] = {}

    async def start(self) -> None:
        """Begin. Waits for nothing: a database that is away is waited for by the tasks."""
        self._running = {
            self._spawner.spawn(self._work(), name="jobs"),
            self._spawner.spawn(self._watch(), name="jobs watch"),
        }

    async def stop(self) -> None:
        """End, within little more than `STOP_WITHIN_S`; jobs not done by then go back into the queue."""
        running, self._running = self._running, set()
        for timeout in (STOP_WITHIN_S, 0.5):
            for task in running:
                task.cancel()
            if running:
                _, running = await asyncio.wait(running, timeout=timeout)

    async def _work(self) -> None:
        """Run procrastinate's worker, again and again."""
        away = False
        while True:
            try:
                async with transaction(self._office.engine) as connection:
                    await connection.exec_driver_sql("SELECT 1")
                away = False
                await self._take_jobs()
                log.warning("jobs interrupted", reason="the worker ended")
            except _AWAY as failure:
                if not away:
                    log.warning("jobs interrupted", reason=_reason(failure))
                away = True
            except Exception:
                log.exception("jobs failed")
            await asyncio.sleep(self._again_after_s)

    async def _take_jobs(self) -> None:
        app = self._app()
        async with app.open_async():
            log.debug("jobs are taken")
            await app.run_worker_async(
                queues=[queue.QUEUE],
                name="jobs",
                concurrency=self._at_once,
                fetch_job_polling_interval=self._poll_every_s,
                delete_jobs="successful",
                install_signal_handlers=False,
                shutdown_graceful_timeout=_FINISH_WITHIN_S,
                stalled_worker_timeout=_SILENT_S,
            )

    def _app(self) -> procrastinate.App:
        """A fresh one, with connections of its own: those of the use cases do not see the queue's schema."""
        url = self._office.engine.url.set(drivername="postgresql")
        connector = procrastinate.PsycopgConnector(
            conninfo=url.render_as_string(hide_password=False),
            min_size=1,
            max_size=self._at_once,
            num_workers=1,
            timeout=CONNECT_TIMEOUT,
            reconnect_timeout=CONNECT_TIMEOUT,
            kwargs={
                "connect_timeout": CONNECT_TIMEOUT,
                "application_name": "sottovoce jobs",
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
                "options": f"-c search_path={queue.SCHEMA} -c timezone=UTC",
            },
        )
        app = procrastinate.App(connector=connector)

        async def analyse_contact(vdn: int, contact: int) -> None:
            await self._analyse_contact(VdnId(vdn), contact)

        async def come_due() -> None:
            await self._come_due()

        async def tidy(timestamp: int) -> None:
            await self._tidy(app, hourly=timestamp % 3600 == 0)

        app.task(name=ANALYSE, queue=queue.QUEUE, retry=_Again())(analyse_contact)
        app.task(name=COME_DUE, queue=queue.QUEUE)(come_due)

        async def retain(timestamp: int) -> None:
            await self._retain()

        app.periodic(cron="23 */6 * * *")(app.task(name=RETAIN, queue=queue.QUEUE)(retain))
        app.periodic(cron="* * * * *")(app.task(name=TIDY, queue=queue.QUEUE)(tidy))
        return app

    async def _watch(self) -> None:
        """Put off what has come due. What one look misses, the next one sees."""
        away = False
        while True:
            try:
                await self._look()
                away = False
            except DatabaseAway as failure:
                if not away:
                    log.warning("what is due is not known", reason=str(failure))
                away = True
            except Exception:
                log.exception("watch failed")
            await asyncio.sleep(self._watch_every_s)

    async def _look(self) -> None:
        now = self._office.clock.now()
        async with transaction(self._office.engine) as connection:
            found = [str(plan) for _, plan in await plan_rows.coming_due(connection, now)]
            if await task_rows.due(connection, now):
                found.append(_RESERVED)
            if not all(self._paused(what) for what in found):
                await queue.defer(connection, COME_DUE, {}, queueing_lock=COME_DUE, priority=_URGENT)

    async def _come_due(self) -> None:
        """Do all that is due. What fails is left alone for a while, and keeps nothing else waiting."""
        try:
            for vdn, plan in await plans.coming_due(self._office):
                await self._attempt(str(plan), self._run_plan, vdn, plan)
            await self._attempt(_RESERVED, self._put_into_effect)
        except Refused as declined:
            log.warning("not done what is due", reason=str(declined))

    async def _attempt(self, what: str, act: Callable[..., Awaitable[None]], *arguments: object) -> None:
        if self._paused(what):
            return
        try:
            await act(*arguments)
        except Exception as failure:
            if isinstance(failure, Refused) and failure.code is Code.UNAVAILABLE:
                raise
            before = self._pauses.get(what)
            length = _FIRST_PAUSE_S if before is None else min(2 * before.length_s, _LONGEST_PAUSE_S)
            self._pauses[what] = _Pause(time.monotonic() + length, length)
            log.exception("due, and failed", what=what, again_after_s=length)
        else:
            self._pauses.pop(what, None)

    def _paused(self, what: str) -> bool:
        pause = self._pauses.get(what)
        return pause is not None and time.monotonic() < pause.until

    async def _run_plan(self, vdn: VdnId, plan: ReviewId) -> None:
        began = time.monotonic()
        run = await plans.run(self._office, vdn, plan)
        if run is not None:
            log.info(
                "plan run",
                vdn=vdn,
                plan=plan,
                due=run.due_at.isoformat(),
                missed=run.missed,
                task=run.task,
                failure=run.failure,
                seconds=round(time.monotonic() - began, 3),
            )

    async def _put_into_effect(self) -> None:
        done = await tasks.reserved_due(self._office, self._office.clock.now())
        if done:
            log.info("reserved tasks in effect", tasks=done)

    async def _analyse_contact(self, vdn: VdnId, contact: int) -> None:
        began = time.monotonic()
        told = log.bind(vdn=vdn, contact=contact)
        try:
            await self._analyse(self._office, vdn, contact)
        except asyncio.CancelledError:
            told.info("analysis put back: the server stops")
            raise
        except (StillRecording, Refused) as failure:
            told.info("analysis put off", reason=str(failure))
            raise
        except Exception:
            told.exception("analysis failed")
            raise
        told.info("contact analysed", seconds=round(time.monotonic() - began, 3))

    async def _retain(self) -> None:
        """Erase what is over its time, in every VDN; one that fails keeps the others from nothing."""
        for vdn in await retention.tenants(self._office):
            try:
                done = await retention.run(self._office, vdn)
            except Exception:
                log.exception("nothing erased by age", vdn=vdn)
                continue
            erased = {f"{kind.value}s": number for kind, number in done.erased.items() if number}
            if erased or done.files or done.sources:
                log.info("erased by age", vdn=vdn, files=done.files, sign_in_sources=done.sources, **erased)

    async def _tidy(self, app: procrastinate.App, *, hourly: bool) -> None:
        """Give back what dead servers had taken; forget failures after a week."""
        try:
            async with transaction(self._office.engine) as connection:
                back = await queue.give_back(connection, _SILENT_S, _LONGEST_JOB_S)
                left = await queue.backlog(connection, ANALYSE, None)
        except DatabaseAway as failure:
            log.warning("jobs not given back", reason=str(failure))
            return
        if back:
            log.warning("jobs given back", jobs=back)
        if left.waiting:
            log.info("recordings wait for analysis", waiting=left.waiting, running=left.running)
        if hourly:
            await app.job_manager.delete_old_jobs(
                nb_hours=_KEEP_FAILED_H, include_failed=True, include_cancelled=True, include_aborted=True
            )


def _reason(failure: BaseException) -> str:
    """The first line of what went wrong; procrastinate's own exceptions only wrap it."""
    cause = failure.__cause__ if isinstance(failure, ProcrastinateException) else failure
    return next(iter(str(cause or failure).strip().splitlines()), type(failure).__name__)


@dataclass(frozen=True, slots=True)
class _Pause:
    until: float
    """On the monotonic clock."""
    length_s: float


class _Again(procrastinate.BaseRetryStrategy):
    """Whatever fails is tried again after 3, 9, 27 … seconds, three hours in all; at once after a stop."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> procrastinate.RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return procrastinate.RetryDecision(retry_in={"seconds": 0})
        if job.attempts >= _ATTEMPTS:
            return None
        return procrastinate.RetryDecision(retry_in={"seconds": 3 ** (job.attempts + 1)})
