"""`sottovoce agents`: import, list, add, and change passwords."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.commands.telling import (
    WRONG_CALL,
    AsJson,
    ConfigOption,
    OnlyVdn,
    fail,
    quietly,
    run_for,
    run_on,
    say,
    tabulate,
)
from sottovoce.domain.directory import LONGEST_PASSWORD, AgentId, AgentProfile, Right, VdnId
from sottovoce.plain import is_text
from sottovoce.storage.live import directory, seed
from sottovoce.storage.live.passwords import Passwords
from sottovoce.wording import told

commands = typer.Typer(no_args_is_help=True, help="Agents, and the VDN around them.")

FromStdin = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read the password from standard input instead of asking for it."),
]
Agent = Annotated[int, typer.Argument(metavar="AGENT", help="The agent's work number.")]


@commands.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="The seed file.")],
    config: ConfigOption = None,
) -> None:
    """Bring a seed file in: VDNs, skills, access codes, phones, agents, users and groups.

    The file is checked whole, each mistake is told with its line, and nothing is imported unless
    all of it fits. Importing twice changes nothing; what the file does not name stays.

    Example: [bold]sottovoce agents import hotline.yaml[/bold]

    \b
    vdns:
      - vdn: 1
        name: Hotline
        time_zone: Europe/Berlin
        keep: {recordings: 90, contacts: 365}
        outbound_allowed: \\["0", "+43"]
        skills:
          - {skill: 1, name: Sales}
        access_codes:
          - {number: "4000", skill: 1}
        phones:
          - {number: "8001", password: "a long one"}
        agents:
          - agent: 101
            name: Ann
            password: "a long one"
            phone: "8001"
            skills: \\[1]
          - agent: 102
            name: Ida
            password: "a long one"
            rights: \\[inspect, call_out]
            group: 3
        rest_causes:
          - {cause: 1, name: Lunch}
        agent_groups:
          - {group: 3, name: Day shift, leader: 102}
        users:
          - {name: Ann, agent: 101, roles: \\[staff]}
          - {name: Lea, roles: \\[table_leader]}
          - {name: Dora, roles: \\[quality_director], user: "1611917095665261978"}
        groups:
          - {name: Sales, side: table, leaders: \\[Lea], members: \\[Ann]}

    Quality leaders among the leaders of a group of the table side have its agents inspected: the
    samples that they draw are of those agents alone. Who is a table leader, too, answers for all
    agents of groups that they lead; name them in inspected_by, not in leaders, where they do not.

    A user without `user` (an id) is whoever has that agent, else that name in the VDN, else
    somebody new. Plans run by the clock of the VDN's time_zone. Agents may call out to numbers
    that begin as outbound_allowed says, to none without it; + and 00 are the same, and numbers
    abroad (00) and 0900 need an entry that begins so: "0" alone does not open them.

    `keep` says after how many days recordings, transcripts and whole contacts are erased (see
    "sottovoce retention"); without it nothing changes, and at first nothing is ever erased.
    """
    settings = quietly(config)
    read = seed.read(
        file,
        agent_maximum=settings.agents.agent_maximum,
        empty_passwords=settings.agents.empty_passwords,
    )
    report = run_on(
        settings,
        lambda engine: directory.import_seed(engine, read, Passwords(), settings.sip.domain),
    )
    for change in report.changes:
        say(change)
    typer.echo(f"{len(report.changes)} changed or added, {report.unchanged} as they were")


@commands.command("list")
def list_(
    vdn: OnlyVdn = None,
    as_json: AsJson = False,
    config: ConfigOption = None,
) -> None:
    """List the agents.

    Example: [bold]sottovoce agents list --vdn 1[/bold]
    """
    settings = quietly(config)
    found, _ = run_for(settings, vdn, directory.agent_list)
    heads = ("agent", "VDN", "name", "phone", "skills", "rights", "group")
    tabulate(heads, map(_row, found), as_json=as_json)


@commands.command("add")
def add(
    agent: Agent,
    vdn: Annotated[int, typer.Option("--vdn", help="The VDN, which must be there.")],
    name: Annotated[str, typer.Option("--name", help="The agent's name.")],
    phone: Annotated[str | None, typer.Option("--phone", help="A phone of the VDN.")] = None,
    skill: Annotated[
        list[int] | None, typer.Option("--skill", help="A skill queue; may be repeated.")
    ] = None,
    right: Annotated[list[Right] | None, typer.Option("--right", help="A right; may be repeated.")] = None,
    password_stdin: FromStdin = False,
    config: ConfigOption = None,
) -> None:
    """Add one agent to a VDN. Asks for the password.

    Example: [bold]sottovoce agents add 103 --vdn 1 --name Ida --right inspect[/bold]
    """
    settings = quietly(config)
    password = _password(password_stdin)
    try:
        entry = seed.AgentSeed.model_validate(
            {
                "agent": agent,
                "name": name,
                "password": password,
                "phone": phone,
                "skills": skill or [],
                "rights": right or [],
            }
        )
    except ValidationError as failure:
        fail([f"{error['loc'][0]}: {told(error)}" for error in failure.errors()], WRONG_CALL)
    if agent > settings.agents.agent_maximum:
        fail([f"agent {agent} is above agents.agent_maximum ({settings.agents.agent_maximum})"], WRONG_CALL)

    async def work(engine: AsyncEngine) -> None:
        await directory.add_agent(engine, VdnId(vdn), entry, await Passwords().hash(password))

    run_on(settings, work)
    typer.echo(f"agent {agent} added")


@commands.command("password")
def password_(agent: Agent, password_stdin: FromStdin = False, config: ConfigOption = None) -> None:
    """Give an agent another password. Asks for it.

    Example: [bold]sottovoce agents password 103[/bold]
    """
    settings = quietly(config)
    password = _password(password_stdin)

    async def work(engine: AsyncEngine) -> None:
        await directory.set_password(engine, AgentId(agent), await Passwords().hash(password))

    run_on(settings, work)
    typer.echo(f"password of agent {agent} changed")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    if not seed.SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD or not is_text(password):
        fail([f"a password has {seed.SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"], WRONG_CALL)
    return password


def _row(agent: AgentProfile) -> tuple[object, ...]:
    skills, rights = list(agent.skills), sorted(agent.rights)
    return agent.agent, agent.vdn, agent.name, agent.phone, skills, rights, agent.group
