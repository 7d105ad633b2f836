"""Phones that are not ours: pjsua2, one process each, commanded over pipes.

The independent witness: signalling, jitter buffer, codec and recorder are pjproject's. Only the
reading of the recorded WAV (tones in a window) is done here, in the parent.

    async with Pjsua2Phone.start("agent", tone=557) as phone:
        await phone.register("127.0.0.1", 5060, "8001", "secret")
        await phone.expect("connected")
        heard = await phone.hear()

Each process holds one account and at most four calls (the wheel's limit), plays one WAV with its
tone into every call that has media, and records what the calls bring. Its log goes to a file
beside the WAVs. pjsip's debug assertions abort a process that destroys things in the wrong order,
so a phone ends with `os._exit` once its calls are hung up.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sottovoce.domain.audio import RATE
from sottovoce.phones import tones
from sottovoce.phones.tones import Hearing, Samples

TRIES = 6
PATIENCE_S = 20.0
"""How long a test waits for something that must come; nothing is measured with it."""


@dataclass(frozen=True)
class Heard:
    """One recording of what a phone hears: its least disturbed second, and all of it."""

    hearing: Hearing
    samples: Samples
    residue_dbov: float
    """What is in that second and is no tone."""

    @property
    def tones(self) -> frozenset[int]:
        return self.hearing.heard


def steadiest(samples: Samples, among: Sequence[int]) -> Heard:
    """The whole second of a recording that holds least beside tones."""
    frame = RATE // 50
    starts = range(samples.size % frame, samples.size - tones.WINDOW + 1, frame)
    windows = [samples[start : start + tones.WINDOW] for start in reversed(starts)]
    second = min(windows, key=lambda window: tones.residue(window, among))
    return Heard(tones.levels(second, among), samples, tones.residue(second, among))


class Pjsua2Phone:
    """The parent's end of one phone process. `events` are what it said, in order."""

    def __init__(self, name: str, folder: Path, process: asyncio.subprocess.Process) -> None:
        self.name = name
        self.folder = folder
        self.port = 0
        self._process = process
        self._events: list[dict[str, Any]] = []
        self._news = asyncio.Condition()
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._serial = 0

    @staticmethod
    @asynccontextmanager
    async def start(
        name: str, *, tone: int | None = None, host: str = "127.0.0.1", codec: str = "PCMU/8000/1"
    ) -> AsyncIterator[Pjsua2Phone]:
        """A running phone; its process is gone when the block ends."""
        with tempfile.TemporaryDirectory(prefix=f"pjsua2-{name}-") as folder:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                __file__,
                folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=1 << 20,
            )
            phone = Pjsua2Phone(name, Path(folder), process)
            reader = asyncio.create_task(phone._read(), name=f"pjsua2 {name}")
            try:
                ready = await phone.do("start", host=host, tone=tone, codec=codec)
                phone.port = int(ready["port"])
                yield phone
            finally:
                await phone._end()
                await reader

    # -- commands

    async def do(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Give one command and return its answer; AssertionError with pjsip's words if it failed."""
        assert self._process.stdin is not None
        self._serial += 1
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._serial] = answer
        line = json.dumps({"id": self._serial, "do": command, **arguments})
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        result = await asyncio.wait_for(answer, PATIENCE_S)
        assert "error" not in result, f"{self.name}: {command}: {result['error']}\n{self._log_tail()}"
        return result

    async def register(
        self, host: str, port: int, username: str, password: str, *, transport: str = "udp"
    ) -> None:
        """Register and wait for the registrar's 200."""
        await self.do(
            "register", host=host, port=port, username=username, password=password, transport=transport
        )
        event = await self.expect("registered", "refused")
        assert event["event"] == "registered", f"{self.name}: REGISTER answered {event['code']}"

    async def call(self, uri: str) -> None:
        """Send an INVITE; `ringing`, `connected` or `gone` events follow."""
        await self.do("call", uri=uri)

    async def auto_answer(self, on: bool = True, *, after_ms: int = 0) -> None:
        """Whether coming calls are answered by themselves (180 first)."""
        await self.do("auto_answer", on=on, after_ms=after_ms)

    async def answer(self, code: int = 200) -> None:
        await self.do("answer", code=code)

    async def hold(self) -> None:
        await self.do("hold")

    async def unhold(self) -> None:
        await self.do("unhold")

    async def hang_up(self, code: int = 0) -> None:
        """End all calls of this phone."""
        await self.do("hang_up", code=code)

    async def send_digits(self, digits: str) -> None:
        await self.do("digits", digits=digits)

    async def say(self, tone: int | None) -> None:
        """Change the tone that is sent, or send digital silence."""
        await self.do("say", tone=tone)

    async def calls(self) -> int:
        """How many calls it has now."""
        return int((await self.do("calls"))["calls"])

    async def hear(
        self, *, seconds: float = 1.4, settle_s: float = 0.0, among: Sequence[int] = tones.TONES
    ) -> Heard:
        """Record what the calls bring for `seconds`, and look at its least disturbed whole second.

        Recorded again, some times, while there is none without a lost frame: a busy machine loses some.
        """
        if settle_s:
            await asyncio.sleep(settle_s)
        best: Heard | None = None
        for _ in range(TRIES):
            heard = steadiest(await self._record(seconds), among)
            if best is None or heard.residue_dbov < best.residue_dbov:
                best = heard
            if best.residue_dbov < tones.STEADY_BELOW_DBOV:
                break
        assert best is not None
        return best

    async def _record(self, seconds: float) -> Samples:
        path = str((await self.do("record"))["path"])
        await asyncio.sleep(seconds)
        await self.do("record_end")
        await asyncio.wait_for(_closed(Path(path)), PATIENCE_S)
        with wave.open(path) as file:
            assert file.getframerate() == RATE
            assert file.getnchannels() == 1
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.int16)
        assert samples.size >= tones.WINDOW, f"{self.name} recorded {samples.size} samples only"
        return samples

    # -- events

    @property
    def events(self) -> tuple[dict[str, Any], ...]:
        """What it said so far and nobody took with `expect`."""
        return tuple(self._events)

    async def expect(self, *names: str) -> dict[str, Any]:
        """Take the first event of one of these names, waiting for it; others stay."""

        async def found() -> dict[str, Any]:
            async with self._news:
                while True:
                    for event in self._events:
                        if event["event"] in names:
                            self._events.remove(event)
                            return event
                    await self._news.wait()

        try:
            return await asyncio.wait_for(found(), PATIENCE_S)
        except TimeoutError:
            raise AssertionError(
                f"{self.name}: none of {names} came; it said {self._events}\n{self._log_tail()}"
            ) from None

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            waiting = self._answers.pop(message.get("id", 0), None)
            if waiting is not None:
                if not waiting.done():
                    waiting.set_result(message)
            else:
                async with self._news:
                    self._events.append(message)
                    self._news.notify_all()
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_result({"error": "the phone's process ended"})
        self._answers.clear()

    async def _end(self) -> None:
        if self._process.returncode is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), 5.0)
            except TimeoutError:
                self._process.kill()
                await self._process.wait()

    def _log_tail(self) -> str:
        log = self.folder / "pjsua.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""


async def _closed(path: Path) -> None:
    """Wait until pjmedia, which closes a recorder on its own time, has written the header's length."""
    while True:
        head = path.read_bytes()[:44] if path.exists() else b""
        if len(head) == 44 and int.from_bytes(head[40:44], "little"):
            return
        await asyncio.sleep(0.02)


# -- the phone's own process: pjsua2 is imported here only


def tone_file(folder: Path, hz: int | None) -> Path:
    """A WAV of five minutes of a tone or silence: pjmedia's player drops a frame wherever it begins anew."""
    path = folder / f"tone-{hz}.wav"
    second = np.zeros(RATE, dtype=np.int16) if hz is None else tones.tone(hz, RATE)
    samples = np.tile(second, 300)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def phone_process(folder: Path) -> None:
    """Serve commands on standard input until it closes."""
    import select

    import pjsua2 as pj

    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    endpoint = pj.Endpoint()
    state: dict[str, Any] = {"auto": False, "after_ms": 0, "player": None, "recorder": None, "count": 0}
    calls: dict[int, Any] = {}
    later: list[tuple[float, int]] = []

    def say(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")

    class Call(pj.Call):  # type: ignore[misc]
        def onCallState(self, prm: Any) -> None:
            info = self.getInfo()
            if info.state == pj.PJSIP_INV_STATE_EARLY:
                say(event="ringing", code=int(info.lastStatusCode))
            elif info.state == pj.PJSIP_INV_STATE_CONFIRMED:
                say(event="connected")
            elif info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
                say(event="gone", code=int(info.lastStatusCode), reason=info.lastReason)
                calls.pop(info.id, None)
                gone.append(self)

        def onCallMediaState(self, prm: Any) -> None:
            info = self.getInfo()
            for index, media in enumerate(info.media):
                if media.type != pj.PJMEDIA_TYPE_AUDIO:
                    continue
                if media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                    audio = self.getAudioMedia(index)
                    state["player"].startTransmit(audio)
                    # A stream that nobody reads fills its jitter buffer, which then discards for ever.
                    audio.startTransmit(endpoint.audDevManager().getPlaybackDevMedia())
                    if state["recorder"] is not None:
                        audio.startTransmit(state["recorder"])
                say(event="media", status=int(media.status), direction=int(media.dir))

        def onDtmfDigit(self, prm: Any) -> None:
            say(event="digit", digit=prm.digit)

    class Account(pj.Account):  # type: ignore[misc]
        def onRegState(self, prm: Any) -> None:
            if prm.code // 100 == 2:
                say(event="registered" if self.getInfo().regIsActive else "unregistered")
            else:
                say(event="refused", code=int(prm.code))

        def onIncomingCall(self, prm: Any) -> None:
            call = Call(self, prm.callId)
            calls[prm.callId] = call
            info = call.getInfo()
            say(event="incoming", caller=info.remoteUri, called=info.localUri)
            answer(call, 180)
            if state["auto"]:
                later.append((now() + state["after_ms"] / 1000.0, prm.callId))

    gone: list[Any] = []

    def now() -> float:
        import time

        return time.monotonic()

    def answer(call: Any, code: int) -> None:
        prm = pj.CallOpParam(True)
        prm.statusCode = code
        call.answer(prm)

    def active_audio() -> list[Any]:
        found = []
        for call in calls.values():
            info = call.getInfo()  # kept in a name: its media vector lives inside it
            for index, media in enumerate(info.media):
                if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                    found.append(call.getAudioMedia(index))
        return found

    def play(hz: int | None) -> None:
        old = state["player"]
        player = pj.AudioMediaPlayer()
        player.createPlayer(str(tone_file(folder, hz)))
        for audio in active_audio():
            if old is not None:
                old.stopTransmit(audio)
            player.startTransmit(audio)
        state["player"] = player

    def begin(message: dict[str, Any]) -> dict[str, Any]:
        config = pj.EpConfig()
        config.uaConfig.threadCnt = 0
        config.uaConfig.mainThreadOnly = True
        config.uaConfig.userAgent = "pjsua2 test phone"
        config.logConfig.level = 5
        config.logConfig.consoleLevel = 0
        config.logConfig.filename = str(folder / "pjsua.log")
        config.medConfig.clockRate = RATE
        config.medConfig.sndClockRate = RATE
        config.medConfig.audioFramePtime = 20
        config.medConfig.ptime = 20
        config.medConfig.noVad = True
        config.medConfig.ecTailLen = 0
        endpoint.libCreate()
        endpoint.libInit(config)
        transport = pj.TransportConfig()
        transport.port = 0
        transport.boundAddress = message["host"]
        transport.publicAddress = message["host"]
        udp = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        tcp = pj.TransportConfig()
        tcp.port = 0
        tcp.boundAddress = message["host"]
        endpoint.transportCreate(pj.PJSIP_TRANSPORT_TCP, tcp)
        endpoint.libStart()
        endpoint.audDevManager().setNullDev()
        for codec in endpoint.codecEnum2():
            endpoint.codecSetPriority(codec.codecId, 255 if codec.codecId == message["codec"] else 0)
        play(message["tone"])
        port = int(endpoint.transportGetInfo(udp).localAddress.rpartition(":")[2])
        state["host"] = message["host"]
        state["account"] = account(f"sip:phone@{message['host']}:{port}")
        return {"port": port}

    def account(identity: str, register: dict[str, Any] | None = None) -> Any:
        config = pj.AccountConfig()
        config.idUri = identity
        config.mediaConfig.transportConfig.boundAddress = state["host"]
        config.mediaConfig.transportConfig.publicAddress = state["host"]
        config.mediaConfig.transportConfig.port = 0
        if register is not None:
            suffix = ";transport=tcp" if register["transport"] == "tcp" else ""
            config.regConfig.registrarUri = f"sip:{register['host']}:{register['port']}{suffix}"
            config.sipConfig.authCreds.append(
                pj.AuthCredInfo("digest", "*", register["username"], 0, register["password"])
            )
        made = Account()
        made.create(config)
        return made

    def perform(message: dict[str, Any]) -> dict[str, Any]:
        match message["do"]:
            case "start":
                return begin(message)
            case "register":
                old = state["account"]
                identity = f"sip:{message['username']}@{message['host']}:{message['port']}"
                state["account"] = account(identity, message)
                state["account"].setDefault()
                old.shutdown()
            case "call":
                call = Call(state["account"])
                call.makeCall(message["uri"], pj.CallOpParam(True))
                calls[call.getId()] = call
            case "auto_answer":
                state["auto"], state["after_ms"] = message["on"], message["after_ms"]
            case "answer":
                for call in list(calls.values()):
                    if call.getInfo().state in (pj.PJSIP_INV_STATE_INCOMING, pj.PJSIP_INV_STATE_EARLY):
                        answer(call, message["code"])
            case "hold":
                for call in calls.values():
                    call.setHold(pj.CallOpParam(True))
            case "unhold":
                for call in calls.values():
                    prm = pj.CallOpParam(True)
                    prm.opt.flag = pj.PJSUA_CALL_UNHOLD
                    call.reinvite(prm)
            case "hang_up":
                for call in list(calls.values()):
                    prm = pj.CallOpParam(True)
                    if message["code"]:
                        prm.statusCode = message["code"]
                    call.hangup(prm)
            case "digits":
                for call in calls.values():
                    call.dialDtmf(message["digits"])
            case "say":
                play(message["tone"])
            case "calls":
                return {"calls": len(calls)}
            case "record":
                state["count"] += 1
                path = folder / f"heard-{state['count']}.wav"
                recorder = pj.AudioMediaRecorder()
                recorder.createRecorder(str(path))
                for audio in active_audio():
                    audio.startTransmit(recorder)
                state["recorder"] = recorder
                return {"path": str(path)}
            case "record_end":
                recorder, state["recorder"] = state["recorder"], None
                for audio in active_audio():
                    audio.stopTransmit(recorder)
                del recorder
            case other:
                raise ValueError(other)
        return {}

    waiting = b""
    while True:
        if select.select([0], [], [], 0.005 if state["player"] is None else 0)[0]:
            arrived = os.read(0, 1 << 16)
            if not arrived:
                break
            waiting += arrived
            *lines, waiting = waiting.split(b"\n")
            for line in lines:
                message = json.loads(line)
                try:
                    say(id=message["id"], **perform(message))
                except pj.Error as failure:
                    say(id=message["id"], error=failure.info())
        if state["player"] is not None:
            endpoint.libHandleEvents(10)
            gone.clear()
            for due, call_id in [entry for entry in later if entry[0] <= now()]:
                later.remove((due, call_id))
                if call_id in calls:
                    answer(calls[call_id], 200)
    if state["player"] is not None:
        endpoint.hangupAllCalls()
        until = now() + 0.3
        while now() < until:
            endpoint.libHandleEvents(10)
    out.flush()
    os._exit(0)


if __name__ == "__main__":
    phone_process(Path(sys.argv[1]))
