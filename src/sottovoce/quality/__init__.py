"""The after-call half: contacts are sampled into review tasks, inspected, scored, appealed.

* ``office``   where every use case works: one transaction for one tenant, with its audit rows
* ``access``   who calls (app keys, access tokens, the user that a request names), and the rights granted
* ``tasks``    review tasks · ``inspection`` work on their items · ``task_lists`` both as each user sees them
* ``sampling`` the samples that fill them, with certificates
* ``plans``    tasks made by the calendar · ``jobs`` what comes due, run by procrastinate
* ``contacts`` what is inspected, and its analysis: ``recordings`` are read, ``voices`` heard
* ``contact_import`` calls of other systems: ``csv_calls`` and ``vcon_calls`` read ``foreign_calls``;
  ``corrections`` of what was wrong in them
* ``results``  rule results, scores; ``result_import`` ``result_rows`` those of files
* ``findings`` what inspectors find by themselves
* ``playback`` recordings heard, on record, and their ``peaks``
* ``score_sheet``  all scores line by line, for reports
* ``scenarios`` ``score_profiles`` by what calls are scored · ``csv_rows`` CSV files of others
* ``appeals``  quality items: appeals and problems
* ``retention``  what is erased when its time is over, or because somebody asks
* ``audit_check``  whether the audit is whole and anchored, and scores and recordings are what it says

Called by ``http.ccsqm``, ``http.ccisqm`` and the commands. A use case takes a ``Work`` (one transaction of
one tenant) and a ``Reach`` (a right that ``access`` granted), asks ``domain`` what may be done, and writes
through ``storage``; it raises ``Refused``, and then nothing of the transaction stays. Those that must commit
something first (a draw's seed) take the ``Office`` instead of the work, and hold no transaction when called.
"""
