"""Where root's PostgreSQL finds its programs."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from sottovoce.storage.own import placement
from sottovoce.storage.own.placement import Placement


@pytest.mark.skipif(os.geteuid() != 0, reason="who is not root needs no copy")
def test_programs_that_are_copied_to_where_they_can_be_reached_run() -> None:
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o711)
        nobody = placement._unprivileged("nobody")
        copied = placement._copied(placement.installed(), Placement(nobody, home))
        for program in ("postgres", "initdb"):
            command = [str(copied / "bin" / program), "--version"]
            done = subprocess.run(
                command, user=nobody.uid, capture_output=True, text=True, check=True, cwd="/"
            )
            assert "PostgreSQL" in done.stdout
        assert placement._copied(placement.installed(), Placement(nobody, home)) == copied, "once"
