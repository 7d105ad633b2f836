"""`tokenByAkSk`: an app key and its secret for an access token [2211].

The only interface of the family that needs no token. Its failures have the HTTP status that says the same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from sottovoce.http.ccsqm.codes import ANY
from sottovoce.http.ccsqm.dialect import Quality, SqmDialect, family, source, told
from sottovoce.http.ccsqm.lookups import Lookups
from sottovoce.http.ccsqm.visit import Answer, Interface
from sottovoce.http.ccsqm.words import BadField, Form, Text, seconds
from sottovoce.http.family.routes import Failure, Places, Unauthorized, Wrong
from sottovoce.plain import natural
from sottovoce.quality import access
from sottovoce.quality.office import Office

PATH = "/apigovernance/api/oauth/tokenByAkSk"
FAMILY = family("/apigovernance", ANY)
USUAL_S = 600
"""A token's life where X-Token-Expire is absent; the pages' example."""
_STATUS = {Wrong.STRANGER: 401, Wrong.UNREADABLE: 400, Wrong.FIELD: 400}


class TokenForm(Form):
    """The body of tokenByAkSk."""

    app_key: Text
    app_secret: Text


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whoever asks for a token."""

    office: Office
    lookups: Lookups
    source: str
    expires: str
    """The wanted life in seconds, as it came; empty: the usual one."""


async def token_by_ak_sk(applicant: Applicant, form: TokenForm) -> Answer:
    """Exchange an app key and its secret for an access token."""
    expires_s = natural(applicant.expires) if applicant.expires else USUAL_S
    if expires_s is None or not 1 <= expires_s <= access.LONGEST_TOKEN_S:
        raise BadField(f"X-Token-Expire: must be 1 to {access.LONGEST_TOKEN_S}")
    credential = f"{form.app_key}\0{form.app_secret}"
    async with applicant.lookups.turn(credential, applicant.source, applicant.office.clock) as right:
        token = await access.issue_token(applicant.office, form.app_key, form.app_secret, expires_s)
        if token is None:
            raise Unauthorized("app_key or app_secret is wrong")
        right()
    applicant.lookups.know(token.text)
    content = {
        "AccessToken": token.text,
        "ApplyType": "Bearer",
        "CreateTime": str(seconds(token.made_at)),
        "Expires": str(token.expires_s),
        "Scope": token.app_key,
        "AppKey": token.app_key,
        "UserID": "Anonymous",
    }
    return Answer(content, coded=False)


TOKEN = Interface(path=PATH, verbs=("POST",), form=TokenForm, serve=token_by_ak_sk, operation=None)


class _TokenDialect(SqmDialect):
    @asynccontextmanager
    async def caller(self, interface: Interface, request: Request) -> AsyncIterator[Applicant]:  # type: ignore[override]
        quality, where = self.quality, source(request)
        request.state.caller = where
        expires = request.headers.get("x-token-expire", "").strip()
        yield Applicant(quality.office, quality.lookups, where, expires)

    def failure(self, interface: Interface, failure: Failure) -> Response:
        return told(interface.module, failure, _STATUS.get(failure.wrong, 500))


def token_places(quality: Quality) -> Places:
    """Where tokens are had."""
    return Places([TOKEN], _TokenDialect(FAMILY, quality))
