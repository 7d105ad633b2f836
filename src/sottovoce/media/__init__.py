"""Audio: who hears whom, made true 50 times a second for all legs of a worker at once.

The one verb is a table: `Routing` says for every listener which legs it hears; the mixer obeys.
`engine` is the port that live and the doors call; `workers` (processes of their own, real
sockets) and `inprocess` (a manual clock, for tests) implement it with the same `mixer`.

The core does no I/O and works on arrays over all slots (a slot is a leg's number in a worker):

    packets ─► reception ─► jitter ─► frames ─► rows (the sum) ─► outgoing ─► packets
               rtp, dtmf,   conceal-  voices,   who hears whom    codecs, rtp,
               codecs       ment      sounds       │              dtmf
                                        │          └─► levels
                                        ├─► tracks ─► TrackSink: files (wav)
                                        └─► echo: does a whisper come back?

`mixer` joins them: slots, `receive`, `tick`; `concealment` fills what is missing; `reports` and `rtcp`
tell loss and round trip; frames are moved as `spans`.
Around it, in the worker's process: `process` ticks by `beat`, `sockets` and `mmsg` move packets,
`ports_pool` proves whose they are, `writer` writes recordings in a thread (`lane`). `workers` speaks with
each over a `processes.connection`, in the words of `control`; `repair` mends what a dead one recorded.
Where a VDN is too large for one worker, `joins` plans and `joining` opens loopback legs that
carry voices between two; no other audio leaves a worker. Samples are int16 at 8 kHz,
a frame is 160 of them (20 ms), levels are dBov.
"""
