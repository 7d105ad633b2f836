"""Machine inspection (CC-iSQM) on the wire: `/apiaccess/CCISQM/...`, by the means of `http.ccsqm`.

* ``appraisecall``  results and scores of one call; needs a token and no user
* ``pending``       the known ones that are not served
"""
