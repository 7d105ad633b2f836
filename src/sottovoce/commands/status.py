"""`sottovoce status`: a running server as its operator sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console

from sottovoce.commands.telling import FAILED, ConfigOption, fail, say, settings_of, tabulate
from sottovoce.domain.figures import Figures
from sottovoce.observing import wayside
from sottovoce.observing.reading import Reading
from sottovoce.plain import Unreadable, from_plain
from sottovoce.wording import counted

ANSWER_S = 10.0
Table = tuple[str, Sequence[str], list[tuple[object, ...]]]
"""Its title, heads and rows."""


def status(
    config: ConfigOption = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it again and again, until Ctrl-C.")
    ] = False,
    every: Annotated[float, typer.Option("--every", min=1, help="Seconds between two looks.")] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Show calls, agents, registrations, supervisions and queues of the server that runs here.

    It asks by the socket in the data folder: run it as the server's user or as root, with the server's
    settings. Exit code 1 when no server runs, or it is not ready for calls; the reasons are on standard
    error.

    Example: [bold]sottovoce status --config /etc/sottovoce.toml --watch[/bold]
    """
    data = settings_of(config).data
    while True:
        answer = asked(data)
        if watch and not as_json:
            Console().clear()
        reasons = _told(answer, as_json=as_json)
        if not watch:
            break
        time.sleep(every)
    if reasons:
        raise typer.Exit(FAILED)


def asked(data: Path) -> Any:
    """What the server that serves from that data folder says; the end of the command if there is none."""
    try:
        with wayside.reaching(data) as path:
            transport = httpx.HTTPTransport(uds=path)
            with httpx.Client(transport=transport, base_url="http://operator", timeout=ANSWER_S) as client:
                return client.get("/status").raise_for_status().json()
    except PermissionError:
        fail([f"{data / wayside.NAME} is not ours to ask: run this as the server's user, or as root"])
    except httpx.TimeoutException:
        fail([f"the server of {data} does not answer within {ANSWER_S:g} s"])
    except httpx.ConnectError as failure:
        if isinstance(failure.__cause__, PermissionError) or "ermission" in str(failure):
            fail([f"{data / wayside.NAME} is not ours to ask: run this as the server's user, or as root"])
        fail([f"no server runs from {data} (setting data)"])
    except OSError:
        fail([f"no server runs from {data} (setting data)"])
    except (httpx.HTTPError, ValueError) as failure:
        fail([f"the server of {data} cannot be understood: {failure}"])


def _told(answer: Any, *, as_json: bool) -> tuple[str, ...]:
    """Print it; why the server is not ready."""
    try:
        reading = from_plain(Reading, answer)
    except Unreadable:
        fail(["the server that runs is of another version: start it anew, or use its own sottovoce"])
    if as_json:
        typer.echo(json.dumps({"ready": not reading.not_ready, **answer}, ensure_ascii=False, indent=1))
    else:
        say(_headline(reading))
        for title, heads, rows in _tables(reading):
            typer.echo()
            say(title)
            tabulate(heads, rows, none="none")
    for reason in reading.not_ready:
        say(f"sottovoce: not ready: {reason}", err=True)
    return reading.not_ready


def _headline(reading: Reading) -> str:
    up = reading.at - reading.began_at
    days, rest = up.days, up.seconds
    since = f"{days} d {rest // 3600} h" if days else f"{rest // 3600} h {rest % 3600 // 60} min"
    ready = "ready" if not reading.not_ready else "NOT READY"
    polls = counted(reading.polls, "poll")
    return f"sottovoce {reading.version}, {ready}, up {since}, SIP {reading.sip or 'down'}, {polls}"


def _tables(reading: Reading) -> Iterator[Table]:
    at = reading.at
    registered = {(phone.vdn, phone.number) for phone in reading.phones}

    def ago(since: Any) -> str:
        return "" if since is None else _length((at - since).total_seconds())

    floors = reading.floors
    yield (
        "Agents",
        ("vdn", "agent", "name", "state", "since", "phone", "registered", "call"),
        [
            (
                floor.vdn,
                one.agent,
                one.name,
                one.state.value,
                ago(one.since),
                one.phone,
                "yes" if (floor.vdn, one.phone) in registered else "NO",
                list(one.calls),
            )
            for floor in floors
            for one in floor.agents
        ],
    )
    yield (
        "Calls",
        ("vdn", "call", "direction", "state", "caller", "called", "agent", "since"),
        [
            (
                floor.vdn,
                one.call,
                one.direction.value,
                one.state.value,
                one.caller,
                one.called,
                one.agent,
                ago(one.since),
            )
            for floor in floors
            for one in floor.calls
        ],
    )
    yield (
        "Supervisions",
        ("vdn", "inspector", "agent", "mode", "since"),
        [
            (
                floor.vdn,
                one.inspector,
                one.target,
                "ringing" if one.reaching else one.mode.value,
                ago(one.since),
            )
            for floor in floors
            for one in floor.supervisions
        ],
    )
    yield (
        "Queues",
        ("vdn", "skill", "name", "waiting", "longest", "agents", "free"),
        [
            (floor.vdn, one.skill, one.name, one.waiting, ago(one.since), one.agents, one.free)
            for floor in floors
            for one in floor.queues
        ],
    )
    yield (
        "Queues today",
        ("vdn", "skill", "offered", "answered", "in time", "level", "abandoned", "short", "mean", "longest"),
        [
            (floor.vdn, one.skill, *_today(one.today))
            for floor in floors
            for one in floor.queues
            if one.today.offered
        ],
    )
    yield (
        "Registrations",
        ("vdn", "phones", "numbers"),
        [
            (floor.vdn, count, _numbers(reading, floor.vdn))
            for floor in floors
            if (count := reading.registered()[floor.vdn]) or floor.agents
        ],
    )
    yield "Server", ("what", "state"), list(_server(reading))


def _today(figures: Figures) -> tuple[object, ...]:
    level, average_s = figures.service_level, figures.average_s
    return (
        figures.offered,
        figures.answered,
        figures.answered_in_time,
        "" if level is None else f"{level:.0%}",
        figures.abandoned,
        figures.abandoned_short,
        "" if average_s is None else _length(average_s),
        _length(figures.longest_s),
    )


def _numbers(reading: Reading, vdn: int, most: int = 20) -> str:
    numbers = [phone.number for phone in reading.phones if phone.vdn == vdn]
    return ", ".join(numbers[:most]) + (" …" if len(numbers) > most else "")


def _server(reading: Reading) -> Iterator[tuple[object, ...]]:
    yield "database", "up" if reading.database.why is None else f"AWAY: {reading.database.why}"
    for worker in reading.workers:
        of = worker.figures
        if of is None:
            yield worker.name, "DOWN"
        else:
            ticks = f"tick p99 {of.work_p99_ms:.1f} ms, {counted(of.overruns, 'overrun')}"
            yield worker.name, f"{counted(of.legs, 'leg')}, {ticks}, {counted(of.lost, 'packet')} lost"
    yield "recordings", f"{reading.recordings} being made"
    for one in reading.journals:
        if one.changes or one.lost or one.failed or not one.keeps:
            failing = ", ON A DISK THAT FAILS" if one.failed else ""
            refused = "" if one.keeps else ", NEW CALLS ARE REFUSED"
            waiting = f"waiting: {counted(one.changes, 'change')}, {one.lost} lost"
            yield f"journal of VDN {one.vdn}", f"{waiting}{failing}{refused}"
    for work in reading.database.jobs:
        yield f"jobs {work.job}", f"{work.waiting} waiting, {work.running} running, {work.failed} failed"
    for disk in reading.disks:
        room = (
            "cannot be asked"
            if disk.free is None or not disk.size
            else (f"{disk.free / 2**30:.1f} GiB free of {disk.size / 2**30:.1f}")
        )
        yield f"disk of {disk.folder}", room


def _length(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
