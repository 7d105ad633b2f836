"""Machine inspection (CC-iSQM) on the wire: `/apiaccess/CCISQM/...`, by the means of `http.ccsqm`.

* ``appraisecall``  results of one call; needs a token and no user; ``credit`` its scores
* ``pending``       the known ones that are not served
"""

import sottovoce.http.ccsqm  # noqa: F401 - first, whichever of the two is asked for: it lists this one's interfaces
