"""Requests as anybody could send them, wrong ones too, and answers as they came."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sottovoce.client.ccsqm.connection import JSON, TOKEN, failure_in

_TIMEOUT_S = 30.0
_SHOWN = 160


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `document` is its JSON, or None with `readable` False."""

    status: int
    content_type: str
    text: str
    document: Any
    readable: bool

    @property
    def ok(self) -> bool:
        """Whether it says that what was asked for was done."""
        return self.status == httpx.codes.OK and self.readable and failure_in(self.document) is None

    def field(self, name: str) -> Any:
        """A field of the answered object; None where there is none."""
        return self.document.get(name) if isinstance(self.document, Mapping) else None

    def __str__(self) -> str:
        short = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]} ..."
        return f"HTTP {self.status} {short}"


NOT_ASKED = Reply(0, "", "nothing was asked", None, False)


class Wire:
    """One server and one app at it."""

    def __init__(
        self,
        url: str,
        app_key: str,
        app_secret: str,
        *,
        verify: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.app_key = app_key
        self.secret = app_secret
        self.bearer = ""
        """The token in use, once there is one."""
        self._http = httpx.AsyncClient(
            verify=verify, timeout=_TIMEOUT_S, trust_env=False, transport=transport
        )

    async def close(self) -> None:
        """Give up its connections."""
        await self._http.aclose()

    async def token(
        self, *, key: str | None = None, secret: str | None = None, expire: str | None = "600"
    ) -> Reply:
        """Ask for a token; without `expire` the header is left out."""
        body = {
            "app_key": self.app_key if key is None else key,
            "app_secret": self.secret if secret is None else secret,
        }
        headers = {"Content-Type": "application/json"}
        if expire is not None:
            headers["X-Token-Expire"] = expire
        return await self.send(TOKEN, json.dumps(body).encode(), headers)

    async def ask(
        self,
        path: str,
        body: Any,
        *,
        user: str | None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        """POST `body` (JSON; bytes as they are) to `path` with the usual headers.

        `headers` replaces some of them; those that are None are left out.
        """
        usual: dict[str, str | None] = {
            "Content-Type": JSON,
            "Authorization": f"Bearer {self.bearer}",
            "x-app-key": self.app_key,
            "x-UserId": user,
        }
        sent = {name: value for name, value in (usual | dict(headers or {})).items() if value is not None}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.send(path, content, sent)

    async def send(
        self, path: str, content: bytes, headers: Mapping[str, str], *, method: str = "POST"
    ) -> Reply:
        """One request. Raises httpx.HTTPError where no answer comes."""
        response = await self._http.request(
            method, f"{self.url}{path}", content=content, headers=dict(headers)
        )
        try:
            document, readable = response.json(), True
        except ValueError:
            document, readable = None, False
        return Reply(
            response.status_code,
            response.headers.get("content-type", ""),
            response.text,
            document,
            readable,
        )
