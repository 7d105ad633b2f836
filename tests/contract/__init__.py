"""The wire as the ledgers say it.

* ``ledger``   reads ``contracts/*.yaml``, finds the row of a request and checks an answer against it
* ``client``   an HTTP client that checks every answer against its row before the test sees it
* ``standing`` a whole server in memory: directory, desk, in-process media and lines, the site

Used by ``tests/contract`` and ``tests/http``.
"""
