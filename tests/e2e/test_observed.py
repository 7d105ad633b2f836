"""A server as its operator sees it: by the socket, by the token, by Prometheus' words; and when it is ill."""

from __future__ import annotations

import asyncio
import json
import re
import signal
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.e2e.served import SECRET, Served, at_work, serving, stopped

DEPLOY = Path(__file__).parents[2] / "deploy"
TOKEN = {"Authorization": f"Bearer {SECRET}-for-operators"}
METRICS = re.compile(r"\b(sottovoce_\w+)")
LABELS = re.compile(r"\{([^}]*)\}|\b(?:by|without|on) *\(([^)]*)\)")


def expressions() -> list[str]:
    """All that the shipped alerts and board ask Prometheus."""
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    board = json.loads((DEPLOY / "grafana" / "sottovoce.json").read_text())
    asked = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    asked += [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    asked += [variable["query"] for variable in board["templating"]["list"] if variable["type"] == "query"]
    assert len(asked) > 20
    return asked


async def metrics(served: Served) -> str:
    async with httpx.AsyncClient(headers=TOKEN, timeout=15) as http:
        answer = await http.get(f"{served.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


async def test_metrics_status_and_what_is_shipped_agree() -> None:
    async with serving() as served, at_work(served) as floor:
        async with floor.ann.polling():
            call = await floor.customer.call("nobody", via=served.hop)
            await call.ended(10)
            call = await floor.talk()
            await floor.ian.whisper(101)
            await floor.ann.next_event("AgentOther_BeQcStart")
            await floor.customer.hear()
            during = await metrics(served)
            status = json.loads(await served.command("status", "--json"))
            shown = await served.command("status")
        call.hang_up()
        for _ in range(40):
            after = await metrics(served)
            if "calls_ended_total{" in after and "recordings_ended_total{" in after:
                break
            await asyncio.sleep(0.5)

    families = {family.name: family for family in text_string_to_metric_families(during)}
    samples = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families.values()
        for sample in family.samples
    }

    def sample(name: str, **labels: str) -> float:
        return samples[f"sottovoce_{name}", tuple(sorted(labels.items()))]

    assert sample("ready") == sample("database_up") == sample("sip_up") == 1
    assert sample("calls", vdn="1", state="talking") == sample("agents", vdn="1", state="talking") == 1
    assert sample("supervisions", vdn="1", mode="whisper") == 1
    assert sample("supervisions_begun_total", vdn="1", mode="whisper") == 1
    assert sample("registrations", vdn="1") == 2
    assert sample("queue_calls", vdn="1", skill="1") == 0
    assert sample("queue_wait_seconds_count", vdn="1", outcome="answered") == 1
    assert sample("legs", worker="media-0") == 3
    assert sample("tick_seconds_count", worker="media-0") > 10
    assert sample("packets_received_total", worker="media-0") > 100
    assert sample("recordings") == 1
    assert sample("polls") == 1
    assert sample("sip_refusals_total", method="INVITE", status="404") == 1
    assert sample("http_requests_total", family="/agentgateway/resource", outcome="served") >= 3
    assert sample("disk_free_bytes", folder="data") > 0
    assert 'calls_ended_total{reason="customer: normal",vdn="1"} 1.0' in after
    assert 'recordings_ended_total{outcome="whole",vdn="1"} 1.0' in after
    assert [number for number in ("5551", "101", "8101") if f'="{number}"' in during] == [], (
        "nobody is a label"
    )

    (floor,) = status["floors"]
    assert [(one["agent"], one["state"]) for one in floor["agents"]] == [
        (101, "talking"),
        (102, "preoccupied"),
    ]
    assert [(one["inspector"], one["mode"]) for one in floor["supervisions"]] == [(102, "whisper")]
    assert floor["hears"]["customer 5551"] == ["agent 101"]
    assert (status["ready"], [one["number"] for one in status["phones"]]) == (True, ["8101", "8102"])
    for words in (
        "Ann +talking",
        "inbound +talking +5551 +4000 +101",
        "102 +101 +whisper",
        "Sales +0",
        "2 +8101",
    ):
        assert re.search(words, shown), (words, shown)

    known = {sample.name for family in families.values() for sample in family.samples}
    known |= {line.split()[2] for line in during.splitlines() if line.startswith("# TYPE")}
    asked = {name for one in expressions() for name in METRICS.findall(one)}
    assert asked - known == set()
    labels = set(re.findall(r'[{,](\w+)="', during + after))
    assert not labels & {"job", "instance"}, "Prometheus has its own"
    used = {
        name
        for one in expressions()
        for braces, grouped in LABELS.findall(one)
        for name in re.findall(r"(\w+) *(?:=|!|,|$)", re.sub(r'"[^"]*"', "", braces or grouped))
    }
    assert used - labels <= {"job", "instance"}


async def test_who_may_ask_and_what_is_said_of_an_ill_server() -> None:
    async with serving() as served, httpx.AsyncClient(base_url=served.url) as http:
        for path in ("/health", "/ready", "/metrics"):
            for wrong in (
                {},
                {"Authorization": "Bearer wrong"},
                {"Authorization": TOKEN["Authorization"][7:]},
            ):
                answer = await http.get(path, headers=wrong)
                assert (answer.status_code, answer.headers["www-authenticate"][:6]) == (401, "Bearer")
            assert (await http.post(path, headers=TOKEN)).status_code == 405
        assert (await http.get("/status", headers=TOKEN)).status_code == 404, "of the machine's own operator"
        assert (await http.get("/health", headers=TOKEN)).json() == {"status": "live"}
        assert (await http.get("/ready", headers=TOKEN)).json() == {"ready": True, "reasons": []}

        workers = [one for one in served.process.children() if "sottovoce.media.process" in one.cmdline()]
        with stopped(*workers):
            await asyncio.sleep(1.2)
            answer = await http.get("/ready", headers=TOKEN, timeout=15)
            assert answer.status_code == 503
            assert answer.json() == {"ready": False, "reasons": ["media: worker media-0 is not up"]}
            assert (await http.get("/health", headers=TOKEN)).status_code == 200

        with stopped(*served.postgresql()):
            await asyncio.sleep(1.2)
            answer = await http.get("/ready", headers=TOKEN, timeout=15)
            assert answer.status_code == 503
            assert "database: no answer within 2 s" in answer.json()["reasons"]
            assert "sottovoce_database_up 0.0" in await metrics(served)


async def test_status_of_no_server_is_a_sentence() -> None:
    async with serving() as served:
        await served.stop(signal.SIGKILL)
        with pytest.raises(AssertionError, match=r"sottovoce: no server runs from .*data \(setting data\)"):
            await served.command("status")
