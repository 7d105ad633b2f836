"""`fixedColumns`: the bounds of what stands in it, for new samples and for changed ones."""

from __future__ import annotations

from typing import Any

import pytest

from sottovoce.http.ccsqm.fixed_columns import ChangedColumns, FixedColumns
from sottovoce.http.family.form import BadField

COLUMNS: dict[str, Any] = {"qualityType": 1, "qualityNum": 5, "interactionType": 0, "qualityCondition": 2}


@pytest.mark.parametrize("form", [FixedColumns, ChangedColumns])
@pytest.mark.parametrize(
    ("field", "name", "least", "most"),
    [
        ("qualityType", "quality_type", 1, 3),
        ("qualityNum", "quality_num", 1, 10_000),
        ("qualityCondition", "quality_condition", 0, 2),
        ("maxNum", "max_num", 0, 10_000),
        ("scoreStart", "score_start", 0, 10_000),
        ("scoreEnd", "score_end", 0, 10_000),
        ("durationStart", "duration_start", 0, 99_999_999_999),
        ("durationEnd", "duration_end", 0, 99_999_999_999),
    ],
)
def test_the_bounds(form: type[FixedColumns], field: str, name: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(form.filled({**COLUMNS, field: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(BadField, match=f"^{field}: "):
            form.filled({**COLUMNS, field: value})
