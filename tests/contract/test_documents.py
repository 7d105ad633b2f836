"""The ledgers are what they say: valid OpenAPI 3.1, readable by a generator of clients, packaged."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from sottovoce import contracts
from sottovoce.contracts import FAMILIES, inline, raw, rows
from sottovoce.contracts.document import document


def references(value: Any) -> Iterator[str]:
    """Every `$ref` in a document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def resolves(document: Any, reference: str) -> bool:
    """Whether a reference names something in its document."""
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(document, dict) or part not in document:
            return False
        document = document[part]
    return reference.startswith("#/")


@pytest.mark.parametrize("family", FAMILIES)
def test_it_is_valid_and_every_reference_resolves(family: str) -> None:
    document = raw(family)
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    found = set(references(document))
    assert {one for one in found if not resolves(document, one)} == set()
    named = {f"#/components/{kind}/{name}" for kind, all_ in document["components"].items() for name in all_}
    unused = {one for one in named - found if "/securitySchemes/" not in one and not one.endswith("Refusal")}
    assert unused == set(), "a component that nothing names"


def generate(document: Path, into: Path) -> str:
    """What a kept generator of clients says about a document besides that it is at work."""
    (into / "settings.yaml").write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"]
    command += ["--path", str(document), "--output-path", str(into / "client")]
    command += ["--config", str(into / "settings.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return "" if done.returncode == 0 and len(said) == 1 else done.stdout + done.stderr


@pytest.mark.timeout(300)  # the generator works for a while
@pytest.mark.parametrize("family", FAMILIES)
def test_a_generator_of_clients_reads_it(family: str, tmp_path: Path) -> None:
    source = Path(contracts.__file__).parent / f"{family}.yaml"
    assert generate(source, tmp_path) == ""
    made = {path.stem for path in (tmp_path / "client").rglob("api/*/*.py")}
    assert len(made - {"__init__"}) == sum(len(item) for item in raw(family)["paths"].values())


def test_ids_are_quoted() -> None:
    """Readers of YAML 1.2 take 0408000 for a number, those of YAML 1.1 for a text: none stands bare."""
    for family in FAMILIES:
        text = (Path(contracts.__file__).parent / f"{family}.yaml").read_text()
        bare = [
            token.value
            for token in yaml.scan(text)
            if isinstance(token, yaml.ScalarToken) and token.plain and token.value[:1] == "0"
        ]
        assert [value for value in bare if value.isdigit() and len(value) > 1] == []


def test_the_package_holds_them(tmp_path: Path) -> None:
    root = Path(contracts.__file__).parents[3]
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, capture_output=True, timeout=100)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {f"sottovoce/contracts/{family}.yaml" for family in FAMILIES} <= held
    assert "sottovoce/http/docs.html" in held


OPERATION = {"operationId", "summary", "security", "parameters", "requestBody", "responses"}
HEADS = {"cc-gateway": "cc-gateway", "cc-sqm": "cc-sqm", "cc-isqm": "cc-sqm"}
"""The document whose head explains the words of each."""


def _operations(family: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in raw(family)["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_of_an_operation_is_one_that_the_head_explains(family: str) -> None:
    text = (Path(contracts.__file__).parent / f"{HEADS[family]}.yaml").read_text()
    explained = set(re.findall(r"x-[a-z-]+", text.partition("openapi:")[0]))
    used = {key for _, _, operation in _operations(family) for key in operation}
    assert used - OPERATION <= explained


def test_a_verb_that_no_source_names_stands_for_all() -> None:
    for path, item in raw("cc-gateway")["paths"].items():
        unknown = {operation.get("x-verbs-unknown", False) for operation in item.values()}
        assert unknown == {set(item) == {"delete", "get", "post", "put"}}, path


PAGING = {
    "limit-paging": ("limit", {"data", "paging"}),
    "limit-total": ("limit", {"data", "total"}),
    "limit-none": ("limit", set()),
    "rows-data": ("rows", {"data", "total"}),
    "rows-list": ("rows", {"list", "total"}),
    "rows-pages": ("rows", {"data", "total", "pages", "pageSize", "pageNum"}),
}
"""How it asks for a page's size, and which fields of the answer tell of pages (cc-sqm.md 3.6)."""


def test_paging_is_as_forms_and_answers_have_it() -> None:
    for row in rows("cc-sqm"):
        how = raw("cc-sqm")["paths"][row.path]["post"].get("x-paging")
        sizes = {"limit", "rows"} & row.fields.keys()
        assert bool(sizes) == (how is not None), row.path
        if how is not None:
            size, told = PAGING[how]
            shown = set((row.answer or {})["properties"])
            assert sizes == {size}, row.path
            assert "page" in row.fields, row.path
            assert shown & {"data", "list", "total", "paging", "pages", "pageSize", "pageNum"} == told, (
                row.path
            )


def test_rows() -> None:
    assert {family: len(rows(family)) for family in FAMILIES} == {
        "cc-gateway": 223,
        "cc-sqm": 82,
        "cc-isqm": 5,
    }
    assert len(rows()) == 310
    assert all(row.title and row.source for row in rows())
    assert all(bool(row.reason) == (row.status == "wont") for row in rows())
    assert all((row.answer is not None) == (row.status == "done") for row in rows())
    assert {row.status for row in rows()} == {"done", "pending", "wont"}


@pytest.mark.timeout(300)  # the generator works for a while
def test_what_is_served_is_valid_and_a_generator_reads_it(tmp_path: Path) -> None:
    served = document()
    assert [str(error) for error in OpenAPIV31SpecValidator(served).iter_errors()] == []
    assert {one for one in references(served) if not resolves(served, one)} == set()
    (tmp_path / "served.json").write_text(json.dumps(served))
    assert generate(tmp_path / "served.json", tmp_path) == ""


def test_any_families_may_be_served_together() -> None:
    for chosen in [*((family,) for family in FAMILIES), *combinations(FAMILIES, 2)]:
        served = document(*chosen)
        assert served["paths"].keys() == {row.path for row in rows(*chosen)}
        assert {one for one in references(served) if not resolves(served, one)} == set()


def test_what_is_served_lists_the_codes_of_each_interface_and_marks_what_is_not_served() -> None:
    served = document()
    for row in rows():
        for verb in row.verbs:
            operation = served["paths"][row.path][verb.lower()]
            shown = inline(served, operation["responses"]["200"])["content"]["application/json"]["schema"]
            *success, refused = shown["oneOf"]
            if row.open and not row.codes:
                success, refused = shown["oneOf"], None
            else:
                field = "retcode" if row.family == "cc-gateway" else "resultCode"
                assert set(refused["properties"][field]["enum"]) == row.codes, row.path
            said = row.status == "done" and (row.answer or {}).get("format") != "binary"
            assert success == ([row.answer] if said else []), row.path
            assert operation["x-status"] == row.status
            assert operation["summary"].endswith("served yet)") == (row.status == "pending")
            scheme = "guid" if row.family == "cc-gateway" else "token"
            assert operation["security"] == ([] if row.open else [{scheme: []}]), row.path
