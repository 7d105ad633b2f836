"""Rule results, their revisions, and scores: only ever added to, the last version that is no draft counts.

Whoever adds a version holds the contact's row (`locked`), so that versions follow each other without a gap.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from sottovoce.domain.contacts import Inspection, Interaction
from sottovoce.domain.directory import VdnId
from sottovoce.domain.people import ReviewId, UserId
from sottovoce.domain.reviews import OPEN_ITEMS, Item
from sottovoce.domain.scoring import (
    By,
    Deduction,
    Passage,
    Profile,
    Revision,
    RuleResult,
    Score,
    Scored,
    Verdict,
)
from sottovoce.plain import from_plain, to_plain
from sottovoce.storage.database import locking
from sottovoce.storage.rows import columns_of, value_of
from sottovoce.storage.tables import contacts, review_items, revisions, rule_results, scores
from sottovoce.storage.tables.contacts import UNHEARD
from sottovoce.storage.work import Work

ScoreKey: TypeAlias = tuple[int, str, By]
"""Contact, scenario, whose score."""
_LEFT = contacts.c.status != int(Inspection.ERASED)
_OPEN = tuple(state.value for state in OPEN_ITEMS)
_OF_REVISIONS = (
    "version",
    "revise",
    "remark",
    "user",
    "at",
    "review_item",
    "quality_item",
    "draft",
    "segments",
)


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a score is what it is: its profile as it was then, and the deductions. Kept as plain data."""

    base: Decimal
    lower: Decimal
    upper: Decimal
    profile: ReviewId | None
    profile_name: str
    deductions: tuple[Deduction, ...]

    @classmethod
    def of(cls, score: Score) -> Reasons:
        """The reasons of `score`."""
        held = score.profile
        return cls(held.base, held.lower, held.upper, held.profile, held.name, score.deductions)

    def for_score(self, score: Decimal) -> Score:
        """The score that these are the reasons of."""
        profile = Profile(
            lower=self.lower, upper=self.upper, base=self.base, profile=self.profile, name=self.profile_name
        )
        return Score(score, profile, self.deductions)


def _results(vdn: VdnId, drafts_of: ReviewId | None = None, *, hidden: bool = False) -> sa.Select[Any]:
    """Results with the last revision that counts; `drafts_of` an open item, with its draft instead.

    Findings without such a revision are left out but for `hidden`: drafts are their item's alone.
    """
    last = sa.select(revisions).where(
        revisions.c.vdn == rule_results.c.vdn, revisions.c.result == rule_results.c.result
    )
    if drafts_of is None:
        last = last.where(revisions.c.draft.is_(None)).order_by(revisions.c.version.desc())
    else:
        its = (review_items.c.item == drafts_of) & review_items.c.state.in_(_OPEN)
        draft = revisions.c.draft
        last = last.where(draft.is_(None) | drafted(its)).order_by(
            draft.is_(None), revisions.c.version.desc()
        )
    revision = last.limit(1).lateral("last_revision")
    shown = sa.true() if hidden else ~rule_results.c.entered | revision.c.version.is_not(None)
    return (
        sa.select(rule_results, *(revision.c[name].label(f"revision_{name}") for name in _OF_REVISIONS))
        .select_from(rule_results.outerjoin(revision, sa.true()))
        .where(rule_results.c.vdn == int(vdn), shown)
    )


def drafted(where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Whether a revision is a draft of the present round of an item for which `where` holds."""
    return sa.exists().where(
        review_items.c.vdn == revisions.c.vdn,
        review_items.c.item == revisions.c.review_item,
        review_items.c.round == revisions.c.draft,
        where,
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What results have to know of a contact."""

    began_at: datetime
    interaction: Interaction


async def locked(work: Work, wanted: Collection[int]) -> dict[int, Held]:
    """Hold the rows of those contacts until the transaction ends.

    Unknown and foreign ones are not in it. Always in the same order, so that nobody waits in a circle.
    """
    query = (
        sa.select(contacts.c.contact, contacts.c.began_at, contacts.c.interaction)
        .where(contacts.c.vdn == work.vdn, contacts.c.contact.in_(sorted(wanted)), _LEFT)
        .order_by(contacts.c.contact)
        .with_for_update(key_share=True)
    )
    rows = await locking(work.connection, query)
    return {row.contact: Held(row.began_at, Interaction(row.interaction)) for row in rows}


async def contacts_called(work: Work, uuids: Collection[str]) -> dict[str, int]:
    """The contacts that have these UUIDs, written as they are given; what is no UUID names none."""
    wanted: dict[UUID, list[str]] = {}
    for text in uuids:
        with contextlib.suppress(ValueError):
            wanted.setdefault(UUID(text), []).append(text)
    query = (
        sa.select(contacts.c.uuid, contacts.c.contact)
        .where(contacts.c.vdn == work.vdn, contacts.c.uuid.in_(list(wanted)), _LEFT)
        .order_by(contacts.c.contact)
    )
    found = await work.connection.execute(query) if wanted else ()
    return {text: row.contact for row in found for text in wanted[row.uuid]}


async def insert_new(work: Work, results: Sequence[RuleResult]) -> frozenset[str]:
    """Add those whose ids are not on record yet, and say which; in one order, as two may do it at once."""
    if not results:
        return frozenset()
    added = await work.connection.execute(
        insert(rule_results).on_conflict_do_nothing().returning(rule_results.c.result),
        [_row(work.vdn, result) for result in sorted(results, key=lambda one: one.result)],
    )
    return frozenset(added.scalars())


async def many(
    work: Work, wanted: Collection[str], drafts_of: ReviewId | None = None, *, hidden: bool = True
) -> dict[str, RuleResult]:
    """Those of them that the tenant has, by their ids, `hidden` findings too unless told otherwise."""
    query = _results(work.vdn, drafts_of, hidden=hidden).where(rule_results.c.result.in_(list(wanted)))
    found = map(_result, (await work.connection.execute(query)).mappings())
    return {result.result: result for result in found}


async def open_item(work: Work, contact: int, inspector: UserId) -> ReviewId | None:
    """The item in which somebody inspects a contact, the one opened last; None: they do not."""
    item = review_items.c
    query = (
        sa.select(item.item)
        .where(
            item.vdn == work.vdn,
            item.contact == contact,
            item.inspector == inspector,
            item.state.in_(_OPEN),
        )
        .order_by(item.opened_at.desc().nulls_last(), item.item.desc())
        .limit(1)
    )
    found = (await work.connection.execute(query)).scalar_one_or_none()
    return None if found is None else ReviewId(found)


async def of_contacts(
    work: Work, wanted: Collection[int], *, drafts_of: ReviewId | None = None
) -> dict[tuple[int, str], list[RuleResult]]:
    """All results of those contacts, by contact and scenario, the oldest first.

    With the drafts of an open item instead of what counts, if `drafts_of` names one.
    """
    query = (
        _results(work.vdn, drafts_of)
        .where(rule_results.c.contact.in_(list(wanted)))
        .order_by(rule_results.c.made_at, rule_results.c.result)
    )
    held: dict[tuple[int, str], list[RuleResult]] = {}
    for result in map(_result, (await work.connection.execute(query)).mappings()):
        held.setdefault((result.contact, result.scenario), []).append(result)
    return held


async def entered_in(work: Work, wanted: Collection[int]) -> set[tuple[int, str, str]]:
    """Contact, scenario and rule of the findings on those contacts that count."""
    query = _results(work.vdn).where(rule_results.c.entered, rule_results.c.contact.in_(list(wanted)))
    rows = (await work.connection.execute(query)).mappings()
    return {(row["contact"], row["scenario"], row["rule"]) for row in rows}


async def of_rule(work: Work, scenario: str, rule: str) -> RuleResult | None:
    """The newest result that a rule of a scenario gave any call."""
    query = (
        _results(work.vdn, hidden=True)
        .where(rule_results.c.scenario == scenario, rule_results.c.rule == rule)
        .order_by(rule_results.c.made_at.desc(), rule_results.c.result)
        .limit(1)
    )
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else _result(row)


async def add_revision(work: Work, result: str, revision: Revision) -> None:
    """Add a version. IntegrityError: that version is there already."""
    row = columns_of(revision, "kept", vdn=work.vdn, result=result, revise=int(revision.kept))
    await work.connection.execute(sa.insert(revisions).values(row))


async def last_version(work: Work, result: str) -> int:
    """The number of the last revision, a draft too; 0: there is none."""
    query = sa.select(sa.func.max(revisions.c.version)).where(
        revisions.c.vdn == work.vdn, revisions.c.result == result
    )
    return (await work.connection.execute(query)).scalar_one() or 0


async def last_segments(
    work: Work, result: str, item: ReviewId | None, draft: int | None
) -> tuple[Passage, ...] | None:
    """Where the last draft of an item's round, or else what counts, has a result; None: it says so itself.

    The item is one of a review task, or an appeal or a problem.
    """
    of_item = sa.or_(revisions.c.review_item == item, revisions.c.quality_item == item)
    of_draft = of_item & (revisions.c.draft == draft)
    query = (
        sa.select(revisions)
        .where(
            revisions.c.vdn == work.vdn,
            revisions.c.result == result,
            revisions.c.segments.is_not(None),
            revisions.c.draft.is_(None) | of_draft,
        )
        .order_by(revisions.c.draft.is_(None), revisions.c.version.desc())
        .limit(1)
    )
    row = (await work.connection.execute(query)).mappings().first()
    return None if row is None else _revision(row, "").segments


async def drafts(work: Work, item: Item) -> list[tuple[str, Revision]]:
    """The last draft of each result that was corrected in the present round of an item, in their order."""
    last = (
        sa.select(revisions)
        .ext(distinct_on(revisions.c.result))
        .where(
            revisions.c.vdn == work.vdn,
            revisions.c.review_item == item.item,
            revisions.c.draft == item.round,
        )
        .order_by(revisions.c.result, revisions.c.version.desc())
    )
    return [(row["result"], _revision(row, "")) for row in (await work.connection.execute(last)).mappings()]


async def drafts_in(work: Work, quality_item: ReviewId) -> dict[str, Revision]:
    """The last draft of each result that was corrected in an appeal or a problem."""
    last = (
        sa.select(revisions)
        .ext(distinct_on(revisions.c.result))
        .where(
            revisions.c.vdn == work.vdn,
            revisions.c.quality_item == quality_item,
            revisions.c.draft.is_not(None),
        )
        .order_by(revisions.c.result, revisions.c.version.desc())
    )
    rows = (await work.connection.execute(last)).mappings()
    return {row["result"]: _revision(row, "") for row in rows}


async def violated_in(work: Work, review_item: ReviewId) -> list[str]:
    """The results whose last revision that counts was made in that item of a task and says violated."""
    here = sa.select(revisions.c.result).where(
        revisions.c.vdn == work.vdn, revisions.c.review_item == review_item
    )
    query = (
        _results(work.vdn)
        .where(rule_results.c.result.in_(here))
        .order_by(rule_results.c.made_at, rule_results.c.result)
    )
    return [
        row["result"]
        for row in (await work.connection.execute(query)).mappings()
        if row["revision_review_item"] == review_item and row["revision_revise"] == Verdict.VIOLATED
    ]


async def last_scores(work: Work, wanted: Collection[int]) -> dict[ScoreKey, Scored]:
    """The last version of each score of those contacts that is no draft."""
    query = (
        sa.select(scores)
        .ext(distinct_on(scores.c.contact, scores.c.scenario, scores.c.by))
        .where(scores.c.vdn == work.vdn, scores.c.contact.in_(list(wanted)), ~scores.c.draft)
        .order_by(scores.c.contact, scores.c.scenario, scores.c.by, scores.c.version.desc())
    )
    return {
        (row["contact"], row["scenario"], By(row["by"])): _scored(row)
        for row in (await work.connection.execute(query)).mappings()
    }


async def versions(work: Work, wanted: Collection[int]) -> dict[ScoreKey, int]:
    """The number of the last version of each score of those contacts, a draft too."""
    query = (
        sa.select(scores.c.contact, scores.c.scenario, scores.c.by, sa.func.max(scores.c.version))
        .where(scores.c.vdn == work.vdn, scores.c.contact.in_(list(wanted)))
        .group_by(scores.c.contact, scores.c.scenario, scores.c.by)
    )
    return {
        (contact, scenario, By(by)): last
        for contact, scenario, by, last in await work.connection.execute(query)
    }


async def add_scores(work: Work, given: Mapping[ScoreKey, Scored]) -> None:
    """Add a version of each. IntegrityError: that version is there already."""
    if not given:
        return
    rows = [
        {
            "vdn": work.vdn,
            "contact": contact,
            "scenario": scenario,
            "by": by.value,
            "version": scored.version,
            "score": scored.score.score,
            "reasons": to_plain(Reasons.of(scored.score)),
            "user": scored.user,
            "at": scored.at,
        }
        for (contact, scenario, by), scored in given.items()
    ]
    await work.connection.execute(sa.insert(scores), rows)


async def mark_inspected(
    work: Work,
    lowest: Iterable[tuple[int, datetime, Decimal | None]],
    status: int,
) -> None:
    """Keep with each contact (number, beginning) its lowest machine score, and that it was inspected.

    One whose recording nobody has heard yet goes on waiting for that.
    """
    rows = [
        {"b_contact": contact, "b_began_at": began_at, "score": score, "b_status": status}
        for contact, began_at, score in lowest
    ]
    if not rows:
        return
    change = (
        sa.update(contacts)
        .where(
            contacts.c.vdn == work.vdn,
            contacts.c.contact == sa.bindparam("b_contact"),
            contacts.c.began_at == sa.bindparam("b_began_at"),
        )
        .values(
            machine_score=sa.bindparam("score"),
            status=sa.case((UNHEARD, contacts.c.status), else_=sa.bindparam("b_status")),
        )
    )
    await work.connection.execute(change, rows)


def _row(vdn: VdnId, result: RuleResult) -> dict[str, Any]:
    segments = [[segment.start_ms, segment.end_ms] for segment in result.segments]
    verdict = result.verdict.value
    return columns_of(result, "verdict", "revision", vdn=int(vdn), valid=verdict, segments=segments)


def _result(row: sa.RowMapping) -> RuleResult:
    revision = _revision(row, "revision_") if row["revision_version"] is not None else None
    segments = tuple(Passage(start, end) for start, end in row["segments"])
    if revision is not None and revision.segments is not None:
        segments = revision.segments
    return value_of(RuleResult, row, verdict=Verdict(row["valid"]), segments=segments, revision=revision)


def _revision(row: sa.RowMapping, prefix: str) -> Revision:
    return value_of(Revision, row, prefix, kept=bool(row[prefix + "revise"]))


def _scored(row: sa.RowMapping) -> Scored:
    return Scored(
        row["version"],
        from_plain(Reasons, row["reasons"]).for_score(row["score"]),
        UserId(row["user"]),
        row["at"],
    )
