"""A destination as the session keeps it, in memory, in the journal and in its spool: sealed.

AES-256-GCM with a random nonce, bound to the agent, by the key in the data folder: who reads the database
learns no token, and cannot make another agent's session of it.
"""

from __future__ import annotations

import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import asdict

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sottovoce.domain.destinations import Push, Way
from sottovoce.domain.directory import AgentId

KEY_BYTES = 32
_NONCE_BYTES = 12


class Broken(Exception):
    """Not sealed for this agent by this key."""


class Seals:
    """Seals and opens destinations."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, agent: AgentId, push: Push) -> str:
        """The destination as text that says nothing."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(asdict(push)).encode(), str(agent).encode())
        return urlsafe_b64encode(nonce + sealed).decode()

    def open(self, agent: AgentId, sealed: str) -> Push:
        """What was sealed. Raises Broken."""
        try:
            data = urlsafe_b64decode(sealed)
            clear = self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], str(agent).encode())
            found = json.loads(clear)
            return Push(Way(found["way"]), found["url"], found["token"])
        except (Error, InvalidTag, KeyError, TypeError, ValueError):
            raise Broken from None
