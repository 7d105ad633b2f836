"""Who hears whom: a conversation's parties and the inspectors on it, turned into one table.

The table is the whole truth about audio: the engine's one verb applies it. Its rules:

* A held party hears nobody (music is played to it) and is heard by nobody; "all" never includes it.
* A party that has not answered yet (early media) is heard and hears nobody.
* A muted party is heard by nobody, inspectors included; it still hears.
* A listening inspector hears the supervised agent and whom that agent hears. A whispering one is heard
  by that agent alone, an inserting one by all; no inspector hears another who whispers.
* Without a conversation the agent's microphone reaches nobody, but for an inserting inspector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sottovoce.domain.legs import LegId
from sottovoce.domain.supervision import Mode


class CallRole(StrEnum):
    """What a party is in the conversation."""

    CUSTOMER = "customer"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Party:
    """A customer or an agent. In a consult the customer is held; in a three-party talk nobody is."""

    leg: LegId
    role: CallRole
    held: bool = False
    muted: bool = False
    early: bool = False
    """Sends sound before it answers: a network's ringing, an announcement."""


@dataclass(frozen=True, slots=True)
class Inspecting:
    """An inspector on one agent of the conversation."""

    leg: LegId
    agent: LegId
    mode: Mode
    silenced: bool = False
    """Heard by nobody whatever the mode: the lease ran out, or the inspector's own phone holds."""

    @property
    def speaks(self) -> bool:
        """Whether anybody may hear this inspector."""
        return self.mode is not Mode.LISTEN and not self.silenced


def audibility(
    parties: Sequence[Party], inspecting: Sequence[Inspecting] = ()
) -> Mapping[LegId, frozenset[LegId]]:
    """Listener to exactly the legs heard; a row for every party and every inspector."""
    active = [party for party in parties if not party.held]
    talking = len(parties) > 1
    voices = frozenset(party.leg for party in active if not party.muted)
    inserted = frozenset(i.leg for i in inspecting if i.speaks and i.mode is Mode.INSERT)
    hears: dict[LegId, frozenset[LegId]] = {}
    for party in parties:
        whispers = frozenset(
            i.leg for i in inspecting if i.speaks and i.mode is Mode.WHISPER and i.agent == party.leg
        )
        if party.held or party.early:
            hears[party.leg] = frozenset()
        elif talking:
            hears[party.leg] = (voices - {party.leg}) | inserted | whispers
        else:
            hears[party.leg] = inserted | whispers
    for inspector in inspecting:
        heard: frozenset[LegId] = frozenset()
        if talking or (inspector.mode is Mode.INSERT and not inspector.silenced):
            heard = voices | inserted
        hears[inspector.leg] = heard - {inspector.leg}
    return hears


def recorded(parties: Sequence[Party], inspecting: Sequence[Inspecting], agent: LegId) -> frozenset[LegId]:
    """The legs whose voice goes on the recording of `agent`'s talk segment now.

    The customer not while held; the agent not while muted or while a customer is held; an inspector of
    this agent only while whispering or inserting. Empty without a conversation.
    """
    if len(parties) < 2:
        return frozenset()
    on_hold = any(party.held for party in parties if party.role is CallRole.CUSTOMER)
    voices = {
        party.leg
        for party in parties
        if not party.held
        and not party.muted
        and (party.role is CallRole.CUSTOMER or (party.leg == agent and not on_hold))
    }
    return frozenset(voices | {i.leg for i in inspecting if i.agent == agent and i.speaks})
