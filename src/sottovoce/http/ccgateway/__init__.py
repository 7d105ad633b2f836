"""The agent gateway (CC-Gateway) on the wire: `/agentgateway/resource/...`, as existing clients expect it.

* ``served``      lists what is served, and makes its routes
* ``gateway``     what an interface declares; what interfaces reach; the caller
* ``dialect``     Guid to a caller, successes and refusals to answers; handed to ``http.family``
* ``onlineagent`` ``agentevent`` ``voicecall`` ``qualitycontrol`` ``agentgroup`` ``calldata`` ``queuedevice``
                  ``recordplay`` ``textchat``
                  the interfaces served, one module per word of the path
* ``words``       lenient input; ``retcodes`` refusals to codes; ``states`` the numbers of states;
                  ``events`` and ``snapshot`` domain events and pictures in the wire's spelling
* ``overload``    how often agents may ask
* ``polls``       the long poll's exact delivery; ``pushes`` how a push is spelt
* ``library``     all interfaces for scripts of web pages (``resource.js``), which pages load from here

The ledger is ``contracts/cc-gateway.yaml``; tests compare it with the routes both ways. Called by
`http.site`; asks `live.desk.Desk` with the live half's commands.
"""
