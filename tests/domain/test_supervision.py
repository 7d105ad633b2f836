"""Who may follow what: the whole table of supervision, written out once more."""

from __future__ import annotations

import pytest

from sottovoce.domain.supervision import TABLE, Footing, SupervisionCommand, follow
from sottovoce.errors import Code, Refused

EXPECTED = {
    SupervisionCommand.START_LISTEN: "begins WRONG WRONG WRONG WRONG",
    SupervisionCommand.START_WHISPER: "begins WRONG WRONG WRONG WRONG",
    SupervisionCommand.START_INSERT: "begins WRONG WRONG WRONG WRONG",
    SupervisionCommand.TOGGLE: "NOT WRONG insert WRONG listen",
    SupervisionCommand.TO_LISTEN: "NOT begins listen listen listen",
    SupervisionCommand.TO_WHISPER: "NOT begins whisper whisper whisper",
    SupervisionCommand.TO_INSERT: "NOT begins insert insert insert",
    SupervisionCommand.STOP: "NOT ends ends ends ends",
    SupervisionCommand.STOP_WHISPER: "NOT ends WRONG ends WRONG",
    SupervisionCommand.INTERCEPT: "NOT WRONG ends ends ends",
}
ASKING = tuple(footing for footing in Footing if footing is not Footing.GONE)
WORDS = {
    Footing.REACHING: "begins",
    Footing.GONE: "ends",
    Code.WRONG_SUPERVISION_STATE: "WRONG",
    Code.NOT_SUPERVISED: "NOT",
}


def test_no_cell_is_empty():
    assert set(TABLE) == {(footing, command) for footing in ASKING for command in SupervisionCommand}


@pytest.mark.parametrize("command", SupervisionCommand)
def test_the_row_of(command):
    words = []
    for footing in ASKING:
        try:
            cell = follow(footing, command)
        except Refused as refusal:
            cell = refusal.code
        words.append(WORDS.get(cell, cell.value))
    assert " ".join(words) == EXPECTED[command]
