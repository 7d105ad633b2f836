"""SIP, endpoint only (RFC 3261): UAS, UAC, registrar. It proxies nothing and does not face the internet.

Bytes to messages (pure):
* ``message`` ``headers`` ``uri`` ``via``  requests and responses, parsed and encoded; TCP framing
* ``sdp``           offer and answer (RFC 3264), G.711 and telephone-event
* ``digest``        challenges and answers, both ways (RFC 8760)

The core (pure: no socket, loop, clock or randomness; the time and an `Entropy` are handed in):
* ``timers``        one heap; the only thing that knows the time
* ``transactions``  client and server transactions, RFC 3261 17 and RFC 6026
* ``matching``      the layer of them: which transaction a message belongs to
* ``challenges``    a request of ours until it is answered, 401 and 407 met
* ``dialog``        tags, sequence numbers, route sets; what a BYE needs
* ``negotiation``   one session's offer/answer state
* ``session``       a call after its answer; ``calling`` and ``called`` are its two beginnings,
  ``refresh`` its session timer (RFC 4028), ``reliable`` its PRACKs (RFC 3262)
* ``registrar``     who is reachable where; ``registering`` is the client's side
* ``admission``     who may call and register: trunks by address, phones by digest
* ``limits``        token buckets per source, and the block after wrong passwords
* ``ua``            the user agent: takes every message to one of these, and gathers what they say

Outside the core: ``transport`` (UDP and TCP sockets), ``endpoint`` (one user agent on one
transport, driven by the loop; a phone is built on it), ``door`` (line events and media; a leg's
books and queue are in ``legs``).

Way of the data: transport -> ``UserAgent.receive`` -> transactions -> session/registrar ->
``Output`` (datagrams to send, events) -> endpoint -> transport and door.
"""
