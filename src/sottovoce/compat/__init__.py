"""`sottovoce compat`: whether a server, this one or another, keeps the documented interfaces.

* ``findings``  a check's verdict, the counts, the exit code
* ``wire``      requests as anybody could send them, wrong ones too; answers as they came
* ``shapes``    documented forms of answers, from the ledgers, and what of an answer is not so
* ``filters``   what a filter has to answer, against the same list without it
* ``bench``     where checks run: the server, the people given, what was made and must go again
* ``report``    the table, and the same as JSON
* ``sqm/``      the checks of CC-SQM, one module per part of the path
* ``run``       the entry

A documented effect is checked by its effect: read back by another interface, or by the same list without the
filter. What the server has too little of to be told apart is put down as not judged. The command line calls
``run.main``. A check's verdict rests on what a page says; where no page says it, the check is marked inferred
and a difference fails only when asked for (``strict``). It knows the wire, and nothing of the server that
runs in the same package.
"""
