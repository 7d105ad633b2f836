"""What settings are made of: the base of all sections, and the kinds of value that several have."""

from __future__ import annotations

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=True)
    return text


def _address(text: str) -> str:
    ipaddress.ip_address(text)
    return text


def is_loopback(host: str) -> bool:
    """Whether that is an address of this machine's loopback, IPv4-mapped ones included."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _home(path: Path) -> Path:
    return path.expanduser().absolute()


Network = Annotated[str, AfterValidator(_network)]
"""An IP network as text, for example `10.0.0.0/8`."""
Address = Annotated[str, AfterValidator(_address)]
"""An IP address as text."""
Port = Annotated[int, Field(ge=0, le=65535)]
"""A port; 0 takes a free one."""
Folder = Annotated[Path, AfterValidator(_home)]
"""A path; `~` is the home folder."""


class Section(BaseModel):
    """A part of the settings: nothing unknown in it, nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class AuthMode(StrEnum):
    """How a Guid lives (CC-Gateway's AUTHMODE)."""

    STATIC = "static"
    DYNAMIC = "dynamic"


class PhonePickup(StrEnum):
    """How a phone that rings is had to lift."""

    TALK = "talk"
    """NOTIFY with `Event: talk`."""
    ANSWER_AFTER = "answer_after"
    """It is rung anew with `answer-after=0`."""


class LogFormat(StrEnum):
    """How a log line looks."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class TransportName(StrEnum):
    """What SIP is carried by."""

    UDP = "udp"
    TCP = "tcp"
