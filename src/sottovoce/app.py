"""The composition root: the only place where ports meet what implements them.

`running` is the whole server inside the running event loop; `serve` is `sottovoce serve`.
Started in the order database, media workers, SIP door, floors, HTTP; stopped the other way round, so that
calls end with a BYE and recordings are closed before what carries them goes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce import logs
from sottovoce.clock import Clock, SystemClock
from sottovoce.config import HttpSettings, Settings
from sottovoce.domain.directory import VdnId
from sottovoce.doors.sip.door import SipDoor
from sottovoce.doors.sip.hops import Transport
from sottovoce.errors import Refused
from sottovoce.http.ccgateway.gateway import Gateway
from sottovoce.http.ccgateway.pushes import PushWire
from sottovoce.http.ccsqm.dialect import Quality
from sottovoce.http.server import Server
from sottovoce.http.site import FAMILIES, operators_site, site
from sottovoce.http.tally import Tally
from sottovoce.live.desk import Desk
from sottovoce.live.state import LiveSettings
from sottovoce.media.repair import repair_folder
from sottovoce.media.workers import WorkerEngine
from sottovoce.observing import wayside
from sottovoce.observing.counting import Counting, CountingStore
from sottovoce.observing.observer import Observer, Sources
from sottovoce.observing.reading import JobsReading
from sottovoce.pushing.pusher import Pusher
from sottovoce.pushing.seals import KEY_BYTES, Seals
from sottovoce.quality.jobs import JOBS, Jobs
from sottovoce.quality.office import Office
from sottovoce.quality.sampling import commit_chains
from sottovoce.starting import CannotServe, folders_in_the_way, hindrances
from sottovoce.storage import database
from sottovoce.storage.live import directory
from sottovoce.storage.live.journal import PostgresStore
from sottovoce.storage.live.passwords import Passwords
from sottovoce.storage.live.phonebook import Phonebook
from sottovoce.storage.own import key_file, node, roles
from sottovoce.storage.own.anchor import Anchor
from sottovoce.storage.own.lease import LeaseTaken
from sottovoce.storage.own.opening import opened
from sottovoce.storage.review import jobs as queue
from sottovoce.systemd import Notifier
from sottovoce.tasks import Tasks

log = structlog.get_logger(__name__)

PUSH_KEY = "push.key"
"""In the data folder: what destinations of pushes are sealed with."""
READ_EVERY_S = 2.0
"""How often the directory's revision is looked at: an import takes effect within this time."""


@dataclass(frozen=True, slots=True)
class Running:
    """A server that runs."""

    http_url: str
    sip_host: str
    sip_port: int
    desk: Desk
    office: Office
    database: AsyncEngine
    read_certificate: Callable[[], None]
    """Use what the certificate's files hold now."""


@asynccontextmanager
async def running(settings: Settings, *, over: asyncio.Event | None = None) -> AsyncIterator[Running]:
    """Run the whole server until the block ends. `over` is set when another node has taken a VDN over.

    Raises CannotServe, storage's CannotStart, NodeTaken, LeaseTaken, KeyRefused and DatabaseAway, OSError for
    an address that was taken in that moment, Refused when media workers do not start: all before anything is
    served.
    """
    clock = SystemClock()
    over = over or asyncio.Event()
    async with AsyncExitStack() as stack:
        tasks = Tasks()
        stack.push_async_callback(tasks.close)
        if in_the_way := await asyncio.to_thread(folders_in_the_way, settings):
            raise CannotServe(in_the_way)
        held = await asyncio.to_thread(node.claim, settings.data)
        stack.callback(held.release)
        if in_the_way := await asyncio.to_thread(hindrances, settings):
            raise CannotServe(in_the_way)
        engine = await stack.enter_async_context(opened(settings.database, settings.data))
        await _warn_of_rewriter(engine)
        anchor = await Anchor.open(engine, settings.data, clock, settings.audit.heads_file)
        recordings = settings.recordings_folder
        for repaired in await asyncio.to_thread(_repair, recordings):
            log.warning("recording repaired", path=str(repaired))
        media = WorkerEngine(settings.media, tasks, log=settings.log)
        await media.start()
        stack.push_async_callback(media.close)
        store = PostgresStore(
            engine,
            node=held.name,
            address=f"{settings.http.host}:{settings.http.port}",
            spool_folder=settings.data / "spool",
            lease_seconds=settings.database.lease,
            commit_timeout=settings.database.commit_timeout,
            spool_limit=settings.database.spool_megabytes << 20,
            recordings=recordings,
            on_lost=lambda vdn: over.set(),
            on_keeping=lambda vdn, keeps: desk.keeping(vdn, keeps),
        )
        stack.push_async_callback(anchor.end)  # when the journal has written its last row
        stack.push_async_callback(store.close)
        phonebook = Phonebook()
        door = SipDoor(media, phonebook, settings.sip, settings.network, clock, tasks, journal=store)
        counting = Counting()
        desk = Desk(
            store=CountingStore(store, counting),
            engine=media,
            lines=door,
            passwords=Passwords(),
            clock=clock,
            tasks=tasks,
            settings=LiveSettings(recordings, settings.agents, settings.recordings, settings.media),
        )
        key = await asyncio.to_thread(key_file.random_key, settings.data / PUSH_KEY, KEY_BYTES)
        wire = PushWire(settings.agents.event_times)
        pusher = Pusher(desk, settings.push, Seals(key), wire, clock, tasks)
        stack.push_async_callback(pusher.close)
        directories = Directories(engine, store, phonebook, desk, door, clock)
        revision = await directories.read()
        await door.start()
        stack.push_async_callback(door.stop)
        await desk.open(directories.vdns)
        stack.push_async_callback(desk.close)
        await anchor.begin(directories.vdns, tasks)
        watching = tasks.spawn(directories.watch(revision), name="directory")
        stack.callback(watching.cancel)
        office = Office(_apart(engine, settings), clock, recordings)
        stack.push_async_callback(office.engine.dispose)
        gateway = Gateway(desk, clock, tasks, settings.agents, pusher, office)
        await commit_chains(office)
        if settings.quality.jobs:
            jobs = Jobs(office, tasks, at_once=settings.quality.jobs_at_a_time)
            await jobs.start()
            stack.push_async_callback(jobs.stop)
        tally = Tally(FAMILIES)
        observer = Observer(
            _sources(
                settings,
                desk=desk,
                media=media,
                door=door,
                store=store,
                gateway=gateway,
                tally=tally,
                office=office,
            ),
            counting.registry,
            clock,
            tasks,
        )
        beside = Server(
            operators_site(observer), HttpSettings(), tasks, listener=wayside.bound(settings.data)
        )
        await beside.start()
        stack.push_async_callback(beside.stop)
        server = Server(
            tally.around(
                site(
                    gateway,
                    settings.http,
                    quality=Quality(office, settings.quality),
                    observed=(observer, settings.operators),
                )
            ),
            settings.http,
            tasks,
            before_stop=gateway.end_polls,
            families=FAMILIES,
        )
        await server.start()
        stack.push_async_callback(server.stop)
        gc.freeze()
        scheme = "http" if settings.http.tls_cert is None else "https"
        sip_host, sip_port = door.addresses[Transport.UDP]
        yield Running(
            f"{scheme}://{server.host}:{server.port}",
            sip_host,
            sip_port,
            desk,
            office,
            engine,
            server.read_certificate,
        )


def _sources(
    settings: Settings,
    *,
    desk: Desk,
    media: WorkerEngine,
    door: SipDoor,
    store: PostgresStore,
    gateway: Gateway,
    tally: Tally,
    office: Office,
) -> Sources:
    """What readings are taken from."""

    def sip() -> str | None:
        host, port = door.addresses[Transport.UDP]
        return f"{host}:{port}" if door.listens else None

    async def jobs() -> tuple[JobsReading, ...]:
        async with database.transaction(office.engine) as connection:
            found = [(job, await queue.backlog(connection, job, None)) for job in JOBS]
        return tuple(JobsReading(job, of.waiting, of.running, of.failed, of.oldest_at) for job, of in found)

    return Sources(
        desk=desk,
        sip=sip,
        phones=lambda: door.registered,
        workers=lambda: media.workers,
        ticks=media.ticks,
        recordings=lambda: media.recordings,
        jobs=jobs,
        journals=store.spooled,
        polls=lambda: len(gateway.hanging),
        requests=tally.counts,
        refusals=lambda: door.refusals,
        folders={"data": settings.data, "recordings": settings.recordings_folder},
    )


class Directories:
    """Keeps the phonebook and the floors in step with what is configured."""

    def __init__(
        self,
        engine: AsyncEngine,
        store: PostgresStore,
        phonebook: Phonebook,
        desk: Desk,
        door: SipDoor,
        clock: Clock,
    ) -> None:
        self._engine, self._store, self._phonebook, self._desk = engine, store, phonebook, desk
        self._door, self._clock = door, clock
        self.vdns: list[VdnId] = []
        """Whose floors are here."""

    async def read(self) -> int:
        """Take the leases of VDNs not owned yet, read all profiles and where their phones were registered;
        the revision read.

        Raises as the store does.
        """
        revision = await directory.revision(self._engine)
        vdns = await directory.vdn_ids(self._engine)
        for vdn in vdns:
            await self._store.open(vdn)
        self._phonebook.read([await self._store.profile(vdn) for vdn in vdns])
        for vdn in vdns:
            if vdn not in self.vdns:
                self._door.remember(await self._store.phones(vdn, self._clock.now()))
        self.vdns[:] = vdns
        return revision

    async def watch(self, revision: int) -> None:
        """Read again whenever a command has changed the directory since `revision`. A change that could
        not be read wholly is read again."""
        floors = set(self.vdns)
        while True:
            await asyncio.sleep(READ_EVERY_S)
            try:
                if await directory.revision(self._engine) == revision:
                    continue
                fresh = await self.read()
                for vdn in floors:
                    await self._desk.reload(vdn)
                new = [vdn for vdn in self.vdns if vdn not in floors]
                await self._desk.open(new)
            except (database.DatabaseAway, LeaseTaken, Refused) as failure:
                log.warning("directory not read", reason=str(failure))
            else:
                floors.update(new)
                revision = fresh
                log.info("directory read again", vdns=len(self.vdns))


async def _warn_of_rewriter(engine: AsyncEngine) -> None:
    async with database.transaction(engine) as connection:
        role = await roles.rewriter(connection)
    if role is not None:
        log.warning(
            "the server's database role could write the audit anew", role=role, set="database.owner_dsn"
        )


def _apart(engine: AsyncEngine, settings: Settings) -> AsyncEngine:
    """Connections of the after-call half's own: no crowd there makes a floor wait for one."""
    dsn = engine.url.render_as_string(hide_password=False)
    return database.connect(dsn, connections=settings.quality.connections)


def _repair(recordings: Path) -> list[Path]:
    recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
    return repair_folder(recordings)


def serve(settings: Settings) -> int:
    """`sottovoce serve`: until SIGINT or SIGTERM (0), or until another node takes a VDN over (1)."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> int:
    over, told, again = asyncio.Event(), asyncio.Event(), asyncio.Event()
    systemd = Notifier(os.environ)

    def stop() -> None:
        told.set()
        over.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, again.set)
    tasks = Tasks()
    try:
        async with running(settings, over=over) as server:
            serves = f"HTTP {server.http_url}, SIP {server.sip_host}:{server.sip_port}"
            log.info("sottovoce serves", http=server.http_url, sip=f"{server.sip_host}:{server.sip_port}")
            systemd.ready(serves)
            systemd.watch(tasks)
            tasks.spawn(_read_again(again, server, systemd, serves), name="reload")
            await over.wait()
            systemd.stopping()
            log.info("sottovoce stops", told=told.is_set())
    finally:
        await tasks.close()
    return 0 if told.is_set() else 1


async def _read_again(again: asyncio.Event, server: Running, systemd: Notifier, serves: str) -> None:
    """At each SIGHUP: the certificate and the log's file."""
    while True:
        await again.wait()
        again.clear()
        systemd.reloading()
        logs.reopen()
        server.read_certificate()
        log.info("told to read again: certificate and log")
        systemd.ready(serves)
