"""SIP phones of our own that send tones or speech and measure what they hear.

- `tones`: tones on bin centres, and which of a set are in a second of audio (pure).
- `sources`: what a phone says: a tone, a recording, silence (pure).
- `ear`: what a phone heard: RTP in, a timeline of samples with arrival times and losses out (pure).
- `meters`: how loud each known talker is in what a phone heard, by comparing with what was said (pure).
- `media`: one RTP stream over real UDP at a real 20 ms pace: a source out, an ear in.
- `phone`: a phone: registers, calls, rings, answers, holds, presses keys, hangs up; its signalling
  is the sans-IO core of `doors.sip`.

selftest, demo, bench and tests call this; it calls `doors.sip` and the pure modules of `media`,
never the floor, storage or HTTP. Audio goes source -> media -> network -> ear -> tones or meters.
The independent witness in the tests is another stack altogether (pjsua2).
"""
