"""`sottovoce selftest`: proves who hears whom on a running server, with phones of its own.

- `stage.Stage`: where the server is and who takes part (from a YAML file, or made by who starts a server).
- `parties.Parties`: the phones, each with its own tone, and the gateway clients of agent and inspector.
- `steps`: the walk through every mode and back; each step with the table of who must hear whom,
  written out by hand and not taken from the server's own.
- `measures`: leakage of the whisper, time from request to ear, losses and level, echo.
- `proof`: the customer leg's bytes with and without a whisper, on the in-process engine.
- `findings`: what was found, as plain data; `report` prints it; `run` is the entry.

The command line calls it and hands in how a server is started; it calls `client` and `phones`, and
sees the server only as a client and as telephones do.
"""
