"""The HTTP side: thin adapters between a wire and one use case each.

* ``server``     uvicorn embedded in the running loop; TLS by setting; graceful stop
* ``edge``       what holds for every request: slashes folded, bodies bounded, no traceback leaves, CORS
* ``site``       puts the families together into one ASGI application
* ``bodies``     a request's body, of who is no caller a little
* ``peers``      how much each far side may hold: connections, requests, bytes
* ``family``     the interface kit: forms, routes, answers, faults of every family
* ``operators``  health, readiness, metrics and status, for who runs the server
* ``tally``      how often each family was asked, and what became of it
* ``ccgateway``  the agent gateway: sign-in, states, event poll, calls, live supervision
* ``ccsqm``      quality inspection and its token; ``ccisqm`` machine inspection, in the same dialect

Called by `app` alone; calls `live.desk.Desk`, `quality`, `observing` and the words of `domain`. A request
flows server -> edge -> family.routes -> caller -> form -> one use case -> answer; a refusal
(`errors.Refused`) becomes a code of its family in one table. Foreign spellings live here and in
``contracts/`` only.
"""
