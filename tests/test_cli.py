"""The command line: teaches, does, and tells mistakes without a traceback."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import structlog

from sottovoce.cli import main

SEED = """
vdns:
  - vdn: 1
    name: Hotline
    skills: [{skill: 1, name: Sales}]
    phones: [{number: "8001", password: "a long one"}]
    agents: [{agent: 101, name: Ann, password: "secret-101", phone: "8001", skills: [1], rights: [inspect]}]
"""


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None of the machine's settings before, none of the command's log after."""
    for name in list(os.environ):
        if name.startswith("SOTTOVOCE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, postgres_dsn: str, tmp_path: Path) -> str:
    """A database that the settings name."""
    monkeypatch.setenv("SOTTOVOCE_DATABASE__DSN", postgres_dsn)
    monkeypatch.setenv("SOTTOVOCE_DATA", str(tmp_path / "data"))
    return postgres_dsn


@pytest.fixture
def seed_file(tmp_path: Path) -> Path:
    path = tmp_path / "hotline.yaml"
    path.write_text(SEED)
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command line."""
    code = main(arguments)
    output = capsys.readouterr()
    assert "Traceback" not in output.err
    return code, output.out, output.err


COMMANDS = [
    (),
    ("serve",),
    ("demo",),
    ("selftest",),
    ("status",),
    ("migrate",),
    ("agents",),
    ("agents", "import"),
    ("agents", "list"),
    ("agents", "add"),
    ("agents", "password"),
    ("user",),
    ("user", "add"),
    ("user", "list"),
    ("user", "disable"),
    ("user", "enable"),
    ("user", "roles"),
    ("app-keys",),
    ("app-keys", "add"),
    ("app-keys", "list"),
    ("app-keys", "revoke"),
    ("sampling",),
    ("sampling", "verify"),
    ("sampling", "certificate"),
    ("sampling", "list"),
    ("audit",),
    ("audit", "verify"),
    ("audit", "key"),
    ("audit", "sign"),
    ("audit", "show"),
    ("compat",),
    ("compat", "cc-sqm"),
    ("config",),
    ("config", "check"),
    ("config", "docs"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_teaches(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    code, out, _ = told(capsys, *command, "--help")
    assert code == 0
    groups = {group for group, *inner in COMMANDS[1:] if inner}
    if command and (len(command) == 2 or command[0] not in groups):
        assert "Example: " in out
    if command == ("agents", "import"):
        assert "rights: [inspect, call_out]" in out
        assert "skills: [1]" in out
        assert "- {name: Ann, agent: 101, roles: [staff]}" in out
        flowing = (
            "and nothing is imported unless all of it fits. Importing twice changes nothing; what the file"
        )
        assert flowing in out


def test_the_example_of_a_seed_file_can_be_imported(
    capsys: pytest.CaptureFixture[str], database: str, tmp_path: Path
) -> None:
    out = told(capsys, "agents", "import", "--help")[1]
    example = [line.removeprefix(" ").rstrip() for line in out.splitlines()]
    first = example.index("vdns:")
    file = tmp_path / "example.yaml"
    file.write_text("\n".join(example[first : example.index("", first)]))
    code, out, err = told(capsys, "agents", "import", str(file))
    assert (code, err) == (0, "")
    assert out.endswith("10 changed or added, 0 as they were\n")
    assert "user 1611917095665261978 (Dora) added" in out


def test_users_from_adding_to_disabling(
    capsys: pytest.CaptureFixture[str], database: str, seed_file: Path
) -> None:
    assert main(["agents", "import", str(seed_file)]) == 0
    capsys.readouterr()
    given = "1611917095665261978"
    add = ("user", "add", "Dora", "--vdn", "1", "--role", "quality_director", "--user", given)
    assert told(capsys, *add)[:2] == (0, f"user {given} added\n")
    assert told(capsys, *add)[::2] == (1, f"sottovoce: user {given} is there already, in VDN 1\n")
    code, out, _ = told(capsys, "user", "add", "Ann", "--vdn", "1", "--role", "staff", "--agent", "101")
    made = out.split()[1]
    assert (code, len(made)) == (0, 19)
    code, out, _ = told(capsys, "user", "roles", made, "staff", "inspector")
    assert (code, out) == (0, f"user {made}: staff before, now inspector, staff\n")
    assert told(capsys, "user", "disable", given)[0] == 0
    code, out, _ = told(capsys, "user", "list", "--vdn", "1")
    head, *rows = out.splitlines()
    assert head.split() == ["user", "VDN", "name", "agent", "roles", "groups", "disabled"]
    lines = {line.split()[0]: line for line in rows}
    assert lines.keys() == {given, made}
    assert "inspector, staff" in lines[made]
    assert lines[given].rstrip().endswith(" UTC")
    code, out, _ = told(capsys, "user", "list", "--vdn", "1", "--json")
    users = {user["user"]: user for user in json.loads(out)}
    assert users[made]["roles"] == ["inspector", "staff"]
    assert (users[made]["agent"], users[made]["disabled"]) == (101, None)
    assert datetime.fromisoformat(users[given]["disabled"]).tzinfo is not None
    for listing in (("user", "list"), ("agents", "list"), ("app-keys", "list"), ("sampling", "list")):
        assert told(capsys, *listing, "--vdn", "9") == (1, "", "sottovoce: there is no VDN 9\n")
    for listing in (("contacts", "list"), ("audit", "show")):
        assert told(capsys, *listing, "--vdn", "9") == (1, "", "sottovoce: there is no VDN 9\n")
    assert told(capsys, "sampling", "list")[2] == "none yet\n"
    assert told(capsys, "user", "enable", given)[0] == 0
    for words, code, sentence in (
        (("user", "roles", made), 2, "name the roles that the user has from now on, or give --none"),
        (("user", "roles", made, "staff", "--none"), 2, "name the roles"),
        (("user", "roles", "12", "--none"), 2, "'12' is no user id: it has 18 to 20 digits"),
        (("user", "disable", given[::-1]), 1, f"there is no user {given[::-1]}"),
        (("user", "add", " ", "--vdn", "1"), 2, "a name has 1 to 128 signs in one line"),
        (("user", "add", "A", "--vdn", "9"), 1, "there is no VDN 9"),
        (("user", "add", "A", "--vdn", "1", "--agent", "101"), 1, f"agent 101 is user {made} already"),
    ):
        failed, out, err = told(capsys, *words)
        assert (failed, out) == (code, "")
        assert err.startswith(f"sottovoce: {sentence}")
    code, _, err = told(capsys, "user", "add", "A", "--vdn", "1", "--role", "boss")
    assert code == 2
    assert "table_leader" in err
    out = told(capsys, "audit", "show", "--vdn", "1")[1]
    assert [word for word in out.split() if word.startswith("directory.")] == [
        "directory.import",
        "directory.user",
        "directory.user",
        "directory.user_roles",
        "directory.user_disabled",
        "directory.user_enabled",
    ]


def test_an_app_key_is_shown_once_and_revoked_at_once(
    capsys: pytest.CaptureFixture[str], database: str, seed_file: Path
) -> None:
    assert main(["agents", "import", str(seed_file)]) == 0
    given = "1611917095665261978"
    assert main(["user", "add", "Dora", "--vdn", "1", "--user", given]) == 0
    capsys.readouterr()
    code, out, err = told(capsys, "app-keys", "add", "--vdn", "1", "--name", "CRM", "--user", given)
    key, secret = (line.split()[1] for line in out.splitlines())
    assert (code, len(key), len(secret)) == (0, 32, 43)
    assert "only now" in err
    code, out, _ = told(capsys, "app-keys", "list")
    assert code == 0
    assert key in out
    assert given in out
    assert secret not in out
    audited = told(capsys, "audit", "show", "--vdn", "1")[1]
    assert "directory.app_key" in audited
    assert secret not in audited
    assert told(capsys, "app-keys", "revoke", key)[:2] == (0, f"app key {key} revoked, and all its tokens\n")
    assert told(capsys, "app-keys", "revoke", key)[0] == 0
    audited = told(capsys, "audit", "show", "--vdn", "1")[1]
    assert audited.count("directory.app_key_revoked") == 1
    for words, code, sentence in (
        (("revoke", "nobody"), 1, "there is no app key nobody"),
        (("add", "--vdn", "9", "--name", "X"), 1, "there is no VDN 9"),
        (("add", "--vdn", "1", "--name", "X", "--user", given + "9"), 1, f"VDN 1 has no user {given}9"),
        (("add", "--vdn", "1", "--name", "X", "--user", "Dora"), 2, "'Dora' is no user id"),
        (("add", "--vdn", "1", "--name", ""), 2, "a name has 1 to 128 signs in one line"),
    ):
        failed, out, err = told(capsys, "app-keys", *words)
        assert (failed, out) == (code, "")
        assert err.startswith(f"sottovoce: {sentence}")


def test_version_and_unknown_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "--version")[:2] == (0, "sottovoce 0.1.0\n")
    code, _, err = told(capsys, "frobnicate")
    assert code == 2
    assert "frobnicate" in err
    assert told(capsys, "agents", "list", "--vdn", "x")[0] == 2


def test_config_check(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("[http]\nport = 1234\n")
    code, out, _ = told(capsys, "config", "check", "--config", str(file))
    assert code == 0
    assert "port = 1234" in out
    file.write_text("[http]\nport = -1\n[sip]\nx = 1\n")
    code, out, err = told(capsys, "config", "check", "-c", str(file))
    assert (code, out) == (2, "")
    assert [line.split(" in ")[0] for line in err.splitlines()] == [
        "sottovoce: http.port",
        "sottovoce: sip.x",
    ]


def test_config_check_tries_ports_folders_and_database(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sottovoce.storage.own import node

    monkeypatch.setenv("SOTTOVOCE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SOTTOVOCE_LOG__FILE", str(tmp_path / "nowhere" / "sottovoce.log"))
    (tmp_path / "nowhere").write_text("")
    monkeypatch.setenv("SOTTOVOCE_DATABASE__DSN", "postgresql://u:hush@127.0.0.1:1/db")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("SOTTOVOCE_HTTP__PORT", str(port))
        code, _, err = told(capsys, "config", "check")
        assert code == 1
        assert "hush" not in err
        for words in (
            f"http.port: 127.0.0.1:{port} is taken",
            "log.file: ",
            "database.dsn: ",
            "is PostgreSQL up",
        ):
            assert words in err, (words, err)
        held = node.claim(tmp_path / "data")
        try:
            code, out, err = told(capsys, "config", "check")
        finally:
            held.release()
        assert f"a server runs from {tmp_path / 'data'}: its ports were not tried" in out
        assert "http.port" not in err


def test_serve_says_what_is_in_its_way(
    capsys: pytest.CaptureFixture[str], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("SOTTOVOCE_HTTP__PORT", str(port))
        code, _, err = told(capsys, "serve")
    assert code == 1
    assert f"sottovoce: http.port: 127.0.0.1:{port} is taken by another program: stop it, or set" in err
    assert "Errno" not in err


def test_agents_from_import_to_password(
    capsys: pytest.CaptureFixture[str], database: str, seed_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = told(capsys, "agents", "import", str(seed_file))
    assert code == 0
    assert out.splitlines() == [
        "VDN 1 added",
        "skill 1 added",
        "phone 8001 added",
        "agent 101 added",
        "4 changed or added, 0 as they were",
    ]
    assert told(capsys, "agents", "import", str(seed_file))[1] == "0 changed or added, 4 as they were\n"
    type_in(monkeypatch, "secret-102\n")
    add = ("agents", "add", "102", "--vdn", "1", "--name", "Ida", "--skill", "1", "--right", "call_out")
    assert told(capsys, *add, "--password-stdin")[:2] == (0, "agent 102 added\n")
    type_in(monkeypatch, "secret-102\n")
    code, _, err = told(capsys, *add, "--password-stdin")
    assert (code, err) == (1, "sottovoce: agent 102 is there already\n")
    type_in(monkeypatch, "another\n")
    assert told(capsys, "agents", "password", "102", "--password-stdin")[0] == 0
    type_in(monkeypatch, "short\n")
    assert told(capsys, "agents", "password", "102", "--password-stdin")[0] == 2
    code, out, _ = told(capsys, "agents", "list")
    assert "Ann" in out
    assert "call_out" in out
    code, out, _ = told(capsys, "audit", "show", "--vdn", "1")
    assert [word for word in out.split() if word.startswith("directory.")] == [
        "directory.import",
        "directory.agent",
        "directory.password",
    ]
    code, out, _ = told(capsys, "audit", "verify")
    assert code == 3
    assert out.startswith("VDN 1: 4 rows, head 4:")
    assert "VDN 1: CONSISTENT, but not anchored" in out
    code, public, _ = told(capsys, "audit", "key")
    assert told(capsys, "audit", "key", "--pem")[1].startswith("-----BEGIN PUBLIC KEY-----")
    assert told(capsys, "audit", "verify", "--key", public.strip())[0] == 3
    assert f"signed by {public}" in told(capsys, "audit", "sign")[1]
    code, out, _ = told(capsys, "audit", "verify", "--key", public.strip())
    assert code == 0
    assert "VDN 1: PASS: vouched for up to row 4 by the key" in out
    assert told(capsys, "audit", "key", "--new")[1] != public
    code, out, _ = told(capsys, "audit", "verify", "--key", public.strip())
    assert (code, "up to row 4" in out, "goes on to row 5" in out) == (0, True, True)


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let standard input be `text`."""
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_audit_verify_finds_tampering(
    capsys: pytest.CaptureFixture[str], database: str, seed_file: Path
) -> None:
    assert main(["agents", "import", str(seed_file)]) == 0
    capsys.readouterr()
    head = told(capsys, "audit", "verify", "--vdn", "1")[1].split("head ")[1].split()[0]
    assert told(capsys, "audit", "verify", "--vdn", "1", "--expect", head)[0] == 0
    assert told(capsys, "audit", "verify", "--expect", head)[0] == 2
    assert told(capsys, "audit", "verify", "--vdn", "1", "--expect", "1:xyz")[0] == 2
    assert told(capsys, "audit", "verify", "--vdn", "7")[0] == 1
    assert told(capsys, "audit", "verify", "--key", "12")[0] == 2
    assert told(capsys, "audit", "verify", "--heads", str(seed_file))[0] == 2
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        connection.execute("UPDATE audit SET actor = 5")
    code, out, _ = told(capsys, "audit", "verify")
    assert code == 1
    assert "VDN 1: DIFFERS: row 1: the row was changed\n" in out


def test_seed_mistakes_are_all_told(
    capsys: pytest.CaptureFixture[str], database: str, tmp_path: Path
) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("vdns:\n- vdn: 1\n  agents:\n  - {agent: 5, name: A}\n")
    code, out, err = told(capsys, "agents", "import", str(file))
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"sottovoce: {file}:2: vdns.1.name: is missing",
        f"sottovoce: {file}:4: vdns.1.agents.1.agent: must be 101 or more",
    ]
    assert told(capsys, "agents", "import", str(tmp_path / "none.yaml"))[0] == 2


def test_a_database_that_is_away_or_behind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, empty_postgres_dsn: str
) -> None:
    monkeypatch.setenv("SOTTOVOCE_DATABASE__DSN", "postgresql://u:hush@127.0.0.1:1/d")
    code, _, err = told(capsys, "agents", "list")
    assert code == 1
    assert err.startswith("sottovoce: the database is away: ")
    assert "hush" not in err
    monkeypatch.setenv("SOTTOVOCE_DATABASE__DSN", "postgresql://u:hush@h:port/d")
    code, _, err = told(capsys, "agents", "list")
    assert (code, "hush" in err) == (2, False)
    monkeypatch.setenv("SOTTOVOCE_DATABASE__DSN", empty_postgres_dsn)
    code, _, err = told(capsys, "agents", "list")
    assert code == 1
    assert "run `sottovoce migrate`" in err
    code, out, _ = told(capsys, "migrate")
    assert (code, out.startswith("applied 0001, 0002, ")) == (0, True)
    assert told(capsys, "migrate")[:2] == (0, "nothing to do: the schema is the newest\n")
    assert told(capsys, "agents", "list")[0] == 0


def test_a_data_folder_that_cannot_be_had(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOTTOVOCE_DATA", str(tmp_path / "file" / "data"))
    for command in (("agents", "list"), ("migrate",), ("serve",)):
        code, out, err = told(capsys, *command)
        assert (code, out) == (1, "")
        (line,) = err.splitlines()
        assert line.startswith("sottovoce: ")
        assert "Not a directory" in line or "file is no folder" in line


def test_the_installed_command_with_a_postgresql_of_its_own() -> None:
    """No DSN, no file: the first command makes everything, the second finds it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / "hotline.yaml").write_text(SEED)
        environment = {"PATH": os.environ["PATH"], "SOTTOVOCE_DATA": str(path / "data"), "HOME": folder}
        command = [sys.executable, "-m", "sottovoce.cli", "agents"]
        done = [
            subprocess.run([*command, *words], env=environment, capture_output=True, text=True, check=False)
            for words in (["import", str(path / "hotline.yaml")], ["list"])
        ]
        assert [(process.returncode, process.stderr) for process in done] == [(0, ""), (0, "")]
        assert "Ann" in done[1].stdout
