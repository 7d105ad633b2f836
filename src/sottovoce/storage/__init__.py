"""Storage: PostgreSQL, the only store.

* ``embedded``    runs a PostgreSQL of its own when no DSN is set (``placement``: where and as whom,
  ``cluster``: making it, ``keeper``: the program that guards it, ``postmaster``: leftovers)
* ``database``    an engine from a DSN, transactions, and what counts as "away"
* ``tables``      the schema as declared; ``migrations`` makes it
* ``directory``   what is configured, and the import of a ``seed`` file; ``passwords`` hashes
* ``journal``     ``PostgresStore``, to which floors commit and append: ``changes`` writes each kind to
  its noun's module (``sessions``, ``calls``, ``audit``), ``spool`` keeps on disk what waits;
  ``talks`` makes ``contacts`` of the calls that are over
* ``lease``       who owns a VDN, with the epoch that fences former owners out; ``node`` names the node

Called by ``app`` and the commands, and through ``live.ports.Store`` by the floors. Calls ``domain``
only. Data flows: floor -> journal -> spool and database; database -> restore, profile, reports.
Every query takes the VDN, except those of the commands that show all of the installation.
Failures are ``DatabaseAway`` inside the room and ``Refused(UNAVAILABLE)`` towards the floors.
"""
