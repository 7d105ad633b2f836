"""The live half: who is signed in, who talks to whom, who supervises whom.

Called by `http`, the console and the demo through one front; calls `Lines` (a door), `MediaEngine` and
`Store` through their ports (`ports`, `media.engine`).

* ``desk``      the use cases, one per process: `Desk`; by subject in ``presence_desk`` ``call_desk``
  ``inspection_desk``, over ``front``
* ``building``  the floors of this process, one per VDN, and what a start after a crash does
* ``driver``    performs a floor's effects in order; timers; commits what must be committed first
* ``floor``     the aggregate of one VDN: input + now -> effects, pure
* ``presence`` ``calling`` ``handling`` ``supervising``  its transitions, by subject
* ``seating`` ``hearing``  what those share: an agent's state and phone; tables, music, recordings
* ``state`` ``commands`` ``effects`` ``views``  its nouns: inside, in, out, and shown
* ``acd`` ``feed`` ``sessions``  queues of calls, queues of events, Guids
* ``memory``    a store and passwords for tests: nothing survives

A command goes desk -> driver.ask (floor.intent -> store.commit) -> floor.handle -> effects -> engine, lines,
store, feed. An event of a line or of media goes building -> driver.tell -> floor.handle -> effects.
"""
