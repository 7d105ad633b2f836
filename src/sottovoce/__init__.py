"""Sottovoce: a contact-centre inspection server that proves who hears whom.

The rooms, in the direction the data flows:

* ``doors``    SIP phones and trunks come in; legs are offered, answered, gone
* ``media``    RTP in, one mixer that obeys a routing table, RTP and recordings out
* ``live``     the floor of one VDN: agents, calls, supervisions; its single writer
* ``domain``   the pure rules all of these obey (who hears whom, who may do what)
* ``storage``  PostgreSQL: what must survive
* ``http``     the wire: decode, one use case, encode
* ``contracts``  what the wire has to be: the ledgers, OpenAPI documents in the package
* ``phones``   SIP phones of our own that send and measure tones (proof, demo, bench)

``errors``, ``clock``, ``tasks`` and ``plain`` (values as plain data) serve all of them.
``app`` composes them; ``cli`` starts them. Importing this package starts nothing.
"""

__version__ = "0.1.0"
