"""The documented forms of answers, field by field; `!` marks what a page calls mandatory."""

from __future__ import annotations

from sottovoce.compat.shapes import ANY, FLAG, ID, NUMBER, NUMBER_OR_TEXT, TEXT, Shape

TOKEN: Shape = {
    "AccessToken!": TEXT,
    "ApplyType!": TEXT,
    "CreateTime!": TEXT,
    "Expires!": TEXT,
    "Scope!": TEXT,
    "AppKey!": TEXT,
    "UserID!": TEXT,
}
"""[2211]: every value a String."""
CODED: Shape = {"resultCode": TEXT, "resultDesc": TEXT}

TASKS: Shape = {
    "total!": NUMBER,
    "data!": [
        {
            "id": ID,
            "planCode!": TEXT,
            "planCodeStr!": TEXT,
            "planName!": TEXT,
            "createTime!": NUMBER,
            "creatOperator!": TEXT,
            "callStart": NUMBER,
            "callEnd": NUMBER,
            "inspectTotalCount!": NUMBER,
            "inspectFinishedCount!": NUMBER,
            "reviewTotalCount!": NUMBER,
            "reviewFinishedCount!": NUMBER,
            "status!": TEXT,
            "effectiveDate": NUMBER,
            "personType!": NUMBER,
            "reviewingOfficer": TEXT,
            "reviewingOfficerName": TEXT,
            "isManipulate!": NUMBER,
            "interactionType": TEXT,
        }
    ],
    "resultCode!": NUMBER,
    "resultDesc": TEXT,
    "returnCode": TEXT,
    "returnDesc": TEXT,
}
"""[2508]"""
TASK_CALLS: Shape = {
    "total!": NUMBER,
    "data!": [
        {
            "id": ID,
            "inspector": TEXT,
            "inspectStatus": NUMBER,
            "calls": [
                {
                    "call_id": TEXT,
                    "file_name": TEXT,
                    "duration": NUMBER,
                    "upload_time": NUMBER,
                    "call_time": NUMBER,
                    "call_uuid": TEXT,
                    "taskId": ID,
                    "call_type": NUMBER,
                    "inspectStatus": NUMBER,
                    "leftChannel": TEXT,
                    "leftSpeechRatio": NUMBER,
                    "rightSpeechRatio": NUMBER,
                }
            ],
            "setting": {"call_id": TEXT, "taskId": ID, "staffId": TEXT, "staff_name": TEXT},
            "inspectorName": TEXT,
            "is_group": FLAG,
        }
    ],
    "resultCode": TEXT,
    "resultDesc": TEXT,
}
"""[2514]"""
PLAN_MADE: Shape = {"resultCode": TEXT, "resultDesc": TEXT, "objId": TEXT}
"""[2731(C)]"""
PLANS: Shape = {
    "total": NUMBER,
    "list!": [
        {
            "nextExecutionTimeStr": NUMBER,
            "qiqtCreateTimeStr": NUMBER,
            "qiqtCreater": TEXT,
            "qiqtCycleType": TEXT,
            "qiqtEndTimeStr": TEXT,
            "qiqtEndType": TEXT,
            "qiqtEndTypeStr": TEXT,
            "qiqtExecutionTimes": NUMBER,
            "qiqtId": TEXT,
            "qiqtName": TEXT,
            "qiqtStartTimeStr": NUMBER,
            "qiqtStatus": TEXT,
            "qiqtTotalTimes": NUMBER,
            "interactionType": TEXT,
        }
    ],
    "resultCode": TEXT,
    "resultDesc": TEXT,
}
"""[2501]"""

_SIDES: Shape = {
    "left_channel": TEXT,
    "left_silence_time": NUMBER,
    "left_speech_ratio": NUMBER,
    "left_speed": NUMBER,
    "right_channel": TEXT,
    "right_silence_time": NUMBER,
    "right_speech_ratio": NUMBER,
    "right_speed": NUMBER,
}
DETAILS: Shape = {
    "paging": {"total": NUMBER},
    "data": [
        {
            "calls": [
                {
                    "call_id": TEXT,
                    "call_time": NUMBER,
                    "call_type": NUMBER,
                    "call_uuid": TEXT,
                    "deal": NUMBER,
                    "duration": NUMBER,
                    "file_name": TEXT,
                    "staff_id": TEXT,
                    "status": NUMBER,
                    "upload_time": NUMBER,
                    "staff_name": TEXT,
                    **_SIDES,
                }
            ]
        }
    ],
}
"""[2492]"""


def detail(speaker: Shape = TEXT, status: Shape = NUMBER) -> Shape:
    """[2493]; the CC-iSQM copy [2526] has a speaker of another type."""
    return {
        "call_uuid": TEXT,
        "call_id": ID,
        "call_time": NUMBER,
        "call_type": NUMBER,
        "deal": NUMBER,
        "duration": NUMBER,
        "file_name": TEXT,
        "upload_time": NUMBER,
        "rule_severity_violation_count": NUMBER,
        "staff_id": TEXT,
        "status": NUMBER,
        **_SIDES,
        "segments": [
            {
                "asr_text": TEXT,
                "speaker": speaker,
                "start_time": NUMBER,
                "end_time": NUMBER,
                "segment_id": ID,
                "status": status,
            }
        ],
        "left_emotions": [{"type": TEXT, "score": NUMBER}],
    }


RULE: Shape = {
    "valid": FLAG,
    "score": NUMBER,
    "invalid_segment": [{"start_time": NUMBER, "end_time": NUMBER, "call_id": TEXT}],
    "revise_id": TEXT,
    "revise": NUMBER,
    "name": TEXT,
    "setting": {
        "rule_id": NUMBER_OR_TEXT,
        "rule_name": TEXT,
        "silence_id": NUMBER_OR_TEXT,
        "name": TEXT,
    },
}
SCENARIO_SCORE: Shape = {
    "score": NUMBER,
    "rules": [RULE],
    "silence_rule": [RULE],
    "speed_rule": [RULE],
    "setting": {"group_id": TEXT, "group_name": TEXT, "ignore_sensitive": NUMBER, "description": TEXT},
}
CREDIT: Shape = {"create_time": NUMBER, "credit": [SCENARIO_SCORE]}
"""[2527]; the table has one object, the example a list of them."""

ITEMS: Shape = {
    "total": NUMBER,
    "pages": NUMBER,
    "data": [
        {
            "id": ID,
            "taskTypeName": TEXT,
            "inspectorName": TEXT,
            "reviewingOfficerName": TEXT,
            "initiatorName": TEXT,
            "taskOperatorName": TEXT,
            "agentName": TEXT,
            "taskStatusName": TEXT,
            "calls": [{"call_uuid": TEXT}],
            "createTimeStr": TEXT,
            "updateTimeStr": TEXT,
            "setting": {"file_name": TEXT},
        }
    ],
    "pageSize": NUMBER,
    "pageNum": NUMBER,
}
"""[2519]"""
ITEM_DETAIL: Shape = {
    "agentIsNull": FLAG,
    "qualityItemRuleHit": [
        {
            "id": ID,
            "callId": NUMBER_OR_TEXT,
            "ruleId": NUMBER_OR_TEXT,
            "ruleName": TEXT,
            "ruleDescribe": TEXT,
            "valid": NUMBER,
            "type": NUMBER,
            "createTime": NUMBER,
            "updateTime": NUMBER,
            "description": TEXT,
            "appealId": ID,
            "reviseId": TEXT,
            "ruleGroupId": NUMBER_OR_TEXT,
            "revise": NUMBER,
        }
    ],
    "title": TEXT,
    "qualityItem": {"callId": NUMBER_OR_TEXT, "taskType": NUMBER},
}
"""[2520]; ids of calls and rule groups are UUIDs in the examples (Part 6.7)."""
ITEM_RESULT: Shape = {
    "manuallyScore": NUMBER,
    "automaticScore": NUMBER,
    "ruleGroupId": NUMBER_OR_TEXT,
    "ruleGroupName": TEXT,
    "createTime": NUMBER,
    "credit": SCENARIO_SCORE,
}
"""[2521]; the table has one object, the example a list of them."""
HISTORY: Shape = {
    "showAssgin": FLAG,
    "workflowNodeList": [
        {
            "nodeName": TEXT,
            "nodeId": TEXT,
            "remark": TEXT,
            "createTime": NUMBER_OR_TEXT,
            "handler": TEXT,
            "conclusion": TEXT,
            "assignHistoryList": [
                {"assignee": TEXT, "newHandler": TEXT, "originalHandler": TEXT, "assignTime": NUMBER_OR_TEXT}
            ],
        }
    ],
    "canHandle": FLAG,
    "showReassgin": FLAG,
}
"""[2522]"""
PROFILES: Shape = {
    "using!": TEXT,
    "fundamental_score!": [
        {"id": ID, "lower_bound": NUMBER, "upper_bound": NUMBER, "base": NUMBER, "name": TEXT}
    ],
    "resultCode": TEXT,
    "resultDesc": TEXT,
}
"""[2420]"""
SCENARIO_MADE: Shape = {"group_id!": TEXT, "resultCode": TEXT, "resultDesc": TEXT}
"""[2487]"""
_SCENARIO: Shape = {
    "group_id": TEXT,
    "group_name": TEXT,
    "is_enable": NUMBER,
    "other": ANY,
    "create_time": NUMBER,
    "description": TEXT,
    "ignore_sensitive": NUMBER,
}
SCENARIO: Shape = {
    **_SCENARIO,
    "rules": [TEXT],
    "silence_rules": [TEXT],
    "speed_rules": [TEXT],
    "interposal_rules": [TEXT],
}
"""[2488]"""
SCENARIOS: Shape = {
    "total": NUMBER,
    "data": [{**_SCENARIO, "rule_count": NUMBER, "interaction_type": NUMBER}],
}
"""[2490]"""
