"""The doors: how telephone legs come in and go out. A door implements `live.ports.Lines`.

* ``sip``      phones, trunks and proxies over SIP (UDP, TCP)
* ``browser``  pages of a browser as phones, over WebRTC
* ``steps``    what concerns one leg's media, in order

A door turns signalling into line events (`domain.lines`), opens and closes the leg's media at the
engine (`media.engine`), and obeys ring, announce, accept and hang_up. It knows no agent, queue or
supervision: those are `live`'s. Doors import `domain` and the engine port, never `live` or `http`.
"""
