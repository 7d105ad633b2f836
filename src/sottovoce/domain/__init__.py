"""The pure rules: no I/O, no clock, no randomness. Standard library and numpy only (`lots`: AES too).

* ``legs``        what the rooms say to each other about a leg of a call
* ``audio``       the one form of audio inside: rate and frame
* ``audibility``  who hears whom, as one table
* ``agents``      an agent's states and what may follow what
* ``calls``       a call's parties and its life · ``chats`` a text chat's
* ``grids``       state machines written as grids of words
* ``supervision`` listen, whisper, insert, intercept: one table state x command
* ``directory``   what is configured of a VDN · ``queueing`` what is due while a call waits in a queue,
                  ``figures`` how long they waited
* ``lines``       what a door says about telephone lines
* ``journal``     the changes that must survive
* ``audit_chain`` how rows of the audit are hashed, and stretches of it that others can follow
* ``people``      users, their roles and groups, app keys · ``rights`` role x operation
* ``contacts``    what can be inspected: a talk, its recording, what its analysis found
* ``playbacks``   hearing a recording · ``retention`` how long what is kept, what an erasure leaves
* ``sampling``    which contacts a sample is of, its certificate · ``frames`` all that qualify
* ``lots``        who is drawn: each contact's lot, the same in every draw · ``drawing`` a draw under way
* ``verifying``   whether a sample was drawn so · ``shuffling`` draws of older certificates
* ``reviews``     review tasks and items · ``review_lists`` · ``plans`` when tasks come due
* ``scoring``     rule results and scores · ``scenarios`` · ``appeals`` the way of quality items
* ``destinations`` where events may be pushed to
* ``access``      rights and VDN boundaries
* ``events``      the vocabulary in which the live half speaks to the outside

Called by every other room; calls none of them.
"""
