"""Changes as JSON: what is written is what is read, and always something PostgreSQL takes."""

from __future__ import annotations

import json
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sottovoce.domain import journal
from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import RecordingPause, SupervisionSpan
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.legs import LegId
from sottovoce.domain.supervision import Mode
from sottovoce.plain import Unreadable
from sottovoce.storage.records import decode, encode, fit

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"))
TIMES = st.datetimes(timezones=st.just(UTC))
DETAILS = st.dictionaries(TEXTS, TEXTS | st.integers(-(2**53), 2**53) | st.booleans(), max_size=3)
NUMBERS = st.integers(1, 999_999)


@given(
    st.one_of(
        st.builds(
            journal.SessionSaved, NUMBERS, NUMBERS, TEXTS, TEXTS, TIMES, st.lists(NUMBERS).map(tuple), DETAILS
        ),
        st.builds(journal.SessionEnded, NUMBERS, NUMBERS, TIMES, TEXTS),
        st.builds(journal.DialogSaved, TEXTS, NUMBERS, DETAILS),
        st.builds(journal.DialogEnded, TEXTS, NUMBERS),
        st.builds(
            journal.ContactBegan,
            TEXTS,
            NUMBERS,
            TIMES,
            st.sampled_from(CallDirection),
            TEXTS,
            TEXTS,
            st.none() | NUMBERS,
        ),
        st.builds(
            journal.SegmentEnded,
            TEXTS,
            NUMBERS,
            NUMBERS,
            TIMES,
            TIMES,
            st.none() | TEXTS,
            st.just({}),
            st.none(),
            st.lists(st.builds(SupervisionSpan, NUMBERS, st.sampled_from(Mode), TIMES, TIMES)).map(tuple),
        ),
        st.builds(
            journal.RecordingChanged,
            TEXTS,
            NUMBERS,
            NUMBERS,
            TIMES,
            st.none() | TEXTS,
            st.lists(st.builds(RecordingPause, NUMBERS, TIMES, st.none() | TIMES)).map(tuple),
        ),
        st.builds(journal.SegmentBegan, TEXTS, NUMBERS, NUMBERS, TIMES, st.none() | TEXTS),
        st.builds(journal.CallDataSet, TEXTS, NUMBERS, TEXTS),
        st.builds(journal.PasswordChanged, NUMBERS, NUMBERS, TEXTS, TIMES),
        st.builds(journal.ContactEnded, TEXTS, NUMBERS, TIMES, TEXTS),
        st.builds(journal.AuditEntry, NUMBERS, TIMES, NUMBERS, TEXTS, TEXTS, DETAILS),
    )
)
def test_a_change_survives(change: journal.Change) -> None:
    assert decode(json.loads(json.dumps(encode(change)))) == change


@given(st.text(st.characters()))
def test_any_text_becomes_one_that_postgresql_takes(text: str) -> None:
    kept = fit(text)
    assert "\0" not in kept
    kept.encode()


@pytest.mark.parametrize(
    "content", [{}, {"kind": "Nothing"}, {"kind": "DialogEnded"}, {"kind": "DialogEnded", "x": 1}]
)
def test_foreign_content_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        decode(content)


def test_odd_values_of_a_dialog_become_text() -> None:
    change = journal.DialogSaved(LegId("l"), VdnId(1), {"a": (1, b"x"), "b": {AgentId(1)}, "c": object})
    assert json.dumps(encode(change))
