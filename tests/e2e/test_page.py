"""A page that takes its client from the server, as two CRM bars do, in a real browser: whole calls by it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page
from tests.e2e.browser import PATIENCE_MS, chromium, needs_chromium, page_of
from tests.e2e.served import ACCESS_CODE, SECRET, outside, registered, serving

from sottovoce.phones.phone import Phone
from sottovoce.phones.sources import Tone
from sottovoce.phones.tones import TONES

CUSTOMER, AGENT, INSPECTOR = TONES[:3]
pytestmark = [pytest.mark.peer, needs_chromium, pytest.mark.timeout(600)]

PAGE = """<!doctype html>
<title>bar</title>
<script src="GATEWAY/agentgateway/resource-js"></script>
<script>
  REST.apiURL = "GATEWAY/agentgateway/resource/";
  var told = [], agent;
  // Bars bring a poll of their own, made of the library's parts.
  AgentEventDispatcher.getAgentEvent2 = function (params) {
    var request = new REST.Request();
    request.setSpecial(true);
    request.setMethod("GET");
    request.setURI(REST.apiURL + "/agentevent/" + REST.Encoding.encodePathSegment(params.agentid));
    request.setAccepts("application/json");
    request.setContentType("text/plain");
    request.execute(params.$callback);
  };
  function listen() {
    AgentEventDispatcher.getAgentEvent2({agentid: agent, $callback: function (status, request, answer) {
      if (answer && answer.event) { told.push(answer.event); }
      if (answer && answer.retcode === "0") { setTimeout(listen, answer.event ? 0 : 200); }
    }});
  }
  function signIn(number, phone) {
    agent = number;
    return new Promise(function (done) {
      OnlineAgent.forceLogin({
        agentid: number,
        $entity: {password: "SECRET", phonenum: phone, autoanswer: false, status: "4"},
        $callback: function (status, request, answer) {
          OnlineAgent.resetSkill({agentid: number, autoflag: true, phonelinkage: 1});
          listen();
          done(answer.retcode);
        }
      });
    });
  }
  function heard(kind) {
    var found = told.filter(function (event) { return event.eventType === kind; });
    return found.length ? found[found.length - 1] : null;
  }
</script>
"""


async def heard(phone: Phone) -> set[int]:
    return set((await phone.hear(settle_s=0.5, patience_s=10)).hearing.heard)


async def told(page: Page, kind: str) -> object:
    """Wait until the page was told that; its content."""
    await page.wait_for_function("kind => heard(kind) !== null", arg=kind)
    return (await page.evaluate("kind => heard(kind)", kind))["content"]


async def test_sign_in_answer_whisper_and_release_from_pages() -> None:
    async with (
        serving() as served,
        registered(served, "8101", say=lambda: Tone(AGENT)) as agent_phone,
        registered(served, "8102", say=lambda: Tone(INSPECTOR)) as inspector_phone,
        outside(say=lambda: Tone(CUSTOMER)) as customer,
        page_of(PAGE.replace("GATEWAY", served.url).replace("SECRET", SECRET)) as url,
        chromium() as browser,
    ):
        ann, ian = await browser.new_page(), await browser.new_page()
        wrong: list[object] = []
        for page in (ann, ian):
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: wrong.append(error))
            await page.goto(url)
        assert await ann.evaluate("signIn('101', '8101')") == "0"
        assert await ian.evaluate("signIn('102', '8102')") == "0"
        call = await customer.call(ACCESS_CODE, via=served.hop)
        ringing = await told(ann, "AgentEvent_Ringing")
        assert isinstance(ringing, dict)
        named = "VoiceCall.answer({agentid: agent, callid: heard('AgentEvent_Ringing').content.callid})"
        assert (await ann.evaluate(named))["retcode"] == "0"
        await call.talking()
        await told(ann, "AgentEvent_Talking")
        shown = await ann.evaluate(
            "CallData.queryCallInfoByCallId({agentid: agent, callid: CALL})".replace(
                "CALL", f"'{ringing['callid']}'"
            )
        )
        assert shown["result"]["caller"] == ringing["caller"]
        whisper = "QualityControl.requestWhisperAgent({agentid: agent, whisperagentid: 101})"
        assert await ian.evaluate(whisper) == {"message": "", "retcode": "0", "result": {}}
        await told(ann, "AgentOther_BeQcStart")
        assert await heard(customer) == {AGENT}
        assert await heard(agent_phone) == {CUSTOMER, INSPECTOR}
        assert await heard(inspector_phone) == {AGENT, CUSTOMER}
        stop = "QualityControl.requestStopWhisperAgent({agentid: agent, whisperagentid: 101})"
        assert (await ian.evaluate(stop))["retcode"] == "0"
        assert (await ann.evaluate("VoiceCall.release({agentid: agent})"))["retcode"] == "0"
        await call.ended()
        await told(ann, "AgentEvent_Call_Release")
        assert (await ann.evaluate("OnlineAgent.logout({agentid: agent})"))["retcode"] == "0"
        assert (await ann.evaluate("OnlineAgent.getAgentStatus({agentid: agent})"))["retcode"] == "100-006"
        assert wrong == []
