"""The JavaScript library that the gateway serves: its bytes, and what it calls in a real browser."""

from __future__ import annotations

import pytest
from tests.contract.standing import Standing
from tests.e2e.browser import chromium, needs_chromium

from sottovoce.contracts import raw, rows
from sottovoce.http.ccgateway.library import PATH, library


async def test_it_is_a_script_for_everybody(standing: Standing) -> None:
    ask = standing.client.http.request
    got = await ask("GET", PATH, headers={"Origin": "https://crm.example.org"})
    assert (got.status_code, got.content) == (200, library())
    assert got.headers["content-type"] == "text/javascript; charset=utf-8"
    assert got.headers["access-control-allow-origin"] == "*"
    assert got.headers["cross-origin-resource-policy"] == "cross-origin"
    assert got.headers["cache-control"] == "public, max-age=300"
    again = await ask("GET", PATH, headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await ask("HEAD", PATH)
    assert (head.status_code, head.content) == (200, b"")
    wrong = await ask("POST", PATH)
    assert (wrong.status_code, wrong.json()["retcode"]) == (405, "000-002")
    assert wrong.headers["allow"] == "GET, HEAD"
    assert (await ask("GET", PATH + "x")).status_code == 404


async def test_it_is_ascii_and_names_nobody() -> None:
    assert library().isascii()
    assert b"127.0.0.1" not in library()


CALLS = """
() => {
  const sent = [];
  window.XMLHttpRequest = function () {
    const one = {headers: {}};
    sent.push(one);
    this.open = (verb, url, later) => { one.verb = verb; one.url = url; one.later = later; };
    this.setRequestHeader = (name, value) => { one.headers[name] = value; };
    const read = {"Content-Type": "application/json", "Set-GUID": "JSESSIONID=g1"};
    this.getResponseHeader = name => read[name];
    this.send = body => {
      one.body = body;
      this.readyState = 4;
      this.status = 200;
      this.responseText = '{"retcode":"0"}';
      if (one.later) { this.onreadystatechange(); }
    };
  };
  REST.apiURL = "http://gateway/agentgateway/resource/";
  const answers = [];
  const called = (...all) => answers.push(all.length, all[0], all[2]);
  OnlineAgent.login({agentid: "101", $entity: {password: ""}, $callback: called});
  answers.push(QualityControl.intercept({agentid: 300, workNo: 101}));
  QualityControl.intercept({agentid: 300, workNo: 101, callId: "1-2"});
  OnlineAgent.resetSkill({agentid: 101, autoflag: false, skillid: "1;2", phonelinkage: 0, other: 1});
  CallData.setCallAppData({agentid: 101, calldata: "a&b=ü +", callid: "1/2"});
  VoiceCall.releaseForVTM({agentid: 101, $apiURL: "http://other"});
  QualityControl.forceDropCall({agentid: 101, callid: "1/ü?#"});
  return {sent, answers, guid: cookiestring};
}
"""


@pytest.mark.peer
@needs_chromium
async def test_what_it_calls() -> None:
    async with chromium() as browser:
        page = await browser.new_page()
        await page.add_script_tag(content=library().decode())
        objects = raw("cc-gateway")["x-library"]["objects"]
        for row in rows("cc-gateway"):
            name = "releaseForVTM" if row.name == "releaseEx" else row.name
            kind = await page.evaluate(f"typeof {objects[row.part]}.{name}")
            assert kind == "function", (row.part, row.name)
        found = await page.evaluate(CALLS)
    assert found["answers"] == [3, 200, {"retcode": "0"}, {"retcode": "0"}]
    assert found["guid"] == "g1"
    base = "http://gateway/agentgateway/resource"
    assert [(one["verb"], one["url"], one.get("body"), one["later"]) for one in found["sent"]] == [
        ("PUT", f"{base}/onlineagent/101", '{"password":""}', True),
        ("PUT", f"{base}/qualitycontrol/300/intercept/101", None, False),
        ("PUT", f"{base}/qualitycontrol/300/intercept/101/1-2", None, False),
        ("POST", f"{base}/onlineagent/101/resetskill/false?skillid=1%3B2&phonelinkage=0", None, False),
        ("PUT", f"{base}/calldata/101?calldata=a%26b%3D%C3%BC%20%2B&callid=1%2F2", None, False),
        ("DELETE", "http://other/voicecall/101", None, False),
        ("POST", f"{base}/qualitycontrol/101/forcedropcall/1%2F%C3%BC%3F%23", None, False),
    ]
    first, *others = found["sent"]
    assert first["headers"] == {"Accept": "application/json", "Content-Type": "application/json"}
    assert {tuple(sorted(one["headers"].items())) for one in others} == {
        (("Accept", "application/json"), ("Guid", "g1"))
    }
