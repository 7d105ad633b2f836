"""Signatures of the audit's heads: Ed25519. What is signed is `audit_chain.signed_text`."""

from __future__ import annotations

from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from sottovoce.domain.audit_chain import Head, Signature, SignedHead, signed_text
from sottovoce.domain.directory import VdnId


class BadKey(ValueError):
    """No Ed25519 key; the text says what it is."""


class SigningKey:
    """A private key."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw().hex()
        """Its public half, 64 hexadecimal digits."""

    @classmethod
    def generate(cls) -> SigningKey:
        """A fresh one."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, pem: bytes) -> SigningKey:
        """From PEM without a password. Raises BadKey."""
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError) as failure:
            raise BadKey("it is no private key in PEM") from failure
        if not isinstance(key, Ed25519PrivateKey):
            raise BadKey("it is no Ed25519 key")
        return cls(key)

    def pem(self) -> bytes:
        """The private key as PEM (PKCS #8), which OpenSSL reads too."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, vdn: VdnId, head: Head, at: datetime, occasion: str) -> SignedHead:
        """Sign a VDN's head as it is at that moment."""
        signature = self._key.sign(signed_text(vdn, head, at, occasion)).hex()
        return SignedHead(int(vdn), head, Signature(at, occasion, self.public, signature))


def public_pem(public: str) -> str:
    """A public key as PEM, for other programs. Raises BadKey."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except ValueError as failure:
        raise BadKey("a public key has 64 hexadecimal digits") from failure
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")


def is_true(vdn: int, head: Head, signature: Signature) -> bool:
    """Whether the signature is the head's, by the key that it names."""
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signature.key))
        text = signed_text(vdn, head, signature.at, signature.occasion)
        key.verify(bytes.fromhex(signature.signature), text)
    except (InvalidSignature, ValueError):
        return False
    return True
