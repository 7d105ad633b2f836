"""Who is reachable where (RFC 3261 10.3).

What changes is told by ContactsChanged, and `restore` takes it back: a restart loses no phone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from sottovoce.config import SipSettings
from sottovoce.domain.directory import PhoneAccount, VdnId
from sottovoce.doors.sip.admission import Authenticator, Networks, Refusal
from sottovoce.doors.sip.dialog import hop_of
from sottovoce.doors.sip.events import Binding, Bound, ContactsChanged, Event, Unbound
from sottovoce.doors.sip.headers import or_none
from sottovoce.doors.sip.hops import Hop, Transport
from sottovoce.doors.sip.message import Request
from sottovoce.doors.sip.timers import Timer, Timers
from sottovoce.doors.sip.transactions import ServerTransaction
from sottovoce.doors.sip.uri import NameAddr, SipUri
from sottovoce.plain import natural

DEFAULT_EXPIRES = 600
"""Seconds, for a phone that names none."""
GATHER = 1.0
"""Seconds for which refreshes that change only the time are gathered: of any number of phones one commit."""
MAX_CONTACTS = 8
"""Contacts of one account: each is rung in its turn."""
MAX_PATH = 4
"""Proxies between a phone and us."""


@dataclass(frozen=True, slots=True)
class _Wish:
    uri: SipUri
    seconds: int
    instance: str


class Registrar:
    """The bindings of all phones. `nat` are networks whose phones are reached where they send from."""

    def __init__(
        self,
        authenticator: Authenticator,
        timers: Timers,
        emit: Callable[[Event], None],
        settings: SipSettings,
        *,
        nat: tuple[str, ...] = (),
    ) -> None:
        self._authenticator = authenticator
        self._timers = timers
        self._emit = emit
        self._settings = settings
        self._nat = Networks(nat)
        self._bindings: dict[str, dict[str, tuple[Binding, Timer]]] = {}
        self._by_number: dict[tuple[VdnId, str], set[str]] = {}
        self._sources: Counter[tuple[str, int, str]] = Counter()
        """Who is registered from which host and port, by user names and numbers."""
        self._untold: dict[str, VdnId] = {}
        """Phones of which something is to be kept, soon."""
        self._telling: Timer | None = None

    def is_registered(self, name: str) -> bool:
        """Whether a phone of this user name has a contact now."""
        return bool(self._bindings.get(name))

    def is_phone_at(self, source: Hop, name: str) -> bool:
        """Whether a phone of this user name or number is registered from exactly this address and port."""
        return (source.host, source.port, name) in self._sources

    def is_phone(self, host: str) -> bool:
        """Whether a registered phone sends from this host."""
        return any(host == known for known, _, _ in self._sources)

    def of_user(self, username: str) -> list[Binding]:
        """The contacts of a user name, the one that registered last first."""
        return [binding for binding, _ in reversed(self._bindings.get(username, {}).values())]

    def of_number(self, vdn: VdnId, number: str) -> list[Binding]:
        """The contacts of the phone that is called by `number`, newest first."""
        users = self._by_number.get((vdn, number), set())
        found = [binding for user in users for binding in self.of_user(user)]
        return sorted(found, key=lambda binding: binding.expires_at, reverse=True)

    def restore(self, binding: Binding) -> None:
        """Know a binding of before a restart, unless the phone has registered anew since. Its connection is
        gone: a new one is made to the contact."""
        key = _key(SipUri.parse(binding.contact))
        if key in self._bindings.get(binding.username, {}):
            return
        longest = self._timers.now + self._settings.registration_max
        self._put(
            key,
            replace(
                binding,
                hop=replace(binding.hop, flow=0),
                source=replace(binding.source, flow=0),
                expires_at=min(binding.expires_at, longest),
            ),
        )

    def tell(self) -> None:
        """Say now what is to be kept."""
        untold, self._untold = self._untold, {}
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        for user, vdn in untold.items():
            bindings = tuple(binding for binding, _ in self._bindings.get(user, {}).values())
            self._emit(ContactsChanged(user, vdn, bindings))

    def _keep(self, user: str, vdn: VdnId, *, soon: bool) -> None:
        """Have the contacts of a phone kept: now, or `soon`, with those of others."""
        self._untold[user] = vdn
        if not soon:
            self.tell()
        elif self._telling is None:
            self._telling = self._timers.after(GATHER, self.tell)

    def numbers(self) -> list[tuple[VdnId, str]]:
        """The phones that have a contact now."""
        return sorted(self._by_number)

    def on_register(self, transaction: ServerTransaction) -> None:
        """Answer a REGISTER."""
        request, source, now = transaction.request, transaction.source, self._timers.now
        checked = self._authenticator.check(request, source, now, proxy=False)
        if isinstance(checked, Refusal):
            transaction.answer(checked.status, checked.reason, extra=checked.extra, why=checked.why)
            return
        account, vdn = checked
        address = request.to.uri if request.to is not None else None
        if address is None or address.number not in (account.username, account.number):
            transaction.answer(403, why="the account of another phone")
            return
        refused = self._change(request, source, account, vdn)
        if refused is not None:
            transaction.answer(refused.status, refused.reason, extra=refused.extra)
            return
        extra = [
            ("Contact", f"<{b.contact}>;expires={max(1, round(b.expires_at - now))}")
            for b in self.of_user(account.username)
        ]
        extra += [("Path", value) for value in request.headers.get_all("Path")]
        transaction.answer(200, extra=extra)

    def _change(self, request: Request, source: Hop, account: PhoneAccount, vdn: VdnId) -> Refusal | None:
        """Do all that the REGISTER asks, or nothing and say why."""
        values = request.headers.get_all("Contact")
        if not values:
            return None
        general = _seconds(request.headers.get("Expires"))
        user, number = account.username, request.cseq[0]
        known = self._bindings.get(user, {})
        if "*" in values:
            if len(values) > 1 or general != 0:
                return Refusal(400, "Bad Contact")
            if any(b.call_id == request.call_id and number <= b.cseq for b, _ in known.values()):
                return Refusal(500, "CSeq Out Of Order")
            for contact in list(known):
                self._unbind(user, contact, "removed")
            self._keep(user, vdn, soon=False)
            return None
        wishes = self._wishes(values, general)
        if isinstance(wishes, Refusal):
            return wishes
        if not _is_path(request.headers.get_all("Path")):
            return Refusal(400, "Bad Path")
        for wish in wishes:
            old = known.get(_key(wish.uri))
            if old is not None and old[0].call_id == request.call_id and number <= old[0].cseq:
                return Refusal(500, "CSeq Out Of Order")
        before = self._lasting(user)
        for wish in wishes:
            replaced = self._unbind(user, _key(wish.uri), "" if wish.seconds else "removed")
            if wish.seconds > 0:
                self._bind(wish, request, source, account, vdn, replaced)
        self._keep(user, vdn, soon=self._lasting(user) == before)
        return None

    def _lasting(self, user: str) -> set[Binding]:
        """A phone's contacts, whenever and by which REGISTER they were told."""
        return {replace(known, expires_at=0.0, call_id="", cseq=0) for known in self.of_user(user)}

    def _wishes(self, values: list[str], general: int | None) -> list[_Wish] | Refusal:
        wishes = []
        shortest, longest = self._settings.registration_min, self._settings.registration_max
        if len(values) > MAX_CONTACTS:
            return Refusal(403, "Too Many Contacts")
        for value in values:
            address = or_none(NameAddr.parse, value)
            if address is None:
                return Refusal(400, "Bad Contact")
            if address.uri.scheme != "sip" or Transport.named(address.uri.transport) is None:
                return Refusal(400, "Contact Of Another Transport")
            seconds = _seconds(address.params.get("expires"))
            if seconds is None:
                seconds = general if general is not None else max(shortest, DEFAULT_EXPIRES)
            if 0 < seconds < shortest:
                return Refusal(423, extra=(("Min-Expires", str(shortest)),))
            instance = address.params.get("+sip.instance") or ""
            wishes.append(_Wish(address.uri, min(seconds, longest), instance))
        return wishes

    def _bind(
        self,
        wish: _Wish,
        request: Request,
        source: Hop,
        account: PhoneAccount,
        vdn: VdnId,
        before: Binding | None,
    ) -> None:
        """Keep a contact. `before` is what was there until now, or the same phone at another address."""
        user, key = account.username, _key(wish.uri)
        for other, (binding, _) in list(self._bindings.get(user, {}).items()):
            if wish.instance and binding.instance == wish.instance:
                before = self._unbind(user, other, "") or before  # the same phone, at a new address
        nat = source.host in self._nat
        path = tuple(request.headers.get_all("Path"))
        hop = hop_of(NameAddr.parse(path[0]).uri if path else wish.uri)
        if nat and not path:
            hop = source
        elif source.flow and hop.transport is source.transport:
            hop = Hop(hop.transport, hop.host, hop.port, source.flow)
        binding = Binding(
            username=user,
            number=account.number,
            vdn=vdn,
            contact=str(wish.uri),
            hop=hop,
            source=source,
            behind_nat=nat,
            expires_at=self._timers.now + wish.seconds,
            call_id=request.call_id,
            cseq=request.cseq[0],
            instance=wish.instance,
            path=path,
        )
        self._put(key, binding)
        while len(self._bindings[user]) > MAX_CONTACTS:
            self._unbind(user, next(iter(self._bindings[user])), "too many contacts")
        self._emit(Bound(user, binding, before))

    def _put(self, key: str, binding: Binding) -> None:
        user = binding.username
        timer = self._timers.after(binding.expires_at - self._timers.now, lambda: self._run_out(user, key))
        self._bindings.setdefault(user, {})[key] = (binding, timer)
        self._by_number.setdefault((binding.vdn, binding.number), set()).add(user)
        self._sources.update(_places(binding))

    def _run_out(self, user: str, key: str) -> None:
        vdn = self._bindings[user][key][0].vdn
        self._unbind(user, key, "expired")
        self._keep(user, vdn, soon=True)

    def _unbind(self, user: str, key: str, why: str) -> Binding | None:
        """Forget a contact, without a word where there is no reason; what it was."""
        mine = self._bindings.get(user, {})
        known = mine.pop(key, None)
        if known is None:
            return None
        binding, timer = known
        timer.cancel()
        for place in _places(binding):
            self._sources[place] -= 1
            if not self._sources[place]:
                del self._sources[place]
        if not mine:
            self._bindings.pop(user, None)
            users = self._by_number.get((binding.vdn, binding.number), set())
            users.discard(user)
            if not users:
                self._by_number.pop((binding.vdn, binding.number), None)
        if why:
            self._emit(Unbound(user, binding.contact, why))
        return binding


def _is_path(values: list[str]) -> bool:
    """Whether an INVITE can go that way: few loose routers, by a transport that is spoken (RFC 3327 4)."""
    routers = [or_none(NameAddr.parse, value) for value in values]
    return len(values) <= MAX_PATH and all(
        router is not None
        and router.uri.scheme == "sip"
        and router.uri.loose_router
        and Transport.named(router.uri.transport) is not None
        for router in routers
    )


def _places(binding: Binding) -> list[tuple[str, int, str]]:
    """Where the phone sends from, under both of its names."""
    source = binding.source
    return [(source.host, source.port, name) for name in (binding.username, binding.number)]


def _key(uri: SipUri) -> str:
    """What makes two contacts the same (RFC 3261 19.1.4): user, host, port, transport."""
    transport = Transport.named(uri.transport) or Transport.UDP
    return f"{uri.user}@{uri.host.lower()}:{uri.port or 5060};{transport}"


def _seconds(text: str | None) -> int | None:
    """A delta-seconds value; None where there is none; one that is unreadable is as if missing."""
    seconds = natural((text or "").strip(), 40)
    return None if seconds is None else min(seconds, 2**31)
