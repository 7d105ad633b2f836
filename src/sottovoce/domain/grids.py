"""State machines written as grids of words: a line per trigger, a column per state, no empty cell."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

Column = TypeVar("Column", bound=Enum)
Row = TypeVar("Row", bound=Enum)
Cell = TypeVar("Cell")


def words(*kinds: type[Column]) -> dict[str, Column]:
    """The words that stand in a grid for the members of enums: their values."""
    return {member.value: member for kind in kinds for member in kind}


def read_grid(
    grid: str, columns: type[Column], rows: type[Row], cells: Mapping[str, Cell]
) -> Mapping[tuple[Column, Row], Cell]:
    """Read a grid whose first line names the columns. Raises ValueError unless every cell is filled once."""
    head, *lines = [line.split() for line in grid.strip().splitlines()]
    states = [columns(word) for word in head]
    table: dict[tuple[Column, Row], Cell] = {}
    for name, *words in lines:
        row = rows(name)
        for state, word in zip(states, words, strict=True):
            if (state, row) in table:
                raise ValueError(f"{name} stands twice")
            table[state, row] = cells[word]
    if len(table) != len(states) * len(rows):
        raise ValueError("a line is missing")
    return table
