"""Agents change their passwords: rules, what was before, how often it may be tried, what goes on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from tests.live.refusals import refused

from sottovoce.config import AgentSettings
from sottovoce.domain.directory import NO_PASSWORD, AgentId, VdnId
from sottovoce.domain.journal import AuditEntry, PasswordChanged
from sottovoce.errors import Code, Refused
from sottovoce.live.passwords import ChangePassword, check_new
from sottovoce.live.state import LiveSettings
from sottovoce.live.views import SignIn

A, B, UNKNOWN = AgentId(101), AgentId(102), AgentId(999)


async def change(stage, old: str, new: str, agent: AgentId = A, source: str = "") -> None:
    await stage.desk.sessions.change_password(agent, old, new, source)


async def signs_in(stage, password: str) -> None:
    await stage.desk.sessions.sign_in(A, SignIn(password, ""), force=True)


@pytest.mark.parametrize(
    ("password", "length", "kinds", "allowed"),
    [
        ("abcdefg1", 8, 2, True),
        ("abcdef1", 8, 2, False),
        ("abcdefgh", 8, 2, False),
        ("abcdefgh", 8, 1, True),
        ("Abcdefg1", 8, 3, True),
        ("Abcdefg1", 8, 4, False),
        ("Abcdef 1", 8, 4, True),
        ("Ärgernis", 8, 2, True),
        ("密码密码密码密码1", 8, 2, True),
        ("agent-101", 8, 2, False),
    ],
)
def test_what_a_new_password_must_be(password, length, kinds, allowed):
    settings = AgentSettings(password_length=length, password_kinds=kinds)
    if allowed:
        check_new(password, A, settings)
    else:
        with pytest.raises(Refused) as refusal:
            check_new(password, A, settings)
        assert (refusal.value.code, refusal.value.field) == (Code.CREDENTIALS_REFUSED, "new")


@pytest.mark.parametrize("signed_in", [True, False])
async def test_the_new_one_counts_from_then_on(stage, signed_in):
    if signed_in:
        await stage.sign_in(101)
        await stage.call_in("555")
    await change(stage, "secret", "Secret-02")
    if signed_in:  # the session goes on, and its call
        stage.desk.sessions.authenticate(A, stage.guids[101])
        assert stage.hears() == {"555": {"1101"}, "1101": {"555"}}
    await refused(Code.WRONG_CREDENTIALS, signs_in(stage, "secret"))
    await signs_in(stage, "Secret-02")
    kept = [change for change in stage.store.committed if isinstance(change, PasswordChanged)]
    assert [(one.agent, one.at) for one in kept] == [(A, stage.clock.now())]
    told = [one for one in stage.store.committed if isinstance(one, AuditEntry)]
    assert [(one.actor, one.target) for one in told if one.action == "password.change"] == [(A, "101")]
    assert "Secret-02" not in repr((kept, told, stage.desk.profile(A)))
    assert kept[0].hashed not in repr((kept, stage.desk.profile(A)))


async def test_those_before_are_refused(stage):
    await change(stage, "secret", "Secret-02")
    for old, new in (("Secret-02", "Secret-03"), ("Secret-03", "Secret-04"), ("Secret-04", "Secret-05")):
        for former in ("Secret-02", old):
            await refused(Code.CREDENTIALS_REFUSED, change(stage, old, former))
        await change(stage, old, new)
    await change(stage, "Secret-05", "Secret-06")
    await change(stage, "Secret-06", "Secret-02")  # the fourth before: three count


async def test_what_is_refused_changes_nothing(stage):
    for agent, old, new, code in (
        (A, "wrong", "Secret-02", Code.WRONG_CREDENTIALS),
        (UNKNOWN, "secret", "Secret-02", Code.WRONG_CREDENTIALS),
        (A, "secret", "short", Code.CREDENTIALS_REFUSED),
        (A, "wrong", "short", Code.WRONG_CREDENTIALS),
    ):
        await refused(code, change(stage, old, new, agent))
    stage.store.available = False
    await refused(Code.UNAVAILABLE, change(stage, "secret", "Secret-02"))
    stage.store.available = True
    assert stage.store.committed == []
    await signs_in(stage, "secret")


async def test_it_is_tried_as_often_as_a_sign_in(stage):
    """And together with it: five wrong ones from a strange source close both."""
    for agent in (A, UNKNOWN):
        for _ in range(5):
            await refused(Code.WRONG_CREDENTIALS, change(stage, "wrong", "Secret-02", agent, "10.0.0.9"))
        await refused(Code.ACCOUNT_LOCKED, change(stage, "secret", "Secret-02", agent, "10.0.0.9"))
    await refused(
        Code.ACCOUNT_LOCKED, stage.desk.sessions.sign_in(A, SignIn("secret", "", source="10.0.0.9"))
    )
    await signs_in(stage, "secret")


async def test_of_two_changes_at_once_one_is_refused(stage):
    done = await asyncio.gather(
        change(stage, "secret", "Secret-02"), change(stage, "secret", "Secret-03"), return_exceptions=True
    )
    codes = [one.code if isinstance(one, Refused) else one for one in done]
    assert set(codes) == {None, Code.SIGN_IN_RUNNING}
    assert len([one for one in stage.store.committed if isinstance(one, PasswordChanged)]) == 1
    await signs_in(stage, ("Secret-02", "Secret-03")[codes.index(None)])


async def test_who_knows_only_the_one_before_changes_nothing(stage):
    """However late the right old password is: another change came first."""
    old = stage.store.profiles[VdnId(1)].agents[A].password_hash
    await change(stage, "secret", "Secret-02")
    driver = stage.desk.sessions._building.of(A)
    await refused(Code.WRONG_CREDENTIALS, driver.ask(ChangePassword(A, "hash", old)))
    assert len([one for one in stage.store.committed if isinstance(one, PasswordChanged)]) == 1
    await signs_in(stage, "Secret-02")


async def test_who_has_none_is_given_none_by_strangers(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(empty_passwords=True)))
    profile = stage.store.profiles[VdnId(1)]
    agents = {**profile.agents, A: replace(profile.agents[A], password_hash=NO_PASSWORD)}
    stage.store.profiles[VdnId(1)] = replace(profile, agents=agents)
    await stage.desk.open([VdnId(1)])
    await refused(Code.CREDENTIALS_REFUSED, change(stage, "", "Secret-02"))
    await signs_in(stage, "")
    await stage.desk.close()
    await stage.tasks.close()


async def test_one_that_is_too_old_lets_nobody_in_and_can_be_changed(new_stage):
    stage = new_stage(LiveSettings(Path("/rec"), AgentSettings(password_days=90)))
    profile = stage.store.profiles[VdnId(1)]
    old = replace(profile.agents[A], password_set_at=stage.clock.now())
    stage.store.profiles[VdnId(1)] = replace(profile, agents={**profile.agents, A: old})
    await stage.desk.open([VdnId(1)])
    day = 86_400
    signed = await stage.desk.sessions.sign_in(A, SignIn("secret", ""), force=True)
    assert signed.password_lasts is not None
    assert signed.password_lasts.days == 90
    unknown = await stage.desk.sessions.sign_in(B, SignIn("secret", ""))
    assert unknown.password_lasts is None
    await stage.later(90 * day)
    await refused(Code.CREDENTIALS_EXPIRED, signs_in(stage, "secret"))
    await refused(Code.WRONG_CREDENTIALS, signs_in(stage, "wrong"))
    await change(stage, "secret", "Secret-02")
    await signs_in(stage, "Secret-02")
    await stage.desk.close()
    await stage.tasks.close()
