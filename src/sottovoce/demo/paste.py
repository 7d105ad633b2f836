"""curl lines for the inspector, ready to paste into another terminal."""

from __future__ import annotations

from dataclasses import dataclass

from sottovoce.client.ccgateway import RESOURCE


@dataclass(frozen=True, slots=True)
class Line:
    """One line, and what is heard once it ran."""

    command: str
    then: str


def lines(http_url: str, inspector: int, password: str, phone: str, target: int) -> list[Line]:
    """From signing in to signing out. Each works in sh; `$GUID` is set by the first."""
    base = f"{http_url}{RESOURCE}"
    control = f"{base}/qualitycontrol/{inspector}"

    def ask(verb: str, url: str) -> str:
        return f"""curl -s -X {verb} -H "Guid: $GUID" '{url}'"""

    sign_in = (
        f"GUID=$(curl -s -D - -o /dev/null -X PUT -H 'Content-Type: application/json'"
        f""" -d '{{"password":"{password}","phonenum":"{phone}"}}'"""
        f" '{base}/onlineagent/{inspector}/forcelogin'"
        " | sed -n 's/^Set-GUID: JSESSIONID=//p' | tr -d '\\r'); echo $GUID"
    )
    switch = f"{control}/requestswitchinsertwhisperagent?whisperagentid={target}&switchtype="
    return [
        Line(sign_in, f"sign the inspector {inspector} in"),
        Line(ask("PUT", f"{control}/addsupervise/{target}"), f"listen to agent {target}: nobody notices"),
        Line(ask("POST", f"{switch}2"), "whisper: the agent hears the inspector, the customer does not"),
        Line(ask("POST", f"{switch}0"), "back to listening"),
        Line(ask("DELETE", f"{control}/{target}"), "leave"),
        Line(
            ask("POST", f"{control}/requestwhisperagent?whisperagentid={target}"),
            "whisper at once",
        ),
        Line(
            ask("POST", f"{control}/requeststopwhisperagent?whisperagentid={target}"),
            "stop whispering: the supervision ends",
        ),
        Line(ask("DELETE", f"{base}/onlineagent/{inspector}/forcelogout"), "sign out"),
    ]
