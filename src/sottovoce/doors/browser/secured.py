"""DTLS as its server, then SRTP both ways (RFC 5764). Bytes in, bytes out; sockets are the caller's.

The handshake believes no certificate authority: the far side's certificate has to have the fingerprint
that its offer named, and the offer came by a way that is believed (RFC 8122 5).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL
from pylibsrtp import Error as SrtpError
from pylibsrtp import Policy, Session

MTU = 1200
"""Bytes of a datagram that every way carries (RFC 8489 6.1 for an unknown path)."""
_DTLS_1_2 = 0xFEFD
_RECORD_HEADER = 13
_LABEL = b"EXTRACTOR-dtls_srtp"
_PROFILES = {
    # RFC 5764 4.1.2, RFC 7714 12: key and salt in bytes.
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}
_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"


@dataclass(frozen=True, slots=True)
class Identity:
    """Our certificate of one process's life, and how a session description names it."""

    context: SSL.Context
    fingerprint: str


def identity() -> Identity:
    """A new certificate that signs for itself, as browsers make theirs."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sottovoce")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    context = SSL.Context(SSL.DTLS_METHOD)
    context.set_min_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)
    context.set_cipher_list(_CIPHERS)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    context.use_certificate(certificate)
    context.use_privatekey(key)
    context.set_tlsext_use_srtp(b":".join(_PROFILES))
    return Identity(context, fingerprint_of(certificate))


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate as a session description writes it (RFC 8122 5)."""
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, 64, 2))


class Secured:
    """One association. `failed` says why it can be of no more use."""

    def __init__(self, ours: Identity, their_fingerprint: str, *, begins: bool = False) -> None:
        """`begins`: as the side that says hello, which a browser is and tests are."""
        self.failed: str | None = None
        self._their_fingerprint = their_fingerprint
        self._begins = begins
        self._dtls = SSL.Connection(ours.context, None)
        self._dtls.set_ciphertext_mtu(MTU)
        if begins:
            self._dtls.set_connect_state()
        else:
            self._dtls.set_accept_state()
        self._in: Session | None = None
        self._out: Session | None = None

    @property
    def ready(self) -> bool:
        """Whether audio can pass."""
        return self._out is not None and self.failed is None

    def take(self, datagram: bytes = b"") -> list[bytes]:
        """Go on with the handshake, by what came; the datagrams to send."""
        if self.failed is not None:
            return []
        if datagram:
            self._dtls.bio_write(datagram)
        try:
            if self._out is None:
                self._dtls.do_handshake()
                self._agree()
            else:
                while self._dtls.recv(MTU):  # nothing is expected here; a close is
                    pass
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.failed = "the browser closed it"
        except SSL.Error as failure:
            self.failed = f"DTLS failed: {failure}"
        return list(self._sent())

    def wake(self) -> list[bytes]:
        """Send again what may have been lost, when it is time (RFC 6347 4.2.4). To be called now and then."""
        if self.failed is None and self._out is None and self._dtls.DTLSv1_get_timeout() == 0:
            try:
                self._dtls.DTLSv1_handle_timeout()
            except SSL.Error as failure:
                self.failed = f"DTLS failed: {failure}"
        return list(self._sent())

    def close(self) -> list[bytes]:
        """Say that it is over; the datagrams to send."""
        if self._out is not None and self.failed is None:
            try:
                self._dtls.shutdown()
            except SSL.Error:
                return []
        return list(self._sent())

    def _sent(self) -> Iterator[bytes]:
        """What waits to be sent, whole records in each datagram."""
        try:
            waiting = self._dtls.bio_read(1 << 16)
        except SSL.WantReadError:
            return
        begin = at = 0
        while at < len(waiting):
            end = at + _RECORD_HEADER + int.from_bytes(waiting[at + 11 : at + 13], "big")
            if end - begin > MTU and at > begin:
                yield waiting[begin:at]
                begin = at
            at = end
        yield waiting[begin:]

    def _agree(self) -> None:
        """The handshake is done: check whose certificate it was, and make the keys."""
        theirs = self._dtls.get_peer_certificate(as_cryptography=True)
        if theirs is None or not hmac.compare_digest(fingerprint_of(theirs), self._their_fingerprint):
            self.failed = "the certificate is not the offer's"
            return
        chosen = _PROFILES.get(self._dtls.get_selected_srtp_profile())
        if chosen is None:
            self.failed = "no SRTP was agreed on"
            return
        profile, key, salt = chosen
        made = self._dtls.export_keying_material(_LABEL, 2 * (key + salt))
        keys = made[:key], made[key : 2 * key]
        salts = made[2 * key : 2 * key + salt], made[2 * key + salt :]
        client, server = (keys[side] + salts[side] for side in (0, 1))
        ours, others = (client, server) if self._begins else (server, client)
        self._in = Session(Policy(others, Policy.SSRC_ANY_INBOUND, 0, profile))
        self._out = Session(Policy(ours, Policy.SSRC_ANY_OUTBOUND, 0, profile))

    # Audio

    def open_rtp(self, packet: bytes) -> bytes | None:
        """What an SRTP packet holds; None for a forged, repeated or broken one."""
        return _worked(self._in.unprotect, packet) if self._in is not None else None

    def open_rtcp(self, packet: bytes) -> bytes | None:
        """The same of SRTCP."""
        return _worked(self._in.unprotect_rtcp, packet) if self._in is not None else None

    def seal_rtp(self, packet: bytes) -> bytes | None:
        """An RTP packet as SRTP; None before the keys are there."""
        return _worked(self._out.protect, packet) if self._out is not None else None

    def seal_rtcp(self, packet: bytes) -> bytes | None:
        """The same of RTCP."""
        return _worked(self._out.protect_rtcp, packet) if self._out is not None else None


def _worked(work: Callable[[bytes], bytes], packet: bytes) -> bytes | None:
    try:
        return work(packet)
    except (SrtpError, ValueError):
        return None
