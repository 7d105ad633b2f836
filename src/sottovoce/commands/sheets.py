"""CSV files for spreadsheets: UTF-8 that they recognise, and no cell that they would take for a formula."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sottovoce.commands.telling import WRONG_CALL, fail

_FORMULA = tuple("=+-@＝＋－＠\t\r\n")


def cell(value: object) -> object:
    """A cell with that value: a text that a spreadsheet would calculate gets an apostrophe in front of it."""
    risky = isinstance(value, str) and (value.lstrip().startswith(_FORMULA) or value.startswith(_FORMULA))
    return f"'{value}" if risky else value


@contextmanager
def new_sheet(path: Path, heads: Sequence[str]) -> Iterator[Callable[[Sequence[object]], None]]:
    """A file that must not be there yet, filled by the rows that the function is given; gone if it fails.

    UTF-8 with a byte-order mark, texts in quotation marks: a comma or semicolon in one begins no cell.
    """
    try:
        file = path.open("x", encoding="utf-8-sig", newline="")
    except FileExistsError:
        fail([f"{path} is there already"], WRONG_CALL)
    with file:
        sheet = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
        sheet.writerow(heads)
        try:
            yield lambda row: sheet.writerow([cell(value) for value in row])
        except BaseException:
            path.unlink(missing_ok=True)
            raise
