"""Stretches of samples or bytes that are copied whole, wherever they begin.

numpy copies the rows of an index one element after the other; seen as one opaque item, a row is
copied at once, in half the time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Spans = npt.NDArray[np.void]


def spans(flat: npt.NDArray[Any], size: int) -> Spans:
    """Every stretch of `size` elements of a flat, contiguous array: item i begins at element i. A view."""
    step = flat.itemsize
    return np.ndarray((flat.size - size + 1,), f"V{size * step}", flat, 0, (step,))


def items(rows: npt.NDArray[Any]) -> Spans:
    """Rows [k, size], each contiguous, as k items. A view."""
    return rows.view(f"V{rows.shape[1] * rows.itemsize}")[:, 0]


def rows(found: Spans, like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Items [k] that were picked, as rows [k, size] of elements as in `like`."""
    return found.view(like.dtype).reshape(len(found), found.itemsize // like.itemsize)
