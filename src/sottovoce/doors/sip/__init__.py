"""SIP, endpoint only (RFC 3261): UAS, UAC, registrar. It proxies nothing and does not face the internet.

Bytes to messages (pure): ``message`` ``headers`` ``uri`` ``via``, ``sdp`` (RFC 3264), ``digest``.

The core (pure; time, tokens and chance are handed in):
* ``timers``        the only thing that knows the time
* ``transactions``  client and server transactions (RFC 3261 17, RFC 6026); ``matching`` is their layer
* ``challenges``    a request of ours until it is answered, 401 and 407 met
* ``dialog``        tags, numbers, routes: what a BYE needs
* ``core``          what calls and registrations need of their user agent
* ``session``       a call that stands; ``calling`` and ``called`` are its two beginnings, ``negotiation``
                    its offers and answers, ``refresh`` its timer (RFC 4028), ``reliable`` its repetitions,
                    ``keys`` what an INFO in it says
* ``registrar``     who is reachable where; ``registering`` is the client's side, ``kept`` what a restart
                    takes up again
* ``admission``     who may call: trunks by address, phones by digest; ``limits`` how often
* ``ua``            the user agent: a core that takes every message to one of these

Words: ``hops`` (where to), ``far_sides`` (trunks and proxies), ``events`` (what happened), ``causes`` (why
it ended), ``ports``.

Around it: ``transport`` (UDP and TCP sockets), ``endpoint`` (a user agent on sockets; phones are built on
it), ``door`` (legs and line events for the floor; a leg's own queue is in ``legs``, ``lifting`` has a phone
lift by itself).

Way of the data: transport -> ``UserAgent.receive`` -> transaction -> session or registrar -> ``take``:
datagrams to the transport, events to the door or the phone.
"""
