"""Quality inspection (CC-SQM) on the wire: `/apiaccess/CCSQM/...`, and the token that all of it needs.

* ``interface``  what an interface is; a visit; an answer's bytes
* ``router``     routes; the only place where a visit comes into being
* ``decode``     lenient input: ids and numbers as texts or numbers; ``codes`` reasons to result codes
* ``token``      tokenByAkSk
* ``qualitytask`` ``regularqualitytask`` ``appraisecall`` ``qualityitem`` ``appraisescore``
  ``scenariomanage``  the interfaces served, one module per part of the path
* ``pending``    the known ones that are not served

The ledgers are ``contracts/cc-sqm.yaml`` and ``contracts/cc-isqm.yaml`` (``http.ccisqm``); tests compare
them with the routes both ways. Called by ``http.site``; calls ``quality`` and nothing else of that half.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.routing import BaseRoute

from sottovoce.http.ccsqm.interface import Interface, SqmSettings
from sottovoce.http.ccsqm.router import routes
from sottovoce.http.ccsqm.token import token_route
from sottovoce.quality.office import Office

SERVED: tuple[Interface, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """What the family reaches, and how it shows itself."""

    office: Office
    settings: SqmSettings = field(default_factory=SqmSettings)


def quality_routes(quality: Quality) -> list[BaseRoute]:
    """The routes of both quality families and of the token."""
    return [token_route(quality.office), *routes(SERVED, quality.office, quality.settings)]
