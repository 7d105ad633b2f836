"""How often each family was asked, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sottovoce.http.edge import fold
from sottovoce.http.family.answer import Family, family_of


class Tally:
    """Counts requests since the start; `around` an application, every request for it."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families
        self.counts: Counter[tuple[str, str]] = Counter()
        """By the prefix of the family (`/` for what is none's) and the outcome: `served`, a value of
        `family.routes.Wrong`, the HTTP status of what no interface answered, or `gone` for no answer."""

    def around(self, app: ASGIApp) -> ASGIApp:
        """`app`, counted."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            family = family_of(fold(scope["path"]), self._families)
            said = "gone"
            state = scope.setdefault("state", {})

            async def heard(message: Message) -> None:
                nonlocal said
                if message["type"] == "http.response.start":
                    said = str(message["status"])
                await send(message)

            try:
                await app(scope, receive, heard)
            finally:
                self.counts[family.prefix, state.get("outcome", said)] += 1

        return counted
