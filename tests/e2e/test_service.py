"""`sottovoce serve` as a service: says ready and alive; its log is moved, its certificate renewed."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from tests.e2e.served import ACCESS_CODE, LOOPBACK, SECRET, Served, outside, registered, serving

from sottovoce.client.ccgateway import Gateway

pytestmark = pytest.mark.timeout(240)


def self_signed(cert: Path, key: Path, name: str) -> None:
    """Make a certificate and its key, PEM."""
    private = Ed25519PrivateKey.generate()
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private, None)
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    cert.write_bytes(made.public_bytes(pem))
    key.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))


async def served_certificate(served: Served) -> str:
    return await asyncio.to_thread(ssl.get_server_certificate, (LOOPBACK, served.http_port))


async def test_a_service_is_told_to_read_again_and_no_call_notices() -> None:
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        folder = Path(name)
        systemd.bind(str(folder / "notify"))
        systemd.setblocking(False)
        loop = asyncio.get_running_loop()

        async def told(word: bytes) -> bytes:
            async with asyncio.timeout(60):
                while not (heard := await loop.sock_recv(systemd, 1000)).startswith(word):
                    pass
            return heard

        cert, key = folder / "cert.pem", folder / "key.pem"
        self_signed(cert, key, "former")
        environment = {
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "1000000",
            "SOTTOVOCE_HTTP__TLS_CERT": str(cert),
            "SOTTOVOCE_HTTP__TLS_KEY": str(key),
        }
        async with (
            serving('file = "FOLDER/sottovoce.log"', environment) as served,
            registered(served, "8101"),
            outside() as customer,
        ):
            await told(b"READY=1\nSTATUS=HTTP https://")
            await told(b"WATCHDOG=1")
            log = served.folder / "sottovoce.log"
            assert "sottovoce serves" in log.read_text()
            gateway = Gateway(f"https://{LOOPBACK}:{served.http_port}", verify=False)
            await gateway.agent(101).sign_in(SECRET, "8101")
            call = await customer.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            assert await served_certificate(served) == cert.read_text()

            log.rename(log.with_suffix(".1"))
            self_signed(cert, key, "renewed")
            renewed = cert.read_text()
            served.process.send_signal(signal.SIGHUP)
            await told(b"RELOADING=1")
            await told(b"READY=1")
            assert await served_certificate(served) == renewed
            assert "certificate read again" in log.read_text()

            cert.write_text("broken")
            served.process.send_signal(signal.SIGHUP)
            await told(b"RELOADING=1")
            await told(b"READY=1")
            assert await served_certificate(served) == renewed
            assert "certificate not read, the former stays" in log.read_text()

            await customer.hear()
            assert customer.talking is not None
            await gateway.close()
            assert await served.stop() == 0
            await told(b"STOPPING=1")
            assert served.log.read_text() == "", "standard error has nothing of it"
