"""All scores of a tenant's calls, line by line, for reports: a call has a line for each scenario."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from sottovoce.domain.contacts import Search
from sottovoce.domain.scoring import ScenarioScores
from sottovoce.quality import contacts, results
from sottovoce.quality.access import Reach
from sottovoce.quality.contacts import ShownContact
from sottovoce.storage.review import contacts as stored
from sottovoce.storage.review import users
from sottovoce.storage.work import Work

_BATCH = 500


@dataclass(frozen=True, slots=True)
class ScoreLine:
    """What one scenario gave one call."""

    shown: ShownContact
    scores: ScenarioScores
    inspector: str
    """Who gave the manual score; empty: there is none."""


async def lines(work: Work, reach: Reach, wanted: Search) -> AsyncIterator[ScoreLine]:
    """All of the calls found that have results, the oldest call first. As far as the reach goes."""
    wanted = contacts.within(reach, wanted)
    names = await users.names(work)
    after = None
    while found := await stored.following(work, wanted, after, limit=_BATCH):
        scored = await results.scores_of_all(work, [contact.contact for contact in found])
        for shown in await contacts.shown(work, found):
            for scores in scored.get(shown.contact.contact, ()):
                manual = scores.manual
                inspector = "" if manual is None else names.get(manual.user, manual.user)
                yield ScoreLine(shown, scores, inspector)
        after = found[-1]
