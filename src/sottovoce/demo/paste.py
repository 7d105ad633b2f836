"""curl lines for the inspector, live and afterwards, ready to paste into another terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sottovoce.client.ccgateway import RESOURCE
from sottovoce.client.ccsqm.connection import JSON, SQM, TOKEN

_CURL = "curl -s -w '\\n'"
"""Quiet, and a line's end after the answer, which has none."""


@dataclass(frozen=True, slots=True)
class PastedLine:
    """One line, and what is heard once it ran."""

    command: str
    then: str


def text(live: Sequence[PastedLine], afterwards: Sequence[PastedLine]) -> str:
    """All of them as a file for people."""
    parts = (
        ("Paste these lines one after the other; they need curl.", live),
        ("When two calls are over: a review task from its making to its end.", afterwards),
    )
    return "\n".join(
        f"# --- {heading}\n\n" + "".join(f"# {line.then}\n{line.command}\n\n" for line in part)
        for heading, part in parts
    )


def lines(http_url: str, inspector: int, password: str, phone: str, target: int) -> list[PastedLine]:
    """From signing in to signing out. Each works in sh; `$GUID` is set by the first."""
    base = f"{http_url}{RESOURCE}"
    control = f"{base}/qualitycontrol/{inspector}"

    def ask(verb: str, url: str) -> str:
        return f"""{_CURL} -X {verb} -H "Guid: $GUID" '{url}'"""

    sign_in = (
        f"GUID=$(curl -s -D - -o /dev/null -X PUT -H 'Content-Type: application/json'"
        f""" -d '{{"password":"{password}","phonenum":"{phone}"}}'"""
        f" '{base}/onlineagent/{inspector}/forcelogin'"
        " | sed -n 's/^Set-GUID: JSESSIONID=//p' | tr -d '\\r'); echo $GUID"
    )
    switch = f"{control}/requestswitchinsertwhisperagent?whisperagentid={target}&switchtype="
    return [
        PastedLine(sign_in, f"sign the inspector {inspector} in"),
        PastedLine(
            ask("PUT", f"{control}/addsupervise/{target}"), f"listen to agent {target}: nobody notices"
        ),
        PastedLine(
            ask("POST", f"{switch}2"), "whisper: the agent hears the inspector, the customer does not"
        ),
        PastedLine(ask("POST", f"{switch}0"), "back to listening"),
        PastedLine(ask("DELETE", f"{control}/{target}"), "leave"),
        PastedLine(
            ask("POST", f"{control}/requestwhisperagent?whisperagentid={target}"),
            "whisper at once",
        ),
        PastedLine(
            ask("POST", f"{control}/requeststopwhisperagent?whisperagentid={target}"),
            "stop whispering: the supervision ends",
        ),
        PastedLine(ask("DELETE", f"{base}/onlineagent/{inspector}/forcelogout"), "sign out"),
    ]


def afterwards_lines(
    http_url: str, app_key: str, app_secret: str, director: str, inspector: str
) -> list[PastedLine]:
    """A review task from its making to its end. Each works in sh; `$TOKEN`, `$TASK` and `$ITEM` are set on
    the way. At least two calls must be over, or the only one would finish the task."""

    def ask(user: str, path: str, body: str) -> str:
        return (
            f"""{_CURL} -X POST -H "Authorization: Bearer $TOKEN" -H 'X-UserID: {user}'"""
            f" -H 'Content-Type: {JSON}' -d '{body}' '{http_url}{SQM}/qualitytask/{path}'"
        )

    def kept(name: str, command: str, pattern: str, kept: str) -> str:
        return f"{name}=$({command} | sed -n 's/.*{pattern}.*/{kept}/p'); echo ${name}"

    token = (
        "curl -s -X POST -H 'Content-Type: application/json' -H 'X-Token-Expire: 3600'"
        f""" -d '{{"app_key":"{app_key}","app_secret":"{app_secret}"}}' '{http_url}{TOKEN}'"""
    )
    create = ask(
        director,
        "createQualityTask",
        '{"currentRole":"qualityDirector","fixedColumns":{"interactionType":0,"qualityCondition":2,'
        '"qualityNum":2,"qualityType":1},"qualityTask":{"planName":"A first look"}}',
    )
    appoint = ask(
        director,
        "appointQualityTask",
        """{"qualityTaskId":"'$TASK'","setCountsType":1,"isTakeEffect":1,"setCounts":"""
        f"""[{{"personID":"{inspector}"}}]}}""",
    )
    items = ask(
        inspector,
        "callsQualityTask",
        """{"currentRole":"qualityInspector","page":1,"rows":10,"fixedColumns":{"planCode":"'$TASK'"}}""",
    )
    complete = ask(
        inspector,
        "completeQualityTask",
        """{"isGroup":false,"callId":"'${ITEM#* }'","callGroupId":null,"""
        """"qualityTaskCallId":"'${ITEM% *}'"}""",
    )
    terminate = ask(director, "terminateQualityTask", """{"qualityTaskId":"'$TASK'"}""")
    text, digits = '"\\([^"]*\\)"', '"\\([0-9]*\\)"'
    return [
        PastedLine(kept("TOKEN", token, f'"AccessToken":{text}', "\\1"), "a token for the app key"),
        PastedLine(
            kept("TASK", create, f'"objId":{digits}', "\\1"), "a review task with a sample of two calls"
        ),
        PastedLine(appoint, "deal them to the inspector, with effect at once"),
        PastedLine(
            kept("ITEM", items, f'"call_id":{text}.*"taskId":{digits}', "\\2 \\1"),
            "one item of it, and the call of that",
        ),
        PastedLine(complete, "the inspector is through with that call"),
        PastedLine(terminate, "terminate the task: what is done stays, the rest is released"),
    ]
