"""What is shipped beside the package fits it."""

from __future__ import annotations

import configparser
import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


def test_the_unit_asks_for_what_the_server_does() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "systemd" / "sottovoce.service")
    service = unit["Service"]
    assert (service["Type"], service["NotifyAccess"]) == ("notify", "main")
    assert int(service["WatchdogSec"]) >= 10
    assert service["KillMode"] == "mixed", "the server ends its workers and its PostgreSQL itself"
    assert shlex.split(service["ExecReload"])[1:] == ["-HUP", "$MAINPID"]
    assert shlex.split(service["ExecStart"])[1:3] == ["serve", "--config"]
    assert service["Environment"] == f"SOTTOVOCE_DATA=/var/lib/{service['StateDirectory']}"
    assert service["NoNewPrivileges"] == "yes"


def test_the_container_installs_what_is_pinned_and_is_not_root() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert "--require-hashes -r run.txt" in text
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["sottovoce"]
    for copied in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split())
