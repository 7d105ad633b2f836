"""The lies: what is done to a request or an answer, for each field whose effect can be seen.

Those with `seen` are told together with others about the same interface: each is about a field of which a
check of its own speaks, or a word of its own in a check's reason. The others are told alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tests.compat.lying import Lie, changed

ABSENT = object()
FROM, UNTIL = 1, 4_000_000_000
SUCCESSFUL = "Operation successful."
Fields = Mapping[str, Any] | Iterable[str]
_SQM, _ISQM = "/CCSQM/rest/ccisqm/v1", "/CCISQM/rest/ccisqm/v1"
_DETAILS, _DETAIL = f"{_SQM}/appraisecall/details", f"{_SQM}/appraisecall/detail"
_SPEECH = f"{_ISQM}/appraisecall/detail"
_TASKS, _PLANS, _ITEMS = "/qualitytask/", "/regularqualitytask/", "/qualityitem/"
_PROFILES, _SCENARIOS = "/appraisescore/", "/scenariomanage/"
_QUERY, _CALLS = f"{_TASKS}queryQualityTask", f"{_TASKS}callsQualityTask"


def _each(fields: Fields, value: Any) -> dict[str, Any]:
    return dict(fields) if isinstance(fields, Mapping) else dict.fromkeys(fields, value)


def _ignores(
    path: str, only: str, fields: Fields, within: str = "", *, seen: str | None = "{}: all that fit"
) -> Iterator[Lie]:
    """Fields of a request that are not looked at: instead of each stands its value here, or nothing.

    `seen` is where each is told of, with the field's name in it; None: each is told alone.
    """
    for field, value in _each(fields, ABSENT).items():
        where = (within + field).split(".")

        def ignore(body: dict[str, Any], where: list[str] = where, value: Any = value) -> None:
            holder: Any = body
            for part in where[:-1]:
                holder = holder.get(part)
                if not isinstance(holder, dict):
                    return
            if value is ABSENT:
                holder.pop(where[-1], None)
            elif where[-1] in holder:
                holder[where[-1]] = value

        told = None if seen is None else seen.format(field)
        name = f"{path} ignores {within}{field} ({only})"
        yield Lie(name, path, only.format(field), told, f"{path} asked", asked=ignore)


def _tells(
    path: str, only: str, fields: Fields, base: str = "", *, seen: str | None = r"\b{} "
) -> Iterator[Lie]:
    """Fields of an answer that have another value, or the one that a function makes of theirs."""
    for field, value in _each(fields, _more).items():

        def tell(document: Any, where: str = base + field, value: Any = value) -> Any:
            return changed(document, where, value if callable(value) else lambda _: value)

        what = "something else" if callable(value) else repr(value)
        leaf = field.rsplit(".", 1)[-1]
        told = None if seen is None else seen.format(leaf)
        yield Lie(
            f"{path} tells {base}{field} as {what} ({only})", path, only, told, f"{path} told", told=tell
        )


def _idle(code: str, only: str, *paths: str) -> Iterator[Lie]:
    """Interfaces that say that it is done, and do nothing."""
    answer = {"resultCode": code, "resultDesc": SUCCESSFUL}
    for path in paths:
        yield Lie(f"{path} does nothing", path, only, instead=lambda body: answer)


def _agrees(code: str, only: str, *paths: str, refused: str = "005") -> Iterator[Lie]:
    """Interfaces that say of what they refuse that it is done."""

    def agree(document: Any) -> Any:
        no = isinstance(document, dict) and str(document.get("resultCode")).endswith(refused)
        return {"resultCode": code, "resultDesc": SUCCESSFUL} if no else document

    for path in paths:
        seen = f"^{path.removeprefix('/')} .*what it answers is so" if refused == "005" else None
        yield Lie(f"{path} never answers {refused} ({only})", path, only, seen, "agrees", told=agree)


def _repeats(path: str, only: str) -> Iterator[Lie]:
    """A list whose members are all the first."""

    def repeat(document: Any) -> Any:
        return changed(document, "data", lambda rows: rows[:1] * len(rows))

    yield Lie(f"{path} lists the first again and again", path, only, told=repeat)


def _more(value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int() if value > 1e11:
            return value + 86_400_000
        case int() | float():
            return value + 7
        case str() if value.isdigit():
            return str(int(value) + 7)
        case str():
            return value + "x"
    return value


def _token() -> Iterator[Lie]:
    path, query = "oauth/tokenByAkSk", f"{_PLANS}queryQualityTask"
    given: dict[str, Any] = {}

    def give(document: Any) -> Any:
        if isinstance(document, dict) and "AccessToken" in document:
            given.update(document)
        return dict(given)

    def unlimited(headers: dict[str, str], token: str) -> None:
        headers.pop("x-token-expire", None)

    told = {"ApplyType": "Basic", "UserID": "1", "AppKey": "x"}
    yield from _tells(path, "token", {**told, "Expires": "60", "CreateTime": "1545650171"})
    yield from _tells(path, "token", {"Scope": 1}, seen=None)
    yield Lie("a token has the usual lifetime in any case", path, "token", headers=unlimited)
    yield Lie("a token is given for any secret", path, "token", told=give)
    yield Lie("a token never ends", query, "token", headers=_good)
    yield Lie("no token is needed", query, "requests:regularqualitytask/queryQualityTask", headers=_good)


def _good(headers: dict[str, str], token: str) -> None:
    headers["authorization"] = f"Bearer {token}"


_TOLD_OF_CALLS = (
    *("call_id", "call_time", "call_type", "duration", "file_name", "staff_id", "status", "upload_time"),
    *("left_channel", "left_silence_time", "left_speech_ratio"),
    *("right_channel", "right_silence_time", "right_speech_ratio"),
)


def _calls() -> Iterator[Lie]:
    neutral = {"call_types": [], "status": [], "upload_from": FROM, "upload_to": UNTIL}
    dropped = ("call_from", "call_to", "keyword", "staff_id", "staff_name", "duration_min", "duration_max")
    yield from _ignores(_DETAILS, "calls", {**dict.fromkeys(dropped, ABSENT), **neutral})
    yield from _ignores(_DETAILS, "calls:none", {"limit": 100, "page": 1}, seen=None)
    yield from _tells(_DETAILS, "calls:none", _TOLD_OF_CALLS, "data[].calls[].")
    yield from _tells(_DETAILS, "calls:none", {"paging.total": 42}, seen=None)
    yield from _tells(_DETAILS, "calls:none", {"paging.total": str}, seen=None)
    nothing = {"paging": {"total": 0}, "data": []}
    yield Lie("details lists nothing", _DETAILS, "calls:none", instead=lambda body: nothing)
    yield from _repeats(_DETAILS, "calls:none")
    for path in (_DETAIL, _SPEECH):
        said = ("segments[].asr_text", "segments[].start_time", "segments[].end_time")
        yield from _tells(path, "calls:none", (*_TOLD_OF_CALLS, "call_uuid", *said))


def _samples() -> Iterator[Lie]:
    neutral = {"interactionType": 0}
    dropped = ("scoreStart", "scoreEnd", "durationStart", "durationEnd", "staffIds")
    for path, word in ((f"{_TASKS}createQualityTask", "create"), (f"{_TASKS}updateQualityTask", "update")):
        only = f"samples:{word}.{{}}"
        yield from _ignores(path, only, {**dict.fromkeys(dropped, ABSENT), **neutral}, "fixedColumns.")
        yield from _ignores(path, only, {"startTimeMillis": FROM, "endTimeMillis": UNTIL * 1000})
        counts = {"maxNum": 1000, "qualityNum": 100, "qualityType": 1, "qualityCondition": 2}
        yield from _ignores(path, only, counts, "fixedColumns.", seen=None)


def _task_lists() -> Iterator[Lie]:
    lists, items = "tasks:list.none", "tasks:items.none"
    columns = ("fileName", "creatOperator", "status", "planName")
    window = {"startTimeMillis": FROM, "endTimeMillis": UNTIL * 1000}
    called = dict.fromkeys(("callStartTimeMillis", "callEndTimeMillis"), ABSENT)
    yield from _ignores(_QUERY, "tasks:list.{}", columns, "fixedColumns.")
    yield from _ignores(_QUERY, "tasks:list.{}", {**window, **called})
    yield from _tells(_QUERY, lists, ("inspectTotalCount", "inspectFinishedCount"), "data[].")
    within = {"callStart": 3_000_000_000_000, "callEnd": 1_000_000_000_000}
    yield from _tells(_QUERY, lists, within, "data[].", seen="{}: the calls")
    yield from _tells(_QUERY, lists, {"personType": 1}, "data[].", seen=None)
    yield from _tells(_QUERY, "tasks:list.startTimeMillis", ("createTime",), "data[].", seen=None)
    yield from _tells(_QUERY, "tasks:list.creatOperator", {"creatOperator": "x"}, "data[].", seen=None)
    yield from _tells(_QUERY, "tasks:list.none", ("planCode", "planName", "id"), "data[].", seen=None)
    counts = ("reviewTotalCount", "reviewFinishedCount")
    yield from _tells(_QUERY, "tasks:items.reviewingStates", counts, "data[].", seen=None)
    filters = ("inspectStatus", "inspector", "fileName", "staff", "durationFrom", "durationTo")
    yield from _ignores(_CALLS, "tasks:items.{}", filters, "fixedColumns.")
    yield from _ignores(
        _CALLS,
        "tasks:items.{}",
        ("showReviewingOfficer", "reviewingStates"),
        "fixedColumns.",
        seen="{}: each",
    )
    yield from _ignores(_CALLS, items, {"rows": 100, "page": 1}, seen=None)
    of_call = ("call_id", "file_name", "duration", "upload_time", "call_time", "call_type")
    of_item = (*of_call, "leftChannel", "taskId", "inspectStatus")
    yield from _tells(_CALLS, items, of_item, "data[].calls[].")
    heard = ("leftSpeechRatio", "rightSpeechRatio")  # alone: a first call that was not heard yet has none
    yield from _tells(_CALLS, items, heard, "data[].calls[].", seen=None)
    yield from _tells(_CALLS, items, ("staffId", "staff_name"), "data[].setting.")
    yield from _tells(_CALLS, items, ("call_id", "taskId"), "data[].setting.", seen=None)
    alone = {"inspector": "x", "inspectStatus": -1, "calls[].call_uuid": "x", "id": _more}
    yield from _tells(_CALLS, items, alone, "data[].", seen=None)
    yield from _repeats(_CALLS, items)


def _task_states() -> Iterator[Lie]:
    states, plain = "tasks:states", "tasks:none"
    acts = ("update", "delete", "terminate", "takeEffect", "appoint", "complete", "create")
    yield from _idle("0409000", plain, *(f"{_TASKS}{act}QualityTask" for act in acts))
    wrong = ("update", "delete", "takeEffect", "appoint", "complete")
    yield from _agrees("0409000", states, *(f"{_TASKS}{act}QualityTask" for act in wrong))
    yield from _agrees("0409000", "tasks:unknown", f"{_TASKS}deleteQualityTask", refused="004")
    yield from _ignores(f"{_TASKS}appointQualityTask", plain, {"isTakeEffect": 0}, seen=None)
    yield from _ignores(f"{_TASKS}takeEffectQualityTask", plain, {"type": "1"}, seen=None)
    yield from _ignores(f"{_TASKS}createQualityTask", plain, {"planName": "x"}, "qualityTask.", seen=None)
    yield from _ignores(f"{_TASKS}updateQualityTask", plain, {"planName": "x"}, "qualityTask.", seen=None)
    yield from _tells(_QUERY, states, {"isManipulate": 1}, "data[].", seen=None)
    for told in ({"status": "3"}, {"isManipulate": 0}, {"id": lambda one: int(float(one))}):
        yield from _tells(_QUERY, plain, told, "data[].", seen=None)
    yield from _tells(f"{_TASKS}terminateQualityTask", plain, {"resultCode": 409000}, seen=None)
    yield from _ignores(_QUERY, "tasks:query", {"rows": 100, "page": 1}, seen=None)
    yield from _tells(_QUERY, "tasks:query", {"total": 42, "returnCode": "0409"}, seen=None)
    yield from _tells(_CALLS, "tasks:calls", {"total": 42}, seen=None)


def _plans() -> Iterator[Lie]:
    query, add, update = (f"{_PLANS}{act}QualityTask" for act in ("query", "add", "update"))
    cron = {"qiqtStartTime": 3_990_000_000, "qiqtEndTime": 4_100_000_000}
    for path in (add, update):
        start = {name: at for name, at in cron.items() if path == update or name == "qiqtStartTime"}
        yield from _ignores(path, "plans", start, "cronStructure.", seen=r"\b{}Str ")
        yield from _ignores(path, "plans", {"qiqtTotalTimes": 9}, "cronStructure.", seen=r"\b{} ")
        yield from _ignores(path, "plans", {"qiqtName": "x"}, seen=None)
    columns = "extractionRange.fixedColumns."
    yield from _ignores(update, "plans", {"interactionType": 0}, columns, seen=r"\b{} ")
    yield from _ignores(
        update, "plans", {"qiqtCycleType": "1", "qiqtEndType": "1"}, "cronStructure.", seen=None
    )
    shown = ("qiqtStartTimeStr", "qiqtEndTimeStr", "qiqtEndType", "qiqtTotalTimes", "interactionType")
    yield from _tells(query, "plans", (*shown, "qiqtExecutionTimes"), "list[].")
    alone = {"nextExecutionTimeStr": 0, "qiqtStatus": "1", "qiqtCycleType": "daily", "qiqtName": "x"}
    yield from _tells(query, "plans", alone, "list[].", seen=None)
    yield from _tells(query, "plans", {"total": 42}, seen=None)
    yield from _ignores(query, "plans", {"rows": 100, "page": 1}, seen=None)
    renamed = {"list": "data"}
    named = lambda one: {renamed.get(name, name): value for name, value in one.items()}  # noqa: E731
    yield Lie("the plans are in data", query, "plans", told=named)
    acts = ("add", "update", "begin", "stop", "delete")
    yield from _idle("0408000", "plans", *(f"{_PLANS}{act}QualityTask" for act in acts))


def _scoring() -> Iterator[Lie]:
    create, modify, apply = (f"{_PROFILES}{act}AppraiseScore" for act in ("create", "modify", "apply"))
    query, part = f"{_PROFILES}queryAppraiseScore", "scoring"
    values = {"name": "x", "lower_bound": 3, "upper_bound": 97, "base": 50}
    for path in (create, modify):
        yield from _ignores(path, part, values, seen=r"\b{} ")
    yield from _tells(query, part, values, "fundamental_score[].")
    yield from _tells(query, part, {"using": "7"})
    yield from _ignores(query, part, {"limit": 100, "page": 1}, seen=None)
    yield from _idle("0412000", part, create, modify, apply)
    make, change, switch, find, listed = (
        f"{_SCENARIOS}{act}"
        for act in (
            "createScenario",
            "updateScenario",
            "updateScenarioStatus",
            "queryScenario",
            "queryAllScenario",
        )
    )
    named = {"group_name": "x", "description": "x"}
    yield from _ignores(make, part, {**named, "ignore_sensitive": 0}, seen=r"\b{} ")
    yield from _ignores(change, part, {**named, "ignore_sensitive": 1, "is_enable": 0}, seen=r"\b{} ")
    ends = dict.fromkeys(("call_from", "call_end"), 1_000_000)
    for path in (make, change):
        yield from _ignores(path, part, ends, "other.", seen=r"\b{} ")
    yield from _idle("0406000", part, change, switch)
    yield from _ignores(listed, part, ("scenarioName", "scenarioStatus", "startTime", "endTime"))
    yield from _ignores(listed, part, {"limit": 100, "page": 1}, seen=None)
    told = ("group_name", "is_enable", "description", "ignore_sensitive", "create_time", "other")
    yield from _tells(listed, part, {**dict.fromkeys(told, _more), "other": {}}, "data[].")
    yield from _tells(listed, part, {"total": 42}, seen=None)
    yield from _tells(find, part, {**dict.fromkeys(told, _more), "other": {}})


def _appeals() -> Iterator[Lie]:
    first, second, revise = "appeals:first", "appeals:second", "appeals:revise"
    names = ("queryQualityItem", "queryQualityItemDetail", "queryQualityItemResult", "queryQualityHistory")
    query, detail, result, history = (f"{_ITEMS}{name}" for name in names)
    names = ("reassginQualityTask", "modifyQualityItemResult", "appealItem")
    reassign, modify, judge = (f"{_ITEMS}{name}" for name in names)
    complain, credit, correct = (
        "appraisecall/complain",
        "appraisecall/credit",
        f"{_TASKS}modifyResultQualityTask",
    )
    columns = ("agentUserIds", "qualityUserIds", "taskType", "taskStatus")
    times = ("startTimeMillis", "endTimeMillis")
    yield from _ignores(query, second, columns, "fixedColumns.", seen="{} leaves others out")
    yield from _ignores(query, second, times, seen="{} leaves others out")
    yield from _ignores(query, second, {"rows": 100, "page": 1}, seen=None)
    yield from _tells(query, second, ("pages", "pageSize", "pageNum"))
    yield from _tells(query, second, ("total",), seen=None)
    yield from _tells(query, second, ("setting.file_name",), "data[].")
    yield from _tells(query, second, {"createTimeStr": "2031-01-01"}, "data[].", seen=None)
    yield from _repeats(query, second)
    hit = ("callId", "ruleId", "ruleName", "valid", "type", "appealId", "ruleGroupId")
    yield from _tells(detail, first, hit, "qualityItemRuleHit[].")
    yield from _tells(detail, first, ("reviseId",), "qualityItemRuleHit[].", seen=None)
    yield from _tells(detail, second, {"revise": -1}, "qualityItemRuleHit[].", seen=None)
    yield from _tells(detail, first, {"callId": "7", "taskType": 1}, "qualityItem.", seen=None)
    yield from _tells(detail, first, {"agentIsNull": _more}, seen=None)
    yield from _tells(
        result, first, {"automaticScore": 42, "ruleGroupName": _more, "credit.score": 42}, "[]."
    )
    yield Lie("the manual score is the machine's", result, second, told=_machine)
    yield from _tells(credit, first, {"score": 42, "setting.group_name": _more}, "[].credit[].", seen=None)
    rules = "[].credit[].silence_rule[]."
    yield from _tells(credit, first, {"valid": True, "revise_id": _more}, rules, seen=None)
    yield from _tells(credit, second, {"revise": -1}, rules, seen=None)
    yield from _tells(history, first, {"workflowNodeList": []}, seen=None)
    yield from _tells(
        history, first, {"remark": "", "handler": "", "conclusion": ""}, "workflowNodeList[].", seen=None
    )
    yield from _tells(history, second, {"assignHistoryList": []}, "workflowNodeList[].", seen=None)
    for may in (True, False):
        yield from _tells(history, second, {"canHandle": may}, seen=None)
    filed = {"callId": "1", "available": True}
    yield Lie("complain does nothing", complain, first, instead=lambda body: filed)
    yield Lie("complain agrees while an appeal is open", complain, first, told=_filed)
    yield Lie("complain takes all results", complain, first, asked=_all_results)
    yield from _idle("0410000", second, reassign, modify)
    yield from _idle("0410000", first, judge)
    yield from _agrees("0410000", second, reassign, judge, modify)
    yield from _ignores(modify, second, {"revise": 0}, "ruleInfo.", seen=None)
    yield from _ignores(judge, first, {"auditOperation": "pass", "coment": "x"}, seen=None)
    yield from _ignores(reassign, second, {"handler": "1600226359041729505"}, seen=None)
    yield from _idle("0409000", revise, correct)
    yield from _agrees("0409000", revise, correct)
    yield from _ignores(correct, revise, {"revise": 0}, "ruleInfo.", seen=None)
    yield from _ignores(_QUERY, revise, ("reviewingOfficer",), "fixedColumns.")
    reviews = ("reviewingOfficer", "reviewingStates", "showReviewingOfficer")
    yield from _ignores(_CALLS, revise, reviews, "fixedColumns.", seen=None)


def _machine(document: Any) -> Any:
    return [{**one, "manuallyScore": one["automaticScore"]} for one in document]


def _filed(document: Any) -> Any:
    refused = isinstance(document, dict) and document.get("resultCode") == "0407005"
    return {"callId": "1", "available": True} if refused else document


def _all_results(body: dict[str, Any]) -> None:
    for group in body.get("chooseRuleGroupList") or ():
        group["reviseIdList"] = [one[:-1] + letter for one in group["reviseIdList"] for letter in "ab"]


def _requests() -> Iterator[Lie]:
    item, scenarios = "qualityitem/queryQualityItem", "scenariomanage/queryAllScenario"
    yield Lie("no token is 200", item, f"requests:{item}", status=lambda one: 200 if one == 401 else one)
    yield Lie(
        "no JSON is 500", scenarios, f"requests:{scenarios}", status=lambda one: one + 100 * (one == 400)
    )


_ALL: tuple[Callable[[], Iterator[Lie]], ...] = (
    *(_token, _requests, _calls, _samples, _task_lists, _task_states, _plans, _scoring, _appeals),
)
LIES = tuple(lie for told in _ALL for lie in told())
