"""Rows of CSV files that others wrote: the one place that opens such a file and takes its lines apart."""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, TextIO

_ENOUGH = 64
"""Bytes that tell the encoding: of a list of calls they are its columns' names."""
_SEP = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""How Excel is told of the delimiter, in a line before all others."""


class BadRow(ValueError):
    """Why a row cannot be taken apart."""


def text_of(file: BinaryIO) -> TextIO:
    """A file's text, line ends as they are: UTF-16, or UTF-8 whose other bytes become surrogates."""
    begin = file.read(_ENOUGH)
    file.seek(0)
    if encoding := _utf16(begin):
        return io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
    return io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")


def _utf16(begin: bytes) -> str:
    """UTF-16 by its byte-order mark, or by ASCII of which every other byte is null; empty: no UTF-16."""
    low, high = begin[0::2], begin[1::2]
    if begin.startswith(b"\xff\xfe") or (high and not any(high) and all(low)):
        return "utf-16-le"
    if begin.startswith(b"\xfe\xff") or (high and not any(low) and all(high)):
        return "utf-16-be"
    return ""


def rows(
    lines: TextLines, delimiters: str = ",;\t", most_lines: int = 50
) -> Iterator[tuple[int, list[str] | BadRow, str]]:
    """Each row, the line on which it begins first and its text last; a BadRow where it cannot be taken apart.

    Of `delimiters` that one counts which the first line has most, or the one that a line `sep=;` before it
    names. Blank lines before it are none. A row has up to `most_lines` lines, by line
    breaks in its values; a quotation mark that is not closed costs its own line alone.
    """
    delimiter, begun = "", False
    while line := lines.take():
        number, more = lines.number, list[str]()
        if not delimiter and (said := _SEP.fullmatch(line.strip("\r\n"))):
            delimiter = said[1]
            continue
        if not begun and not line.strip():
            continue
        begun = True
        delimiter = delimiter or max(delimiters, key=line.count)
        row = _parsed(line, delimiter, lines.longest)
        while row is None and len(more) + 1 < most_lines and (following := lines.take()):
            more.append(following)
            row = _parsed("".join((line, *more)), delimiter, lines.longest)
        if row is None or isinstance(row, BadRow):
            lines.give_back(more)
            why = BadRow("a quotation mark is not closed") if more or row is None else row
            yield number, why, line
        else:
            yield number, row, "".join((line, *more))


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
        return line.lstrip("\ufeff") if self.number == 1 else line

    def give_back(self, lines: list[str]) -> None:
        """Have lines taken again."""
        self._given_back.extendleft(reversed(lines))
        self.number -= len(lines)
