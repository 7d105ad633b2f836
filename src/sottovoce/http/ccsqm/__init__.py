"""Quality inspection (CC-SQM) on the wire: `/apiaccess/CCSQM/...`, and the token that all of it needs.

* ``served``     lists what is served, and makes its routes
* ``visit``      what an interface declares; a visit: how a use case is reached
* ``dialect``    token and user to a visit, successes and failures to answers; handed to ``http.family``
* ``words``      lenient input: ids and numbers as texts or numbers, times, roles; ``codes`` reasons to
                 result codes
* ``token``      tokenByAkSk; ``lookups`` what a flood of wrong tokens and secrets may ask the database
* ``credit_wire`` results and scores, as two interfaces tell them; ``calls_wire`` calls;
                 ``fixed_columns`` the conditions of a sample
* ``qualitytask`` ``qualitytaskdetail`` ``regularqualitytask`` ``appraisecall`` ``complain`` ``qualityitem``
  ``appraisescore`` ``scenariomanage``  the interfaces served, one module per part of the path

The ledger is ``contracts/cc-sqm.yaml``; tests compare it with the routes both ways. Called by ``http.site``
and ``http.ccisqm``; calls ``quality`` and nothing else of that half.
"""
