"""The settings of the SIP door, its trunks and its far sides."""

from __future__ import annotations

from typing import Self

from pydantic import Field, SecretStr, model_validator

from sottovoce.config.kinds import (
    Network,
    PhonePickup,
    Port,
    Section,
    TransportName,
)


class FarSideSettings(Section):
    """Where calls go out to, and by which account."""

    host: str = Field(min_length=1, description="Where calls go out to.")
    port: int = Field(default=5060, ge=1, le=65535, description="The port there.")
    transport: TransportName = Field(default=TransportName.UDP, description="`udp` or `tcp`.")
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
    ports: tuple[Port, ...] = Field(
        default=(), description="Source ports whose calls are this trunk's; without one any port's are."
    )
    domain: str = Field(default="", description="The host in the request URI; none: `host`.")
    from_user: str = Field(
        default="", description="The user in From, where a trunk insists on its account's; none: the caller."
    )
    from_domain: str = Field(default="", description="The host in From; none: our domain.")
    register_here: bool = Field(default=False, description="Register with it by that account.")
    number: str = Field(
        default="",
        max_length=64,
        description="Whom its calls to our registered contact reach, where they name no other number:"
        " an access code.",
    )
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
    registration_min: int = Field(
        default=60, ge=10, le=86_400, description="Seconds of the shortest registration; a phone asks again."
    )
    registration_max: int = Field(
        default=3600,
        ge=10,
        le=86_400,
        description="Seconds of the longest registration; a longer wish is cut to it, so that a phone that is"
        " gone is known to be.",
    )
    trunks: tuple[TrunkSettings, ...] = Field(
        default=(), description="Trunks; calls to the outside take the first."
    )
    outbound_proxy: FarSideSettings | None = Field(
        default=None, description="The way to phones that are not registered here: an edge that knows them."
    )
    phone_pickup: tuple[PhonePickup, ...] = Field(
        default=(PhonePickup.TALK,),
        description="How an agent's client lifts a phone that rings (`phonepickup`), tried in this order:"
        " `talk`, a NOTIFY with `Event: talk`; `answer_after`, ringing it anew with `answer-after=0` and an"
        " Alert-Info. Without one no client can.",
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

    @model_validator(mode="after")
    def _registrations(self) -> Self:
        if self.registration_min > self.registration_max:
            raise ValueError("registration_min must not lie above registration_max")
        return self
