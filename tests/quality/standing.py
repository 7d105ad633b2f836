"""The after-call half on a fresh PostgreSQL: two tenants with people of every role, and the site.

`Standing` is used by tests of quality/, http/ccsqm/, contract/ and client/ alike. Time stands still at
`NOW` until the clock is told otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.contract.sqm_ledger import check
from tests.storage.works import work_of

from sottovoce.clock import ManualClock
from sottovoce.config import HttpSettings, QualitySettings
from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.people import Role, User, UserId
from sottovoce.http.ccsqm.dialect import Quality
from sottovoce.http.ccsqm.visit import SQM
from sottovoce.http.site import site
from sottovoce.quality.office import Office
from sottovoce.storage.database import connect
from sottovoce.storage.review import app_keys, users
from sottovoce.storage.tables import agents, contacts, group_members, skills, user_groups, vdns
from sottovoce.storage.tables import users as user_rows

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ONE, TWO = VdnId(1), VdnId(2)
SUCCESSES = ("0406000", "0408000", "0409000", "0410000", "0412000", "1010200")

DIRECTOR = UserId("1611917095665261978")
"""The operator of the seed document."""
LEADER = UserId("1600226359041729505")
"""Leads INSPECTOR and SECOND, not THIRD; inspects ANN and BEN, not CEM."""
INSPECTOR = UserId("1600226476732482572")
SECOND = UserId("1679888547924121791")
THIRD = UserId("1623924821759623386")
TABLE_DIRECTOR = UserId("1623922081217484235")
TABLE_LEADER = UserId("1600226359041729506")
"""Leads ANN and BEN, not CEM."""
ANN, BEN, CEM = (UserId(f"160022647673248260{n}") for n in (1, 2, 3))
"""The users of agents 101, 102, 103."""
PLAIN = UserId("1600226476732482700")
"""Of the tenant, with no role at all."""
FOREIGN = UserId("1600226476732482799")
"""A director of tenant 2; its agent is 201."""

PEOPLE: tuple[tuple[VdnId, UserId, str, Role | None, int | None], ...] = (
    (ONE, DIRECTOR, "Dora Director", Role.QUALITY_DIRECTOR, None),
    (ONE, LEADER, "Leo Leader", Role.QUALITY_LEADER, None),
    (ONE, INSPECTOR, "Ida Inspector", Role.INSPECTOR, None),
    (ONE, SECOND, "Sam Inspector", Role.INSPECTOR, None),
    (ONE, THIRD, "Tess Inspector", Role.INSPECTOR, None),
    (ONE, TABLE_DIRECTOR, "Tom Table", Role.TABLE_DIRECTOR, None),
    (ONE, TABLE_LEADER, "Lea Table", Role.TABLE_LEADER, None),
    (ONE, ANN, "Ann", Role.STAFF, 101),
    (ONE, BEN, "Ben", Role.STAFF, 102),
    (ONE, CEM, "Cem", Role.STAFF, 103),
    (ONE, PLAIN, "Paul Plain", None, None),
    (TWO, FOREIGN, "Fay Foreign", Role.QUALITY_DIRECTOR, None),
)
GROUPS = (
    ("Inspectors", "quality", (LEADER,), (INSPECTOR, SECOND)),
    ("Agents", "table", (TABLE_LEADER, LEADER), (ANN, BEN)),
)
BY_ROLE = {
    Role.QUALITY_DIRECTOR: DIRECTOR,
    Role.QUALITY_LEADER: LEADER,
    Role.INSPECTOR: INSPECTOR,
    Role.TABLE_DIRECTOR: TABLE_DIRECTOR,
    Role.TABLE_LEADER: TABLE_LEADER,
    Role.STAFF: ANN,
}


@dataclass(frozen=True)
class Answered:
    """An answer in the family's form."""

    status: int
    body: Any

    @property
    def code(self) -> str:
        code = self.body["resultCode"]
        assert isinstance(code, str)
        return code

    @property
    def ok(self) -> bool:
        """Whether it is a success (answers without a code are, with HTTP 200)."""
        if self.status != 200:
            return False
        coded = isinstance(self.body, dict) and "resultCode" in self.body
        return not coded or self.body.get("returnCode", self.body["resultCode"]) in SUCCESSES


class Standing:
    """Everything running in this loop."""

    def __init__(
        self,
        dsn: str,
        recordings: Path,
        settings: QualitySettings | None = None,
        engine: AsyncEngine | None = None,
        owner: str = "",
    ) -> None:
        self.clock = ManualClock(NOW)
        self.engine = engine or connect(dsn)
        self.owner = connect(owner or dsn)
        """As the role that owns the tables: what the server's may not do."""
        self.office = Office(self.engine, self.clock, recordings)
        self.quality = Quality(self.office, settings or QualitySettings())
        self.app = site(settings=HttpSettings(docs=True), quality=self.quality)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")
        self.tokens: dict[VdnId, str] = {}
        self.keys: dict[VdnId, tuple[str, str]] = {}
        """Tenant: app key and secret."""
        self._uuids = itertools.count(1)

    async def open(self) -> None:
        """Fill the directory, and get a token for each tenant by the wire."""
        async with self.engine.begin() as connection:
            await connection.execute(
                sa.insert(vdns), [{"vdn": 1, "name": "Hotline"}, {"vdn": 2, "name": "Elsewhere"}]
            )
            await connection.execute(
                sa.insert(skills),
                [
                    {"vdn": vdn, "skill": skill, "name": f"Skill {skill}"}
                    for vdn in (1, 2)
                    for skill in (1, 2)
                ],
            )
            await connection.execute(
                sa.insert(agents),
                [
                    {"agent": agent, "vdn": agent // 100, "name": f"Agent {agent}", "password_hash": "-"}
                    for agent in (101, 102, 103, 201)
                ],
            )
            await connection.execute(
                sa.insert(user_rows),
                [
                    {
                        "user": user,
                        "vdn": int(vdn),
                        "name": name,
                        "agent": agent,
                        "roles": [role] if role else [],
                    }
                    for vdn, user, name, role, agent in PEOPLE
                ],
            )
            for name, side, leaders, members in GROUPS:
                await connection.execute(sa.insert(user_groups).values(vdn=1, name=name, side=side))
                await connection.execute(
                    sa.insert(group_members),
                    [
                        {"vdn": 1, "name": name, "user": user, "leads": user in leaders}
                        for user in (*leaders, *members)
                    ],
                )
            for vdn in (ONE, TWO):
                key, secret = await app_keys.make(work_of(connection, vdn, NOW), "test")
                self.keys[vdn] = (key.app_key, secret)
        for vdn, (app_key, secret) in self.keys.items():
            answer = await self.http.post(
                "/apigovernance/api/oauth/tokenByAkSk",
                headers={"X-Token-Expire": "3600"},
                json={"app_key": app_key, "app_secret": secret},
            )
            self.tokens[vdn] = answer.json()["AccessToken"]

    async def close(self) -> None:
        await self.http.aclose()
        await self.engine.dispose()
        await self.owner.dispose()

    def elsewhere(self, source: str) -> httpx.AsyncClient:
        """The same site, for who comes from another address."""
        transport = httpx.ASGITransport(self.app, client=(source, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://test")

    async def call(
        self,
        path: str,
        body: Any,
        user: UserId | None = DIRECTOR,
        *,
        vdn: VdnId = ONE,
        base: str = SQM,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """POST `body` to `path` below `base`, as `user` with the tenant's token.

        Its answer is one that the ledgers allow (`tests.contract.sqm_ledger`).
        """
        sent = {"Authorization": f"Bearer {self.tokens[vdn]}", **(headers or {})}
        if user is not None:
            sent["X-UserID"] = user
        answer = await self.http.post(f"{base}/{path}", json=body, headers=sent)
        told = check(
            f"{base}/{path}",
            answer.status_code,
            answer.headers["content-type"],
            answer.content,
            numeric_ids=self.quality.settings.numeric_ids,
        )
        return Answered(answer.status_code, told)

    async def caller(self, user: UserId, vdn: VdnId = ONE) -> User:
        """That user as use cases are given them."""
        async with self.engine.begin() as connection:
            found = await users.find(work_of(connection, vdn), user)
        assert isinstance(found, User)
        return found

    async def contact(
        self,
        agent: int | None = 101,
        *,
        vdn: VdnId = ONE,
        began_at: datetime = NOW - timedelta(days=1),
        duration_s: float = 60,
        **columns: Any,
    ) -> int:
        """A finished call on record; its contact number. By default it has a recording's name, not a file."""
        number = next(self._uuids)
        row = {
            "vdn": int(vdn),
            "began_at": began_at,
            "uuid": UUID(int=number),
            "call": f"call-{number}",
            "source": "live",
            "ended_at": began_at + timedelta(seconds=duration_s),
            "duration_ms": round(duration_s * 1000),
            "direction": "inbound",
            "caller": "555",
            "called": "4000",
            "agent": AgentId(agent) if agent is not None else None,
            "skill": 1,
            "ended_by": "customer",
            "reason": "customer: normal",
            "file_name": f"call-{number}.wav",
            "recording": f"call-{number}.wav",
            "uploaded_at": began_at + timedelta(seconds=duration_s),
            "status": 0,
            **columns,
        }
        async with self.engine.begin() as connection:
            await connection.execute(sa.select(sa.func.contacts_month(began_at)))
            made = await connection.execute(sa.insert(contacts).values(row).returning(contacts.c.contact))
            contact = made.scalar_one()
        recording = row["recording"]
        if recording:
            (self.office.recordings / str(recording)).touch()
        return int(contact)
