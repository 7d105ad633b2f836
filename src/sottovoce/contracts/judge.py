"""A judge of values by the ledgers' schemas: JSON Schema 2020-12, strict where its usual reader is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend


def _whole(checker: object, value: object) -> bool:
    """A number without a fraction as it is written; JSON Schema takes 1.0 for one, too."""
    return isinstance(value, int) and not isinstance(value, bool)


def _pattern(judge: Any, pattern: str, value: object, schema: object) -> Iterator[ValidationError]:
    """As ECMA 262 has it: `$` is the end, not also the place before a line break; `\\w` is ASCII."""
    if isinstance(value, str) and re.search(pattern.replace("$", r"\Z"), value, re.ASCII) is None:
        yield ValidationError(f"{value!r} does not match {pattern}")


Judge: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine("integer", _whole),
)
"""Made with a schema: `is_valid(value)`, and `iter_errors(value)` with what is wrong."""
