"""Stretches copied whole do what rows of an index do."""

from __future__ import annotations

import numpy as np

from sottovoce.media.spans import items, rows, spans


def test_stretches_are_picked_wherever_they_begin() -> None:
    flat = np.arange(20, dtype=np.int16)
    picked = rows(spans(flat, 4)[np.array([0, 3, 16])], flat)
    assert picked.tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [16, 17, 18, 19]]
    assert len(spans(flat, 4)) == 17


def test_stretches_are_written_through_the_view() -> None:
    flat = np.zeros(8, np.uint8)
    spans(flat, 3)[np.array([1, 5])] = items(np.array([[1, 2, 3], [4, 5, 6]], np.uint8))
    assert flat.tolist() == [0, 1, 2, 3, 0, 4, 5, 6]


def test_stretches_of_rows_are_items_too() -> None:
    wide = np.arange(12, dtype=np.int16).reshape(2, 6)
    picked = items(wide[:, 4:])[np.array([1, 0])]
    assert rows(picked, wide).tolist() == [[10, 11], [4, 5]]


def test_no_item_is_no_row() -> None:
    flat = np.arange(5, dtype=np.int16)
    assert rows(spans(flat, 2)[np.zeros(0, np.intp)], flat).shape == (0, 2)
