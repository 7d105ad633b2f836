"""What is in a server's way: a sentence with the setting and the way out for each thing, all at once."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest

from sottovoce.config import Settings
from sottovoce.starting import hindrances

HERE = "127.0.0.1"


def settings(tmp_path: Path, **sections: object) -> Settings:
    free: dict[str, object] = {
        "data": tmp_path / "data",
        "http": {"port": 0},
        "sip": {"host": HERE, "port": 0},
        "media": {"host": HERE, "first_port": 0},
    }
    return Settings.model_validate(free | sections)


def udp(even: bool = False) -> socket.socket:
    while True:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind((HERE, 0))
        if not even or bound.getsockname()[1] % 2 == 0:
            return bound
        bound.close()


def test_nothing_is_in_the_way_and_nothing_is_made(tmp_path: Path) -> None:
    assert hindrances(settings(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_ports_that_are_taken(tmp_path: Path) -> None:
    with socket.create_server((HERE, 0)) as http, udp() as sip, udp(even=True) as rtp:
        ports = [one.getsockname()[1] for one in (http, sip, rtp)]
        asked = settings(
            tmp_path,
            http={"port": ports[0]},
            sip={"host": HERE, "port": ports[1]},
            media={"host": HERE, "first_port": ports[2], "last_port": ports[2] + 1},
        )
        found = hindrances(asked)
        assert hindrances(asked, ports=False) == []
    said = [
        rf"http\.port: {HERE}:{ports[0]} is taken by another program: stop it, or set http\.port \(`ss .*\)",
        rf"sip\.port: {HERE}:{ports[1]} is taken by another program: stop it, or set sip\.port .*",
        rf"media\.first_port, media\.last_port: 1 of 1 RTP ports tried between {ports[2]} .* another range",
    ]
    assert len(found) == 3
    for pattern, one in zip(said, found, strict=True):
        assert re.fullmatch(pattern, one)


@pytest.mark.parametrize("section", ["http", "sip", "media"])
def test_addresses_of_others(tmp_path: Path, section: str) -> None:
    there: dict[str, object] = {"host": "192.0.2.1", "first_port" if section == "media" else "port": 20_000}
    there |= {"allow_plain": True} if section == "http" else {}
    [said] = hindrances(settings(tmp_path, **{section: there}))
    assert said == f"{section}.host: 192.0.2.1 is no address of this machine (`ip address` lists them)"


def test_authorities_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificates")
    [said] = hindrances(settings(tmp_path, push={"ca_file": file}))
    assert said.startswith(f"push.ca_file: {file} holds no certificates in PEM that ")


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_text("no certificate")
    key.write_text("no key")
    [said] = hindrances(settings(tmp_path, http={"port": 0, "tls_cert": cert, "tls_key": key}))
    assert said.startswith(f"http.tls_cert, http.tls_key: {cert} and {key} are no certificate with its key")


def test_folders_that_are_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = hindrances(
        settings(
            tmp_path,
            data=tmp_path / "file" / "data",
            recordings={"folder": tmp_path / "file"},
            audit={"heads_file": tmp_path / "file" / "heads"},
            log={"file": tmp_path / "file" / "log"},
        )
    )
    names = ["data", "recordings.folder", "audit.heads_file", "log.file"]
    assert [one.partition(": ")[0] for one in found] == names
    assert found[0].endswith("file is no folder: set SOTTOVOCE_DATA to another folder")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_what_another_user_may_not_write_or_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("others")
    reached = [path for path in (folder, *folder.parents) if path.stat().st_mode & 0o011 != 0o011]
    modes = {path: path.stat().st_mode for path in reached}
    secret, closed = folder / "key.pem", folder / "closed"
    secret.touch(mode=0o600)
    closed.mkdir(mode=0o755)
    asked = settings(folder, data=closed, http={"port": 0, "tls_cert": secret, "tls_key": secret})
    for path in reached:
        path.chmod(modes[path] | 0o011)
    os.seteuid(65534)
    try:
        found = hindrances(asked)
    finally:
        os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)
    assert re.match(r"data: .*closed cannot be written by user nobody: give it to that user", found[0])
    assert re.match(r"http\.tls_cert: .* cannot be read by user nobody: Permission denied", found[-1])
