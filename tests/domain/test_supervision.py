"""Who may follow what: the whole table of supervision, written out once more."""

from __future__ import annotations

import pytest

from sottovoce.domain.supervision import ASKING, TABLE, Command, Footing, follow
from sottovoce.errors import Code, Refused

EXPECTED = {
    Command.START_LISTEN: "begins WRONG WRONG WRONG WRONG",
    Command.START_WHISPER: "begins WRONG WRONG WRONG WRONG",
    Command.START_INSERT: "begins WRONG WRONG WRONG WRONG",
    Command.TOGGLE: "NOT WRONG insert WRONG listen",
    Command.TO_LISTEN: "NOT begins listen listen listen",
    Command.TO_WHISPER: "NOT begins whisper whisper whisper",
    Command.TO_INSERT: "NOT begins insert insert insert",
    Command.STOP: "NOT ends ends ends ends",
    Command.STOP_WHISPER: "NOT ends WRONG ends WRONG",
    Command.INTERCEPT: "NOT WRONG ends ends ends",
}
WORDS = {
    Footing.REACHING: "begins",
    Footing.GONE: "ends",
    Code.WRONG_SUPERVISION_STATE: "WRONG",
    Code.NOT_SUPERVISED: "NOT",
}


def test_no_cell_is_empty():
    assert set(TABLE) == {(footing, command) for footing in ASKING for command in Command}


@pytest.mark.parametrize("command", Command)
def test_the_row_of(command):
    words = []
    for footing in ASKING:
        try:
            cell = follow(footing, command)
        except Refused as refusal:
            cell = refusal.code
        words.append(WORDS.get(cell, cell.value))
    assert " ".join(words) == EXPECTED[command]
