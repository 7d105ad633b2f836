"""Agents' passwords: argon2id, hashed and verified in threads, a few at a time (64 MiB each)."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from sottovoce.domain.directory import LONGEST_PASSWORD


class Passwords:
    """Hashes and verifies. One per process: it bounds how many are worked on at a time."""

    def __init__(self, at_a_time: int = 2, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher if hasher is not None else PasswordHasher()
        self._turn = asyncio.Semaphore(at_a_time)

    async def hash(self, password: str) -> str:
        """The argon2id hash of `password`, with its salt and cost in it."""
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one hashed. None (no such agent) takes as long as a wrong one.

        One that is longer than any can be is wrong without a look."""
        if len(password) > LONGEST_PASSWORD:
            return False
        async with self._turn:
            if not password_hash:
                await asyncio.to_thread(self._hasher.hash, password.encode("utf-8", "surrogatepass"))
                return False
            return await asyncio.to_thread(self._matches, password_hash, password)

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
