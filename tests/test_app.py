"""The composition root: every setting reaches something."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from sottovoce.config import FarSideSettings, Settings, TrunkSettings

SOURCE = Path(__file__).parents[1] / "src" / "sottovoce"
READERS = (
    SOURCE / "app.py",
    SOURCE / "logs.py",
    *(SOURCE / "config").glob("*.py"),
    *(SOURCE / "commands").glob("*.py"),
    SOURCE / "storage" / "own" / "opening.py",
)
"""Where settings are handed on; their own module, where validators and properties read them."""
HANDED = (
    *(SOURCE / "live").glob("*.py"),
    *(SOURCE / "doors" / "sip").glob("*.py"),
    *(SOURCE / "http").rglob("*.py"),
    *(SOURCE / "media").glob("*.py"),
    *(SOURCE / "pushing").glob("*.py"),
)
"""Where sections that were handed on whole are read, by name: `settings.agents.ring_timeout`."""
CALLED = {
    **{
        section: ["settings"]
        for section in ("sip", "agents", "http", "quality", "media", "operators", "push")
    },
    "TrunkSettings": ["trunk", "far_side"],
    "FarSideSettings": ["far_side"],
}
"""What a section is called where it is the only one: `self._settings.domain`, `trunk.networks`."""


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
    """Name of the section (or of what holds it) and of the setting, where whole sections arrive."""
    return {
        (node.value.id if isinstance(node.value, ast.Name) else node.value.attr.removeprefix("_"), node.attr)
        for path in HANDED
        for node in read_in(path)
        if isinstance(node.value, ast.Attribute | ast.Name)
    }


def named(key: tuple[str, ...]) -> set[tuple[str, str]]:
    """By what names of its section a setting can be read."""
    section = key[-2]
    return {(name, key[-1]) for name in (section, *CALLED.get(section, []))}


def test_no_setting_is_read_by_nobody() -> None:
    read, of_sections = read_somewhere(), read_of_sections()
    unread = [
        ".".join(key)
        for section in (Settings, TrunkSettings, FarSideSettings)
        for key in leaves(section, section.__name__)
        if key[-1] not in read and not named(key) & of_sections
    ]
    assert unread == []
