"""The subcommands, one module per noun: ``running``, ``status``, ``settings``, ``database``, ``backup``,
``audit``, ``agents``, ``users``, ``app_keys``, ``contacts`` with their ``results`` and ``scores`` (also as
``sheets``), ``retention``, ``inspection``, ``sampling``, ``compat``.

``cli`` puts them together. Each command reads the settings, does one thing by the rooms' own
functions and prints what it did. ``telling`` turns what people can mend into a sentence on
standard error and an exit code: 0 done, 1 it failed or did not hold, 2 the call or the settings
are wrong. Nothing that a user does wrong ends in a traceback.
"""
