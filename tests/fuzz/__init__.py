"""Hostile bytes by the million: `make fuzz`, and 20,000 of them in CI (`test_fuzz`).

* ``corpus/``     what is mutated: a folder for each target, whose files are real inputs and found faults
* ``mutation``    seeded changes of a corpus' entries
* ``parsing``     targets that read and remember nothing: SIP, SDP, header values, RTCP, control, forms
* ``standing``    targets that stand over many inputs: a user agent, a mixer with its ports, a gateway
* ``targets``     all of them; ``running`` feeds them and judges

A target takes one input: it raises nothing but what its module declares, and says how many bytes it answered.
"""
