"""Fixtures of the storage tests: an engine on a fresh database, and one with two VDNs in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from argon2 import PasswordHasher
from sqlalchemy.ext.asyncio import AsyncEngine

from sottovoce.storage.database import connect
from sottovoce.storage.live import directory, seed
from sottovoce.storage.live.passwords import Passwords

TWO_VDNS = """
vdns:
  - vdn: 1
    name: Hotline
    outbound_allowed: ["+49", "0"]
    skills: [{skill: 1, name: Sales}, {skill: 2, name: Help}]
    access_codes: [{number: "4000", skill: 1}]
    phones: [{number: "8001", password: "eight thousand one"}]
    agents:
      - {agent: 101, name: Ann, password: "secret-101", phone: "8001", skills: [1, 2]}
      - {agent: 102, name: Ida, password: "secret-102", rights: [inspect, call_out], group: 3}
  - vdn: 2
    name: Elsewhere
    skills: [{skill: 1, name: Sales}]
    access_codes: [{number: "5000", skill: 1, early_media: true}]
    phones: [{number: "8001", username: "other-8001", password: "another eight thousand"}]
    agents: [{agent: 201, name: Bob, password: "secret-201", phone: "8001", skills: [1]}]
"""


def cheap_passwords() -> Passwords:
    """The real thing at its least cost."""
    return Passwords(hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
async def engine(postgres_dsn: str) -> AsyncIterator[AsyncEngine]:
    """On a fresh database with the schema and nothing in it."""
    engine = connect(postgres_dsn)
    yield engine
    await engine.dispose()


@pytest.fixture
async def two_vdns(engine: AsyncEngine) -> AsyncEngine:
    """With TWO_VDNS in it."""
    await directory.import_seed(engine, seed.parse(TWO_VDNS), cheap_passwords(), "test.example")
    return engine


@pytest.fixture
def two_vdns_yaml() -> str:
    """TWO_VDNS."""
    return TWO_VDNS
