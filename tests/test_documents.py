"""The documents are narrow enough for a terminal, and what they name exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from sottovoce.cli import app
from sottovoce.config import Settings, load
from sottovoce.storage.live import seed

NO_COMMANDS = {"serves", "stops", "sottovoce"}
"""What stands behind the name in the log, or behind that of a container."""
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


@pytest.mark.parametrize(
    "name",
    ["operating.md", "first-call.md", "service.md", "watching.md", "night.md", "cc-gateway.md", "cc-sqm.md"],
)
def test_every_setting_that_is_named_exists(name: str) -> None:
    document = ROOT / "docs" / name
    named = re.findall(rf"`({'|'.join(Settings.model_fields)})\.(\w+)`", document.read_text(encoding="utf-8"))
    assert [f"{section}.{name}" for section, name in named if name not in SETTINGS[section]] == []


def test_every_command_that_is_named_exists() -> None:
    known = typer.main.get_command(app)
    assert isinstance(known, TyperGroup)
    missing = set()
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        text = document.read_text(encoding="utf-8")
        code = re.findall(r"```sh\n(.*?)```", text, re.DOTALL) + re.findall(r"`(sottovoce [^`]*)`", text)
        called = re.compile(r"(?:^|[ ]|bin/)sottovoce ([a-z][a-z-]+)(?: +([a-z-]+))?", re.MULTILINE)
        for name, inner in called.findall("\n".join(code)):
            group = known.commands.get(name)
            if name in NO_COMMANDS:
                continue
            if group is None or (isinstance(group, TyperGroup) and inner and inner not in group.commands):
                missing.add(f"{document.name}: sottovoce {name} {inner}")
    assert missing == set()


def test_the_files_of_the_first_call_can_be_used(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "first-call.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"^cat > (\S+) <<'END'\n(.*?)^END$", text, re.DOTALL | re.MULTILINE))
    (tmp_path / "sottovoce.toml").write_text(files["sottovoce.toml"])
    assert load(tmp_path / "sottovoce.toml").sip.domain == "127.0.0.1"
    (vdn,) = seed.parse(files["hotline.yaml"]).seed.vdns
    assert sorted(agent.agent for agent in vdn.agents) == [101, 102]


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
