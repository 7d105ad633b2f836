"""The whole application: its documents by setting, and its answer outside all families."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from tests.contract.standing import Standing

from sottovoce.config import HttpSettings
from sottovoce.http.site import site


@pytest.mark.parametrize(("docs", "status"), [(True, 200), (False, 404)])
async def test_openapi_by_setting(tmp_path: Path, docs: bool, status: int) -> None:
    app = site(Standing(tmp_path).gateway, HttpSettings(docs=docs, origins=()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        answer = await http.get("/openapi.json")
        page = await http.get("/docs")
        elsewhere = await http.get("/elsewhere")
    assert (answer.status_code, page.status_code) == (status, status)
    assert elsewhere.status_code == 404
    assert elsewhere.json() == {"error": "no such interface"}
    if docs:
        paths = answer.json()["paths"]
        assert "/agentgateway/resource/qualitycontrol/{agentid}/requeststopwhisperagent" in paths


async def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    app = site(Standing(tmp_path).gateway, HttpSettings(docs=True))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        page = await http.get("/docs")
        wrong = await http.post("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "//" not in page.text.replace("</", ""), "no address of another server"
    assert 'fetch("openapi.json")' in page.text
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD")
    assert wrong.json() == {"error": "the interface does not know this method"}


@pytest.mark.parametrize("set_for", ["", "origins", "quality_origins"])
async def test_scripts_of_other_origins_may_call_the_gateway_alone_unless_set(
    tmp_path: Path, set_for: str
) -> None:
    origins = {set_for: ["https://desk.example"]} if set_for else {}
    settings = HttpSettings.model_validate({"docs": True, **origins})
    asked = {"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"}
    app = site(Standing(tmp_path).gateway, settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        let = {
            path: (await http.options(path, headers=asked)).headers.get("access-control-allow-origin")
            for path in (
                "/agentgateway/resource/onlineagent/101",
                "/apiaccess/CCSQM/rest/ccisqm/v1/qualitytask/queryQualityTask",
                "/apiaccess/CCISQM/rest/ccisqm/v1/credit",
                "/apigovernance/api/oauth/tokenByAkSk",
                "/openapi.json",
            )
        }
    desk = "https://desk.example"
    quality = desk if set_for == "quality_origins" else None
    assert list(let.values()) == [desk if set_for == "origins" else "*", quality, quality, quality, None]
