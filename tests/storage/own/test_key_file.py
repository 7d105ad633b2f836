"""Keys in the data folder."""

from __future__ import annotations

from pathlib import Path

from sottovoce.storage.own.key_file import random_key, write


def test_a_random_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "data" / "a.key"
    key = random_key(path, 32)
    assert len(key) == 32
    assert random_key(path, 32) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert random_key(tmp_path / "b.key", 32) != key
    assert [one.name for one in path.parent.iterdir()] == ["a.key"]


def test_what_is_no_key_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    write(path, b"short")
    (tmp_path / "a.key.making").write_bytes(b"left by a crash")
    assert len(random_key(path, 32)) == 32
