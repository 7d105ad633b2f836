"""A client whose events are pushed, on the whole server: kill -9 included."""

from __future__ import annotations

import signal

from tests.e2e.served import ACCESS_CODE, SECRET, gateway, outside, registered, serving
from tests.push_server import push_server

TOKEN, KEY = "t0p-s3cret-of-pushes", "k3y-in-the-query"


async def test_pushes_go_on_after_kill_9_and_no_secret_is_left_anywhere() -> None:
    async with push_server() as server:
        push = f'[push]\nallowed = ["{server.url("/cc")}"]\nnetworks = ["127.0.0.1/32"]\nretry = 0.1'
        async with (
            serving(push) as served,
            gateway(served) as client,
            registered(served, "8101"),
            outside() as customer,
        ):
            ann = client.agent(101)
            await ann.sign_in(
                SECRET, "8101", callBackUri=server.url(f"/cc/events?key={KEY}"), serviceToken=TOKEN
            )
            await ann.reset_skills()
            call = await customer.call(ACCESS_CODE, via=served.hop)
            await call.talking()
            await server.until(lambda: "AgentEvent_Talking" in server.events())
            await served.stop(signal.SIGKILL)
            came = len(server.events())
            await served.start()
            await server.until(lambda: "AgentState_Ready" in server.events()[came:])
            assert {pushed.headers["service_token"] for pushed in server.taken} == {TOKEN}
            assert {pushed.target for pushed in server.taken} == {f"/cc/events?key={KEY}"}
            said = served.log.read_text()
            folders = [path for path in (served.folder / "data").rglob("*") if path.is_file()]
            assert not any(word in said for word in (TOKEN, KEY))
            found = [path for path in folders for word in (TOKEN, KEY) if word.encode() in path.read_bytes()]
            assert found == []
            assert await served.stop() == 0
