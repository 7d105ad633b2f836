"""What an operator sees of a running server: how it stands now, and what was counted since its start.

* ``reading``     the server at one moment, as one value; whether it is ready, and if not, why
* ``observer``    takes readings of floors, workers, door, journal, disks and database; one a second at most
* ``counting``    what is counted as it happens: queue waits, ends of calls, recordings
* ``exposition``  a reading in the words of Prometheus, ``sottovoce_*`` in base units
* ``wayside``     the socket in the data folder by which a machine's own operator asks

`app` gives it its sources; `http.operators` answers by it, `sottovoce status` reads what that says.
Nothing here changes anything, and no metric names a person: labels are VDNs, queues, workers and causes.
"""
