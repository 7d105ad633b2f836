"""What the after-call half keeps: contacts, and what people and machine found in them.

* ``contacts``       the calls that can be inspected; ``imports``: what an import of foreign ones must know;
  ``playbacks``: who heard them; ``corrections``: of what an import brought in
* ``tasks``          review tasks, their items and history; ``task_lists``: pages of them; ``plans``: those
  that come again; ``draws``: the samples, and what proves them; ``fresh``: of contacts in no task yet;
  ``lots``: what decides who is drawn
* ``scenarios``      sets of rules; ``results``: what rules gave and its revisions; ``score_profiles``
* ``quality_items``  appeals and problems
* ``erasing``        contacts that are erased, what keeps them, and their tombstones
* ``audited``        what the audit says of scores, revisions and recordings, compared with the rows
* ``users``          who may do what; ``staffing``: many at once; ``app_keys``: the apps and their tokens
* ``jobs``           work put off in the transaction that asks for it; ``ids``: numbers never given twice

Called by ``quality``, the commands and ``storage.live``; calls neither of the other rooms.
"""
