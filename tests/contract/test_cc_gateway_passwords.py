"""An agent's own password, as clients change it: in the query and in the body, with a Guid or without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.contract.client import BASE, LedgerClient
from tests.contract.standing import Standing

from sottovoce.config import AgentSettings
from sottovoce.domain.directory import AgentId, VdnId

A, B = 101, 102


def _sent(how: str, old: str, new: str) -> dict[str, Any]:
    if how == "modifyaccountpwd":
        return {"params": {"oldpassword": old, "newpassword": new}}
    return {"json": {"oldPassword": old, "newPassword": new}}


@pytest.mark.parametrize("how", ["modifyaccountpwd", "modifyaccountpwdex"])
async def test_a_password_is_changed(standing: Standing, client: LedgerClient, how: str) -> None:
    path = BASE + f"/onlineagent/{A}/{how}"
    refusals = {
        ("wrong", "Secret-02"): "110-003",
        ("secret", "short"): "110-002",
        ("secret", "secretsecret"): "110-002",
        ("secret", f"Secret-{A}"): "110-002",
        ("secret", ""): "000-002",
        ("secret", "x" * 33): "000-002",
    }
    for (old, new), retcode in refusals.items():
        assert (await client.raw("POST", path, **_sent(how, old, new))).retcode == retcode
    told = await client.raw("POST", path, **_sent(how, "secret", "short"))
    assert told.body["message"].lower().startswith("newpassword: must have at least 8")
    await client.sign_in(A)
    await client.ok(A, "POST", f"/onlineagent/{{a}}/{how}", **_sent(how, "secret", "Secret-02"))
    await client.ok(A, "GET", "/onlineagent/{a}/agentstatus")
    assert (await client.sign_in(A, force=True)).retcode == "100-004"
    assert (await client.sign_in(A, force=True, password="Secret-02")).retcode == "0"
    assert (await client.raw("POST", path, **_sent(how, "Secret-02", "secret"))).retcode == "110-002"
    assert (await client.raw("POST", path, **_sent(how, "Secret-02", "Secret-03"))).retcode == "0"
    nobody = BASE + f"/onlineagent/999/{how}"
    assert (await client.raw("POST", nobody, **_sent(how, "secret", "Secret-02"))).retcode == "110-003"


async def test_wrong_ones_lock_it_for_a_stranger_too(client: LedgerClient) -> None:
    path, sent = BASE + f"/onlineagent/{A}/modifyaccountpwdex", _sent("", "wrong", "Secret-02")
    codes = [(await client.raw("POST", path, **sent)).retcode for _ in range(6)]
    assert codes == ["110-003"] * 5 + ["110-016"]


@pytest.fixture
async def aging(tmp_path: Path) -> AsyncIterator[Standing]:
    """Agents whose passwords were given today and last 30 days."""
    made = Standing(tmp_path, agents=AgentSettings(password_days=30))
    profile = made.store.profiles[VdnId(1)]
    given = {agent: replace(one, password_set_at=made.clock.now()) for agent, one in profile.agents.items()}
    made.store.profiles[VdnId(1)] = replace(profile, agents={**given, AgentId(B): profile.agents[AgentId(B)]})
    await made.open()
    yield made
    await made.close()


async def test_how_long_it_lasts(aging: Standing) -> None:
    client = aging.client
    assert (await client.sign_in(A)).result["timeRemaining"] == "30"
    assert (await client.sign_in(B)).result["timeRemaining"] == ""
    aging.clock.advance(29.5 * 86_400)
    assert (await client.sign_in(A, force=True)).result["timeRemaining"] == "0"
    aging.clock.advance(86_400)
    assert (await client.sign_in(A, force=True)).retcode == "100-020"
    sent = _sent("modifyaccountpwdex", "secret", "Secret-02")
    assert (await client.raw("POST", BASE + f"/onlineagent/{A}/modifyaccountpwdex", **sent)).retcode == "0"
    assert (await client.sign_in(A, force=True, password="Secret-02")).result["timeRemaining"] == "30"
