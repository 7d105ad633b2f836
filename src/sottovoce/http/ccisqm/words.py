"""Where the interfaces of CC-iSQM lie."""

from __future__ import annotations

ISQM = "/apiaccess/CCISQM/rest/ccisqm/v1"
