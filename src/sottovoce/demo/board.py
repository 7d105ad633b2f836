"""The table in the terminal, or plain lines where output is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from sottovoce.demo.afterwards import Picture
from sottovoce.demo.meters import Heard
from sottovoce.demo.people import DemoAgent

_BARS = 8
WIDE = 78
"""Columns from which on the table has a customer beside the agent."""
_FEW = 4
"""Agents of whom each has a row, whatever they do: a terminal may have 24 lines."""
_SOFTEST_DBOV, _LOUDEST_DBOV = -46.0, -14.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be shown at one moment."""

    agents: Sequence[DemoAgent]
    heard: Sequence[Heard]
    names: Mapping[str, str]
    """Customer's number to name."""
    inspector: str
    afterwards: Picture = field(default_factory=Picture)

    def at(self, listener: str) -> list[Heard]:
        """What `listener` could hear: one entry for each talker."""
        return [one for one in self.heard if one.listener == listener]


def meter(one: Heard) -> Text:
    """A talker's name and its level as bars; grey while not heard."""
    if one.level_dbov is None:
        return Text(f"{one.talker} …", "dim")
    if not one.heard:
        return Text(f"{one.talker} {'·' * _BARS}", "dim")
    span = (one.level_dbov - _SOFTEST_DBOV) / (_LOUDEST_DBOV - _SOFTEST_DBOV)
    full = max(1, min(_BARS, round(span * _BARS))) if one.speaking else 0
    return Text(f"{one.talker} {'█' * full}{'░' * (_BARS - full)}", "bold green" if one.speaking else "green")


def board(scene: Scene, width: int) -> RenderableType:
    """All that is shown, in so many columns: 40 are enough, from 80 on customers stand beside agents."""
    wide = width >= WIDE
    return Group(
        table(scene) if wide else narrow_table(scene),
        panel(scene.afterwards) if wide else narrow_panel(scene.afterwards),
    )


def table(scene: Scene) -> Table:
    """Who is in which call and who hears whom, now; 80 columns are enough."""
    shown = _table(("agent", 14), ("hears", 21), ("customer", 11), ("hears", 21))
    for agent in _shown(scene):
        name = _customer(scene, agent)
        shown.add_row(
            _agent(agent),
            _stack(scene.at(agent.person.name)),
            name,
            _stack(scene.at(name) if agent.customer else []),
        )
    _add_others(shown, scene)
    shown.add_section()
    shown.add_row(Text(scene.inspector, "bold"), _at_inspector(scene), "", "")
    return shown


def narrow_table(scene: Scene) -> Table:
    """The same with customers below their agents."""
    shown = _table(("who", 14), ("hears", 21))
    for agent in _shown(scene):
        shown.add_row(_agent(agent), _stack(scene.at(agent.person.name)))
        if agent.customer:
            name = _customer(scene, agent)
            shown.add_row(f"  {name}", _stack(scene.at(name)))
    _add_others(shown, scene)
    shown.add_section()
    shown.add_row(Text(scene.inspector, "bold"), _at_inspector(scene))
    return shown


def _table(*columns: tuple[str, int]) -> Table:
    shown = Table(
        title="who hears whom, as their phones hear it", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1)
    )
    for heading, width in columns:
        shown.add_column(heading, no_wrap=True, min_width=width)
    return shown


def _shown(scene: Scene) -> list[DemoAgent]:
    """The agents with a row of their own: of many only those who do something."""
    if len(scene.agents) <= _FEW:
        return list(scene.agents)
    return [agent for agent in scene.agents if agent.customer or agent.supervised]


def _add_others(shown: Table, scene: Scene) -> None:
    others = len(scene.agents) - len(_shown(scene))
    if others:
        shown.add_row(Text(f"{others} more", "dim"), Text("wait for calls", "dim"))


def _agent(agent: DemoAgent) -> Group:
    lines = [Text(f"{agent.person.agent} {agent.person.name}", "bold")]
    lines.append(Text("on hold" if agent.held else agent.state))
    lines += [Text(f"{mode} by {who}", "bold yellow") for who, mode in agent.supervised.items()]
    return Group(*lines)


def _customer(scene: Scene, agent: DemoAgent) -> str:
    return scene.names.get(agent.customer, agent.customer)


def _at_inspector(scene: Scene) -> RenderableType:
    heard = scene.at(scene.inspector)
    return _stack(heard) if heard else Text("nobody", "dim")


def panel(picture: Picture) -> Table:
    """What became of the calls; 80 columns are enough."""
    shown = Table(
        title="afterwards, as the quality interfaces tell it",
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1),
    )
    for heading in _facts(picture):
        shown.add_column(heading, no_wrap=True)
    shown.add_row(*_facts(picture).values())
    return shown


def narrow_panel(picture: Picture) -> Table:
    """The same, a fact a line."""
    shown = Table(title="afterwards", title_justify="left", box=None, show_header=False, padding=(0, 1))
    for heading, fact in _facts(picture).items():
        shown.add_row(heading, fact)
    return shown


def _facts(picture: Picture) -> dict[str, str]:
    return {
        "contacts": str(picture.contacts),
        "review tasks": str(picture.tasks),
        "inspected": f"{picture.done} of {picture.items}",
        "plan ran": f"{picture.plan_runs} times" if picture.plan_runs != 1 else "once",
        "next run (UTC)": _next_run(picture),
    }


def _next_run(picture: Picture) -> str:
    return f"{picture.next_run:%Y-%m-%d %H:%M:%S}" if picture.next_run else "after two calls"


def _stack(heard: Iterable[Heard]) -> RenderableType:
    found = [meter(one) for one in heard]
    return Group(*found) if found else Text("")


class Plain:
    """Lines for logs and pipes: one whenever something changed."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._said: dict[str, str] = {}

    def show(self, scene: Scene) -> None:
        """Print a line for each thing that is not as it was."""
        for agent in scene.agents:
            name = scene.names.get(agent.customer, agent.customer)
            modes = ", ".join(f"inspector {who} {mode}s" for who, mode in agent.supervised.items())
            line = f"agent {agent.person.agent} {'on hold' if agent.held else agent.state}"
            line += f" with {name}" if name else ""
            line += f"; {modes}" if modes else ""
            self._tell(f"state {agent.person.agent}", line)
            self._hears(scene, agent.person.name)
            if agent.customer:
                self._hears(scene, name)
        self._hears(scene, scene.inspector)
        if (picture := scene.afterwards) != Picture():
            self._tell(
                "afterwards",
                f"afterwards: contacts {picture.contacts}, review tasks {picture.tasks}, inspected "
                f"{picture.done} of {picture.items}, plan ran {picture.plan_runs}, next run "
                f"{_next_run(picture)}",
            )

    def _hears(self, scene: Scene, listener: str) -> None:
        heard = scene.at(listener)
        if any(one.level_dbov is None for one in heard):
            return
        names = ", ".join(one.talker for one in heard if one.heard) or "nobody"
        if heard or f"hears {listener}" in self._said:
            self._tell(f"hears {listener}", f"{listener} hears {names}")

    def _tell(self, key: str, line: str) -> None:
        if self._said.get(key) != line:
            self._said[key] = line
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)
