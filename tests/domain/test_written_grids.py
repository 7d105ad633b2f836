"""Every table of the rules says what is written in `tests/grids`, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests import grids

from sottovoce.domain import agents, appeals, calls, chats, plans, reviews, rights
from sottovoce.domain.appeals import Kind


@pytest.mark.parametrize(
    ("table", "written"),
    [
        pytest.param(rights.RIGHTS, grids.RIGHTS, id="rights"),
        pytest.param(reviews.TASKS, grids.TASKS, id="tasks"),
        pytest.param(reviews.ITEMS, grids.ITEMS, id="items"),
        pytest.param(appeals.GRIDS[Kind.APPEAL], grids.QUALITY_ITEMS[Kind.APPEAL], id="appeals"),
        pytest.param(appeals.GRIDS[Kind.PROBLEM], grids.QUALITY_ITEMS[Kind.PROBLEM], id="problems"),
        pytest.param(plans.PLANS, grids.PLANS, id="plans"),
        pytest.param(calls.TABLE, grids.CALLS, id="calls"),
        pytest.param(chats.TABLE, grids.CHATS, id="chats"),
        pytest.param(agents.TABLE, grids.AGENTS, id="agents"),
    ],
)
def test_the_table_is_what_is_written(table: Mapping[Any, Any], written: Mapping[Any, Any]) -> None:
    wrong = {cell: (table.get(cell), written.get(cell)) for cell in table.keys() | written.keys()}
    assert {cell: both for cell, both in wrong.items() if both[0] is not both[1]} == {}
