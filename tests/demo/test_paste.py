"""The curl lines say what the documents say, in a form that any shell takes."""

from __future__ import annotations

import shlex
import subprocess

from sottovoce.demo.paste import afterwards_lines, lines, text

LINES = lines("http://127.0.0.1:8043", 301, "secret", "8301", 101)
DIRECTOR, INSPECTOR = "1611917095665261978", "1600226476732482572"
AFTERWARDS = afterwards_lines("http://127.0.0.1:8043", "key", "secret", DIRECTOR, INSPECTOR)


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


def test_as_a_file_each_stands_below_what_it_does() -> None:
    told = text(LINES, AFTERWARDS).splitlines()
    for line in (*LINES, *AFTERWARDS):
        assert told[told.index(line.command) - 1] == f"# {line.then}"
    assert "need curl" in told[0]


def test_a_shell_takes_them() -> None:
    for line in (*LINES, *AFTERWARDS):
        subprocess.run(["sh", "-n", "-c", line.command], check=True)


def test_the_last_one_is_the_seeds() -> None:
    words = shlex.split(AFTERWARDS[-1].command.replace("$TASK", "16239241148860783173"))
    assert words[-1] == (
        "http://127.0.0.1:8043/apiaccess/CCSQM/rest/ccisqm/v1/qualitytask/terminateQualityTask"
    )
    assert words[words.index("-d") + 1] == '{"qualityTaskId":"16239241148860783173"}'
    assert f"X-UserID: {DIRECTOR}" in words


def test_what_is_kept_is_found_in_the_answers() -> None:
    answer = (
        '{"resultCode":"0409000","resultDesc":"Operation successful.","total":2,"data":['
        '{"id":"11","calls":[{"call_id":"1","taskId":"11"}],"setting":{"call_id":"1","taskId":"11"}},'
        '{"id":"12","calls":[{"call_id":"2","taskId":"12"}],"setting":{"call_id":"2","taskId":"12"}}]}'
    )
    sed = AFTERWARDS[3].command.partition(" | ")[2].partition("); echo")[0]
    found = subprocess.run(["sh", "-c", sed], input=answer, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "12 2"
    split = 'ITEM="12 2"; echo ${ITEM#* } ${ITEM% *}'
    assert subprocess.run(["sh", "-c", split], capture_output=True, text=True, check=True).stdout == "2 12\n"
