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
