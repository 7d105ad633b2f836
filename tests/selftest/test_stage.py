from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from sottovoce.doors.sip.hops import Transport
from sottovoce.selftest.run import BAD_CALL, main
from sottovoce.selftest.stage import EXAMPLE, BadStage, read_stage, stage_of


def test_the_example_is_a_stage(tmp_path: Path) -> None:
    path = tmp_path / "stage.yaml"
    path.write_text(EXAMPLE)
    stage = read_stage(path)
    assert (stage.http_url, stage.sip_host, stage.sip_port) == (
        "https://contact.example.net:8043",
        "contact.example.net",
        5060,
    )
    assert (stage.agent.agent, stage.agent.phone, stage.agent.account.username) == (101, "8101", "8101")
    assert stage.colleague is not None
    assert (stage.colleague.agent, stage.colleague.phone) == (102, "8102")
    assert stage.customer is not None
    assert stage.customer.username == "8199"
    assert stage.transport is Transport.UDP
    assert stage.phone_host == "0.0.0.0"
    assert read_stage(path, against="other.example.net:9000").http_url == "https://other.example.net:9000"


def test_a_server_on_this_machine_has_its_phones_on_loopback() -> None:
    document = yaml.safe_load(EXAMPLE) | {"sip": "127.0.0.1:5060", "http": "http://127.0.0.1:8043"}
    document.pop("customer")
    document.pop("colleague")
    stage = stage_of(document)
    assert stage.colleague is None
    assert (stage.phone_host, stage.customer_host, stage.customer) == ("127.0.0.1", "127.0.0.1", None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"surprise": 1}, "unknown: surprise"),
        ({"sip": "contact.example.net"}, "host:port"),
        ({"sip": "host:99999"}, "host:port"),
        ({"access_code": 4999}, "access_code is a text in quotes"),
        ({"agent": 101}, "agent is a mapping"),
        ({"agent": {"agent": "101", "password": "x", "phone": "1", "sip_password": "x"}}, "work number"),
        ({"agent": {"agent": 101, "password": "x", "phone": "8101"}}, "agent.sip_password"),
        ({"customer": {"sip_password": "x"}}, "customer.username"),
        ({"customer": "8199"}, "customer is a mapping"),
        ({"transport": "pigeon"}, "udp or tcp"),
        ({"media_timeout": "soon"}, "seconds"),
    ],
)
def test_a_mistake_is_told(change: dict[str, object], told: str) -> None:
    with pytest.raises(BadStage, match=told):
        stage_of(yaml.safe_load(EXAMPLE) | change)


def test_what_is_missing_is_told() -> None:
    with pytest.raises(BadStage, match=r"missing: access_code, agent, http, inspector, sip"):
        stage_of({})


@pytest.mark.parametrize("content", ["[1, 2]", "a: [", "\x00"])
def test_a_file_that_is_no_stage_ends_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path = tmp_path / "stage.yaml"
    path.write_text(content)
    assert main(stage=path) == BAD_CALL
    assert main(stage=tmp_path / "nothing.yaml") == BAD_CALL
    assert "stage.yaml" in capsys.readouterr().err


def test_a_running_server_needs_agents(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(against="https://contact.example.net:8043") == BAD_CALL
    assert "sip_password" in capsys.readouterr().err


def test_passwords_are_not_shown() -> None:
    assert "a long one" not in repr(stage_of(yaml.safe_load(EXAMPLE)))
