"""Machine inspection (CC-iSQM) on the wire: `/apiaccess/CCISQM/...`, in the dialect of `http.ccsqm`.

* ``served``        lists what is served, and makes its routes
* ``appraisecall``  results of one call; needs a token and no user; ``credit`` its scores
* ``words``         where they lie

The ledger is ``contracts/cc-isqm.yaml``.
"""
