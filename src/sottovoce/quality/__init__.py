"""The after-call half: contacts are sampled into review tasks, inspected, scored, appealed.

* ``office``   where every use case works: one transaction for one tenant, with its audit rows
* ``access``   who calls: app keys, access tokens, and the user that a request names
* ``tasks``    review tasks · ``inspection`` work on their items · ``task_lists`` both as each user sees them
* ``sampling`` the samples that fill them, with certificates
* ``plans``    tasks made by the calendar · ``jobs`` what comes due, run by procrastinate
* ``contacts`` what is inspected, and its analysis: ``recordings`` are read, ``voices`` heard
* ``contact_import`` calls of other systems: ``csv_calls`` and ``vcon_calls`` read ``foreign_calls``
* ``results``  rule results, scores
* ``scenarios`` ``score_profiles`` by what calls are scored · ``result_import`` ``result_rows`` from files
* ``appeals``  quality items: appeals and problems

Called by ``http.ccsqm``, ``http.ccisqm`` and the commands. A use case takes the ``Office`` and the
``Caller``, asks ``domain`` what may be done, and writes through ``storage``, all in one transaction;
it raises ``Refused`` and has then changed nothing. Every query takes the tenant of the caller.
"""
