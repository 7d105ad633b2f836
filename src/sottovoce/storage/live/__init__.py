"""What the live half keeps: the configuration of a VDN, and the journal of what happens on its floor.

* ``directory``   what is configured, and the import of a ``seed`` file (``people``: its users and groups,
                ``seed_queues``: its queues);
  ``passwords`` hashes; ``phonebook`` answers the SIP door from memory
* ``journal``     ``PostgresStore``, to which floors commit and append: ``changes`` writes each kind to its
                  noun's module (``sessions``, ``registrations``, ``calls``, ``waits``, the audit), ``spool``
                  keeps on disk what waits for the database
* ``supervisions`` closes in the audit what a crash cut off
* ``talks``       makes contacts, which ``storage.review`` keeps, of the calls that are over

Called by ``app``, the commands, and through ``live.ports.Store`` by the floors. Data flows: floor ->
journal -> spool and database; database -> restore and profile.
"""
