"""textchat: agents write to each other (cc-gateway.md 1.9; shapes as its known clients read and send them).

There are no customers who write: what would reach them is not served.
"""

from __future__ import annotations

from pydantic import Field

from sottovoce.domain.directory import AgentId
from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import Answer, Caller, Interfaces
from sottovoce.http.ccgateway.words import AgentNumber, Form, Number, Text
from sottovoce.live import chatting
from sottovoce.plain import natural

INTERFACES = Interfaces("textchat", agent_field="workno")
serves = INTERFACES.serves

_AGENT = 1
"""The kind of address that is an agent; 10 is a queue."""


class ChatPartner(Form):
    """The agent who is asked."""

    agent: AgentNumber = Field(alias="destno")


class WhichChat(Form):
    """One of the caller's chats."""

    chat: Text = Field(alias="callid", max_length=64)


class Message(Form):
    """What is written, and where."""

    in_body = True

    chat: Text = Field(alias="callId", max_length=64)
    text: Text = Field("", alias="content", max_length=chatting.MOST_SIGNS)


class HandedOn(Form):
    """Who takes the caller's place. Clients spell the kind of address without its r."""

    in_body = True

    chat: Text = Field(alias="callid", max_length=64)
    kind: Number = Field(alias="addesstype", ge=0, le=99)
    address: Text = Field(alias="destaddr", max_length=24)


@serves("PUT", "/internalcall/{destno}", ChatPartner)
async def internal_call(caller: Caller, form: ChatPartner) -> Answer:
    """Ask another agent; the answer is that agent's number, the chat's id comes by event."""
    await caller.desk.ask(chatting.StartChat(caller.agent, form.agent))
    return Answer(str(form.agent))


@serves("PUT", "/answer/{callid}", WhichChat)
async def answer(caller: Caller, form: WhichChat) -> Answer:
    """Take part; the answer is the chat's id, here and below."""
    await caller.desk.ask(chatting.AnswerChat(caller.agent, form.chat))
    return Answer(form.chat)


@serves("DELETE", "/reject/{callid}", WhichChat)
async def reject(caller: Caller, form: WhichChat) -> Answer:
    """Do not take part."""
    await caller.desk.ask(chatting.RejectChat(caller.agent, form.chat))
    return Answer(form.chat)


@serves("DELETE", "/drop/{callid}", WhichChat)
async def drop(caller: Caller, form: WhichChat) -> Answer:
    """End it."""
    await caller.desk.ask(chatting.DropChat(caller.agent, form.chat))
    return Answer(form.chat)


@serves("PUT", "/chatmessage", Message)
async def say(caller: Caller, form: Message) -> Answer:
    """Write to the other."""
    await caller.desk.ask(chatting.Say(caller.agent, form.chat, form.text))
    return Answer(form.chat)


@serves("POST", "/transfer", HandedOn)
async def hand_on(caller: Caller, form: HandedOn) -> None:
    """Ask a third agent in one's place. Queues of chats are none here."""
    number = natural(form.address, 10)
    if form.kind != _AGENT or number is None:
        raise Refused(Code.BAD_PARAMETER, "a chat goes on to an agent alone", field="addesstype")
    await caller.desk.ask(chatting.HandChatOn(caller.agent, form.chat, AgentId(number)))
