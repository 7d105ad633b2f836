"""Settings: file, environment over it, every mistake at once, and their documentation fresh."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sottovoce.commands.settings import documentation, in_force
from sottovoce.config import (
    AuthMode,
    ConfigError,
    FarSideSettings,
    Section,
    Settings,
    TrunkSettings,
    load,
)

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the machine's own settings."""
    for name in list(os.environ):
        if name.startswith("SOTTOVOCE_"):
            monkeypatch.delenv(name)


def written(folder: Path, text: str) -> Path:
    path = folder / "sottovoce.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_everything_has_its_default() -> None:
    settings = load()
    assert settings == load()
    assert settings.data == Path("~/.local/share/sottovoce").expanduser()
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8043)
    assert (settings.agents.poll_wait, settings.agents.sign_out_after, settings.agents.supervision_lease) == (
        10,
        120,
        30,
    )
    assert (settings.agents.auth_mode, settings.agents.agent_maximum) == (AuthMode.STATIC, 59_999)
    assert (settings.sip.port, settings.media.timeout) == (5060, 30)
    assert settings.recordings_folder == settings.data / "recordings"


def test_the_environment_counts_more_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(
        tmp_path, f'data = "{tmp_path}"\n[http]\nport = 1\nhost = "127.0.0.2"\n[agents]\npoll_wait = 5\n'
    )
    monkeypatch.setenv("SOTTOVOCE_CONFIG", str(file))
    monkeypatch.setenv("SOTTOVOCE_HTTP__PORT", "2")
    settings = load()
    assert (settings.http.port, settings.http.host, settings.agents.poll_wait) == (2, "127.0.0.2", 5)
    assert settings.data == tmp_path
    monkeypatch.setenv("SOTTOVOCE_DATA", str(tmp_path / "other"))
    assert load().data == tmp_path / "other"
    other = written(tmp_path, "[http]\nport = 3\nhost = 'localhost'\n")
    monkeypatch.delenv("SOTTOVOCE_HTTP__PORT")
    assert load(other).http.port == 3


def test_in_code_the_environment_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOTTOVOCE_HTTP__PORT", "2")
    assert Settings(data=tmp_path).http.port == 8043


def test_lists_from_file_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(
        tmp_path,
        '[[network.advertised]]\nnetwork = "10.0.0.0/8"\naddress = "10.1.2.3"\n'
        '[[sip.trunks]]\nname = "a"\nhost = "h"\nnetworks = ["203.0.113.0/29"]\n'
        'username = "u"\npassword = "hush"\n',
    )
    settings = load(file)
    assert settings.network.advertised[0].address == "10.1.2.3"
    assert settings.sip.trunks[0].networks == ("203.0.113.0/29",)
    assert "hush" not in repr(settings)
    monkeypatch.setenv("SOTTOVOCE_NETWORK__NAT", '["192.0.2.0/24", "2001:db8::/32"]')
    assert load(file).network.nat == ("192.0.2.0/24", "2001:db8::/32")


def test_the_outbound_proxy_from_file_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load().sip.outbound_proxy is None
    file = written(tmp_path, '[sip.outbound_proxy]\nhost = "edge"\ntransport = "tcp"\n')
    monkeypatch.setenv("SOTTOVOCE_SIP__OUTBOUND_PROXY__USERNAME", "u")
    assert mistakes(file) == [
        f"sip.outbound_proxy in {file}: username and password are given together or not at all"
    ]
    monkeypatch.setenv("SOTTOVOCE_SIP__OUTBOUND_PROXY__PASSWORD", "hush")
    settings = load(file)
    proxy = settings.sip.outbound_proxy
    assert proxy is not None
    assert (proxy.host, proxy.port, proxy.transport.value, proxy.username) == ("edge", 5060, "tcp", "u")
    assert "hush" not in repr(settings)
    assert "hush" not in "\n".join(in_force(settings))
    monkeypatch.setenv("SOTTOVOCE_SIP__OUTBOUND_PROXY__PORT", "many")
    assert mistakes(file)[0].startswith("SOTTOVOCE_SIP__OUTBOUND_PROXY__PORT in the environment: ")


def mistakes(file: Path | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(file)
    return refused.value.mistakes


def test_every_mistake_is_told_at_once_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(
        tmp_path,
        'colour = "red"\n[http]\nport = 99999\nhots = "x"\n[sip]\ntrunks = [{name = "a"}]\n'
        '[database]\ndsn = "mysql://u:hush@h/d"\n',
    )
    monkeypatch.setenv("SOTTOVOCE_AGENTS__POLL_WAIT", "long")
    monkeypatch.setenv("SOTTOVOCE_HTPP__PORT", "1")
    monkeypatch.setenv("SOTTOVOCE_MEDIA__WORKRES", "1")
    monkeypatch.setenv("SOTTOVOCE_NETWORK__NAT", '["10.0.0.1/8"]')
    found = mistakes(file)
    assert sorted(found) == sorted(
        [
            "SOTTOVOCE_HTPP__PORT in the environment: there is no such setting",
            "SOTTOVOCE_AGENTS__POLL_WAIT in the environment: must be a number",
            "SOTTOVOCE_MEDIA__WORKRES in the environment: there is no such setting",
            "SOTTOVOCE_NETWORK__NAT in the environment: 0: 10.0.0.1/8 has host bits set",
            f"colour in {file}: there is no such setting",
            f"http.port in {file}: must be 65535 or less",
            f"http.hots in {file}: there is no such setting",
            f"sip.trunks.0.host in {file}: is missing",
            f"database.dsn in {file}: must begin with postgresql://",
        ]
    )
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("[http]\nhost = '0.0.0.0'\n", "is not loopback and there is no TLS"),
        ("[http]\nhost = 'contact-centre.example'\n", "is not loopback and there is no TLS"),
        ("[http]\ntls_cert = '/etc/passwd'\n", "given together"),
        ("[http]\ntls_cert = '/no/cert'\ntls_key = '/no/key'\n", "/no/cert is not a file"),
        ("[push]\nallowed = ['crm.example.org/cc']\n", "must be a URL"),
        ("[push]\nallowed = ['https://crm.example.org/cc?a=1']\n", "must have no query"),
        ("[push]\nca_file = '/no/ca'\n", "/no/ca is not a file"),
        ("[media]\nfirst_port = 20001\n", "must be even"),
        ("[media]\nfirst_port = 30000\n", "must lie above first_port"),
        ("[sip.outbound_proxy]\nport = 5060\n", "sip.outbound_proxy.host"),
        ("[sip.outbound_proxy]\nhost = 'edge'\nport = 0\n", "must be 1 or more"),
        ("[sip.outbound_proxy]\nhost = 'edge'\nusername = 'u'\n", "given together"),
        (
            "[[sip.trunks]]\nname='a'\nhost='h'\n[[sip.trunks]]\nname='a'\nhost='i'\n",
            "two trunks are named a",
        ),
        ("[[sip.trunks]]\nname='a'\nhost='h'\nusername='u'\n", "given together"),
        ("[[sip.trunks]]\nname='a'\nhost='h'\nregister_here=true\n", "wants username and password"),
        ("[agents]\nagent_maximum = 1000000\n", "must be 999999 or less"),
        ("[http\n", "is not TOML"),
        ("[log]\nlevel = 'loud'\n", "'debug', 'info', 'warning' or 'error'"),
    ],
)
def test_what_does_not_fit_together(tmp_path: Path, text: str, mistake: str) -> None:
    (found,) = mistakes(written(tmp_path, text))
    assert mistake in found
    assert "sottovoce.toml" in found


def test_plain_http_to_the_network_only_when_it_is_said(tmp_path: Path) -> None:
    assert load(written(tmp_path, "[http]\nhost = '0.0.0.0'\nallow_plain = true\n")).http.allow_plain
    assert load(written(tmp_path, "[http]\nhost = '::1'\n")).http.host == "::1"


def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "cannot be read: No such file" in mistakes(tmp_path / "none.toml")[0]
    (tmp_path / "latin.toml").write_bytes(b"data = '\xff'")
    assert "is not UTF-8" in mistakes(tmp_path / "latin.toml")[0]
    monkeypatch.setenv("SOTTOVOCE_SIP__TRUNKS", "[{")
    assert "written as JSON" in mistakes()[0]


def test_every_setting_is_described() -> None:
    def walk(section: type[Section]) -> Iterator[str]:
        assert section.__doc__
        for name, field in section.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                yield from walk(field.annotation)
            elif not field.description:
                yield f"{section.__name__}.{name}"

    assert not [*walk(Settings), *walk(TrunkSettings), *walk(FarSideSettings)]


def test_the_documentation_is_fresh() -> None:
    kept = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert kept == documentation(), "run: .venv/bin/sottovoce config docs > docs/settings.md"


def test_what_is_in_force_can_be_read_again_and_shows_no_secret(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        '[database]\ndsn = "postgresql://u:hush@h/d"\n'
        '[[sip.trunks]]\nname = "a \\"b\\""\nhost = "h"\nusername = "u"\npassword = "hush"\n',
    )
    shown = "\n".join(in_force(load(file)))
    assert "hush" not in shown
    again = load(written(tmp_path, shown.replace('dsn = "***"', 'dsn = "postgresql://h/d"')))
    assert again.sip.trunks[0].name == 'a "b"'
    assert again.media == load(file).media
