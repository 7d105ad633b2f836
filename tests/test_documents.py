"""The documents are narrow enough for a terminal, and what they name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from sottovoce.config import Settings

ROOT = Path(__file__).parents[1]
SETTINGS = {
    name: getattr(field.annotation, "model_fields", {}) for name, field in Settings.model_fields.items()
}
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_line_is_wider_than_110_columns(document: Path) -> None:
    lines = document.read_text(encoding="utf-8").splitlines()
    assert [number for number, line in enumerate(lines, 1) if len(line) > 110] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)\)", document.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", ["docs/glossary.md", "docs/architecture.md", "CONTRIBUTING.md"])
def test_every_place_that_is_named_exists(name: str) -> None:
    """Paths are below src/sottovoce, or below the repository."""
    text = (ROOT / name).read_text(encoding="utf-8")
    places = re.findall(r"`([\w/.-]+(?:\.py|\.yaml|\.md|/))`", text)
    roots = (ROOT / "src" / "sottovoce", ROOT)
    assert [place for place in places if not any((root / place).exists() for root in roots)] == []


@pytest.mark.parametrize("name", ["operating.md", "cc-gateway.md", "cc-sqm.md"])
def test_every_setting_that_is_named_exists(name: str) -> None:
    document = ROOT / "docs" / name
    named = re.findall(rf"`({'|'.join(Settings.model_fields)})\.(\w+)`", document.read_text(encoding="utf-8"))
    assert [f"{section}.{name}" for section, name in named if name not in SETTINGS[section]] == []


def test_every_test_that_is_named_as_a_proof_exists() -> None:
    """A path is below tests/; a name is of the last path before it."""
    text = (ROOT / "docs" / "progress.md").read_text(encoding="utf-8")
    missing, known = [], set[str]()
    for path, name in re.findall(r"`(?:([\w/]+\.py))?(?:::)?((?:test_|Test)\w+|\w+Contract\.\w+|)`", text):
        if path:
            file = next((place / path for place in (ROOT / "tests", ROOT) if (place / path).exists()), None)
            known = _names(file) if file is not None else set()
            missing += [path] if file is None else []
        if name and not known.issuperset(name.split(".")):
            missing.append(f"{path}::{name}")
    assert missing == []


# Said to clients, or kept in databases: changing them changes what is there.
SAID = {
    "an inspector cannot inspect himself",
    "would have to inspect calls of his own",
    "Inspector: his track.",
}


def test_people_are_they_or_their_role() -> None:
    """No agent, inspector or phone is a he; nor is anybody who reads this."""
    places = [*DOCUMENTS, *sorted((ROOT / "src").rglob("*.py"))]
    found = [
        f"{place.relative_to(ROOT)}:{number}"
        for place in places
        for number, line in enumerate(place.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\b(he|his|him|himself|she|her|hers|herself)\b", line, re.IGNORECASE)
        and not any(said in line for said in SAID)
    ]
    assert found == []


def _names(file: Path) -> set[str]:
    """The functions and classes of a module, methods as well."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, kinds)}
