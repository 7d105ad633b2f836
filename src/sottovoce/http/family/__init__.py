"""The one interface kit: what all interface families have in common. A family puts its dialect on top.

* ``declared``  an interface: path, verbs, form, use case; and how a family lists its own
* ``form``      a request's fields: JSON bodies, whole numbers, texts; what is wrong names the field only
* ``routes``    declared -> routes; the one ladder of what can go wrong; the dialect that a family hands in
* ``answer``    an answer's bytes and headers, made here only; faults that no interface was reached for
* ``ranges``    a file as an answer, whole or in part
* ``pending``   what is known and not served, from the ledgers

A family knows how its caller is found, how its forms are read, and how it spells successes and failures;
nothing in here knows a family.
"""
