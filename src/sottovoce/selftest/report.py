"""Prints what a selftest found: the matrix per step, then the figures and their verdicts."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from sottovoce.phones.tones import ToneVerdict
from sottovoce.selftest.findings import Cell, Delays, Findings, Party, StepFound

_SHORT = {Party.CUSTOMER: "C", Party.AGENT: "A", Party.COLLEAGUE: "B", Party.INSPECTOR: "I"}


class ProofReport:
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
                "[bold]who hears whom[/bold]  C customer, A agent, B colleague, I inspector; "
                "each sends its own tone, each phone is listened to for a second\n",
                soft_wrap=True,
            )
            heads = "".join(f"{letter + ' hears':>9}" for letter in _SHORT.values())
            self._console.print(f"    {'step':36}{heads}   as expected")
        self._number += 1
        line = Text(f"{self._number:3} {found.name:36}")
        if found.failure is not None:
            line.append(f"could not be taken: {found.failure}", "bold red")
        else:
            for listener in _SHORT:
                cells = [cell for cell in found.cells if cell.listener is listener]
                line.append(f"{_heard(cells):>9}", "" if all(c.right for c in cells) else "bold red")
            line.append(
                "   yes" if found.right else f"   NO: {_mistakes(found)}",
                "green" if found.right else "bold red",
            )
        self._console.print(line, soft_wrap=True)

    def end(self, found: Findings) -> None:
        """The figures, and the verdict."""
        self._console.print()
        for leak in found.leaks:
            self._figure(
                "whisper on the customer's leg",
                f"{leak.before_dbov:.1f} dBov before, {leak.during_dbov:.1f} during ({leak.rise_db:+.1f} dB)",
                leak.right,
            )
        if (same := found.same_bytes) is not None:
            self._figure(
                "customer's bytes with and without it",
                f"{same.packets} packets, {same.differing} differ (in-process engine)",
                same.right,
            )
        if (delays := found.delays) is not None:
            for name, times in (("on", delays.on_ms), ("off", delays.off_ms)):
                self._figure(f"request to ear, whisper {name}", _times(times, delays), bool(times))
        if (path := found.path) is not None:
            self._figure(
                "lost, agent to customer",
                f"{path.to_customer_lost} of {path.to_customer_received} packets,"
                f" {path.gaps} of {path.watched} frames silent",
                path.to_customer_right,
            )
            self._figure(
                "lost, customer to agent",
                f"{path.to_agent_lost} of {path.to_agent_received} packets",
                path.to_agent_right,
            )
            self._figure(
                "level change while supervised", f"{path.level_change_db:.2f} dB at most", path.level_right
            )
        if (echo := found.echo) is not None:
            self._figure("echo at the customer, agent's headset", f"{echo.headset_dbov:.1f} dBov")
            self._figure(
                "echo at the customer, loudspeaker",
                f"{echo.loudspeaker_dbov:.1f} dBov where the microphone hears it 6 dB softer; "
                + ("the inspector was warned" if echo.warned else "the inspector was not warned"),
                echo.right,
            )
        self._console.print()
        if found.left_out:
            self._console.print(
                f"{len(found.left_out)} steps with several parties not taken: the stage names no colleague."
            )
        if found.right:
            cells = sum(len(step.cells) for step in found.steps)
            self._console.print(f"[bold green]All {cells} cells of {len(found.steps)} steps are right.[/]")
            return
        wrong = [step.name for step in found.steps if step.failure is None and not step.right]
        what = "; ".join([*([found.failure] if found.failure else []), *wrong]) or "see above"
        self._console.print(Text(f"Wrong: {what}", "bold red"))

    def _figure(self, name: str, value: str, right: bool | None = None) -> None:
        line = Text(f"{name:38}{value}")
        if right is not None:
            line.append("  right" if right else "  WRONG", "green" if right else "bold red")
        self._console.print(line, soft_wrap=True)


def _heard(cells: list[Cell]) -> str:
    letters = "".join(
        _SHORT[cell.talker] + ("?" if cell.verdict is ToneVerdict.UNCLEAR else "")
        for cell in cells
        if cell.verdict is not ToneVerdict.SILENT
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
