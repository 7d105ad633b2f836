"""A small CC-Gateway client, written as an integrator would write it against the documents.

- `ccgateway.Gateway`: one connection pool to one server.
- `ccgateway.AgentClient`: one agent: signs in, keeps the Guid, polls events, calls the interfaces.
- `ccgateway.GatewayEvent`, `ccgateway.Answer`, `ccgateway.Failed`: what comes back.

selftest, demo and tests call it. Requests go out over httpx; events come in from one long poll per
agent into a queue, and whoever waits for one takes it from there. It knows the wire only, never the floor.
"""
