"""Call data: journalled with the call, kept by who takes it over, seen in no log."""

from __future__ import annotations

import logging

import pytest
from tests.live.refusals import refused

from sottovoce.domain.directory import AgentId, VdnId
from sottovoce.domain.journal import CallDataSet, ContactBegan
from sottovoce.domain.supervision import Mode
from sottovoce.errors import Code
from sottovoce.live.call_data import MOST_BYTES, SetCallData
from sottovoce.live.handling import CallOut
from sottovoce.live.supervising import Intercept

A, B, I = AgentId(101), AgentId(102), AgentId(300)  # noqa: E741
OTHERS = AgentId(201)


def journalled(stage):
    return [change.data for change in stage.store.written if isinstance(change, CallDataSet)]


async def test_what_is_set_is_journalled_once(on_call):
    for text in ("order 7", "order 7", ""):
        await on_call.desk.ask(SetCallData(A, text))
    assert journalled(on_call) == ["order 7", ""]


async def test_a_call_out_has_its_data_from_the_begin(stage):
    await stage.sign_in(101)
    stage.lines.phone("555")
    call = await stage.desk.call_out(CallOut(A, "555", data="order 7"))
    kept = [change for change in stage.store.written if isinstance(change, ContactBegan | CallDataSet)]
    assert [type(change) for change in kept] == [ContactBegan, CallDataSet]
    assert kept[1] == CallDataSet(call, VdnId(1), "order 7")
    assert stage.desk.calls(A)[0].data == "order 7"


async def test_it_stays_with_the_call_that_an_inspector_takes_over(on_call):
    await on_call.desk.ask(SetCallData(A, "order 7"))
    await on_call.desk.supervise(I, A, Mode.LISTEN)
    await on_call.quiet()
    await on_call.desk.ask(Intercept(I, A))
    await on_call.quiet()
    assert [call.data for call in on_call.desk.calls(I)] == ["order 7"]


@pytest.mark.parametrize(
    "text", ["x" * (MOST_BYTES + 1), "é" * (MOST_BYTES // 2) + "x"], ids=["ASCII", "UTF-8"]
)
async def test_more_than_the_most_is_refused(on_call, text):
    await on_call.desk.ask(SetCallData(A, text[1:]))
    await refused(Code.BAD_PARAMETER, on_call.desk.ask(SetCallData(A, text)))
    await refused(Code.BAD_PARAMETER, on_call.desk.call_out(CallOut(A, "556", data=text)))


async def test_only_who_is_in_the_call_may(on_call):
    call = on_call.desk.calls(A)[0].call
    await on_call.sign_in(102, 201)
    for agent in (B, OTHERS):
        await refused(Code.NO_CALL, on_call.desk.ask(SetCallData(agent, "mine", call)))
    await refused(Code.NO_CALL, on_call.desk.ask(SetCallData(A, "mine", call + "0")))
    assert journalled(on_call) == []


async def test_nobody_reads_it_in_a_log(on_call, caplog):
    caplog.set_level(logging.DEBUG)
    await on_call.desk.ask(SetCallData(A, "card 4111"))
    told = [SetCallData(A, "card 4111"), CallOut(A, "5", data="card 4111"), on_call.desk.calls(A)[0]]
    told += [change for change in on_call.store.written if isinstance(change, CallDataSet)]
    assert "4111" not in caplog.text + "".join(repr(one) for one in told)
