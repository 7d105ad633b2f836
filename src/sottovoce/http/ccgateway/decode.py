"""What clients send, taken in leniently: numbers and flags as strings, odd content types, any case of names.

Source of the habits: cc-gateway.md Part 5. Nothing is echoed into error texts but the field's own name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, NoReturn, Self, TypeVar
from urllib.parse import parse_qsl

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
)

from sottovoce.domain.directory import AgentId, SkillId

LOWEST_AGENT = 101
QUERY_FIELDS = 64
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "iso-8859-1", "gbk", "gb2312", "gb18030"})


class BadInput(Exception):
    """A request that cannot be understood: the path, or a body that is no JSON object."""


class BadField(BadInput):
    """A field that is missing or out of its range. The text names the field, never the value."""


@dataclass(frozen=True, slots=True)
class AgentIds:
    """The agent ids that exist: 101-59999 on the older pages, to 999999 on the newer ones [2401, 0415]."""

    highest: int = 59_999

    def __contains__(self, agent: int) -> bool:
        return LOWEST_AGENT <= agent <= self.highest

    def parse(self, text: str) -> AgentId:
        """An agent id out of a path. Raises BadInput."""
        if not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text) in self):
            raise BadInput(f"agentid must be {LOWEST_AGENT} to {self.highest}")
        return AgentId(int(text))


def _no_flag(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


def _agent(value: int, info: ValidationInfo) -> int:
    ids = info.context if isinstance(info.context, AgentIds) else AgentIds()
    if value not in ids:
        raise ValueError(f"must be {LOWEST_AGENT} to {ids.highest}")
    return value


def _clean(text: str) -> str:
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("has signs that are no text")
    return text


def _skills(value: object) -> object:
    """`1;2;3`, `[1, "2"]`, or one number."""
    if isinstance(value, str):
        return [part for part in value.replace(",", ";").split(";") if part.strip()]
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    return value


Number = Annotated[int, BeforeValidator(_no_flag)]
AgentNumber = Annotated[
    AgentId,
    BeforeValidator(_no_flag),
    AfterValidator(_agent),
    WithJsonSchema({"type": "string", "format": "agent-id", "pattern": "^[0-9]{3,6}$"}),
]
Text = Annotated[str, AfterValidator(_clean)]
Skills = Annotated[
    tuple[Annotated[SkillId, BeforeValidator(_no_flag), Field(ge=0, le=2**31 - 1)], ...],
    BeforeValidator(_skills),
    Field(max_length=1000),
]


class Form(BaseModel):
    """The parameters of one interface. An alias is the wire's spelling; any case of it is taken.

    An absent, null or empty parameter has the field's default; without one it is refused.
    """

    model_config = ConfigDict(coerce_numbers_to_str=True, extra="ignore", frozen=True, populate_by_name=False)

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
        try:
            return cls.model_validate(wanted, context=agent_ids)
        except ValidationError as error:
            raise _complaint(error) from None


FormT = TypeVar("FormT", bound=Form)


def _complaint(error: ValidationError) -> BadField:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "parameters"
    return BadField(f"{where}: {first['msg'].removeprefix('Value error, ').lower()}")


def _folded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in fields.items()}


def decode_query(query: bytes) -> dict[str, str]:
    """A query string; of a repeated parameter the first counts. Raises BadInput."""
    try:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, max_num_fields=QUERY_FIELDS)
    except ValueError:
        raise BadInput("too many query parameters") from None
    return dict(reversed(pairs))


def decode_body(body: bytes, content_type: str) -> dict[str, Any]:
    """A JSON object, whatever the content type says; nothing or `null` is an empty one. Raises BadInput."""
    try:
        text = body.decode(_charset(content_type)).removeprefix("\ufeff").strip()
        value = json.loads(text, parse_constant=_no_constant) if text else {}
    except (ValueError, RecursionError):
        raise BadInput("the body is no JSON object") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput("the body is no JSON object")
    return value


def _charset(content_type: str) -> str:
    for part in content_type.lower().split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip() == "charset" and value.strip(' "') in _CHARSETS:
            return value.strip(' "')
    return "utf-8"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
