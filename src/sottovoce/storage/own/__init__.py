"""What a server has for itself: a PostgreSQL of its own where no DSN is set, its name, the VDNs that it owns.

* ``opening``     the database that is set, or the embedded one, migrated: where everything begins
* ``embedded``    runs that PostgreSQL (``placement``: where and as whom, ``cluster``: making it, ``keeper``:
  the program that guards it, ``postmaster``: what an earlier one left behind)
* ``roles``       the owner of the schema, and the role that the server works as
* ``anchor``      its key, which signs the heads of the audit at start, at stop and every day
  (``heads_file``: the file elsewhere that they are added to)
* ``key_file``    keys in the data folder
* ``node``        this server's name, and that one process alone serves from its data folder
* ``backups``     a folder with all that a server needs to live again, made and checked; ``restoring``
  brings it back (``dumps``: the database's part, by PostgreSQL's own programs)
* ``lease``       who owns a VDN, with the epoch that fences former owners out

Called by ``app``, the commands and ``storage.live``. Calls ``storage.database`` and the migrations.
"""
