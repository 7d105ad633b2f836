"""Storage: PostgreSQL, the only store, in three rooms over one ground.

* ``own``         what a server has for itself: the embedded PostgreSQL, its name, its leases
* ``live``        what floors keep: configuration, journal, calls
* ``review``      what the after-call half keeps: contacts, tasks, results, people
* ``database``    an engine from a DSN, transactions, and what counts as "away"
* ``work``        the unit of work: one transaction of one tenant, which ``review`` takes
* ``tables``      the schema as declared; ``migrations`` makes it
* ``rows``        the one way between dataclasses and rows
* ``audit``       the chain of what was done, which all write; ``heads`` of it that are signed, by
  ``signatures``; ``records``: changes as JSON

Calls ``domain`` only; ``live`` may call ``own`` and ``review``, these neither of the others.
Every query takes the VDN, except those of the commands that show all of the installation.
Failures are ``DatabaseAway`` inside the room and ``Refused(UNAVAILABLE)`` towards the floors.
"""
