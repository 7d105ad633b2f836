"""Sottovoce: a contact-centre inspection server that proves who hears whom.

The rooms, in the direction the data flows:

* ``doors``      SIP phones and trunks come in; legs are offered, answered, gone
* ``media``      RTP in, one mixer that obeys a routing table, RTP and recordings out
* ``processes``  how a process of our own is started, asked and watched
* ``live``       the floor of one VDN: agents, calls, supervisions; its single writer
* ``domain``     the pure rules that all of these obey (who hears whom, who may do what)
* ``storage``    PostgreSQL: what must survive
* ``quality``    calls that are over: sampled into review tasks, inspected, scored, appealed
* ``http``       the wire: decode, one use case, encode
* ``pushing``    events brought to clients' own servers
* ``observing``  what operators see: the server at a moment, what was counted, both for Prometheus
* ``contracts``  what the wire has to be: the ledgers, OpenAPI documents in the package

Beside the server, and seeing it from outside only:

* ``client``     what an integrator would write: CC-Gateway, CC-SQM
* ``phones``     SIP phones of our own that send and measure tones (selftest, demo, bench)
* ``selftest`` ``demo`` ``compat``  who hears whom, proved; the same with voices; any server against the pages

``errors``, ``clock``, ``tasks``, ``deadlines``, ``digests``, ``limits`` (what one source may ask),
``line_of_tries`` (whose turn it is), ``plain`` (values as plain data), ``wording`` (what a mistake is
called), ``config`` and ``logs`` serve all of them.
``starting`` says what is in a server's way, ``systemd`` is told how it is; ``app`` composes them; ``cli``
and ``commands`` start them. Importing this package starts nothing.
"""

__version__ = "0.1.0"
