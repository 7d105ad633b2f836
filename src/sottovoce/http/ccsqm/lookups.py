"""Which tokens and app secrets are looked up in the database, and when, so that no flood of wrong ones holds
its connections.

One that was right lately passes at once; it is looked up all the same, so that its end counts at once. Others
are counted by source, if they are wrong, and wait in a line, each source in its turn: they hold two of the
database's connections at most. What does not fit, or comes from where too many were wrong, is refused without
a look, right or wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sottovoce.clock import Clock
from sottovoce.digests import text_sha256
from sottovoce.errors import Refused
from sottovoce.http.family.routes import Crowded, Unauthorized
from sottovoce.limits import Buckets, Latest
from sottovoce.line_of_tries import LineOfTries

WRONG_OF_SOURCE = 100
"""Wrong ones that are looked at at once, and one more after each second: programs behind one address whose
tokens have run out stay far below."""
SOURCES_IN_LINE = 512
"""That no right one came from lately; a look takes some 3 ms."""
RIGHT_KEPT = 10_000
KNOWN_KEPT = 10_000


class Lookups:
    """See the module. Of what was right lately a digest is kept, and where it came from."""

    def __init__(self) -> None:
        self._right: Latest[bytes] = Latest(RIGHT_KEPT)
        self._known: Latest[str] = Latest(KNOWN_KEPT)
        self._wrong: Buckets[str] = Buckets(1.0, WRONG_OF_SOURCE)
        self._line = LineOfTries(SOURCES_IN_LINE)

    def know(self, credential: str) -> None:
        """It was given out just now."""
        self._right.add(text_sha256(credential))

    @asynccontextmanager
    async def turn(self, credential: str, source: str, clock: Clock) -> AsyncIterator[Callable[[], None]]:
        """Wait until it may be looked up. The block calls what it is given as soon as the credential has been
        found right, so that the next may be looked up; Unauthorized before that counts as a wrong one.

        Raises Crowded instead of waiting, or for want of patience with its source.
        """
        digest = text_sha256(credential)
        over = None if digest in self._right else await self._place(source, clock)
        looked = False

        def right() -> None:
            nonlocal looked
            looked = True
            self._right.add(digest)
            self._known.add(source)
            if over is not None:
                over()

        try:
            yield right
        except Unauthorized:
            if not looked:
                self._right.discard(digest)
                self._wrong.owe(source, clock.monotonic(), 1)
            raise
        finally:
            if over is not None:
                over()

    async def _place(self, source: str, clock: Clock) -> Callable[[], None]:
        """A place at the database, to be given back."""
        self._check(source, clock)
        try:
            over = await self._line.enter(source, known=source in self._known)
        except Refused as refused:
            raise Crowded("tokens and app secrets at once") from refused
        try:
            self._check(source, clock)
        except Crowded:
            over()
            raise
        return over

    def _check(self, source: str, clock: Clock) -> None:
        if self._wrong.left(source, clock.monotonic()) < 1:
            raise Crowded("wrong tokens and app secrets")
