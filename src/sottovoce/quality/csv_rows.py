"""Rows of CSV files that others wrote: the one place that opens such a file and takes its lines apart."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, TextIO


class BadRow(ValueError):
    """Why a row cannot be taken apart."""


def text_of(file: BinaryIO) -> TextIO:
    """A file's text, line ends as they are; bytes that are not UTF-8 become surrogates."""
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def rows(
    lines: TextLines, delimiters: str = ",;\t", most_lines: int = 50
) -> Iterator[tuple[int, list[str] | BadRow]]:
    """Each row with the line on which it begins; a BadRow where it cannot be taken apart.

    Of `delimiters` that one counts which the first line has most. A row has up to `most_lines` lines, by line
    breaks in its values; a quotation mark that is not closed costs its own line alone.
    """
    delimiter = ""
    while line := lines.take():
        number, more = lines.number, list[str]()
        delimiter = delimiter or max(delimiters, key=line.count)
        row = _parsed(line, delimiter, lines.longest)
        while row is None and len(more) + 1 < most_lines and (following := lines.take()):
            more.append(following)
            row = _parsed("".join((line, *more)), delimiter, lines.longest)
        if row is None or isinstance(row, BadRow):
            lines.give_back(more)
            yield number, BadRow("a quotation mark is not closed") if more or row is None else row
        else:
            yield number, row


def _parsed(text: str, delimiter: str, longest: int) -> list[str] | BadRow | None:
    """The values of a row; None where a quotation mark is still open."""
    if len(text) > longest:
        return BadRow(f"the line is longer than {longest} characters")
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as failure:
        return None if "unexpected end" in str(failure) else BadRow(f"the row cannot be read: {failure}")


class TextLines:
    """A file's lines, counted; of one with more than `longest` characters only its begin."""

    def __init__(self, file: TextIO, longest: int) -> None:
        self._file = file
        self._given_back: deque[str] = deque()
        self.longest = longest
        self.number = 0
        """Of the line taken last."""

    def take(self) -> str:
        """The next line; empty at the end."""
        if self._given_back:
            self.number += 1
            return self._given_back.popleft()
        rest = line = self._file.readline(self.longest + 1)
        while len(rest) >= self.longest and not rest.endswith("\n"):
            rest = self._file.readline(self.longest)
        self.number += bool(line)
        return line

    def give_back(self, lines: list[str]) -> None:
        """Have lines taken again."""
        self._given_back.extendleft(reversed(lines))
        self.number -= len(lines)
