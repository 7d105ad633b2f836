"""A client of the quality inspection interfaces (CC-SQM, CC-iSQM; cec_07_2415 ff.).

    async with Quality("https://quality.example", key, secret, user="1611917095665261978") as quality:
        task = await quality.tasks.create("March", Sample(100))
        await quality.tasks.appoint(task, {"1600226476732482572": None}, take_effect=True)

* ``Quality``    one app at one server, acting as one user; its parts have a method per interface
* ``tasks`` ``plans`` ``calls`` ``items`` ``scoring``  the parts, with dataclasses for what they answer
* ``vocabulary`` the family's numbers and names by their meaning
* ``connection`` the token and its renewal, what counts as a failure
* ``fields``     reading answers; ``QualityFailure``

Ids are texts of digits, times are `datetime` in UTC; units and spellings of the wire stay inside.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from types import TracebackType
from typing import Any, Self

import httpx

from sottovoce.client.ccsqm.calls import Calls
from sottovoce.client.ccsqm.connection import USUAL_TOKEN_S, Connection, Operator
from sottovoce.client.ccsqm.fields import QualityFailure
from sottovoce.client.ccsqm.items import QualityItems
from sottovoce.client.ccsqm.plans import Plans
from sottovoce.client.ccsqm.scoring import Scenarios, Scores
from sottovoce.client.ccsqm.tasks import Tasks
from sottovoce.client.ccsqm.vocabulary import Sample
from sottovoce.clock import Clock

__all__ = ["Quality", "QualityFailure", "Sample"]


class Quality:
    """An app at a server of the family, acting as `user` (None: the app itself, where that is allowed)."""

    def __init__(
        self,
        base_url: str,
        app_key: str,
        app_secret: str,
        user: str | None = None,
        *,
        verify: bool = True,
        token_s: int = USUAL_TOKEN_S,
        clock: Clock | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        connection = Connection(
            base_url, app_key, app_secret, verify=verify, token_s=token_s, clock=clock, transport=transport
        )
        self._take(Operator(connection, user))

    def _take(self, operator: Operator) -> None:
        self._operator = operator
        self.tasks = Tasks(operator)
        self.plans = Plans(operator)
        self.calls = Calls(operator)
        self.items = QualityItems(operator)
        self.scores = Scores(operator)
        self.scenarios = Scenarios(operator)

    @property
    def user(self) -> str | None:
        """The user whom requests name (x-UserId), None for the app itself."""
        return self._operator.user

    def acting_as(self, user: str) -> Quality:
        """The same app, with its token and connections, acting as another user."""
        other = copy(self)
        other._take(Operator(self._operator.connection, user))
        return other

    async def ask(self, path: str, body: Mapping[str, Any]) -> Any:
        """Any interface of CC-SQM, `qualitytask/queryQualityTask` for example; its answer as it came."""
        return await self._operator.ask(path, body)

    async def close(self) -> None:
        """Close the connections, also of those made by `acting_as`."""
        await self._operator.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
