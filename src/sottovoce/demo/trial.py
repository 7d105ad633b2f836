"""A server of one's own on loopback: a fresh data folder, a VDN from a seed, free ports. Nothing stays."""

from __future__ import annotations

import secrets
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import yaml

from sottovoce import app
from sottovoce.app import Running
from sottovoce.config import Settings
from sottovoce.doors.sip.ports import Account
from sottovoce.selftest.stage import Stage, StagedAgent
from sottovoce.storage.live import directory, seed
from sottovoce.storage.live.passwords import Passwords
from sottovoce.storage.own.embedded import EmbeddedPostgres
from sottovoce.storage.own.opening import opened

TRUNK_HOST = "127.0.0.2"
"""Where customers call from: an address of this machine that no phone uses, configured as the trunk."""
_RTP_PORTS = 400


def trunk_host() -> str | None:
    """TRUNK_HOST, or None where the system has no second loopback address (customers then have accounts)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((TRUNK_HOST, 0))
        except OSError:
            return None
    return TRUNK_HOST


def password() -> str:
    """A new random password: 12 letters, digits, `-` and `_`."""
    return secrets.token_urlsafe(9)


@asynccontextmanager
async def trial_server(
    vdn: Mapping[str, Any], *, agents: Mapping[str, Any] | None = None, media: Mapping[str, Any] | None = None
) -> AsyncIterator[Running]:
    """Run a server with that one VDN (a seed file's entry) in a folder that is removed at the end.

    `agents` and `media` are settings of those sections. Raises as `app.running` does.
    """
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="sottovoce-demo-", ignore_cleanup_errors=True)
            )
        )
        postgres = EmbeddedPostgres(folder / "database", temporary=True)
        owner = await postgres.start()
        stack.push_async_callback(postgres.stop)
        database = {"dsn": postgres.server_dsn, "owner_dsn": owner}
        settings = _settings(folder / "data", database, agents or {}, media or {})
        await _import(settings, vdn)
        yield await stack.enter_async_context(app.running(settings))


async def _import(settings: Settings, vdn: Mapping[str, Any]) -> None:
    async with opened(settings.database, settings.data, migrate=True) as engine:
        text = yaml.safe_dump({"vdns": [dict(vdn)]})
        await directory.import_seed(engine, seed.parse(text), Passwords(), settings.sip.domain)


def _settings(
    data: Path, database: Mapping[str, str], agents: Mapping[str, Any], media: Mapping[str, Any]
) -> Settings:
    first = _free_range()
    trunk = {"name": "customers", "host": TRUNK_HOST, "networks": [f"{TRUNK_HOST}/32"]}
    return Settings.model_validate(
        {
            "data": data,
            "database": dict(database),
            "http": {"host": "127.0.0.1", "port": 0},
            "sip": {"host": "127.0.0.1", "port": 0, "trunks": [trunk] if trunk_host() else []},
            "media": {
                "workers": 1,
                "host": "127.0.0.1",
                "first_port": first,
                "last_port": first + _RTP_PORTS - 1,
                **media,
            },
            "agents": dict(agents),
        }
    )


def _free_range() -> int:
    """An even port that begins a stretch for RTP, at random so that two servers hardly meet."""
    return 30_000 + _RTP_PORTS * secrets.randbelow(25_000 // _RTP_PORTS)


SELFTEST_MEDIA_TIMEOUT_S = 3.0


@asynccontextmanager
async def selftest_stage() -> AsyncIterator[Stage]:
    """A server for `sottovoce selftest`, and the agents that it walks with."""
    numbers = ("8101", "8102", "8301", "8901")
    words = {name: password() for name in ("inspector", "agent", "colleague", *numbers)}
    here = trunk_host()
    vdn = {
        "vdn": 1,
        "name": "Selftest",
        "skills": [{"skill": 1, "name": "Selftest"}],
        "access_codes": [{"number": "4000", "skill": 1}],
        "phones": [{"number": number, "password": words[number]} for number in numbers],
        "agents": [
            {"agent": 101, "name": "Agent", "password": words["agent"], "phone": "8101", "skills": [1]},
            {"agent": 102, "name": "Colleague", "password": words["colleague"], "phone": "8102"},
            {
                "agent": 301,
                "name": "Inspector",
                "password": words["inspector"],
                "phone": "8301",
                "rights": ["inspect"],
            },
        ],
    }
    async with trial_server(vdn, media={"timeout": SELFTEST_MEDIA_TIMEOUT_S}) as server:
        yield Stage(
            http_url=server.http_url,
            sip_host=server.sip_host,
            sip_port=server.sip_port,
            inspector=StagedAgent(301, words["inspector"], "8301", Account("8301", words["8301"])),
            agent=StagedAgent(101, words["agent"], "8101", Account("8101", words["8101"])),
            access_code="4000",
            colleague=StagedAgent(102, words["colleague"], "8102", Account("8102", words["8102"])),
            customer=None if here else Account("8901", words["8901"]),
            customer_host=here or "127.0.0.1",
            media_timeout_s=SELFTEST_MEDIA_TIMEOUT_S,
        )
