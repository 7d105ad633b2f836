"""`tokenByAkSk`: an app key and its secret for an access token [2211]."""

from __future__ import annotations

import structlog
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from sottovoce.errors import Code, Refused
from sottovoce.http.ccsqm.codes import ANY
from sottovoce.http.ccsqm.decode import BadField, Form, Text, Undecodable
from sottovoce.http.ccsqm.interface import failure, respond, seconds
from sottovoce.quality import access
from sottovoce.quality.office import Office

log = structlog.get_logger(__name__)

PATH = "/apigovernance/api/oauth/tokenByAkSk"
USUAL_S = 600
"""A token's life where X-Token-Expire is absent; the pages' example."""


class TokenForm(Form):
    """The body of tokenByAkSk."""

    app_key: Text
    app_secret: Text


def token_route(office: Office) -> APIRoute:
    """The route; the only one of the family that needs no token."""

    async def token_by_ak_sk(request: Request) -> Response:
        """Exchange an app key and its secret for an access token."""
        try:
            form = TokenForm.decode(await request.body())
            expires_s = _lifetime(request.headers.get("x-token-expire", "").strip())
            token = await access.issue_token(office, form.app_key, form.app_secret, expires_s)
        except (Undecodable, BadField) as bad:
            return failure(ANY, Code.BAD_PARAMETER, str(bad), 400)
        except Refused as declined:
            return failure(ANY, declined.code, declined.why, 500)
        if token is None:
            log.info("no token given", host=request.client.host if request.client else "")
            return failure(ANY, Code.NOBODY, "app_key or app_secret is wrong", 401)
        return respond(
            {
                "AccessToken": token.text,
                "ApplyType": "Bearer",
                "CreateTime": str(seconds(token.made_at)),
                "Expires": str(token.expires_s),
                "Scope": token.app_key,
                "AppKey": token.app_key,
                "UserID": "Anonymous",
            }
        )

    return APIRoute(PATH, token_by_ak_sk, methods=["POST"], name="tokenByAkSk", tags=["oauth"])


def _lifetime(text: str) -> int:
    if not text:
        return USUAL_S
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= access.LONGEST_TOKEN_S:
        raise BadField(f"X-Token-Expire: must be 1 to {access.LONGEST_TOKEN_S}")
    return int(text)
