"""The vocabulary: every event is frozen, addressed, and says what it is."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from sottovoce.domain import events


def kinds(base=events.AgentEvent):
    for kind in base.__subclasses__():
        if kind.__qualname__ != base.__qualname__:
            yield kind
            yield from kinds(kind)


@pytest.mark.parametrize("kind", sorted(set(kinds()), key=lambda kind: kind.__name__))
def test_an_event_is_frozen_and_documented(kind):
    assert is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert fields(kind)[0].name == "agent"
    assert kind.__doc__
    assert not kind.__doc__.startswith(kind.__name__)
