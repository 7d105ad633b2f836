"""A dialog: tags, sequence numbers, route set, target (RFC 3261 12). It makes requests and sends none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sottovoce.doors.sip.headers import Headers, or_none
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.message import Request, Response
from sottovoce.doors.sip.uri import NameAddr, SipUri

MAX_ROUTES = 16
"""Longest route set that is followed."""


class NoDialog(ValueError):
    """A message that cannot found a dialog: a missing tag or Contact, or a route without sense."""


@dataclass(slots=True)
class Dialog:
    """One dialog, seen from here. `flow` is where the far side's last request came from, for NAT and TCP."""

    call_id: str
    local_tag: str
    remote_tag: str
    local: str
    """Our From (or To) without a tag."""
    remote: str
    target: str
    """The far side's Contact: the request URI of what is sent."""
    routes: tuple[str, ...] = ()
    local_seq: int = 0
    remote_seq: int | None = None
    contact: str = ""
    """Our Contact header."""
    flow: Hop | None = None
    behind_nat: bool = False
    """Whether requests go where the far side's came from, whatever its Contact says."""
    extra: tuple[tuple[str, str], ...] = field(default=())
    """Headers that each of our requests carries (User-Agent)."""

    @classmethod
    def of_call(cls, request: Request, response: Response, flow: Hop | None = None) -> Dialog:
        """The dialog that a response (101-299) to our INVITE founds (12.1.2). Raises NoDialog."""
        ours, theirs = request.from_, response.to
        if ours is None or theirs is None or not ours.tag or not theirs.tag:
            raise NoDialog("no tag")
        contact = response.contact
        return cls(
            call_id=request.call_id,
            local_tag=ours.tag,
            remote_tag=theirs.tag,
            local=_untagged(ours),
            remote=_untagged(theirs),
            target=str(contact.uri) if contact else request.uri,
            routes=_routes(response.headers.get_all("Record-Route")[::-1]),
            local_seq=request.cseq[0],
            contact=request.headers.get("Contact") or "",
            flow=flow,
        )

    @classmethod
    def of_offer(cls, request: Request, tag: str, contact: str, flow: Hop) -> Dialog:
        """The dialog that our response to an INVITE founds (12.1.1). Raises NoDialog."""
        theirs, ours, target = request.from_, request.to, request.contact
        if theirs is None or ours is None or target is None:
            raise NoDialog("no From, To or Contact")
        return cls(
            call_id=request.call_id,
            local_tag=tag,
            remote_tag=theirs.tag or "",
            local=_untagged(ours),
            remote=_untagged(theirs),
            target=str(target.uri),
            routes=_routes(request.headers.get_all("Record-Route")),
            local_seq=0,
            remote_seq=request.cseq[0],
            contact=contact,
            flow=flow,
        )

    def request(self, method: str, *, seq: int | None = None) -> Request:
        """A request in this dialog; only ACK (and a repeat after a challenge) names its `seq`.

        Loose routing, or strict if the first route is a strict router (12.2.1.1).
        """
        if seq is None:
            self.local_seq += 1
            seq = self.local_seq
        uri, routes = self.target, list(self.routes)
        if routes and not NameAddr.parse(routes[0]).uri.loose_router:
            routes.append(f"<{self.target}>")
            uri = str(NameAddr.parse(routes.pop(0)).uri)
        headers = Headers()
        for route in routes:
            headers.add("Route", route)
        headers.add("Max-Forwards", "70")
        headers.add("From", f"{self.local};tag={self.local_tag}")
        headers.add("To", f"{self.remote};tag={self.remote_tag}" if self.remote_tag else self.remote)
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{seq} {method}")
        if self.contact and method in ("INVITE", "UPDATE"):
            headers.add("Contact", self.contact)
        for name, value in self.extra:
            headers.add(name, value)
        return Request(method, uri, headers)

    def renumber(self) -> int:
        """The number of our next request."""
        self.local_seq += 1
        return self.local_seq

    def hop(self) -> Hop:
        """Where the next request goes: the first route, the far side's NAT address, or its Contact."""
        if self.routes:
            return hop_of(NameAddr.parse(self.routes[0]).uri)
        if self.behind_nat and self.flow is not None:
            return self.flow
        hop = hop_of(SipUri.parse(self.target))
        if self.flow is not None and self.flow.flow and hop.transport is self.flow.transport:
            return Hop(hop.transport, hop.host, hop.port, self.flow.flow)
        return hop

    def takes(self, request: Request) -> bool:
        """Whether the request's CSeq is in order (12.2.2); it is noted then."""
        number = request.cseq[0]
        if self.remote_seq is not None and number <= self.remote_seq:
            return False
        self.remote_seq = number
        return True

    def retarget(self, message: Request | Response) -> None:
        """Take the Contact of a target refresh (re-INVITE, UPDATE, and their 2xx)."""
        contact = message.contact
        if contact is not None and contact.uri.scheme in ("sip", "sips"):
            self.target = str(contact.uri)

    def saved(self) -> dict[str, object]:
        """What a BYE needs, as plain data for a journal."""
        return {
            "call_id": self.call_id,
            "local_tag": self.local_tag,
            "remote_tag": self.remote_tag,
            "local": self.local,
            "remote": self.remote,
            "target": self.target,
            "routes": list(self.routes),
            "local_seq": self.local_seq,
            "flow": [str(self.flow.transport), self.flow.host, self.flow.port]
            if self.flow is not None and self.behind_nat
            else None,
        }

    @classmethod
    def restored(cls, saved: Mapping[str, object]) -> Dialog:
        """The dialog that `saved` wrote. Raises NoDialog for what it cannot have written."""
        routes, seq, flow = saved.get("routes"), saved.get("local_seq"), saved.get("flow")
        if not isinstance(routes, list) or not isinstance(seq, int) or not saved.get("target"):
            raise NoDialog("not a saved dialog")
        hop = None
        if isinstance(flow, list) and len(flow) == 3:
            hop = Hop(Transport(str(flow[0])), str(flow[1]), int(flow[2]))
        return cls(
            call_id=str(saved.get("call_id")),
            local_tag=str(saved.get("local_tag")),
            remote_tag=str(saved.get("remote_tag")),
            local=str(saved.get("local")),
            remote=str(saved.get("remote")),
            target=str(saved.get("target")),
            routes=_routes([str(route) for route in routes]),
            local_seq=seq,
            flow=hop,
            behind_nat=hop is not None,
        )


def hop_of(uri: SipUri, transport: Transport | None = None) -> Hop:
    """The address that a URI names; an unknown transport is taken for UDP. The host may be a name."""
    named = Transport.named(uri.transport)
    return Hop(transport or named or Transport.UDP, uri.host.strip("[]"), uri.port or 5060)


def _untagged(address: NameAddr) -> str:
    kept = {name: value for name, value in address.params.items() if name != "tag"}
    return str(NameAddr(address.uri, address.display, kept))


def _routes(values: list[str]) -> tuple[str, ...]:
    """A route set whose every route parses. Raises NoDialog."""
    if len(values) > MAX_ROUTES:
        raise NoDialog("route set too long")
    if any(or_none(NameAddr.parse, value) is None for value in values):
        raise NoDialog("malformed route")
    return tuple(values)
