"""Clients of what we serve, written as an integrator would write them against the documents.

- `ccsqm.Quality`: the quality inspection interfaces; a package of its own.
- `ccgateway.Gateway`: one connection pool to one server.
- `ccgateway.AgentClient`: one agent: signs in, keeps the Guid, polls events, calls the interfaces.
- `ccgateway.GatewayEvent`, `ccgateway.Answer`, `ccgateway.Failed`: what comes back.

selftest, demo and tests call it. Requests go out over httpx; events come in from one long poll per
agent into a queue, and whoever waits for one takes it from there. It knows the wire only, never the floor.
"""
