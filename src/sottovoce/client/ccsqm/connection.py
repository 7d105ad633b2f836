"""Requests of the quality family: the token, its renewal, and what counts as a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from sottovoce.client.ccsqm.fields import Fields, QualityFailure, document_of
from sottovoce.clock import Clock, SystemClock

TOKEN = "/apigovernance/api/oauth/tokenByAkSk"  # noqa: S105 - a path
SQM = "/apiaccess/CCSQM/rest/ccisqm/v1"
ISQM = "/apiaccess/CCISQM/rest/ccisqm/v1"
JSON = "application/json; charset=UTF-8"
USUAL_TOKEN_S = 600
"""Life that is asked for a token; at most 3600 [2211]."""
_TIMEOUT_S = 30.0
_ISQM_SUCCESS = "1010200"


def failure_in(document: Any) -> tuple[str, str] | None:
    """Code and description of a failure, or None. An answer without a code (lists, items) is a success.

    A success is `04`, the module and `000`, or 1010200 of CC-iSQM; queryQualityTask alone has its code in
    `returnCode` and a number beside it [2508].
    """
    if not isinstance(document, Mapping):
        return None
    doubled = "returnCode" in document
    code = document.get("returnCode" if doubled else "resultCode")
    if code is None:
        return None
    code = str(code)
    if code == _ISQM_SUCCESS or (len(code) == 7 and code.startswith("04") and code.endswith("000")):
        return None
    return code, str(document.get("returnDesc" if doubled else "resultDesc") or "")


class Connection:
    """One app at one server: a pool of connections, and the app's token."""

    def __init__(
        self,
        base_url: str,
        app_key: str,
        app_secret: str,
        *,
        verify: bool = True,
        token_s: int = USUAL_TOKEN_S,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.app_key = app_key
        self._secret = app_secret
        self._token_s = token_s
        self._clock = clock or SystemClock()
        self._http = httpx.AsyncClient(
            verify=verify, timeout=_TIMEOUT_S, trust_env=False, transport=transport
        )
        self._token = ""
        self._renew_at = 0.0
        """Seconds on the monotonic clock."""
        self._renewing = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def ask(self, path: str, body: Mapping[str, Any], *, user: str | None = None) -> Any:
        """The decoded answer of POST `path`. Renews the token before it expires, and once when it is refused.

        Raises QualityFailure; httpx.HTTPError where there is no answer.
        """
        token = await self._current()
        response = await self._post(path, body, token, user)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await self._renew(instead_of=token)
            response = await self._post(path, body, self._token, user)
        document = document_of(response)
        if found := failure_in(document):
            raise QualityFailure(*found, request=path)
        if response.status_code != httpx.codes.OK:
            raise QualityFailure(str(response.status_code), response.text[:200], request=path)
        return document

    async def _post(self, path: str, body: Mapping[str, Any], token: str, user: str | None) -> httpx.Response:
        headers = {"Content-Type": JSON, "Authorization": f"Bearer {token}", "x-app-key": self.app_key}
        if user is not None:
            headers["x-UserId"] = user
        return await self._http.post(f"{self.base_url}{path}", json=dict(body), headers=headers)

    async def _current(self) -> str:
        if not self._token or self._clock.monotonic() >= self._renew_at:
            await self._renew(instead_of=self._token)
        return self._token

    async def _renew(self, *, instead_of: str) -> None:
        """A fresh token, unless another request has fetched one meanwhile."""
        async with self._renewing:
            if self._token != instead_of:
                return
            asked_at = self._clock.monotonic()
            response = await self._http.post(
                f"{self.base_url}{TOKEN}",
                json={"app_key": self.app_key, "app_secret": self._secret},
                headers={"Content-Type": "application/json", "X-Token-Expire": str(self._token_s)},
            )
            document = document_of(response)
            if found := failure_in(document):
                raise QualityFailure(*found, request=TOKEN)
            answer = Fields.of(document, TOKEN)
            fresh = answer.text("AccessToken")
            if not fresh:
                raise QualityFailure(str(response.status_code), "no AccessToken", request=TOKEN)
            life = answer.whole("Expires") or self._token_s
            self._token = fresh
            self._renew_at = asked_at + life - min(30.0, life / 10)


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody at a connection: the user that requests name, or the app alone."""

    connection: Connection
    user: str | None = None

    async def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST below CC-SQM; fields that are None are left out."""
        return await self.connection.ask(f"{SQM}/{path}", _given(body), user=self.user)

    async def fields(self, path: str, body: Mapping[str, Any]) -> Fields:
        """POST below CC-SQM, of an interface that answers one object."""
        return Fields.of(await self.ask(path, body), path)

    async def ask_speech(self, path: str, body: Mapping[str, Any]) -> Any:
        """POST below CC-iSQM, which knows no users."""
        return await self.connection.ask(f"{ISQM}/{path}", _given(body))


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _given(value) if isinstance(value, Mapping) else value
        for name, value in body.items()
        if value is not None
    }
