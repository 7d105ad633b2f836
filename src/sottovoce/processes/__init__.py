"""Processes of our own that work beside the server, each at the end of one control socket.

* ``protocol``    what is said over the socket: calls, answers, events; length-prefixed msgpack, pure
* ``connection``  one such process as the server sees it: started, asked, watched, ended

A room that has such a process (`media`, `doors.browser`) says in a vocabulary of its own what can be asked.
"""
