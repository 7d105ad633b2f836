"""What clients send, taken in leniently: numbers and flags as strings, odd content types, any case of names.

Source of the habits: cc-gateway.md Part 5. Nothing is echoed into error texts but the field's own name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema

from sottovoce.domain.directory import AgentId, SkillId
from sottovoce.http.family import form
from sottovoce.http.family.form import BadInput, clean, json_object, whole
from sottovoce.plain import natural

LOWEST_AGENT = 101
QUERY_FIELDS = 64
MOST_CALL_DATA = 16 * 1024
"""Bytes of UTF-8; no text has fewer than it has signs."""
_MOST_DIGITS = 4300
"""As many as Python reads (`sys.int_info`); a number out of its range is told so, however long."""
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "gbk", "gb2312", "gb18030"})


@dataclass(frozen=True, slots=True)
class AgentIds:
    """The agent ids that exist: 101-59999 on the older pages, to 999999 on the newer ones [2401, 0415]."""

    highest: int

    def __contains__(self, agent: int) -> bool:
        return LOWEST_AGENT <= agent <= self.highest

    def parse(self, text: str) -> AgentId:
        """An agent id out of a path. Raises BadInput."""
        number = natural(text, 6)
        if number is None or number not in self:
            raise BadInput(f"agentid must be {LOWEST_AGENT} to {self.highest}")
        return AgentId(number)


def _number(value: object) -> object:
    """A whole number, as a text too; what is neither is left to pydantic to name."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    if isinstance(value, str):
        value = whole(value, _MOST_DIGITS)
        if value is None:
            raise ValueError("must be a whole number")
    return value


def _agent(value: int, info: ValidationInfo) -> int:
    ids = info.context
    assert isinstance(ids, AgentIds), "a form is decoded with the ids that exist"
    if value not in ids:
        raise ValueError(f"must be {LOWEST_AGENT} to {ids.highest}")
    return value


def _listed(value: object) -> object:
    """Several numbers: `1;2;3`, `[1, "2"]`, or one."""
    if isinstance(value, str):
        return [part for part in value.replace(",", ";").split(";") if part.strip()]
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    return value


Number = Annotated[int, BeforeValidator(_number)]
AgentNumber = Annotated[
    AgentId,
    BeforeValidator(_number),
    AfterValidator(_agent),
    WithJsonSchema({"type": "string", "format": "agent-id", "pattern": "^[0-9]{3,6}$"}),
]
AgentNumbers = Annotated[tuple[AgentNumber, ...], BeforeValidator(_listed), Field(max_length=1000)]
Text = Annotated[str, AfterValidator(clean)]
Skills = Annotated[
    tuple[Annotated[SkillId, BeforeValidator(_number), Field(ge=0, le=2**31 - 1)], ...],
    BeforeValidator(_listed),
    Field(max_length=1000),
]
MediaTypes = Annotated[
    tuple[Annotated[Number, Field(ge=0, le=255)], ...], BeforeValidator(_listed), Field(max_length=20)
]


class Form(form.Form):
    """The parameters of one interface. An alias is the wire's spelling; any case of it is taken.

    An absent, null or empty parameter has the field's default; without one it is refused.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True)

    missing: ClassVar[str] = "field required"
    in_body: ClassVar[bool] = False
    """Whether the fields that are not in the path come in a JSON body (else in the query)."""

    @classmethod
    def decode(
        cls, path: Mapping[str, str], query: bytes, body: bytes, content_type: str, agent_ids: AgentIds
    ) -> Self:
        """The form that a request fills in. Raises BadInput."""
        found = _folded(decode_body(body, content_type) if cls.in_body else decode_query(query))
        found.update(_folded(path))
        wanted = {}
        for name, field in cls.model_fields.items():
            spelling = field.alias or name
            value = found.get(spelling.lower())
            if value is not None and value != "":
                wanted[spelling] = value
        return cls.filled(wanted, agent_ids)


class SelfRecord(Form):
    """Whether talks are recorded, and whether before the talk, too: 0 or 1 each."""

    on: Number = Field(alias="recordflag", ge=0, le=1)
    before: Number = Field(alias="recordbeforetalking", ge=0, le=1)


class Whose(Form):
    """The agent asked about."""

    target: AgentNumber = Field(alias="workno")


class Queue(Form):
    """The skill queue asked about."""

    skill: Annotated[SkillId, BeforeValidator(_number)] = Field(alias="skillid", ge=0, le=2**31 - 1)


FormT = TypeVar("FormT", bound=Form)


def _folded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in fields.items()}


def decode_query(query: bytes) -> dict[str, str]:
    """A query string in UTF-8; of a repeated parameter the first counts.

    What is no UTF-8 comes out as no text, and is refused where it is used. Raises BadInput.
    """
    read = "surrogateescape"
    try:
        pairs = parse_qsl(
            query.decode("ascii", read), keep_blank_values=True, errors=read, max_num_fields=QUERY_FIELDS
        )
    except ValueError:
        raise BadInput("too many query parameters") from None
    return dict(reversed(pairs))


def decode_body(body: bytes, content_type: str) -> dict[str, Any]:
    """A JSON object, whatever the content type says; nothing or `null` is an empty one. Raises BadInput."""
    return json_object(body, _charset(content_type), may_be_absent=True)


def _charset(content_type: str) -> str:
    for part in content_type.lower().split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip() == "charset" and value.strip(' "') in _CHARSETS:
            return value.strip(' "')
    return "utf-8"
