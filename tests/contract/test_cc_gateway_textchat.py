"""textchat over the wire: as its known clients ask, with the slash behind, and what they read of events."""

from __future__ import annotations

import json
from typing import Any

from tests.contract.client import LedgerClient
from tests.contract.standing import FOREIGN_AGENT, Standing

A, B, C = 101, 102, 103
CHAT = "/textchat/{a}/"


async def _told(client: LedgerClient, agent: int) -> list[tuple[str, Any]]:
    return [(name, content) for name, content in await client.events(agent) if name.startswith("AgentChat_")]


async def test_a_chat_from_end_to_end(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, C)
    assert await client.ok(A, "PUT", CHAT + f"internalcall/{B}") == str(B)
    [(name, placed)] = await _told(client, A)
    chat = placed["callId"]
    assert (name, placed["called"]) == ("AgentChat_CallOutCreated", str(B))
    between = {"callId": chat, "caller": str(A), "called": str(B), "isInnerCall": True}
    assert await _told(client, B) == [("AgentChat_Ring", {**between, "attachData": ""})]
    assert await client.ok(B, "PUT", CHAT + f"answer/{chat}") == chat
    for agent in (A, B):
        assert await _told(client, agent) == [("AgentChat_Connected", between)]
    text = '{"text": "\u4f60\u597d"} <b>'
    body = json.dumps({"callId": chat, "content": text})
    assert await client.ok(A, "PUT", CHAT + "chatmessage/", content=body) == chat
    said = {"callId": chat, "sender": str(A), "chatContent": text, "isInnerCall": True}
    assert await _told(client, B) == [("AgentChat_DataRecved", said)]
    handed = {"addesstype": "1", "destaddr": str(C), "callid": chat, "mode": "0", "attachdata": ""}
    await client.ok(A, "POST", CHAT + "transfer", json=handed)
    await client.ok(C, "PUT", CHAT + f"answer/{chat}")
    assert await _told(client, A) == [("AgentChat_Disconnected", {"callId": chat})]
    now = {**between, "caller": str(B), "called": str(C)}
    assert ("AgentChat_Connected", now) in await _told(client, B)
    assert await client.ok(C, "DELETE", CHAT + f"drop/{chat}") == chat
    assert await _told(client, B) == [("AgentChat_Disconnected", {"callId": chat})]
    await client.ok(B, "PUT", CHAT + f"internalcall/{A}")
    again = (await _told(client, B))[0][1]["callId"]
    assert await client.ok(A, "DELETE", CHAT + f"reject/{again}") == again
    assert await _told(client, B) == [("AgentChat_CalloutFailed", {"callId": again})]


async def test_what_is_refused(standing: Standing, client: LedgerClient) -> None:
    await standing.at_work(A, B, C)
    for nobody, retcode in ((A, "000-002"), (999, "100-007"), (FOREIGN_AGENT, "100-007"), ("x", "000-002")):
        assert await client.refused(A, "PUT", CHAT + f"internalcall/{nobody}") == retcode, nobody
    await client.ok(A, "PUT", CHAT + f"internalcall/{B}")
    chat = (await _told(client, A))[0][1]["callId"]
    say = {"callId": chat, "content": "x"}
    assert await client.refused(A, "PUT", CHAT + "chatmessage", json=say) == "100-007", "not answered yet"
    await client.ok(B, "PUT", CHAT + f"answer/{chat}")
    for content in ("", "x" * 6145):
        refused = await client.refused(A, "PUT", CHAT + "chatmessage", json={**say, "content": content})
        assert refused == "106-002", len(content)
    others = [(C, "PUT", "answer"), (A, "PUT", "answer"), (C, "DELETE", "drop"), (C, "DELETE", "reject")]
    for agent, verb, tail in others:
        assert await client.refused(agent, verb, CHAT + f"{tail}/{chat}") == "100-007", (agent, tail)
    assert await client.refused(C, "PUT", CHAT + "chatmessage", json=say) == "100-007"
    for kind, address in ((10, "1"), (1, "nobody"), (1, str(A)), (1, str(B))):
        body = {"addesstype": kind, "destaddr": address, "callid": chat}
        assert await client.refused(A, "POST", CHAT + "transfer", json=body) == "000-002", body
