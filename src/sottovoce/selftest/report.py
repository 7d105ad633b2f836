"""Prints what a selftest found: the matrix per step, then the figures and their verdicts."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sottovoce.phones.tones import Verdict
from sottovoce.selftest.findings import Cell, Delays, Findings, Party, StepFound

_SHORT = {Party.CUSTOMER: "C", Party.AGENT: "A", Party.INSPECTOR: "I"}
_ROWS = tuple(Party)


class Report:
    """Prints each step as it comes, and the rest at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._number = 0
        self._headed = False

    def step(self, found: StepFound) -> None:
        """One line of the matrix: for each listener the parties heard, wrong ones named."""
        if not self._headed:
            self._headed = True
            self._console.print(
                "[bold]who hears whom[/bold]  C customer, A agent, I inspector; "
                "each sends its own tone, each phone is listened to for a second\n"
            )
            self._console.print(f"    {'step':32}{'C hears':>9}{'A hears':>9}{'I hears':>9}   as expected")
        self._number += 1
        line = Text(f"{self._number:3} {found.name:32}")
        if found.failure is not None:
            line.append(f"could not be taken: {found.failure}", "bold red")
        else:
            for listener in _ROWS:
                cells = [cell for cell in found.cells if cell.listener is listener]
                line.append(f"{_heard(cells):>9}", "" if all(c.right for c in cells) else "bold red")
            line.append(
                "   yes" if found.right else f"   NO: {_mistakes(found)}",
                "green" if found.right else "bold red",
            )
        self._console.print(line)

    def end(self, found: Findings) -> None:
        """The figures, and the verdict."""
        console = self._console
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2))
        for leak in found.leaks:
            table.add_row(
                "whisper on the customer's leg",
                f"{leak.before_dbov:.1f} dBov before, {leak.during_dbov:.1f} during ({leak.rise_db:+.1f} dB)",
                _verdict(leak.right),
            )
        if found.same_bytes is not None:
            same = found.same_bytes
            table.add_row(
                "customer's bytes with and without it",
                f"{same.packets} packets, {same.differing} differ (in-process engine)",
                _verdict(same.right),
            )
        if found.delays is not None:
            for name, times in (("on", found.delays.on_ms), ("off", found.delays.off_ms)):
                table.add_row(
                    f"request to ear, whisper {name}", _times(times, found.delays), _verdict(bool(times))
                )
        if (path := found.path) is not None:
            table.add_row(
                "lost on agent -> customer",
                f"{path.to_customer_lost} of {path.to_customer_received} packets, {path.gaps} silent frames",
            )
            table.add_row(
                "lost on customer -> agent", f"{path.to_agent_lost} of {path.to_agent_received} packets"
            )
            table.add_row("level change while supervised", f"{path.level_change_db:.2f} dB at most")
        if found.echo is not None:
            table.add_row(
                "echo of the whisper by the agent's microphone",
                f"{found.echo.headset_dbov:.1f} dBov with a headset, "
                f"{found.echo.loudspeaker_dbov:.1f} dBov beside a loudspeaker (20 dB softer)",
            )
        console.print()
        console.print(table)
        wrong = [step for step in found.steps if not step.right]
        console.print()
        if found.right:
            cells = sum(len(step.cells) for step in found.steps)
            console.print(
                f"[bold green]All {cells} cells of {len(found.steps)} steps are right.[/bold green]"
            )
        else:
            console.print(
                f"[bold red]Wrong: {found.failure or ''}"
                f"{'; '.join(step.name for step in wrong if step.failure is None)}[/bold red]"
            )


def _heard(cells: list[Cell]) -> str:
    letters = "".join(
        _SHORT[cell.talker] + ("?" if cell.verdict is Verdict.UNCLEAR else "")
        for cell in cells
        if cell.verdict is not Verdict.SILENT
    )
    return letters or "-"


def _mistakes(found: StepFound) -> str:
    return ", ".join(
        f"{cell.listener} {'should' if cell.expected else 'must not'} hear {cell.talker} "
        f"({cell.level_dbov:.0f} dBov)"
        for cell in found.cells
        if not cell.right
    )


def _times(times: tuple[float, ...], delays: Delays) -> str:
    if not times:
        return "never"
    ordered = sorted(times)
    missed = f", {delays.missed} never came" if delays.missed else ""
    return f"{ordered[0]:.0f} to {ordered[-1]:.0f} ms, median {ordered[len(ordered) // 2]:.0f} ms{missed}"


def _verdict(right: bool) -> Text:
    return Text("right", "green") if right else Text("WRONG", "bold red")
