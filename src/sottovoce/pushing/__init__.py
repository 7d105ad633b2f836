"""Events pushed to a client's own server, instead of being polled (`docs/decisions/0042-push.md`).

Called by `app`, and by `http.ccgateway` at sign-in; takes what `live.feed` has for an agent, tells
`live.desk` when nothing arrives.

* ``addresses``  which addresses may be connected to (pure); which URLs may is `domain.destinations`
* ``course``     how pushing to one agent goes: when it counts as not reached (pure)
* ``seals``      a destination as it is kept: nobody reads its token
* ``posting``    one POST, to the very address that was looked at, within all bounds
* ``pusher``     empties the queues, in order

What a POST looks like on the wire is handed in (`pusher.Spelling`).
"""
