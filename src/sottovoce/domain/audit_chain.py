"""The audit's chain: how its rows are hashed, and stretches of it that somebody else can follow. Pure.

A row's *digest* is the SHA-256 of the row, its hash that of the hash before and the digest: so a row can be
shown as its digest alone, and the chain through it still be followed. Each row holds chance (its salt), so
that nobody finds out by trying what a row that is shown as a digest says. Rows of version 1, made before,
have no digest; their chain can be followed by whoever sees them whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

VERSION = 2
"""Of new rows."""
SALT_BYTES = 16


def beginning(vdn: int) -> bytes:
    """What stands before a VDN's first row."""
    return hashlib.sha256(f"sottovoce audit of VDN {int(vdn)}".encode()).digest()


def digest_of(row: Mapping[str, Any]) -> bytes:
    """The digest of a row of version 2: SHA-256 of it as JSON without spaces, UTF-8.

    The JSON is the list of 2, vdn, salt (hexadecimal), at (ISO 8601, UTC, microseconds), actor, action,
    target and detail (keys sorted). Its number is its place in the chain.
    """
    salt = bytes(row["salt"] or b"").hex()
    return hashlib.sha256(_json([VERSION, int(row["vdn"]), salt, *_content(row)])).digest()


def follow(previous: bytes, digest: bytes) -> bytes:
    """A row's hash, from the hash of the row before and its own digest."""
    return hashlib.sha256(previous + digest).digest()


def hash_of(previous: bytes, row: Mapping[str, Any]) -> bytes:
    """A row's hash, by its version.

    Version 1: SHA-256 over the hash of the row before and the row as JSON, the list of vdn, number, at,
    actor, action, target and detail.
    """
    if row["version"] == VERSION:
        return follow(previous, digest_of(row))
    return hashlib.sha256(previous + _json([row["vdn"], row["number"], *_content(row)])).digest()


def _content(row: Mapping[str, Any]) -> list[Any]:
    at = row["at"]
    if not isinstance(at, datetime):
        raise TypeError("an audit row without its time")
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return [moment, int(row["actor"]), row["action"], row["target"], row["detail"]]


def _json(content: list[Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain: its number (0: none yet) and hash."""

    number: int
    hash: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A head signed: Ed25519 over `signed_text`."""

    at: datetime
    occasion: str
    """`start`, `stop`, `day` or `command`."""
    key: str
    """The public key, hexadecimal."""
    signature: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """The head of a VDN's chain as it was at a moment, and who says so."""

    vdn: int
    head: Head
    signature: Signature


def signed_text(vdn: int, head: Head, at: datetime, occasion: str) -> bytes:
    """What is signed: the JSON list of `sottovoce-audit-head-1`, vdn, number, hash, at and occasion."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return _json(["sottovoce-audit-head-1", int(vdn), head.number, head.hash, moment, occasion])


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row that an extract shows whole."""

    number: int
    at: datetime
    actor: str
    """A work number or a user; 0 is the command line or the server."""
    action: str
    target: str
    detail: Mapping[str, str | int | bool]
    salt: str
    """Hexadecimal."""


@dataclass(frozen=True, slots=True)
class Extract:
    """A stretch of a chain, from a row that concerns somebody to a head; other rows are digests alone."""

    vdn: int
    previous: Head
    """The row before the first of the stretch."""
    digests: tuple[str, ...]
    """Of every row of the stretch, in order, hexadecimal."""
    rows: tuple[ShownRow, ...]
    head: Head
    """The last row of the stretch."""
    signature: Signature | None = None
    """Of the head; None: nobody has signed one since the last row."""


def unfollowed(extract: Extract) -> list[str]:
    """What does not fit in a stretch, one sentence each; none: its rows are in the chain of its head.

    Nothing is said of the signature, and of who made the chain.
    """
    found = []
    first = extract.previous.number + 1
    try:
        chain = bytes.fromhex(extract.previous.hash)
        digests = [bytes.fromhex(digest) for digest in extract.digests]
    except ValueError:
        return ["the extract has hashes that are none"]
    if first == 1 and chain != beginning(extract.vdn):
        found.append("the extract does not begin where the chain does")
    for row in extract.rows:
        place = row.number - first
        if not 0 <= place < len(digests):
            found.append(f"row {row.number} is outside of the extract")
        elif not _is_row(extract.vdn, row, digests[place]):
            found.append(f"row {row.number} ({row.action}) is not the one of the chain")
    for digest in digests:
        chain = follow(chain, digest)
    if (extract.previous.number + len(digests), chain.hex()) != (extract.head.number, extract.head.hash):
        found.append(f"the rows do not lead to the head {extract.head.number}:{extract.head.hash}")
    return found


def _is_row(vdn: int, row: ShownRow, digest: bytes) -> bool:
    try:
        whole = {
            "vdn": vdn,
            "salt": bytes.fromhex(row.salt),
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "target": row.target,
            "detail": dict(row.detail),
        }
        return digest_of(whole) == digest
    except (ValueError, TypeError):
        return False
