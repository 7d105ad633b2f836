"""The curl lines say what the documents say, in a form that any shell takes."""

from __future__ import annotations

import shlex
import subprocess

from sottovoce.demo.paste import lines

LINES = lines("http://127.0.0.1:8043", 301, "secret", "8301", 101)


def test_they_are_the_documented_requests() -> None:
    base = "http://127.0.0.1:8043/agentgateway/resource"
    asked = [shlex.split(line.command) for line in LINES[1:]]
    assert [(words[words.index("-X") + 1], words[-1]) for words in asked] == [
        ("PUT", f"{base}/qualitycontrol/301/addsupervise/101"),
        (
            "POST",
            f"{base}/qualitycontrol/301/requestswitchinsertwhisperagent?whisperagentid=101&switchtype=2",
        ),
        (
            "POST",
            f"{base}/qualitycontrol/301/requestswitchinsertwhisperagent?whisperagentid=101&switchtype=0",
        ),
        ("DELETE", f"{base}/qualitycontrol/301/101"),
        ("POST", f"{base}/qualitycontrol/301/requestwhisperagent?whisperagentid=101"),
        ("POST", f"{base}/qualitycontrol/301/requeststopwhisperagent?whisperagentid=101"),
        ("DELETE", f"{base}/onlineagent/301/forcelogout"),
    ]
    assert all("Guid: $GUID" in words for words in asked)


def test_a_shell_takes_them() -> None:
    for line in LINES:
        subprocess.run(["sh", "-n", "-c", line.command], check=True)
