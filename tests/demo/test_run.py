"""The demo's people, however many agents there are."""

from __future__ import annotations

import pytest
import yaml
from rich.console import Console

from sottovoce.demo.run import Demo
from sottovoce.storage.live import seed


@pytest.mark.parametrize("agents", range(1, 21))
def test_any_number_of_agents_makes_a_seed_without_a_mistake(agents: int) -> None:
    vdn = dict(Demo(Console(quiet=True), agents).vdn())
    assert len(seed.parse(yaml.safe_dump({"vdns": [vdn]})).seed.vdns[0].agents) == agents + 1
    names = [user["name"] for user in vdn["users"]]
    assert sorted(set(names)) == sorted(names), "a group names its members by name"
