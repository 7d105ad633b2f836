"""The live half: who is signed in, who talks to whom, who supervises whom.

Called by `http`, the console and the demo through one `Desk`; calls `Lines` (a door), `MediaEngine` and
`Store` through their ports (`ports`, `media.engine`).

* ``desk``      what may be asked, one per process; ``sessions`` sign-in and Guids (``guids``), with how often
                a password may be tried (``attempts``); who waits for it: ``sottovoce.line_of_tries``
* ``building``  the floors of this process, one per VDN, and what a start after a crash does
* ``driver``    performs a floor's effects in order; timers; commits what must be committed first
* ``turns``     the log's line for each turn of a call, a supervision, an agent's day
* ``floor``     the aggregate of one VDN: input + now -> effects, pure
* ``inputs``    the one table of what a floor takes: each command with its check and its transition, and
                what follows from what happened. The subject modules fill it:
  ``presence``      sign-in, sign-out, configuration      ``availability``  states, skill queues, habits
  ``handling``      what agents do with calls              ``supervising``   what inspectors ask for
  ``calling``       how calls come, talk and end           ``legs``          what lines and media say
  ``requesting``    a waiting call, the number said
  ``consulting``    calls between agents                   ``conferring``    several parties in a call
  ``transferring``  handing a call over, picking one up    ``call_data``     what agents keep with calls
  ``unreached``     who does not answer, or is away        ``linkage``       the phone, by the client
  ``recording``     what agents do with recordings         ``chatting``      agents who write to each other
  ``notes``         texts from agent to agent              ``watching``      whose states inspectors are told
  ``playing``       recordings heard on agents' phones     ``passwords``     agents' changes of their own
* ``seating`` ``conversing`` ``hearing`` ``bonds``  what those share: an agent's state and phone; who is
                together; tables, music, recordings; the bond of inspector and agent
* ``merging``   two calls become one; ``telling`` what agents are told of their calls
* ``state`` ``effects`` ``views`` ``pictures``  its nouns: inside, out, and shown
* ``acd`` ``queueing`` ``waiting``  who gets which call; a wait in a queue; what is done for those who wait
* ``feed``  queues of events; ``chats`` text chats

A command goes desk -> driver.ask (floor.intent -> store.commit) -> floor.handle -> effects -> engine, lines,
store, feed. An event of a line or of media goes building -> driver.tell -> floor.handle -> effects.

To add a command: its dataclass, check and transition in its subject module, and an interface that asks it.
"""
