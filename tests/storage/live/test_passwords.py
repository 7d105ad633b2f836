"""Passwords are hashed with argon2id, and a stranger's takes as long as a wrong one."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from sottovoce.storage.live.passwords import Passwords


@pytest.fixture
def passwords() -> Passwords:
    return Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


async def test_right_and_wrong(passwords: Passwords) -> None:
    kept = await passwords.hash("grün 绿")
    assert kept.startswith("$argon2id$")
    assert await passwords.verify(kept, "grün 绿")
    for wrong in ("", "grün", "x" * 10_000_000, "\ud800"):
        assert not await passwords.verify(kept, wrong)


class Counting(PasswordHasher):
    """Counts what it works."""

    worked = 0

    def hash(self, *given: object, **more: object) -> str:
        self.worked += 1
        return super().hash(*given, **more)  # type: ignore[arg-type]

    def verify(self, *given: object, **more: object) -> bool:
        self.worked += 1
        return super().verify(*given, **more)  # type: ignore[arg-type]


async def test_nobody_costs_as_much_as_somebody_from_the_first_time_on() -> None:
    hasher = Counting(time_cost=1, memory_cost=8, parallelism=1)
    passwords = Passwords(hasher=hasher)
    kept = await passwords.hash("right")
    for stored in (None, "", kept, None):
        hasher.worked = 0
        assert not await passwords.verify(stored, "wrong \ud800" if stored is None else "wrong")
        assert hasher.worked == 1, stored


async def test_nobody_and_nonsense(passwords: Passwords) -> None:
    assert not await passwords.verify(None, "nobody's")
    assert not await passwords.verify("", "x")
    assert not await passwords.verify("$argon2id$nonsense", "x")


async def test_the_default_costs_what_rfc_9106_recommends() -> None:
    kept = await Passwords().hash("x")
    assert "m=65536,t=3,p=4" in kept
