"""A store in memory and passwords by scrypt. Nothing survives."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sottovoce.domain.directory import VdnId, VdnProfile
from sottovoce.domain.journal import Change, PasswordChanged, Restored
from sottovoce.errors import Code, Refused


class MemoryStore:
    """Implements `ports.Store`. `available` False refuses every commit, as a lost database does."""

    def __init__(
        self, profiles: Sequence[VdnProfile], restored: Mapping[VdnId, Restored] | None = None
    ) -> None:
        self.profiles = {profile.vdn: profile for profile in profiles}
        self.restored = dict(restored or {})
        self.available = True
        self.committed: list[Change] = []
        self.appended: list[Change] = []
        self.written: list[Change] = []
        """Both, in order."""

    async def profile(self, vdn: VdnId) -> VdnProfile:
        if vdn not in self.profiles:
            raise Refused(Code.NOT_FOUND, f"no VDN {vdn}")
        return self.profiles[vdn]

    async def restore(self, vdn: VdnId) -> Restored:
        return self.restored.get(vdn, Restored())

    async def commit(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        await asyncio.sleep(0)
        if not self.available:
            raise Refused(Code.UNAVAILABLE, "the store is away")
        for change in changes:
            if isinstance(change, PasswordChanged):
                self._change_password(change)
        self.committed.extend(changes)
        self.written.extend(changes)

    def _change_password(self, change: PasswordChanged) -> None:
        profile = self.profiles[change.vdn]
        agent = profile.agents[change.agent].with_password(change.hashed, change.at)
        self.profiles[change.vdn] = replace(profile, agents={**profile.agents, change.agent: agent})

    def append(self, vdn: VdnId, changes: Sequence[Change]) -> None:
        self.appended.extend(changes)
        self.written.extend(changes)


class ScryptPasswords:
    """Implements `ports.Passwords`, with a work factor for tests."""

    def __init__(self, cost: int = 16) -> None:
        self._cost = cost

    def store(self, password: str) -> str:
        """What the directory keeps of a password."""
        salt = secrets.token_bytes(16)
        return f"{salt.hex()}${self._digest(salt, password).hex()}"

    async def hash(self, password: str) -> str:
        return self.store(password)

    async def verify(self, stored: str | None, password: str) -> bool:
        salt, _, digest = (stored or f"{'00' * 16}$").partition("$")
        made = self._digest(bytes.fromhex(salt), password).hex()
        return hmac.compare_digest(made, digest)

    def _digest(self, salt: bytes, password: str) -> bytes:
        return hashlib.scrypt(password.encode(), salt=salt, n=self._cost, r=8, p=1, dklen=32)
