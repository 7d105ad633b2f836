"""The composition root: every setting reaches something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from sottovoce.app import sip_settings
from sottovoce.config import FarSideSettings, Settings, TrunkSettings
from sottovoce.doors.sip.hops import Transport
from sottovoce.doors.sip.ports import Account
from sottovoce.doors.sip.settings import Proxy

SOURCE = Path(__file__).parents[1] / "src" / "sottovoce"
READERS = (
    SOURCE / "app.py",
    SOURCE / "logs.py",
    *(SOURCE / "config").glob("*.py"),
    *(SOURCE / "commands").glob("*.py"),
)
"""Where settings are handed on; their own module, where validators and properties read them."""
HANDED = (*(SOURCE / "live").glob("*.py"),)
"""Where sections that were handed on whole are read, by name: `settings.agents.ring_timeout`."""


def leaves(section: type[BaseModel], *above: str) -> Iterator[tuple[str, ...]]:
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from leaves(kind, *above, name)
        else:
            yield (*above, name)


def read_in(path: Path) -> Iterator[ast.Attribute]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node


def read_somewhere() -> set[str]:
    """The names of all attributes that are read where settings are handed on."""
    return {node.attr for path in READERS for node in read_in(path)}


def read_of_sections() -> set[tuple[str, str]]:
    """Section and name of what is read where whole sections arrive."""
    return {
        (node.value.attr, node.attr)
        for path in HANDED
        for node in read_in(path)
        if isinstance(node.value, ast.Attribute)
    }


def test_no_setting_is_read_by_nobody() -> None:
    read, of_sections = read_somewhere(), read_of_sections()
    unread = [
        ".".join(key)
        for section in (Settings, TrunkSettings, FarSideSettings)
        for key in leaves(section, section.__name__)
        if key[-1] not in read and key[-2:] not in of_sections
    ]
    assert unread == []


def test_the_outbound_proxy_comes_with_its_account() -> None:
    settings = Settings.model_validate(
        {
            "sip": {
                "outbound_proxy": {
                    "host": "edge",
                    "port": 5080,
                    "transport": "tcp",
                    "username": "u",
                    "password": "hush",
                    "realm": "r",
                }
            }
        }
    )
    account = Account("u", "hush", "r")
    assert sip_settings(settings).outbound_proxy == Proxy("edge", 5080, Transport.TCP, account)
    assert sip_settings(Settings()).outbound_proxy is None
