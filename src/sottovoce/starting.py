"""Whether a server can start with its settings on this machine: folders, files, certificates, ports.

Each thing that is in the way becomes one sentence, which names the setting and the way out. `app` asks before
anything is served, `sottovoce config check` without serving.
"""

from __future__ import annotations

import errno
import os
import pwd
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

from sottovoce.config import Settings

_TRIED = 200
"""RTP ports that are tried: enough to tell a range that is somebody else's."""


class CannotServe(Exception):
    """The server cannot start. `sentences` has one for each thing to mend."""

    def __init__(self, sentences: list[str]) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


def hindrances(settings: Settings, *, ports: bool = True) -> list[str]:
    """What is in the way; nothing when the server can start. Changes nothing."""
    found = [*folders_in_the_way(settings), *_certificate(settings), *_authorities(settings)]
    if ports:
        found += _ports(settings)
    return found


def folders_in_the_way(settings: Settings) -> list[str]:
    """What of it are folders and files that cannot be written."""
    return [*_folders(settings)]


def _folders(settings: Settings) -> Iterator[str]:
    yield from _unwritable("data", settings.data, "set SOTTOVOCE_DATA to another folder")
    if settings.recordings.enabled and settings.recordings.folder is not None:
        yield from _unwritable("recordings.folder", settings.recordings.folder, "set it to another folder")
    for name, path in (("audit.heads_file", settings.audit.heads_file), ("log.file", settings.log.file)):
        if path is not None and not (path.is_file() and os.access(path, os.W_OK, effective_ids=True)):
            yield from _unwritable(name, path.parent, "set it to another file")


def _unwritable(name: str, folder: Path, way_out: str) -> Iterator[str]:
    """Nothing is made here: whoever checks may be another user than the server's."""
    there = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not there.is_dir():
        yield f"{name}: {there} is no folder: {way_out}"
    elif not os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        yield f"{name}: {there} cannot be written by {_me()}: give it to that user (chown), or {way_out}"


def _authorities(settings: Settings) -> Iterator[str]:
    file = settings.push.ca_file
    if file is None:
        return
    try:
        ssl.create_default_context(cafile=file)
    except (OSError, ValueError) as failure:
        reason = getattr(failure, "reason", None) or getattr(failure, "strerror", None) or failure
        yield f"push.ca_file: {file} holds no certificates in PEM that {_me()} can read: {reason}"


def _certificate(settings: Settings) -> Iterator[str]:
    cert, key = settings.http.tls_cert, settings.http.tls_key
    if cert is None or key is None:
        return
    for name, path in (("http.tls_cert", cert), ("http.tls_key", key)):
        try:
            path.read_bytes()
        except OSError as failure:
            way_out = "let a group of that user read it (chgrp)"
            yield f"{name}: {path} cannot be read by {_me()}: {failure.strerror}: {way_out}"
            return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
    except (ssl.SSLError, ValueError) as failure:
        yield (
            f"http.tls_cert, http.tls_key: {cert} and {key} are no certificate with its key, in PEM"
            f" and without a password: {getattr(failure, 'reason', None) or failure}"
        )


def _ports(settings: Settings) -> Iterator[str]:
    http, sip, media = settings.http, settings.sip, settings.media
    yield from _free("http", http.host, http.port, socket.SOCK_STREAM)
    taken = [*_free("sip", sip.host, sip.port, socket.SOCK_STREAM)]
    yield from taken or _free("sip", sip.host, sip.port, socket.SOCK_DGRAM)
    if not media.first_port:
        return
    pairs = list(range(media.first_port, media.last_port, 2))
    tried = pairs[:: max(1, len(pairs) // _TRIED)]
    refused = [failure for port in tried if (failure := _refusal(media.host, port, socket.SOCK_DGRAM))]
    if refused and refused[0].errno != errno.EADDRINUSE:
        yield _unbound("media", media.host, media.first_port, refused[0])
    elif len(refused) > len(tried) // 2:
        yield (
            f"media.first_port, media.last_port: {len(refused)} of {len(tried)} RTP ports tried between"
            f" {media.first_port} and {media.last_port} are taken: set another range"
        )


def _free(section: str, host: str, port: int, kind: socket.SocketKind) -> Iterator[str]:
    failure = _refusal(host, port, kind) if port else None
    if failure is not None:
        yield _unbound(section, host, port, failure)


def _refusal(host: str, port: int, kind: socket.SocketKind) -> OSError | None:
    """Why nothing can listen there; None: something can."""
    try:
        family, _, protocol, _, address = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind, protocol) as probe:
            if kind is socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            if kind is socket.SOCK_STREAM:
                probe.listen()
    except OSError as failure:
        return failure
    return None


def _unbound(section: str, host: str, port: int, failure: OSError) -> str:
    where = f"{section}.host, {section}.port: {host}:{port}"
    match failure.errno:
        case errno.EADDRINUSE:
            return (
                f"{section}.port: {host}:{port} is taken by another program: stop it, or set {section}.port"
                f" (`ss -lntup 'sport = :{port}'` says which)"
            )
        case errno.EADDRNOTAVAIL:
            return f"{section}.host: {host} is no address of this machine (`ip address` lists them)"
        case errno.EACCES:
            return (
                f"{section}.port: {port} is for root alone: set {section}.port above 1023, or give the"
                " service CAP_NET_BIND_SERVICE"
            )
    if isinstance(failure, socket.gaierror):
        return f"{section}.host: {host} is no address and no name that can be found: {failure.strerror}"
    return f"{where} cannot be listened on: {failure.strerror}"


def _me() -> str:
    try:
        return f"user {pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"user {os.geteuid()}"
