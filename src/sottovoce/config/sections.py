"""The sections of the settings, but for SIP's."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from sottovoce.config.kinds import (
    Address,
    AuthMode,
    Folder,
    LogFormat,
    LogLevel,
    Network,
    Port,
    Section,
    is_loopback,
)
from sottovoce.domain.destinations import Url
from sottovoce.errors import Refused


class DatabaseSettings(Section):
    """Where everything is kept."""

    dsn: SecretStr | None = Field(
        default=None,
        description="`postgresql://user:password@host/database` of a PostgreSQL 15 or later."
        " Without one the server runs a PostgreSQL of its own in the data folder.",
    )
    owner_dsn: SecretStr | None = Field(
        default=None,
        description="The same database by the role that owns the schema, for `sottovoce migrate` alone: the"
        " role of `dsn` can then add to the audit and change nothing there. Without it one role owns all and"
        " could write the audit anew.",
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

    @field_validator("dsn", "owner_dsn")
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
    proxies: tuple[Network, ...] = Field(
        default=(),
        description="Reverse proxies (`127.0.0.1/32`): of their requests the last address in X-Forwarded-For"
        " that is none of theirs counts as where it comes from. Name yours, or all its clients share the"
        " limits of one source.",
    )
    origins: tuple[str, ...] = Field(
        default=("*",),
        description="Web origins whose scripts may call CC-Gateway (`/agentgateway`), `*` for all (a Guid is"
        " needed all the same); an empty list lets none.",
    )
    quality_origins: tuple[str, ...] = Field(
        default=(),
        description="The same of CC-SQM, CC-iSQM and their token: programs call them; a script with an app"
        " key shows it to whoever looks.",
    )
    docs: bool = Field(default=False, description="Serve `/docs` and `/openapi.json`.")

    @model_validator(mode="after")
    def _tls(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given together or not at all")
        for path in (self.tls_cert, self.tls_key):
            if path is not None and not path.is_file():
                raise ValueError(f"{path} is not a file")
        here = self.host == "localhost" or is_loopback(self.host)
        if self.tls_cert is None and not self.allow_plain and not here:
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
    empty_passwords: bool = Field(
        default=False,
        description='Whether agents may be without a password (`password: ""` in a seed file) and sign in'
        " with an empty one, for clients that can send no other. Whoever reaches the port can be such an"
        " agent.",
    )
    password_length: int = Field(
        default=8, ge=1, le=32, description="Signs that a password must have which an agent chooses."
    )
    password_kinds: int = Field(
        default=2,
        ge=1,
        le=4,
        description="Of capitals, small letters, digits and other signs, how many kinds such a password must"
        " have.",
    )
    password_history: int = Field(
        default=3,
        ge=0,
        le=10,
        description="As many former passwords an agent may not take again, beside the one in use.",
    )
    password_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        description="Days after which an agent can no longer sign in with a password, but only change it; 0"
        " never.",
    )
    ring_timeout: float = Field(
        default=30.0,
        ge=5,
        le=300,
        description="Seconds that an agent's phone rings before the call goes to the next one.",
    )
    phone_wait: float = Field(
        default=60.0,
        ge=0,
        le=3600,
        description="Seconds in which an agent's phone that cannot be reached may come back before the agent"
        " becomes busy (reason 5); calls wait or go to others meanwhile, and it is tried again.",
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
    queries_per_agent: int = Field(
        default=50,
        ge=0,
        le=100_000,
        description="Queries that one agent may ask in two seconds: all of `queuedevice`, `agentgroup` and"
        " `calldata`, and five of `onlineagent`; beyond, 000-007. CC-Gateway's own default is 5, which a page"
        " that shows a floor exceeds; 0 sets no limit. Event polls and commands are not counted.",
    )
    queries: int = Field(
        default=15_000, ge=0, le=10_000_000, description="The same of all agents together; 0 sets no limit."
    )
    supervision_lease: float = Field(
        default=30.0,
        ge=5,
        le=600,
        description="Seconds after an inspector's last request (a hanging poll counts) until the inspector is"
        " muted and taken out of all supervisions. The call goes on.",
    )


class PushSettings(Section):
    """Events that are pushed to clients' own servers."""

    allowed: tuple[str, ...] = Field(
        default=(),
        description="Where agents may have their events pushed to: URLs with host and path"
        " (`https://crm.example.org/cc/events`), each with all that lies below it; `http://` is spoken where"
        " it is written so. Without one nobody has events pushed.",
    )
    networks: tuple[Network, ...] = Field(
        default=(),
        description="Networks that are not public (`10.1.0.0/16`, `127.0.0.1/32`) and may be connected to"
        " all the same. Others never are, whatever a name says.",
    )
    ca_file: Folder | None = Field(
        default=None,
        description="PEM file with the authorities that push servers' certificates are from, instead of the"
        " system's.",
    )
    timeout: float = Field(default=5.0, ge=0.5, le=30, description="Seconds that one push may take.")
    retry: float = Field(
        default=10.0, ge=0.05, le=60, description="Seconds after which a push that failed is sent again."
    )
    give_up: float = Field(
        default=120.0,
        ge=5,
        le=3600,
        description="Seconds without a push that arrives, since one failed, after which the agent is signed"
        " out; not before the end of a call.",
    )
    connections: int = Field(
        default=100,
        ge=4,
        le=1000,
        description="Pushes on their way at the same time; to one server a quarter of them.",
    )

    @field_validator("allowed")
    @classmethod
    def _urls(cls, allowed: tuple[str, ...]) -> tuple[str, ...]:
        for entry in allowed:
            try:
                if Url.read(entry).query:
                    raise ValueError("must have no query")
            except Refused as refused:
                raise ValueError(f"must be a URL: {refused.why}") from None
        return allowed

    @field_validator("ca_file")
    @classmethod
    def _certificates(cls, file: Path | None) -> Path | None:
        if file is not None and not file.is_file():
            raise ValueError(f"{file} is not a file")
        return file


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
        description="Networks behind NAT: phones there are answered where their packets come from. Their RTP"
        " is taken from the address that their SIP comes from, any port of it, and from a public address that"
        " their SDP names.",
    )
    rtp_from_anywhere: tuple[Network, ...] = Field(
        default=(),
        description="Networks whose calls take RTP from any address that proves itself by a few packets, as"
        " NATs with several addresses need it. A stranger who guesses the port can then take a call's audio"
        " over.",
    )


class BrowserSettings(Section):
    """The door for phones in browsers (WebRTC)."""

    host: Address = Field(default="0.0.0.0", description="The address that browsers' audio is received on.")  # noqa: S104
    port: Port = Field(default=8043, description="The UDP port of all browsers' audio; 0 takes a free one.")
    addresses: tuple[Address, ...] = Field(
        default=(),
        description="Where browsers find this machine, best first: behind NAT its public address. Without"
        " any: all addresses of the machine.",
    )
    pages: int = Field(default=500, ge=1, le=10_000, description="Pages that are phones at once, at most.")
    half_open: float = Field(
        default=15.0, ge=2, le=120, description="Seconds that a page may take to connect its phone."
    )
    consent: float = Field(
        default=30.0,
        ge=5,
        le=300,
        description="Seconds of silence of a page after which it is no phone any more (RFC 7675).",
    )


class MediaSettings(Section):
    """The processes that carry and mix the audio."""

    workers: int = Field(default=0, ge=0, le=256, description="Media processes; 0 starts one per core.")
    host: Address = Field(default="0.0.0.0", description="The address that RTP is received on.")  # noqa: S104
    first_port: int = Field(
        default=20_000,
        ge=0,
        le=65_534,
        description="The first RTP port (even); RTCP is one higher. 0 takes free ones.",
    )
    last_port: int = Field(
        default=29_999, ge=0, le=65_535, description="The last port of the range, all workers together."
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
    agent_numbers: Folder | None = Field(
        default=None,
        description="Folder of the WAVs (8 kHz, mono) that say agents' numbers to customers (`reportsound`):"
        " `<work number>.wav`, else `agent.wav`; none: no number is said.",
    )

    announcements: Folder | None = Field(
        default=None,
        description="What waiting callers are told, where a queue says so: a folder with one of WAV files for"
        " each language, like `en/position.wav`; none: those that are shipped (`en`, `de`, `zh`). Yours must"
        " have the same names.",
    )

    @model_validator(mode="after")
    def _ports(self) -> Self:
        if self.first_port % 2:
            raise ValueError("first_port must be even: RTP is on even ports")
        if 0 < self.first_port < 1024:
            raise ValueError("first_port must be 0 or above 1023")
        if self.last_port <= self.first_port:
            raise ValueError("last_port must lie above first_port")
        return self


class RecordingSettings(Section):
    """Recordings of calls."""

    enabled: bool = Field(default=True, description="Record every talk of an agent with a customer.")
    on_demand: bool = Field(
        default=False,
        description="Where not every talk is recorded: let agents record those that they choose to.",
    )
    pauses: bool = Field(
        default=True,
        description="Let agents pause a recording, for a card's number: all of its tracks are silent"
        " meanwhile, and the contact says who paused it, and when.",
    )
    folder: Folder | None = Field(
        default=None, description="Where they go; none: `recordings` in the data folder."
    )


class QualitySettings(Section):
    """The after-call half: contacts, review tasks, plans."""

    connections: int = Field(
        default=10, ge=2, le=200, description="Connections to PostgreSQL at most, beside the live half's."
    )
    jobs: bool = Field(
        default=True,
        description="Run what comes due on this node: plans, reserved tasks, the analysis of recordings.",
    )
    jobs_at_a_time: int = Field(default=2, ge=1, le=16, description="Jobs that run at the same time.")
    numeric_ids: bool = Field(
        default=False,
        description="Answer ids that a page types Number as numbers: they have 19 digits, and most clients"
        " then lose the last ones.",
    )
    failure_status: Literal[200, 500] = Field(
        default=200,
        description="HTTP status of an answer whose code is no success: 200, or 500 for clients that look at"
        " the status alone. 400, 401 and 404 stay as they are.",
    )


class AuditSettings(Section):
    """The audit: where its signed heads are kept beside the database."""

    heads_file: Folder | None = Field(
        default=None,
        description="A file that each signed head is added to, best on another machine (a mount); none: they"
        " are in the database and in the log alone. `sottovoce audit verify --heads FILE` checks against it.",
    )


class OperatorSettings(Section):
    """What programs of operators may ask on the HTTP port: `/health`, `/ready` and `/metrics`."""

    token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="They show it as `Authorization: Bearer …`; without one there are no such paths there."
        " The socket `operator.sock` in the data folder answers them, and `sottovoce status`, in any case:"
        " to the user that the server runs as, and to root.",
    )


class LogSettings(Section):
    """The log of `sottovoce serve`, on standard error or in a file."""

    file: Folder | None = Field(
        default=None,
        description="A file that it goes to instead of standard error. It may be moved away at any time"
        " (logrotate): a new one is begun.",
    )

    level: LogLevel = Field(default=LogLevel.INFO, description="`debug`, `info`, `warning` or `error`.")
    format: LogFormat = Field(
        default=LogFormat.CONSOLE, description="`console` for people, `json` for machines."
    )
