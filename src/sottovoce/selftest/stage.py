"""Where the server is, and the test agents and phones that take part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.ports import Account


class BadStage(ValueError):
    """A stage file that cannot be used; the text says what to mend."""


@dataclass(frozen=True, slots=True)
class StagedAgent:
    """A test agent and the phone it sits at."""

    agent: int
    password: str
    phone: str
    account: Account

    def __repr__(self) -> str:
        return f"StagedAgent({self.agent}, phone {self.phone})"


@dataclass(frozen=True, slots=True)
class Stage:
    """A server and those who test it."""

    http_url: str
    sip_host: str
    sip_port: int
    inspector: StagedAgent
    agent: StagedAgent
    access_code: str
    """What the customer dials; its skill queue must be the agent's, and nobody else's who is idle."""
    colleague: StagedAgent | None = None
    """Another agent, whom the inspector may inspect; without one, no call of several parties is walked."""
    customer: Account | None = None
    """The account that the customer calls with; None: from `customer_host`, which must be a trunk."""
    transport: Transport = Transport.UDP
    phone_host: str = "127.0.0.1"
    """The address that the phones bind to, as the server can reach it."""
    customer_host: str = "127.0.0.1"
    sip_domain: str = ""
    media_timeout_s: float = 30.0
    """The server's media time-out: how long a vanished phone stays in a supervision."""
    verify_tls: bool = True


EXAMPLE = """\
http: https://contact.example.net:8043
sip: contact.example.net:5060
access_code: "4999"
inspector: {agent: 301, password: "a long one", phone: "8301", sip_password: "a long one"}
agent: {agent: 101, password: "a long one", phone: "8101", sip_password: "a long one"}
colleague: {agent: 102, password: "a long one", phone: "8102", sip_password: "a long one"}
customer: {username: "8199", sip_password: "a long one"}
"""
"""A stage file. `customer` may be left out where the machine is a trunk; without `colleague` no step with
several parties is taken."""

_OPTIONAL = {
    "colleague",
    "customer",
    "transport",
    "phone_host",
    "customer_host",
    "sip_domain",
    "media_timeout",
    "verify_tls",
}
_MANDATORY = {"http", "sip", "access_code", "inspector", "agent"}


def read_stage(path: Path, *, against: str | None = None) -> Stage:
    """A stage from a YAML file; `against` replaces the file's `http`. Raises BadStage."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as failure:
        raise BadStage(f"{path}: {failure}") from None
    if not isinstance(document, dict):
        raise BadStage(f"{path}: a mapping is wanted, for example:\n{EXAMPLE}")
    if against is not None:
        document["http"] = against
    try:
        return stage_of(document)
    except BadStage as failure:
        raise BadStage(f"{path}: {failure}") from None


def stage_of(document: dict[str, Any]) -> Stage:
    """A stage from what a file holds. Raises BadStage."""
    if unknown := sorted(map(str, document.keys() - _OPTIONAL - _MANDATORY)):
        raise BadStage(f"unknown: {', '.join(unknown)}")
    if missing := sorted(_MANDATORY - document.keys()):
        raise BadStage(f"missing: {', '.join(missing)}; for example:\n{EXAMPLE}")
    http = _text(document, "http")
    if "://" not in http:
        http = f"https://{http}"
    host, _, port = _text(document, "sip").rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise BadStage("sip is written host:port")
    transport = Transport.named(str(document.get("transport", "udp")))
    if transport is None:
        raise BadStage("transport is udp or tcp")
    customer = document.get("customer")
    return Stage(
        http_url=http,
        sip_host=host,
        sip_port=int(port),
        inspector=_staged(document, "inspector"),
        agent=_staged(document, "agent"),
        access_code=_text(document, "access_code"),
        colleague=_staged(document, "colleague") if "colleague" in document else None,
        customer=_account(customer, "customer", "") if customer is not None else None,
        transport=transport,
        phone_host=str(document.get("phone_host", "127.0.0.1" if _is_here(host) else "0.0.0.0")),  # noqa: S104
        customer_host=str(document.get("customer_host", "127.0.0.1" if _is_here(host) else "0.0.0.0")),  # noqa: S104
        sip_domain=str(document.get("sip_domain", "")),
        media_timeout_s=_number(document.get("media_timeout", 30.0), "media_timeout"),
        verify_tls=bool(document.get("verify_tls", True)),
    )


def _is_here(host: str) -> bool:
    return host == "localhost" or host.startswith("127.")


def _staged(document: dict[str, Any], name: str) -> StagedAgent:
    entry = document[name]
    if not isinstance(entry, dict):
        raise BadStage(f"{name} is a mapping with agent, password, phone, sip_password")
    phone = _text(entry, "phone", name)
    agent = entry.get("agent")
    if not isinstance(agent, int) or isinstance(agent, bool):
        raise BadStage(f"{name}.agent is a work number")
    return StagedAgent(agent, _text(entry, "password", name), phone, _account(entry, name, phone))


def _account(entry: Any, name: str, username: str) -> Account:
    if not isinstance(entry, dict):
        raise BadStage(f"{name} is a mapping")
    return Account(
        str(entry.get("username", username)) or _text(entry, "username", name),
        _text(entry, "sip_password", name),
    )


def _text(entry: dict[str, Any], key: str, name: str = "") -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value:
        raise BadStage(f"{name + '.' if name else ''}{key} is a text in quotes")
    return value


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 3600:
        raise BadStage(f"{name} is a number of seconds")
    return float(value)
