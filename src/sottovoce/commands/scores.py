"""`sottovoce contacts show`, `export`, `finding`, `correct`: what is on record of calls, and made right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.commands.sheets import new_sheet
from sottovoce.commands.telling import (
    FAILED,
    WRONG_CALL,
    AsJson,
    Clocks,
    ConfigOption,
    fail,
    office_of,
    quietly,
    run_for,
    run_on,
    say,
    shown,
    tabulate,
)
from sottovoce.domain.contacts import Search
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import SERVER, ReviewId, UserId
from sottovoce.domain.rights import Operation
from sottovoce.domain.scoring import OwnFinding, Passage, RuleResult, ScenarioScores, Scored, Verdict, points
from sottovoce.errors import Code, Refused
from sottovoce.plain import natural
from sottovoce.quality import access, contacts, corrections, inspection, results, score_sheet
from sottovoce.quality.contacts import ShownContact
from sottovoce.quality.corrections import Corrected
from sottovoce.quality.score_sheet import ScoreLine
from sottovoce.storage.review import contacts as stored
from sottovoce.storage.review import plans, users
from sottovoce.wording import counted

Found = TypeVar("Found")

Call = Annotated[str, typer.Argument(metavar="CALL", help="The contact's number or UUID.")]
Vdn = Annotated[int, typer.Option("--vdn", help="The VDN whose contact it is.")]

HEADS = (
    "contact",
    "call_uuid",
    "began_at",
    "duration_s",
    "direction",
    "customer",
    "agent",
    "agent_name",
    "scenario",
    "scenario_name",
    "machine_score",
    "manual_score",
    "inspector",
    "inspected_at",
    "results",
    "violated",
    "corrected",
)
_SPAN = re.compile(r"([0-9]{1,12})-([0-9]{1,12})")
_SCORE = ("scenario", "machine", "manual", "given", "by")
_RESULT = ("scenario", "result", "rule", "found", "corrected", "points", "where_ms", "remark")
_WORDS = {Verdict.KEPT: "kept", Verdict.VIOLATED: "violated", Verdict.NOT_EVALUATED: None}


def show(call: Call, vdn: Vdn, as_json: AsJson = False, config: ConfigOption = None) -> None:
    """Show one contact: its scores by machine and by hand, and what each rule's result is.

    A score by hand stands here once an inspector is through with the call. Times are the VDN's.

    Example: [bold]sottovoce contacts show 17 --vdn 1[/bold]
    """
    settings = quietly(config)

    async def read(engine: AsyncEngine, _: VdnId | None) -> tuple[ShownContact, list[ScenarioScores]]:
        async with office_of(engine, settings).work(VdnId(vdn), SERVER, snapshot=True) as work:
            reach = access.for_the_server(VdnId(vdn), Operation.SHOW_CONTACT)
            found = await stored.called(work, call)
            if found is None:
                raise Refused(Code.NOT_FOUND, f"VDN {work.vdn} has no contact {call}")
            one = await contacts.show(work, reach, found.uuid)
            return one, await results.scores_of(work, one.contact.contact)

    (contact, scores), clocks = _asked(lambda: run_for(settings, vdn, read))
    facts = _facts(contact, clocks)
    if not as_json:
        for name, value in facts.items():
            say(f"{name:<10} {'none' if value is None else shown(value)}")
        tabulate(_SCORE, [_score(one, clocks, VdnId(vdn)) for one in scores], none="no scores yet")
        tabulate(_RESULT, [_result(one, result) for one in scores for result in one.results])
        return
    parts = {
        "scores": [dict(zip(_SCORE, _score(one, clocks, VdnId(vdn)), strict=True)) for one in scores],
        "results": [
            dict(zip(_RESULT, _result(one, result), strict=True)) for one in scores for result in one.results
        ],
    }
    typer.echo(json.dumps(facts | parts, ensure_ascii=False, indent=1, default=datetime.isoformat))


def export(
    vdn: Vdn,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; must not exist.")],
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Calls from this day on.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Calls until this day, it included.")
    ] = None,
    agent: Annotated[int | None, typer.Option("--agent", help="Only those of this agent.")] = None,
    config: ConfigOption = None,
) -> None:
    """Write the scores of all calls to a CSV file: a line for each call and scenario.

    Days are those of the VDN's time zone. The file is UTF-8 with a byte-order mark, as spreadsheets
    want it; a text that they would take for a formula has an apostrophe in front.

    Example: [bold]sottovoce contacts export --vdn 1 --from 2026-11-01 --to 2026-11-30 --out scores.csv[/bold]
    """
    settings = quietly(config)
    wanted = Search(agents=None if agent is None else frozenset([AgentId(agent)]))
    with new_sheet(out, HEADS) as add:

        async def write(engine: AsyncEngine, _: VdnId | None) -> int:
            office, count = office_of(engine, settings), 0
            async with office.work(VdnId(vdn), SERVER, snapshot=True) as work:
                zone = ZoneInfo(await plans.time_zone(work))
                reach = access.for_the_server(VdnId(vdn), Operation.QUERY_CONTACTS)
                async for line in score_sheet.lines(work, reach, _between(wanted, since, until, zone)):
                    add(_row(line, zone))
                    count += 1
            return count

        lines, _ = run_for(settings, vdn, write)
    typer.echo(f"{counted(lines, 'line')} written to {out}")


def finding(
    call: Call,
    vdn: Vdn,
    item: Annotated[str, typer.Option("--item", help="The item of the review task, 18 to 20 digits.")],
    user: Annotated[str, typer.Option("--user", help="The user whose item it is.")],
    scenario: Annotated[str, typer.Option("--scenario", help="Its id or name.")],
    rule: Annotated[str, typer.Option("--rule", help="The id of one of its rules.")],
    violated: Annotated[bool, typer.Option("--violated/--kept", help="What became of the rule.")],
    remark: Annotated[str, typer.Option("--remark", help="Why.")],
    at: Annotated[
        list[str] | None, typer.Option("--at", metavar="MS-MS", help="Where in the recording; repeatable.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="What the rule is called, if nothing says so.")] = "",
    deducts: Annotated[
        str | None, typer.Option("--points", help="What a violation deducts, if nothing says so.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Enter what an inspector found by themselves on a call of their review task.

    The rule must be one of a scenario that is on and meant for such calls. It is called and deducts what
    its other results say; the first one says it with --name and --points. The finding counts when the
    call is finished, and is corrected like any result; the audit says that it came by this command.

    Example: [bold]sottovoce contacts finding 17 --vdn 1 --item 1772442000000000041[/bold]
    [bold]--user 1600226476732482572 --scenario Sales --rule r7 --violated --remark "no name"[/bold]
    [bold]--at 1200-3400[/bold]
    """
    for option, text in (("--item", item), ("--user", user)):
        if natural(text) is None:
            fail([f"{option}: {text!r} is no id: up to 20 digits"], WRONG_CALL)
    settings = quietly(config)
    entered = OwnFinding(
        scenario, rule, not violated, remark, tuple(map(_passage, at or ())), name, _deduction(deducts)
    )

    async def enter(engine: AsyncEngine) -> str:
        async with office_of(engine, settings).work(VdnId(vdn), UserId(user)) as work:
            inspector = await users.find(work, work.user)
            if inspector is None:
                raise Refused(Code.NOT_FOUND, f"VDN {vdn} has no user {user}")
            reach = access.granted(inspector, Operation.REVISE_RESULT)
            result = await inspection.enter_finding(work, reach, ReviewId(item), call, entered)
            work.audit("command.finding", result, item=item)
            return result

    typer.echo(_asked(lambda: run_on(settings, enter)))


def correct(
    call: Call,
    vdn: Vdn,
    why: Annotated[str, typer.Option("--why", help="The reason, for the record.")],
    began_at: Annotated[str | None, typer.Option("--began-at", help="When it began, as in a CSV.")] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="The agent's work number.")] = None,
    caller: Annotated[str | None, typer.Option("--caller", help="Who called.")] = None,
    called: Annotated[str | None, typer.Option("--called", help="Who was called.")] = None,
    direction: Annotated[str | None, typer.Option("--direction", help="inbound or outbound.")] = None,
    skill: Annotated[str | None, typer.Option("--skill", help="Number of the skill queue.")] = None,
    ended_by: Annotated[str | None, typer.Option("--ended-by", help="agent, customer or system.")] = None,
    config: ConfigOption = None,
) -> None:
    """Correct an imported contact. What it said before stays as a version, and the audit tells it.

    An empty text takes a value away. Begin and agent stay once a review task has the contact, the
    agent while an appeal about it is open.

    Example: [bold]sottovoce contacts correct 17 --vdn 1 --agent 102 --why "wrong in the list"[/bold]
    """
    settings = quietly(config)
    values = (began_at, agent, caller, called, direction, skill, ended_by)
    given = {name: text for name, text in zip(corrections.FIELDS, values, strict=True) if text is not None}

    async def write(engine: AsyncEngine) -> Corrected:
        async with office_of(engine, settings).work(VdnId(vdn), SERVER) as work:
            found = await stored.called(work, call)
            if found is None:
                raise Refused(Code.NOT_FOUND, f"VDN {work.vdn} has no contact {call}")
            return await corrections.correct(work, found.contact, given, why)

    done = _asked(lambda: run_on(settings, write))
    for warning in done.warnings:
        say(f"sottovoce: warning: {warning}", err=True)
    typer.echo(f"contact {done.contact.contact} corrected; this is version {done.version}")


def _asked(ask: Callable[[], Found]) -> Found:
    """What was asked for, or the end of the command."""
    try:
        return ask()
    except Refused as declined:
        wrong = declined.code in (Code.NOT_FOUND, Code.BAD_PARAMETER, Code.NOBODY)
        fail([str(declined)], WRONG_CALL if wrong else FAILED)


def _between(wanted: Search, since: datetime | None, until: datetime | None, zone: ZoneInfo) -> Search:
    last = None if until is None else until.replace(tzinfo=zone) + timedelta(days=1, microseconds=-1)
    return replace(wanted, began_from=None if since is None else since.replace(tzinfo=zone), began_to=last)


def _passage(text: str) -> Passage:
    span = _SPAN.fullmatch(text.strip())
    if span is None:
        fail([f"--at: {text!r} must be a stretch such as 1200-3400, in milliseconds"], WRONG_CALL)
    return Passage(int(span[1]), int(span[2]))


def _deduction(text: str | None) -> Decimal | None:
    try:
        return None if text is None else points(text)
    except ValueError as wrong:
        fail([f"--points: {wrong}"], WRONG_CALL)


def _facts(shown: ShownContact, clocks: Clocks) -> dict[str, object]:
    contact = shown.contact
    return {
        "contact": contact.contact,
        "uuid": str(contact.uuid),
        "began": clocks.of(contact.vdn, contact.began_at),
        "length_ms": contact.length_ms,
        "agent": contact.agent,
        "name": shown.name,
        "customer": contact.number,
        "others": ", ".join(f"{number} ({name})" for name, number in contact.parties.items()) or None,
        "direction": contact.direction.value,
        "recording": contact.recording,
        "call_data": contact.call_data or None,
        "cut": contact.recording_failure,
        "paused_ms": " ".join(
            f"{span.begin_ms}-{span.end_ms} by {pause.by}"
            for span, pause in zip(contact.unrecorded, contact.pauses, strict=True)
        )
        or None,
        "state": contact.analysis.failure or contact.status.name.lower().replace("_", " "),
    }


def _points(scored: Scored | None) -> str | None:
    return None if scored is None else str(scored.score.score)


def _score(scores: ScenarioScores, clocks: Clocks, vdn: VdnId) -> tuple[object, ...]:
    manual = scores.manual
    given = (None, None) if manual is None else (clocks.of(vdn, manual.at), manual.user)
    return scores.scenario.name, _points(scores.machine), _points(manual), *given


def _result(scores: ScenarioScores, result: RuleResult) -> tuple[object, ...]:
    return (
        scores.scenario.name,
        result.result,
        result.name,
        _WORDS[result.verdict],
        _WORDS[result.revised],
        str(result.points),
        " ".join(f"{one.start_ms}-{one.end_ms}" for one in result.segments),
        None if result.revision is None else result.revision.remark,
    )


def _row(line: ScoreLine, zone: ZoneInfo) -> tuple[object, ...]:
    contact, scores = line.shown.contact, line.scores
    machine, manual = scores.machine, scores.manual
    return (
        contact.contact,
        str(contact.uuid),
        _moment(contact.began_at, zone),
        contact.duration_s,
        contact.direction.value,
        contact.number,
        contact.agent,
        line.shown.name,
        scores.scenario.scenario,
        scores.scenario.name,
        None if machine is None else machine.score.score,
        None if manual is None else manual.score.score,
        line.inspector,
        "" if manual is None else _moment(manual.at, zone),
        len(scores.results),
        sum(one.final is Verdict.VIOLATED for one in scores.results),
        sum(one.revised is not Verdict.NOT_EVALUATED for one in scores.results),
    )


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")
