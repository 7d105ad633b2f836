"""Contacts to look at, as far as the caller's right reaches, and the analysis of their recordings."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from sottovoce.digests import file_sha256
from sottovoce.domain.contacts import Analysis, Contact, Inspection, Interaction, Search, Span
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import SERVER, UserId
from sottovoce.domain.rights import Scope
from sottovoce.domain.scoring import By, Verdict
from sottovoce.errors import Code, Refused
from sottovoce.quality import voices
from sottovoce.quality.access import Reach
from sottovoce.quality.office import Office
from sottovoce.quality.recordings import BadRecording
from sottovoce.quality.results import lowest_scores
from sottovoce.storage.review import contacts, results, users
from sottovoce.storage.work import Work

LARGEST_PAGE = 1000
_NICENESS = 10
"""How far an analysis stands back behind calls."""


@dataclass(frozen=True, slots=True)
class ShownContact:
    """A contact, with whom its agent is among the users."""

    contact: Contact
    user: UserId | None
    """None: no agent, or one who is no user."""
    name: str
    """The user's, or else the agent's; empty where there is no agent."""
    machine: Decimal | None = None
    """The lowest of its scenarios' machine scores."""
    manual: Decimal | None = None
    """The lowest of its scenarios' manual scores; None: nobody has inspected it."""
    violations: int = 0
    """Results of rules that count as violated; of one contact alone, not in lists."""


def stand_back() -> None:
    """Let this thread compute after whatever carries calls."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


LISTENERS = 2
"""Recordings heard at a time by one server: each wants a core of its own, and calls come first."""
_LISTENERS = ThreadPoolExecutor(LISTENERS, "analysis", stand_back)


def path_of(office: Office, contact: Contact) -> Path | None:
    """Where the contact's recording is, or should be; None: it has none."""
    return office.recordings / contact.recording if contact.recording else None


async def analyse(office: Office, vdn: VdnId, contact: int) -> Contact | None:
    """Hear a contact's recording and record speech and silence; the contact as it is then.

    None: there is no such contact. Of one already analysed nothing changes. A recording that cannot be
    used is recorded as such, with the reason; StillRecording where it is to be tried later.
    Refused(UNAVAILABLE).
    """
    async with office.work(vdn, SERVER) as work:
        found = await contacts.find(work, contact, lock=True)
        if found is None or found.analysed_at is not None:
            return found
        await contacts.analysed(work.connection, found, Inspection.IN_PROGRESS, Analysis(), None)
    await _digest(office, found)
    status, analysis = Inspection.SUCCESS, Analysis()
    if found.interaction is Interaction.VOICE:
        try:
            analysis = await _heard(path_of(office, found), found.unrecorded)
        except BadRecording as bad:
            status, analysis = Inspection.BAD_RECORDING, Analysis(failure=str(bad))
    async with office.work(vdn, SERVER) as work:
        heard = found.recording
        found = await contacts.find(work, contact, lock=True)  # corrected, or erased meanwhile
        if found is not None and found.recording == heard:
            await contacts.analysed(work.connection, found, status, analysis, work.at)
        return await contacts.find(work, contact)


async def _digest(office: Office, contact: Contact) -> None:
    """Take the SHA-256 of a recording that has none yet: a crash cut it off, or it is older than they are."""
    path = path_of(office, contact)
    if path is None or contact.recording_sha256 is not None:
        return
    sha256 = await _sha256(path)
    if sha256 is None:
        return  # whoever hears it says why
    tracks = {who: await _sha256(office.recordings / track) for who, track in contact.tracks.items()}
    async with office.work(contact.vdn, SERVER) as work:
        found = await contacts.find(work, contact.contact, lock=True)
        if found is not None:
            known = {who: digest for who, digest in tracks.items() if digest is not None}
            await contacts.digested(work, found, sha256, known)


async def _sha256(path: Path) -> str | None:
    try:
        return await asyncio.to_thread(file_sha256, path)
    except (OSError, ValueError):
        return None


async def _heard(path: Path | None, unrecorded: Sequence[Span]) -> Analysis:
    """Hear it in the listeners' thread; soon over when cancelled."""
    if path is None:
        raise BadRecording("there is no recording")
    stop = threading.Event()
    try:
        return await asyncio.get_running_loop().run_in_executor(
            _LISTENERS, voices.listen, path, stop, unrecorded
        )
    except asyncio.CancelledError:
        stop.set()
        raise


async def search(
    work: Work, reach: Reach, wanted: Search, *, page: int, limit: int, staff: UserId | None = None
) -> tuple[int, list[ShownContact]]:
    """How many contacts are found, and the page (from 1) of them, the last uploaded first.

    `staff`: of this agent alone, by their user. Leaders of agents find those they lead, agents their own.
    Refused(NO_RIGHT), (UNAVAILABLE).
    """
    if staff is not None:
        user = await users.find(work, staff)
        agent = user.agent if user is not None else None
        wanted = _only(wanted, frozenset(() if agent is None else (agent,)))
    wanted = within(reach, wanted)
    total, found = await contacts.page(work, wanted, offset=(page - 1) * limit, limit=limit)
    return total, await shown(work, found)


async def show(work: Work, reach: Reach, uuid: UUID) -> ShownContact:
    """One contact; its violations as the caller sees them: with the drafts of their open item, if any.

    Refused(NOT_FOUND) where it is unknown or out of the caller's reach.
    """
    seen = _agents_seen(reach)
    contact = await contacts.by_uuid(work, uuid)
    if contact is None or (seen is not None and contact.agent not in seen):
        raise Refused(Code.NOT_FOUND, "there is no such call")
    [one] = await shown(work, [contact])
    item = await results.open_item(work, contact.contact, reach.user.user)
    found = await results.of_contacts(work, [contact.contact], drafts_of=item)
    violated = sum(one.final is Verdict.VIOLATED for group in found.values() for one in group)
    return dataclasses.replace(one, violations=violated)


async def shown(work: Work, found: Sequence[Contact]) -> list[ShownContact]:
    """Those contacts with whom they name, and what they were scored."""
    named = await contacts.staff(work, found)
    scores = await lowest_scores(work, [contact.contact for contact in found])
    return [_shown(contact, named, scores) for contact in found]


def within(reach: Reach, wanted: Search) -> Search:
    """The search with nothing in it that is out of reach."""
    seen = _agents_seen(reach)
    return wanted if seen is None else _only(wanted, seen)


def _only(wanted: Search, agents: frozenset[AgentId]) -> Search:
    return dataclasses.replace(wanted, agents=agents if wanted.agents is None else agents & wanted.agents)


def _agents_seen(reach: Reach) -> frozenset[AgentId] | None:
    """Whose contacts the caller sees; None: everybody's."""
    if reach.scope is Scope.ALL:
        return None
    own = frozenset(() if reach.user.agent is None else (reach.user.agent,))
    return own | reach.user.leads_agents if reach.scope is Scope.GROUP else own


def _shown(
    contact: Contact,
    named: Mapping[AgentId, tuple[UserId | None, str]],
    scores: Mapping[tuple[int, By], Decimal],
) -> ShownContact:
    user, name = named.get(contact.agent, (None, "")) if contact.agent is not None else (None, "")
    number = contact.contact
    return ShownContact(
        contact, user, name, scores.get((number, By.MACHINE)), scores.get((number, By.MANUAL))
    )
