"""The wire as the ledgers say it.

* ``ledger``   the judge: the row of a request in ``sottovoce.contracts``, an answer against its schema
* ``forms``    forms of the code and of the ledgers in one spelling, to be compared
* ``bodies``   right and wrong values made from the ledgers' schemas
* ``client``   an HTTP client that checks every answer against its row before the test sees it
* ``standing`` a whole server in memory: directory, desk, in-process media and lines, the site

Used by ``tests/contract`` and ``tests/http``.
"""
