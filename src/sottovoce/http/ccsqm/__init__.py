"""Quality inspection (CC-SQM) on the wire: `/apiaccess/CCSQM/...`, and the token that all of it needs.

* ``interface``  what an interface is; a visit; an answer's bytes
* ``router``     routes; the only place where a visit comes into being
* ``decode``     lenient input: ids and numbers as texts or numbers; ``codes`` reasons to result codes
* ``token``      tokenByAkSk
* ``credit_wire`` results and scores, as two interfaces tell them
* ``qualitytask`` ``regularqualitytask`` ``appraisecall`` ``complain`` ``qualityitem`` ``appraisescore``
  ``scenariomanage``  the interfaces served, one module per part of the path
* ``pending``    the known ones that are not served

The ledgers are ``contracts/cc-sqm.yaml`` and ``contracts/cc-isqm.yaml`` (``http.ccisqm``); tests compare
them with the routes both ways. Called by ``http.site``; calls ``quality`` and nothing else of that half.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from starlette.routing import BaseRoute

from sottovoce.http.ccisqm import appraisecall as ccisqm_appraisecall
from sottovoce.http.ccisqm import credit
from sottovoce.http.ccisqm import pending as ccisqm_pending
from sottovoce.http.ccsqm import (
    appraisecall,
    appraisescore,
    complain,
    qualityitem,
    qualitytask,
    qualitytaskdetail,
    regularqualitytask,
    scenariomanage,
)
from sottovoce.http.ccsqm import pending as ccsqm_pending
from sottovoce.http.ccsqm.interface import Interface, SqmSettings
from sottovoce.http.ccsqm.router import routes
from sottovoce.http.ccsqm.token import token_route
from sottovoce.quality.office import Office

SERVED: tuple[Interface, ...] = tuple(
    interface
    for module in (
        appraisecall,
        ccisqm_appraisecall,
        appraisescore,
        scenariomanage,
        complain,
        qualityitem,
        qualitytask,
        qualitytaskdetail,
        regularqualitytask,
        credit,
    )
    for interface in module.INTERFACES
)
"""Of both families."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What the family reaches, and how it shows itself."""

    office: Office
    settings: SqmSettings = field(default_factory=SqmSettings)


def quality_routes(quality: Quality) -> list[BaseRoute]:
    """The routes of both quality families and of the token."""
    interfaces = (*SERVED, *pending())
    return [token_route(quality.office), *routes(interfaces, quality.office, quality.settings)]


def pending() -> Iterator[Interface]:
    """Every interface of both families that is known and not served."""
    yield from ccsqm_pending.pending()
    yield from ccisqm_pending.pending()
