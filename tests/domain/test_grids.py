"""Grids of words are refused unless every cell is filled once."""

from __future__ import annotations

from enum import StrEnum

import pytest

from sottovoce.domain.grids import read_grid


class Column(StrEnum):
    A = "a"
    B = "b"


class Row(StrEnum):
    X = "x"
    Y = "y"


CELLS = {"1": 1, "2": 2}


def test_a_full_grid():
    assert read_grid("a b\nx 1 2\ny 2 1", Column, Row, CELLS)[Column.B, Row.X] == 2


@pytest.mark.parametrize(
    "grid",
    ["a b\nx 1 2", "a b\nx 1\ny 2 1", "a b\nx 1 2\nx 1 2", "a b\nx 1 2\ny 1 2\ny 2 1", "a b\nx 1 2 1\ny 1 2"],
)
def test_holes_and_doubles(grid):
    with pytest.raises(ValueError):
        read_grid(grid, Column, Row, CELLS)


def test_an_unknown_word():
    with pytest.raises(KeyError):
        read_grid("a b\nx 1 3\ny 2 1", Column, Row, CELLS)
