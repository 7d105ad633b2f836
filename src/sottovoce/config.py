"""Settings: one TOML file, overridden by SOTTOVOCE_* in the environment, checked at start.

The file is the one that `--config` or SOTTOVOCE_CONFIG names; without either there is none and
everything has its default. `http.port` in the file is SOTTOVOCE_HTTP__PORT in the environment;
lists and tables are written there as JSON. Unknown keys are mistakes, in both.
`docs/settings.md` is generated from the descriptions here (`sottovoce config docs`).
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

PREFIX = "SOTTOVOCE_"


class ConfigError(Exception):
    """The settings cannot be used. `mistakes` has one sentence for each thing to mend."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = mistakes


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=True)
    return text


def _address(text: str) -> str:
    ipaddress.ip_address(text)
    return text


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _home(path: Path) -> Path:
    return path.expanduser().absolute()


Network = Annotated[str, AfterValidator(_network)]
"""An IP network as text, for example `10.0.0.0/8`."""
Address = Annotated[str, AfterValidator(_address)]
"""An IP address as text."""
Port = Annotated[int, Field(ge=0, le=65535)]
"""A port; 0 takes a free one."""
Folder = Annotated[Path, AfterValidator(_home)]
"""A path; `~` is the home folder."""


class Section(BaseModel):
    """A part of the settings: nothing unknown in it, nothing changes after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class AuthMode(StrEnum):
    """How a Guid lives (CC-Gateway's AUTHMODE)."""

    STATIC = "static"
    DYNAMIC = "dynamic"


class LogFormat(StrEnum):
    """How a log line looks."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Transport(StrEnum):
    """What SIP is carried by."""

    UDP = "udp"
    TCP = "tcp"


class DatabaseSettings(Section):
    """Where everything is kept."""

    dsn: SecretStr | None = Field(
        default=None,
        description="`postgresql://user:password@host/database` of a PostgreSQL 15 or later."
        " Without one the server runs a PostgreSQL of its own in the data folder.",
    )
    run_as: str | None = Field(
        default=None,
        description="When started as root: the existing system user that the own PostgreSQL runs as"
        " (it refuses root). Default: `postgres` if there is one, else `nobody`.",
    )
    connections: int = Field(default=10, ge=2, le=200, description="Connections to PostgreSQL at most.")
    commit_timeout: float = Field(
        default=3.0,
        gt=0,
        le=60,
        description="Seconds until a command that must be on record first is refused.",
    )
    lease: float = Field(
        default=15.0, ge=3, le=300, description="Seconds that a node owns a VDN without renewing its lease."
    )
    spool_megabytes: int = Field(
        default=64,
        ge=1,
        le=10_000,
        description="How much is kept on disk, per VDN, while the database is away.",
    )

    @field_validator("dsn")
    @classmethod
    def _postgresql(cls, dsn: SecretStr | None) -> SecretStr | None:
        if dsn is not None and not dsn.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return dsn


class HttpSettings(Section):
    """The one HTTP port that all interfaces are on."""

    host: str = Field(default="127.0.0.1", description="The address to listen on; `0.0.0.0` for all.")
    port: Port = Field(default=8043, description="The port; 0 takes a free one and prints it.")
    tls_cert: Folder | None = Field(default=None, description="PEM file with the certificate and its chain.")
    tls_key: Folder | None = Field(default=None, description="PEM file with the certificate's key.")
    allow_plain: bool = Field(
        default=False,
        description="Serve plain HTTP on other addresses than loopback: only behind a proxy that ends TLS."
        " Passwords and Guids would cross the network readable.",
    )
    origins: tuple[str, ...] = Field(
        default=("*",),
        description="Web origins whose scripts may call, `*` for all (a Guid is needed all the same);"
        " an empty list lets none.",
    )
    docs: bool = Field(default=False, description="Serve `/docs` and `/openapi.json`.")

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together or not at all")
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is not a file")
        if self.tls_cert is None and not self.allow_plain and not _is_loopback(self.host):
            raise ValueError(
                f"{self.host} is not loopback and there is no TLS: set tls_cert and tls_key, or allow_plain"
            )
        return self


class AgentSettings(Section):
    """Sessions of agents and inspectors."""

    auth_mode: AuthMode = Field(
        default=AuthMode.STATIC,
        description="`static`: the Guid of sign-in stays. `dynamic`: polls and handshakes hand out new ones;"
        " known clients ignore those that a poll brings.",
    )
    poll_wait: float = Field(
        default=10.0, ge=0, le=60, description="Seconds that an event poll hangs when there is none."
    )
    event_times: bool = Field(
        default=False, description="Whether events carry `eventGenTime`, as the newest pages show."
    )
    sign_out_after: float = Field(
        default=120.0,
        ge=5,
        le=3600,
        description="Seconds without a poll or handshake after which an agent is signed out.",
    )
    agent_maximum: int = Field(
        default=59_999,
        ge=101,
        le=999_999,
        description="The highest agent id (the lowest is 101): 59999, or up to 999999.",
    )
    ring_timeout: float = Field(
        default=30.0,
        ge=5,
        le=300,
        description="Seconds that an agent's phone rings before the call goes to the next one.",
    )
    wrap_up_limit: float = Field(
        default=600.0,
        ge=0,
        le=86_400,
        description="Seconds after which wrap-up ends by itself; 0 never ends it.",
    )
    events_limit: int = Field(
        default=1000,
        ge=10,
        le=100_000,
        description="Events that wait for one agent at most; the oldest give way.",
    )
    supervision_lease: float = Field(
        default=30.0,
        ge=5,
        le=600,
        description="Seconds after an inspector's last request (a hanging poll counts) until the inspector is"
        " muted and taken out of all supervisions. The call goes on.",
    )


class Advertised(Section):
    """Our address as a network sees it."""

    network: Network = Field(description="The far side's network, for example `0.0.0.0/0`.")
    address: Address = Field(description="The address written into SIP and SDP for it.")


class NetworkSettings(Section):
    """What the networks around look like; SIP and media share it."""

    advertised: tuple[Advertised, ...] = Field(
        default=(),
        description="Which of our addresses to name to whom; the first network that fits counts."
        " Without one: the address that the route to the far side leaves from.",
    )
    nat: tuple[Network, ...] = Field(
        default=(),
        description="Networks behind NAT: phones there are answered where their packets come from,"
        " and RTP is taken from any source that proves itself.",
    )


class MediaSettings(Section):
    """The processes that carry and mix the audio."""

    workers: int = Field(default=0, ge=0, le=256, description="Media processes; 0 starts one per core.")
    host: Address = Field(default="0.0.0.0", description="The address that RTP is received on.")  # noqa: S104
    first_port: int = Field(
        default=20_000, ge=1024, le=65_534, description="The first RTP port (even); RTCP is one higher."
    )
    last_port: int = Field(
        default=29_999, ge=1025, le=65_535, description="The last port of the range, all workers together."
    )
    legs_per_worker: int = Field(
        default=900, ge=3, le=5000, description="Legs on one worker. When all are full: 503."
    )
    timeout: float = Field(
        default=30.0,
        ge=2,
        le=600,
        description="Seconds without RTP and RTCP, from a side that has to send, after which the leg ends.",
    )
    hold_limit: float = Field(
        default=7200.0,
        ge=60,
        le=86_400,
        description="Seconds that a leg on hold may be silent; then it ends.",
    )
    music: str = Field(
        default="music", description="What waiting and held callers hear: `music`, or a WAV's path."
    )

    @model_validator(mode="after")
    def _ports(self) -> Self:
        if self.first_port % 2:
            raise ValueError("first_port must be even: RTP is on even ports")
        if self.last_port <= self.first_port:
            raise ValueError("last_port must lie above first_port")
        return self


class FarSideSettings(Section):
    """Where calls go out to, and by which account."""

    host: str = Field(min_length=1, description="Where calls go out to.")
    port: int = Field(default=5060, ge=1, le=65535, description="The port there.")
    transport: Transport = Field(default=Transport.UDP, description="`udp` or `tcp`.")
    username: str | None = Field(default=None, description="The account that answers its challenges.")
    password: SecretStr | None = Field(default=None, description="The account's password.")
    realm: str | None = Field(default=None, description="The only realm that is answered; none: any.")

    @model_validator(mode="after")
    def _account(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password are given together or not at all")
        return self


class TrunkSettings(FarSideSettings):
    """A provider, a PBX or an edge proxy: calls go out to it and are taken from it."""

    name: str = Field(min_length=1, max_length=64, description="Its name, in logs and figures.")
    networks: tuple[Network, ...] = Field(
        default=(), description="Source networks whose calls are this trunk's; without one it takes none."
    )
    domain: str = Field(default="", description="The host in the request URI; none: `host`.")
    from_domain: str = Field(default="", description="The host in From; none: our domain.")
    register_here: bool = Field(default=False, description="Register with it by that account.")
    carries_phones: bool = Field(
        default=False, description="An edge proxy that has authenticated the phones behind it (Kamailio)."
    )

    @model_validator(mode="after")
    def _registration(self) -> Self:
        if self.register_here and self.username is None:
            raise ValueError("register_here wants username and password")
        return self


class SipSettings(Section):
    """The SIP door."""

    host: str = Field(default="0.0.0.0", description="The address to listen on, UDP and TCP.")  # noqa: S104
    port: Port = Field(default=5060, description="The port, the same for UDP and TCP; 0 takes a free one.")
    domain: str = Field(
        default="sottovoce.local",
        min_length=1,
        description="The SIP domain and digest realm. Phones' stored digests belong to it: after a change,"
        " import them again.",
    )
    session_expires: int = Field(
        default=1800, ge=0, le=86_400, description="Seconds of the session timer (RFC 4028); 0 offers none."
    )
    trunks: tuple[TrunkSettings, ...] = Field(
        default=(), description="Trunks; calls to the outside take the first."
    )
    outbound_proxy: FarSideSettings | None = Field(
        default=None, description="The way to phones that are not registered here: an edge that knows them."
    )
    max_sessions: int = Field(
        default=2000, ge=1, le=100_000, description="Calls at a time; one more is answered 503."
    )
    requests_per_second: float = Field(
        default=20.0,
        gt=0,
        le=10_000,
        description="Requests that one source may send on and on; trunks ten times as many.",
    )
    request_burst: int = Field(
        default=100, ge=1, le=100_000, description="Requests that one source may send at once."
    )
    failed_logins: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Wrong passwords from one source in a minute; then it is not heard for five.",
    )

    @model_validator(mode="after")
    def _names(self) -> Self:
        names = [trunk.name for trunk in self.trunks]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two trunks are named {', '.join(twice)}")
        return self


class RecordingSettings(Section):
    """Recordings of calls."""

    enabled: bool = Field(default=True, description="Record every talk of an agent with a customer.")
    folder: Folder | None = Field(
        default=None, description="Where they go; none: `recordings` in the data folder."
    )


class LogSettings(Section):
    """The log, on standard error."""

    level: LogLevel = Field(default=LogLevel.INFO, description="`debug`, `info`, `warning` or `error`.")
    format: LogFormat = Field(
        default=LogFormat.CONSOLE, description="`console` for people, `json` for machines."
    )


class Settings(Section):
    """All that can be set. Made by `load`, or in code from defaults: `Settings(data=folder)`."""

    data: Folder = Field(
        default=Path("~/.local/share/sottovoce"),
        description="The data folder: the own PostgreSQL, the spool and, unless set otherwise, recordings.",
    )
    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    agents: AgentSettings = AgentSettings()
    network: NetworkSettings = NetworkSettings()
    media: MediaSettings = MediaSettings()
    sip: SipSettings = SipSettings()
    recordings: RecordingSettings = RecordingSettings()
    log: LogSettings = LogSettings()

    @property
    def recordings_folder(self) -> Path:
        """Where recordings go."""
        return self.recordings.folder or self.data / "recordings"


class _Sourced(BaseSettings, Settings):
    """The settings with the environment laid over what the file says (the keyword arguments)."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, validate_default=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings


def load(file: Path | None = None) -> Settings:
    """The settings in force: `file` (or SOTTOVOCE_CONFIG's), and the environment over it.

    Raises ConfigError with every mistake at once.
    """
    named = os.environ.get(f"{PREFIX}CONFIG")
    if file is None and named:
        file = Path(named)
    mistakes = _unknown_variables(os.environ)
    content: dict[str, Any] = {}
    if file is not None:
        try:
            content = tomllib.loads(file.expanduser().read_text(encoding="utf-8"))
        except OSError as failure:
            mistakes.append(f"{file}: cannot be read: {failure.strerror}")
        except UnicodeDecodeError:
            mistakes.append(f"{file}: is not UTF-8")
        except tomllib.TOMLDecodeError as failure:
            mistakes.append(f"{file}: is not TOML: {failure}")
    try:
        settings = _Sourced(**content)
    except ValidationError as failure:
        mistakes += [_sentence(error, file, content) for error in failure.errors(include_url=False)]
    except SettingsError as failure:
        mistakes.append(f"environment: {failure}: lists and tables are written as JSON")
    if mistakes:
        raise ConfigError(mistakes)
    return settings


def variable(*key: str) -> str:
    """The environment's name of a setting: `variable("http", "port")` is SOTTOVOCE_HTTP__PORT."""
    return PREFIX + "__".join(key).upper()


def _unknown_variables(environment: Mapping[str, str]) -> list[str]:
    known = {f"{PREFIX}CONFIG"} | {variable(name) for name in Settings.model_fields}
    return [
        f"{name} in the environment: there is no such setting"
        for name in sorted(environment)
        if name.startswith(PREFIX) and name.partition("__")[0] not in known
    ]


def _sentence(error: Any, file: Path | None, content: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a sentence that says where to mend it. Never shows the value given."""
    key = [str(part) for part in error["loc"]]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "there is no such setting"
    elif error["type"] == "missing":
        message = "is missing"
    for depth in (1, 2, 3):
        named = variable(*key[:depth])
        if named in os.environ:
            rest = ".".join(key[depth:])
            return f"{named} in the environment: {rest + ': ' if rest else ''}{message}"
    if file is not None and key and key[0] in content:
        return f"{'.'.join(key)} in {file}: {message}"
    return f"{'.'.join(key) or 'settings'}: {message}"
