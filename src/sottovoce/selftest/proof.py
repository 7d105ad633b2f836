"""The customer leg's bytes with and without a whisper: the same mixer, without network and clock.

Two runs of the in-process engine are given the same packets. In one the inspector only listens, in the
other the inspector whispers for part of the time. Every packet sent to the customer, header and payload,
must be the same in both, and the agent's must not.
"""

from __future__ import annotations

import struct

from sottovoce.domain.audibility import CallRole, Inspecting, Party, audibility
from sottovoce.domain.audio import FRAME
from sottovoce.domain.legs import Codec, LegId, RemoteMedia, Routing
from sottovoce.domain.supervision import Mode
from sottovoce.media import codecs
from sottovoce.media.engine import Apply, OpenLeg, SetRemote
from sottovoce.media.inprocess import InProcessEngine
from sottovoce.phones.sources import Source, Tone
from sottovoce.phones.tones import TONES
from sottovoce.selftest.findings import SameBytes

CUSTOMER, AGENT, INSPECTOR = LegId("customer"), LegId("agent"), LegId("inspector")
TICKS = 400
"""8 s; the whisper lasts from the second to the sixth."""
_BEGIN, _END = 100, 300


async def prove_same_bytes(codec: Codec = Codec.PCMU) -> SameBytes:
    """Run the engine with and without a whisper; how many of the customer's packets differ."""
    quiet_customer, quiet_agent = await _run(codec, whispering=False)
    customer, agent = await _run(codec, whispering=True)
    if agent == quiet_agent:
        # A whisper that does not even reach the agent proves nothing.
        return SameBytes(packets=0, differing=0)
    differing = sum(one != other for one, other in zip(customer, quiet_customer, strict=False))
    return SameBytes(packets=len(customer), differing=differing + abs(len(customer) - len(quiet_customer)))


async def _run(codec: Codec, *, whispering: bool) -> tuple[list[bytes], list[bytes]]:
    engine = InProcessEngine(seed=1)
    voices: dict[LegId, Source] = {}
    for number, leg in enumerate((CUSTOMER, AGENT, INSPECTOR)):
        await engine.ask(OpenLeg(leg, "1"))
        await engine.ask(SetRemote(leg, RemoteMedia("127.0.0.1", 40000 + 2 * number, codec)))
        voices[leg] = Tone(TONES[number])
    for tick in range(TICKS):
        if tick in (0, _BEGIN, _END):
            mode = Mode.WHISPER if whispering and _BEGIN <= tick < _END else Mode.LISTEN
            await engine.ask(Apply(_routing(mode)))
        for number, (leg, voice) in enumerate(voices.items()):
            header = struct.pack("!BBHII", 0x80, codec.value, tick + 1, tick * FRAME, 1000 + number)
            engine.feed(leg, header + codecs.encode(voice.frame(), codec).tobytes())
        engine.step()
    return engine.sent(CUSTOMER), engine.sent(AGENT)


def _routing(mode: Mode) -> Routing:
    parties = [Party(CUSTOMER, CallRole.CUSTOMER), Party(AGENT, CallRole.AGENT)]
    return Routing(
        audibility(parties, [Inspecting(INSPECTOR, AGENT, mode)]), inspectors=frozenset([INSPECTOR])
    )
