"""The entry of `sottovoce demo`."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from sottovoce import logs
from sottovoce.app import Running
from sottovoce.client.ccgateway import Gateway
from sottovoce.client.ccsqm import Quality
from sottovoce.clock import SystemClock
from sottovoce.demo import board, paste
from sottovoce.demo.afterwards import DIRECTOR, REVIEWER, Afterwards, AppKey, Picture, app_key, staff
from sottovoce.demo.meters import Heard, LiveMeters, look, pairs
from sottovoce.demo.people import (
    Customer,
    DemoAgent,
    Person,
    sign_out,
    start_agent,
    start_customer,
    start_inspector,
)
from sottovoce.demo.proving import prove, prove_afterwards
from sottovoce.demo.trial import password, trial_server, trunk_host
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.phones.phone import Phone
from sottovoce.tasks import Tasks

ACCESS_CODE = "4000"
INSPECTOR, SOFTPHONE = 301, "8302"
_AGENT_NAMES = ("Ann", "Ben", "Cem", "Dan", "Emil", "Fay", "Gus", "Hana", "Ivo", "Jo")
"""None of them is a user's: `afterwards.staff` names them all in one VDN."""
_CUSTOMERS = (
    ("Mrs Miller", "+493012340001"),
    ("Mr Jones", "+442079460002"),
    ("Mr Stewart", "+441314960003"),
    ("Ms Rivera", "+12025550104"),
)
_REFRESH_S = 0.5
_BRIEF_S = 7.0
"""How long the first call of two customers is, so that there is something to inspect afterwards."""
_HOURS = {"supervision_lease": 600.0, "sign_out_after": 3600.0}
"""curl polls nothing: an inspector at the command line is not sent away for it."""


def main(*, agents: int = 3, seconds: float | None = None, prove: bool = False) -> int:
    """Run the demo until Ctrl-C or SIGTERM, for `seconds`, or (`prove`) until the walk has been taken.

    The exit code is 0, or 1 when `prove` found anything wrong.
    """
    logs.configure("error")
    console = Console(highlight=False)
    return asyncio.run(_until_stopped(console, agents, seconds, proving=prove))


async def _until_stopped(console: Console, agents: int, seconds: float | None, *, proving: bool) -> int:
    """The demo in a task of its own: a signal cancels it, and it then puts everything away."""

    async def outcome() -> int | Exception:
        try:
            return await Demo(console, agents).run(seconds, proving=proving)
        except Exception as failure:  # told by the command line, which knows what people can mend
            return failure

    show: asyncio.Task[int | Exception] = Tasks().spawn(outcome(), name="demo")
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not show.cancelling():  # impatience must not interrupt the putting away
            show.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, end)
    await asyncio.wait([show])
    if show.cancelled():
        return 0
    result = show.result()
    if isinstance(result, Exception):
        raise result
    return result


class Demo:
    """One run of the demo."""

    def __init__(self, console: Console, agents: int) -> None:
        self._console = console
        self._staff = [
            Person(
                name=f"{_AGENT_NAMES[n % 10]}{'' if n < 10 else n // 10 + 1}",
                number=str(8101 + n),
                voice=f"agent-{n % 3 + 1}",
                password=password(),
                agent=101 + n,
                agent_password=password(),
            )
            for n in range(agents)
        ]
        accounts = trunk_host() is None
        self._public = [
            Person(
                name,
                str(8901 + n) if accounts else number,
                f"customer-{n + 1}",
                password() if accounts else "",
            )
            for n, (name, number) in enumerate(_CUSTOMERS)
        ]
        self._inspector = Person("inspector", "8301", "inspector", password(), INSPECTOR, password())
        self._softphone_password = password()
        self._clock = SystemClock()
        self._meters = LiveMeters()
        self._agents: list[DemoAgent] = []
        self._customers: list[Customer] = []
        self._phone: Phone | None = None
        self._afterwards: Afterwards | None = None

    async def run(self, seconds: float | None, *, proving: bool) -> int:
        """Everything, and everything put away again."""
        self._console.print("starting a server, a database and a telephone exchange of its own ...")
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(trial_server(self.vdn(), agents=_HOURS))
            gateway = Gateway(server.http_url)
            stack.push_async_callback(gateway.close)
            await self._start_people(server, gateway, stack)
            key = await app_key(server)
            afterwards = await self._look_after(server, key, stack)
            self._say(server, self._written(server, key, stack))
            if proving:
                return await self._prove(gateway, afterwards)
            try:
                async with asyncio.timeout(seconds):
                    await self._show()
            except TimeoutError:
                pass
            finally:
                self._console.print("putting everything away ...")
        return 0

    def vdn(self) -> Mapping[str, Any]:
        """The seed file's entry."""
        phones = [*self._staff, self._inspector, *(person for person in self._public if person.password)]
        inspector = self._inspector
        return {
            "vdn": 1,
            "name": "Demo",
            "skills": [{"skill": 1, "name": "Hotline"}],
            "access_codes": [{"number": ACCESS_CODE, "skill": 1}],
            "phones": [
                *({"number": person.number, "password": person.password} for person in phones),
                {"number": SOFTPHONE, "password": self._softphone_password},
            ],
            "agents": [
                *(
                    {
                        "agent": person.agent,
                        "name": person.name,
                        "password": person.agent_password,
                        "phone": person.number,
                        "skills": [1],
                    }
                    for person in self._staff
                ),
                {
                    "agent": inspector.agent,
                    "name": "Ida",
                    "password": inspector.agent_password,
                    "phone": inspector.number,
                    "rights": ["inspect"],
                },
            ],
            **staff(self._staff, inspector),
        }

    async def _look_after(self, server: Running, key: AppKey, stack: AsyncExitStack) -> Afterwards:
        """Keep an eye on what becomes of the calls."""
        quality = Quality(server.http_url, key.key, key.secret, DIRECTOR)
        stack.push_async_callback(quality.close)
        self._afterwards = Afterwards(quality)
        tasks = Tasks()
        tasks.spawn(self._afterwards.live(), name="afterwards")
        stack.push_async_callback(tasks.close)
        return self._afterwards

    async def _start_people(self, server: Running, gateway: Gateway, stack: AsyncExitStack) -> None:
        """Everybody takes their place; the customers begin to call."""
        sip = Hop(Transport.UDP, server.sip_host, server.sip_port)
        tasks = Tasks()
        for person in self._staff:
            agent = await start_agent(person, gateway, sip)
            stack.push_async_callback(sign_out, agent)
            await stack.enter_async_context(agent.client.polling())
            self._agents.append(agent)
        self._phone = await start_inspector(self._inspector, sip)
        stack.push_async_callback(self._phone.stop)
        for number, person in enumerate(self._public):
            customer = await start_customer(person, sip, trunk_host() or "127.0.0.1", number)
            stack.push_async_callback(customer.phone.stop)
            self._customers.append(customer)
        stack.push_async_callback(tasks.close)
        brief = min(len(self._staff), len(self._customers) - 1) - 1
        for customer in self._customers[
            brief : brief + 2
        ]:  # the last to be served at once, the first to wait
            customer.first_s = _BRIEF_S
        for number, customer in enumerate(self._customers):
            tasks.spawn(customer.live(sip, ACCESS_CODE, 0.5 + 1.5 * number), name=customer.person.name)

    def _written(self, server: Running, key: AppKey, stack: AsyncExitStack) -> Path:
        """The file with what to paste, which goes with the demo."""
        inspector, target = self._inspector, self._staff[0].agent
        live = paste.lines(
            server.http_url, inspector.agent, inspector.agent_password, inspector.number, target
        )
        after = paste.afterwards_lines(server.http_url, key.key, key.secret, DIRECTOR, REVIEWER)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="sottovoce-demo-"))
        file = Path(folder) / "paste.txt"
        file.write_text(paste.text(live, after))
        return file

    def _say(self, server: Running, lines: Path) -> None:
        """Where to find what to paste, and what to hear."""
        say = partial(self._console.print, soft_wrap=True, markup=False)
        say(f"\nHTTP {server.http_url}   SIP {server.sip_host}:{server.sip_port} (UDP and TCP)\n")
        say("To listen and to whisper, paste the lines of this file into another terminal, one by one:")
        say(f"\n    cat {lines}\n", style="bold")
        if shutil.which("curl") is None:
            say("They need curl, which is not installed here: apt-get install curl\n", style="yellow")
        say("The inspector's built-in phone answers and speaks by itself; its meters are below.")
        say(
            f"To listen with your own ears, register a softphone on this machine: user {SOFTPHONE},"
            f" password {self._softphone_password}, server {server.sip_host}:{server.sip_port}, codec G.711;"
            f' and sign in with "phonenum":"{SOFTPHONE}" instead.\n'
            "Ctrl-C ends the demo and leaves nothing behind.\n"
        )

    async def _show(self) -> None:
        """Show the table, or lines, for ever."""
        if not self._console.is_terminal or self._console.is_dumb_terminal:
            plain = board.Plain(self._console)
            while True:
                plain.show(await self._scene())
                await asyncio.sleep(_REFRESH_S)
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                scene = await self._scene()
                live.update(board.board(scene, self._console.width), refresh=True)
                await asyncio.sleep(_REFRESH_S)

    async def _scene(self) -> board.Scene:
        names = {customer.person.number: customer.person.name for customer in self._customers}
        picture = self._afterwards.picture if self._afterwards is not None else Picture()
        return board.Scene(self._agents, await self._listen(), names, self._inspector.name, picture)

    async def _listen(self) -> list[Heard]:
        """The meters of this moment."""
        by_number = {customer.person.number: customer.phone for customer in self._customers}
        looks = [
            look(listener, call, talkers)
            for listener, call, talkers in pairs(self._agents, by_number, self._phone)
        ]
        return await asyncio.to_thread(self._meters.work, looks, self._clock.monotonic())

    async def _prove(self, gateway: Gateway, afterwards: Afterwards) -> int:
        """Sign the inspector in and walk, with an agent whose call lasts; then with a review task."""
        client = gateway.agent(self._inspector.agent)
        await client.sign_in(self._inspector.agent_password, self._inspector.number, releasephone=True)
        for customer in self._customers:
            customer.talk_s = (600.0, 900.0)
        async with client.polling():
            agent = await self._talking_agent()
            right = await prove(
                client,
                agent,
                self._listen,
                lambda: self._roles(agent),
                self._meters.forget,
                self._console,
            )
            await client.sign_out()
        ended = await prove_afterwards(afterwards, self._console)
        self._console.print("everything was heard as it should be" if right else "something was WRONG")
        return 0 if right and ended else 1

    async def _talking_agent(self) -> DemoAgent:
        while True:
            for agent in self._agents:
                if agent.state == "talking" and agent.customer and agent.customer not in self._brief():
                    return agent
            await asyncio.sleep(0.1)

    def _brief(self) -> set[str]:
        """The numbers of customers who will soon hang up."""
        return {customer.person.number for customer in self._customers if customer.brief}

    def _roles(self, agent: DemoAgent) -> Mapping[str, str]:
        names = {customer.person.number: customer.person.name for customer in self._customers}
        roles = {agent.person.name: "agent", self._inspector.name: "inspector"}
        if agent.customer in names:
            roles[names[agent.customer]] = "customer"
        return roles


if __name__ == "__main__":
    sys.exit(main())
