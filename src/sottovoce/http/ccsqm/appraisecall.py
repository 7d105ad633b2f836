"""`appraisecall/`: calls with the state of their inspection, and one call with all about it [2492, 2493]."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, Field

from sottovoce.domain.contacts import SHOWN, Inspection, Interaction, Search
from sottovoce.domain.rights import Operation
from sottovoce.errors import Code, Refused
from sottovoce.http.ccsqm import calls_wire
from sottovoce.http.ccsqm.visit import SQM, Answer, Interfaces, Visit
from sottovoce.http.ccsqm.words import EitherTime, Form, Number, Seconds, Text, UserField
from sottovoce.quality import contacts

INTERFACES = Interfaces(SQM, "appraisecall")

_LONGEST_S = 2**31 - 1


def _known(kind: Collection[Interaction] | Collection[Inspection]) -> AfterValidator:
    numbers = sorted(map(int, kind))

    def check(value: int) -> int:
        if value not in numbers:
            raise ValueError("must be one of " + ", ".join(map(str, numbers)))
        return value

    return AfterValidator(check)


_Duration = Annotated[Number, Field(ge=0, le=_LONGEST_S)]


class DetailsForm(Form):
    """The body of details. An empty list of types or states means all of them (inferred)."""

    call_from: Seconds | None = None
    call_to: Seconds | None = None
    call_types: Annotated[list[Annotated[Number, _known(Interaction)]], Field(max_length=100)]
    limit: Annotated[Number, Field(ge=1, le=contacts.LARGEST_PAGE)]
    page: Annotated[Number, Field(ge=1, le=1_000_000)]
    status: Annotated[list[Annotated[Number, _known(SHOWN)]], Field(max_length=100)]
    keyword: Annotated[Text | None, Field(max_length=256)] = None
    staff_id: UserField | None = None
    staff_name: Annotated[Text | None, Field(max_length=256)] = None
    upload_from: EitherTime
    upload_to: EitherTime
    duration_min: _Duration | None = None
    duration_max: _Duration | None = None


class DetailForm(Form):
    """The body of `appraisecall/detail`: the call that is asked for."""

    call_uuid: Annotated[Text, Field(max_length=64)]


@INTERFACES.serves("details", DetailsForm, Operation.QUERY_CONTACTS)
async def details(visit: Visit, form: DetailsForm) -> Answer:
    """Page through calls with the state of their inspection, the last uploaded first."""
    wanted = Search(
        interactions=frozenset(map(Interaction, form.call_types or Interaction)),
        statuses=frozenset(map(Inspection, form.status or SHOWN)),
        agent_name=form.staff_name or "",
        began_from=form.call_from,
        began_to=form.call_to,
        uploaded_from=form.upload_from,
        uploaded_to=form.upload_to,
        duration_from_s=form.duration_min,
        duration_to_s=form.duration_max,
        keyword=form.keyword or "",
    )
    total, found = await contacts.search(
        visit.work, visit.reach(), wanted, page=form.page, limit=form.limit, staff=form.staff_id
    )
    data = [{"calls": [calls_wire.listed(shown)]} for shown in found]
    return Answer({"paging": {"total": total}, "data": data}, coded=False)


@INTERFACES.serves("detail", DetailForm, Operation.SHOW_CONTACT)
async def detail(visit: Visit, form: DetailForm) -> Answer:
    """One call with its figures and its transcript."""
    uuid = uuid_of(form.call_uuid)
    shown = await contacts.show(visit.work, visit.reach(), uuid)
    return Answer(calls_wire.detailed(shown), coded=False)


def uuid_of(text: str) -> UUID:
    """The UUID that a request names; of another text there is no call. Refused(NOT_FOUND)."""
    try:
        return UUID(text)
    except ValueError:
        raise Refused(Code.NOT_FOUND, "there is no such call") from None
