"""What holds the rooms apart: allowed imports, pure modules, names that attract everything, mocks."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "sottovoce"
SHARED = {"errors", "clock", "tasks", "deadlines", "digests", "limits", "line_of_tries", "plain", "wording"}
NOT_FOR_DOMAIN = {"digests", "limits", "line_of_tries", "plain", "wording"}
"""How a value is written down or told, and what lies in files, is none of the rules' business."""
ALL_BUT_HTTP = set(
    [
        "domain",
        "live",
        "quality",
        "media",
        "processes",
        "doors",
        "storage",
        "phones",
        "client",
        "compat",
        "selftest",
        "demo",
        "commands",
        "config",
        "contracts",
        "logs",
        "observing",
        "pushing",
        "starting",
        "systemd",
    ]
)
# Room -> the rooms it may import, beside itself and the shared modules. `media.engine` is a port.
ALLOWED: dict[str, set[str]] = {
    "domain": set(),
    "errors": set(),
    "clock": set(),
    "tasks": set(),
    "deadlines": set(),
    "digests": set(),
    "limits": set(),
    "line_of_tries": set(),
    "plain": set(),
    "wording": set(),
    "logs": set(),
    "systemd": set(),
    "starting": {"config"},
    "contracts": set(),
    "config": {"domain"},
    "live": {"domain", "config", "media.engine"},
    "quality": {"config", "domain", "storage"},
    "processes": set(),
    "media": {"config", "domain", "logs", "processes"},
    "doors": {"config", "domain", "logs", "media.engine", "processes"},
    "storage": {"config", "domain"},
    "observing": {"domain", "live", "media.beat", "media.control"},
    "pushing": {"config", "domain", "live"},
    "http": {"config", "contracts", "domain", "live", "observing", "pushing", "quality"},
    "phones": {"config", "domain", "doors", "media"},
    "client": {"domain", "contracts"},
    "compat": {"domain", "client", "contracts", "phones"},
    "selftest": {"domain", "client", "phones", "media", "doors"},
    "app": ALL_BUT_HTTP | {"http"},
    "cli": ALL_BUT_HTTP | {"app"},
    "commands": ALL_BUT_HTTP | {"app"},
    "demo": ALL_BUT_HTTP | {"app"},
    "__init__": set(),
    "__main__": {"cli"},
}
# The rooms of storage, and which of the others each may import; `tables`, `database` … are for all.
STORAGE: dict[str, set[str]] = {"own": set(), "review": set(), "live": {"own", "review"}}
# What reads bytes or decides must not act: no I/O, no time, no chance, no event loop.
PURE_ROOMS = ("domain",)
PURE_MODULES = {
    ".": ["deadlines", "errors", "limits"],
    "media": [
        "codecs/__init__",
        "codecs/pcma",
        "codecs/pcmu",
        "rtp",
        "rtcp",
        "dtmf",
        "jitter",
        "concealment",
        "mixer",
        "ports_pool",
        "control",
        "echo",
        "joins",
        "levels",
        "outgoing",
        "reception",
        "reports",
        "rows",
        "spans",
    ],
    "http/ccgateway": ["events", "retcodes", "states", "words"],
    "http/ccsqm": ["calls_wire", "codes", "credit_wire", "fixed_columns", "words"],
    "http/ccisqm": ["words"],
    "http/family": ["form"],
    "processes": ["protocol"],
    "phones": ["meters", "sources", "tones"],
    "pushing": ["addresses", "course"],
    "quality": ["result_rows", "task_lists"],
    "doors/browser": ["checks", "control", "offers", "paths", "streams"],
    "doors/sip": [
        "admission",
        "called",
        "calling",
        "causes",
        "challenges",
        "core",
        "dialog",
        "digest",
        "events",
        "far_sides",
        "headers",
        "hops",
        "keys",
        "limits",
        "matching",
        "message",
        "negotiation",
        "ports",
        "refresh",
        "registering",
        "registrar",
        "reliable",
        "sdp",
        "session",
        "timers",
        "transactions",
        "ua",
        "uri",
        "via",
    ],
    "live": [
        "acd",
        "attempts",
        "availability",
        "bonds",
        "call_data",
        "calling",
        "conferring",
        "consulting",
        "conversing",
        "effects",
        "floor",
        "handling",
        "hearing",
        "inputs",
        "legs",
        "merging",
        "pictures",
        "presence",
        "seating",
        "state",
        "supervising",
        "telling",
        "transferring",
        "unreached",
        "views",
    ],
}
IMPURE = set(
    [
        "asyncio",
        "socket",
        "http",
        "sqlalchemy",
        "psycopg",
        "time",
        "random",
        "secrets",
        "select",
        "threading",
        "subprocess",
        "httpx",
        "fastapi",
        "uvicorn",
    ]
)
# What tells the time or draws by chance, by the name that it is called by.
CLOCKS_AND_CHANCE = set(
    [
        "datetime.now",
        "datetime.utcnow",
        "datetime.today",
        "date.today",
        "uuid.uuid1",
        "uuid.uuid4",
        "os.urandom",
        "np.random.default_rng()",
    ]
)
DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service", "base"}


def modules() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


def imports_of(module: Path) -> list[str]:
    """Dotted names that a module imports, also under TYPE_CHECKING and inside functions."""
    found: list[str] = []
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: import by full name, not relatively"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


PACKAGES = [module.parent for module in modules() if module.name == "__init__.py"]
BY_NAME_ALONE = {"versions"}
"""Packages whose modules are all of one sort: what each is says its name."""


def room_of(module: Path) -> str:
    first = module.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_room_imports_only_what_it_may(module: Path) -> None:
    room = room_of(module)
    allowed = ALLOWED[room] | {room} | (SHARED - NOT_FOR_DOMAIN if room == "domain" else SHARED)
    for name in imports_of(module):
        if not name.startswith("sottovoce."):
            continue
        target = name.removeprefix("sottovoce.")
        if target.split(".")[0] in {"__version__"}:
            continue
        assert any(target == entry or target.startswith(entry + ".") for entry in allowed), (
            f"{module.relative_to(SOURCE)} imports {name}; {room} may import {sorted(allowed)}"
        )


@pytest.mark.parametrize("room", STORAGE)
def test_the_rooms_of_storage_form_no_circle(room: str) -> None:
    for module in (SOURCE / "storage" / room).rglob("*.py"):
        reached = {name.split(".")[2] for name in imports_of(module) if name.startswith("sottovoce.storage.")}
        assert reached & set(STORAGE) <= STORAGE[room] | {room}, module
    for module in (path for path in (SOURCE / "storage").rglob("*.py") if path.parent.name not in STORAGE):
        assert not any(name.split(".")[2:3] == [room] for name in imports_of(module)), module


def is_pure(module: Path) -> bool:
    """Whether a module must not act."""
    known = PURE_MODULES.get(str(module.relative_to(SOURCE).parent), [])
    return room_of(module) in PURE_ROOMS or module.stem in known


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_pure_modules_do_nothing_but_decide(module: Path) -> None:
    if not is_pure(module):
        return
    inside = module.relative_to(SOURCE)
    imported = imports_of(module)
    touched = {name.split(".")[0] for name in imported} & IMPURE
    assert not touched, f"{inside} imports {sorted(touched)}"
    used = {ast.unparse(node) for node in ast.walk(ast.parse(module.read_text())) if _is_used(node)}
    found = (used | set(imported)) & CLOCKS_AND_CHANCE
    assert not found, f"{inside} uses {sorted(found)}"


def _is_used(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) or (isinstance(node, ast.Call) and not node.args)


def test_every_pure_module_exists() -> None:
    named = [SOURCE / room / f"{name}.py" for room, names in PURE_MODULES.items() for name in names]
    assert [str(module) for module in named if not module.exists()] == []


# -- no circles --------------------------------------------------------------------------------


def dotted(module: Path) -> str:
    """The name that a module is imported by."""
    return ".".join(module.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")


def graph() -> dict[str, set[str]]:
    """Each module, and the modules that it imports: for typing or inside functions as well."""
    known = {dotted(module): module for module in modules()}
    return {
        name: {_known(wanted, known) for wanted in imports_of(module)} - {name, ""}
        for name, module in known.items()
    }


def _known(wanted: str, known: Iterable[str]) -> str:
    """The module of ours that an imported name is, or is of; "" for a foreign one."""
    while wanted and wanted not in known:
        wanted = wanted.rpartition(".")[0]
    return wanted


def circle_in(arrows: Mapping[str, set[str]]) -> list[str]:
    """What is left when everything that leads to no circle is taken away."""
    left = {name: set(targets) for name, targets in arrows.items()}
    while ends := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in ends:
            del left[name]
    return sorted(left)


def test_no_module_imports_itself_by_a_circle() -> None:
    assert circle_in(graph()) == []


def test_nothing_in_a_folder_leans_on_what_leans_on_it() -> None:
    """In each package the modules and packages side by side, each taken as one, import no circle."""
    imported = graph()
    circles = {}
    for package in sorted(dotted(module) for module in modules() if module.name == "__init__.py"):
        depth = package.count(".") + 1

        def inside(name: str, package: str = package, depth: int = depth) -> str:
            return name.split(".")[depth] if name.startswith(package + ".") else ""

        arrows: dict[str, set[str]] = {}
        for name, targets in imported.items():
            if here := inside(name):
                arrows.setdefault(here, set()).update({inside(target) for target in targets} - {here, ""})
        if circle := circle_in(arrows):
            circles[package] = circle
    assert circles == {}


# -- what a reader finds -----------------------------------------------------------------------


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_is_named_in_its_package_s_map(package: Path) -> None:
    if package.name in BY_NAME_ALONE:
        return
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    beside = [path.stem for path in package.iterdir() if path.suffix == ".py" or path in PACKAGES]
    unnamed = [name for name in sorted(beside) if not re.search(rf"\b{name}\b", text)]
    assert [name for name in unnamed if not name.startswith("__")] == []


@pytest.mark.parametrize("module", modules(), ids=lambda path: str(path.relative_to(SOURCE)))
def test_whatever_is_public_says_what_it_is(module: Path) -> None:
    """Functions, classes and methods; what implements a port or a library's protocol is said there."""
    if module.parent.name in BY_NAME_ALONE:
        return
    here = public(ast.parse(module.read_text()).body)
    silent = [name for name, node in here if not ast.get_docstring(node)]
    assert [name for name in silent if name.rpartition(".")[2] not in ported()] == []


Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def public(body: Sequence[ast.stmt], within: str = "") -> Iterator[tuple[str, Named]]:
    """The public functions, classes and methods of a module, but overloads."""
    for node in body:
        if isinstance(node, Named) and not node.name.startswith("_"):
            if "overload" not in [ast.unparse(decorator) for decorator in node.decorator_list]:
                yield f"{within}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{node.name}.")


@cache
def ported() -> frozenset[str]:
    """The methods that ports (`Protocol`) tell of."""
    found: set[str] = set()
    for module in modules():
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ClassDef) and "Protocol" in [ast.unparse(base) for base in node.bases]:
                found |= {name for name, method in public(node.body) if ast.get_docstring(method)}
    return frozenset(found)


def test_domain_knows_numpy_at_most() -> None:
    import sys

    for module in (SOURCE / "domain").rglob("*.py"):
        foreign = {
            name.split(".")[0]
            for name in imports_of(module)
            if name.split(".")[0] not in sys.stdlib_module_names | {"sottovoce", "numpy"}
        }
        foreign -= {"cryptography"} if module.name == "lots.py" else set()
        assert not foreign, f"{module.name} imports {sorted(foreign)}"


def test_one_module_spawns_tasks() -> None:
    spawning = re.compile(r"\b(create_task|ensure_future)\(")
    culprits = [
        str(module.relative_to(SOURCE))
        for module in modules()
        if module.name != "tasks.py" and spawning.search(module.read_text())
    ]
    assert not culprits


def test_no_name_attracts_everything() -> None:
    assert not [str(module) for module in modules() if module.stem in DRAWERS]


def test_no_module_is_too_long_to_read() -> None:
    long = {
        str(module.relative_to(SOURCE)): lines
        for module in modules()
        if module.parent.name != "versions"  # migrations list columns and are never read again
        and (lines := len(module.read_text().splitlines())) > 500
    }
    assert not long


def test_every_package_says_what_it_is() -> None:
    for package in SOURCE.rglob("__init__.py"):
        text = ast.get_docstring(ast.parse(package.read_text()))
        assert len(text or "") > 40, f"{package.relative_to(SOURCE)} needs a docstring that maps it"


def test_no_test_replaces_our_own_code() -> None:
    replaced = re.compile(
        r"MagicMock|AsyncMock|mocker\.patch|unittest\.mock|monkeypatch\.setattr\(.sottovoce"
    )
    culprits = [
        str(test)
        for test in (ROOT / "tests").rglob("*.py")
        if test != Path(__file__) and replaced.search(test.read_text())
    ]
    assert not culprits


def test_every_decision_fits_a_page() -> None:
    for decision in (ROOT / "docs" / "decisions").glob("*.md"):
        assert len(decision.read_text().splitlines()) <= 50, f"{decision.name} is longer than 50 lines"


# Functions of storage.review that take a connection and a tenant all the same, each with its reason.
BARE = {
    ("app_keys", "listed"): "the command line lists the keys of all tenants, or of one",
    ("draws", "latest"): "the command line lists the draws of all tenants, or of one",
    ("jobs", "backlog"): "the log says what waits of all tenants, the command of one",
    ("users", "listed"): "the command line lists the users of all tenants, or of one",
}


def test_no_query_of_the_after_call_half_can_leave_its_tenant_out() -> None:
    found = set()
    for module in (SOURCE / "storage" / "review").glob("*.py"):
        for node in ast.parse(module.read_text()).body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
                continue
            types = {ast.unparse(one.annotation or ast.Constant("")) for one in node.args.args}
            if "AsyncConnection" in types and any("VdnId" in one for one in types):
                found.add((module.stem, node.name))
    assert found == set(BARE)


def test_a_right_is_granted_in_one_place() -> None:
    making = [
        str(module.relative_to(SOURCE))
        for module in modules()
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Reach"
    ]
    assert set(making) == {"quality/access.py"}


_CLIENT = "a client's word, read from the wire alone: no room of the server may be imported for it"
_FAMILY = "of one interface family each: its forms and answers, never together in a module"
_KIT = "the kit's class and what a family, or the kit that judges servers, makes of it"
_PORT = "the port's word and what implements it"
SAME_NAME: dict[str, str] = {
    **dict.fromkeys(
        ["AppKey", "Calls", "Connection", "Cycle", "Earlier", "Failed", "Gateway", "Node", "Plan"], _CLIENT
    ),
    **dict.fromkeys(["Quality", "QualityItem", "RuleResult", "Scenario", "Tasks"], _CLIENT),
    **dict.fromkeys(
        ["CallOut", "DetailForm", "Digits", "ModifyForm", "Query", "RuleInfo", "Update"], _FAMILY
    ),
    **dict.fromkeys(["Target", "WhichForm"], _FAMILY),
    **dict.fromkeys(["Answer", "Form", "Interface", "Interfaces", "Wrong"], _KIT),
    "Passwords": _PORT,
    "CallHeld": "what an agent is told, and what a SIP session tells its door",
    "CallState": "of a call on the floor, and of a phone's own call",
    "Findings": "of the compatibility kit and of the selftest, which import nothing from each other",
    "Headers": "of SIP messages, and of RTP packets as columns",
    "Outgoing": "a SIP message on its way, and a tick's packets",
    "Party": "of a conversation, and of the selftest's cast",
    "Playback": "of a recording: put on record, and under way on an agent's phone",
    "Registered": "the word in an event of SIP's core, and in its admission",
    "Request": "SIP's, and the engine's",
    "Share": "of items for an inspector, and of a tone in what is heard",
    "User": "of the after-call half, and of SIP's registrar",
}
"""Public classes that two modules define under one name, and why that is no confusion."""


def test_no_public_class_is_defined_twice() -> None:
    defined: dict[str, list[str]] = {}
    for module in modules():
        for node in ast.parse(module.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined.setdefault(node.name, []).append(str(module.relative_to(SOURCE)))
    twice = {name: where for name, where in defined.items() if len(where) > 1}
    assert {name: where for name, where in twice.items() if name not in SAME_NAME} == {}
    assert set(SAME_NAME) <= set(twice), "an allowance that nothing needs any more"
