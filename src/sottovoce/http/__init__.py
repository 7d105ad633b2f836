"""The HTTP side: thin adapters between a wire and one use case each.

* ``server``     uvicorn embedded in the running loop; TLS by setting; graceful stop
* ``edge``       what holds for every request: slashes folded, bodies bounded, no traceback leaves, CORS
* ``site``       puts the families together into one ASGI application
* ``ccgateway``  the agent gateway: sign-in, states, event poll, calls, live supervision

Called by `app` alone; calls `live.desk.Desk` and the words of `domain`. A request flows
server -> edge -> route -> decode -> one use case -> encode; a refusal (`errors.Refused`) becomes
a code of its family in one table. Foreign spellings live here and in ``contracts/`` only.
"""
