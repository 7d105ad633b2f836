"""A contact as clients of the quality family know it: a member of `calls[]`, or one call's whole detail.

`call` is the one of callsQualityTask [2514], in camel case with times in milliseconds; `listed` and
`detailed` are those of appraisecall [2492, 2493], in snake case with seconds. Speech ratios are percent,
silence is whole seconds, the times of segments are milliseconds from the call's begin (all inferred).
The customer is on the left channel. Of a recording with one channel both parties' figures stand on the left,
and neither channel has a name. Of the scores of several scenarios the lowest are told (inferred). What nobody
measures, the speed of speech and emotions, is null or empty.
"""

from __future__ import annotations

from typing import Any

from sottovoce.domain.contacts import Contact, Sentence, Speaker, Voice
from sottovoce.http.ccsqm.credit_wire import score
from sottovoce.http.ccsqm.words import milliseconds, seconds
from sottovoce.quality.contacts import ShownContact

_DEAL = 0
"""`deal` is explained nowhere."""
_SPEAKERS = {Speaker.CUSTOMER: 0, Speaker.AGENT: 1}
"""The numbers by which CC-iSQM tells speakers; of an unknown one -1 (inferred)."""


def call(contact: Contact) -> dict[str, Any]:
    """A member of callsQualityTask's `calls[]`, without `taskId` and `inspectStatus`."""
    left, right = _voices(contact)
    return {
        "call_id": str(contact.contact),
        "file_name": contact.file_name,
        "duration": contact.duration_s,
        "upload_time": milliseconds(contact.uploaded_at),
        "call_time": milliseconds(contact.began_at),
        "call_uuid": str(contact.uuid),
        "call_type": int(contact.interaction),
        "leftChannel": _channels(contact)[0],
        "leftSpeechRatio": _ratio(left),
        "rightSpeechRatio": _ratio(right),
    }


def listed(shown: ShownContact) -> dict[str, Any]:
    """A member of `calls[]` of appraisecall/details."""
    return {
        "call_id": str(shown.contact.contact),
        **_common(shown),
        "staff_name": shown.name or None,
        **_scores(shown),
    }


def detailed(shown: ShownContact) -> dict[str, Any]:
    """The answer of appraisecall/detail."""
    contact = shown.contact
    return {
        "call_id": contact.contact,
        **_common(shown),
        "segments": [_segment(number, one) for number, one in enumerate(contact.transcript or (), 1)],
        "rule_severity_violation_count": shown.violations,
        **_scores(shown),
        "left_emotions": [],
    }


def detailed_for_apps(shown: ShownContact) -> dict[str, Any]:
    """The answer of CC-iSQM's appraisecall/detail: no `deal`, speakers as numbers [2526]."""
    content = detailed(shown)
    del content["deal"]
    for segment, sentence in zip(content["segments"], shown.contact.transcript or (), strict=True):
        del segment["status"]
        segment["speaker"] = -1 if sentence.side is None else _SPEAKERS[sentence.side]
    return content


def _common(shown: ShownContact) -> dict[str, Any]:
    contact = shown.contact
    left, right = _voices(contact)
    left_channel, right_channel = _channels(contact)
    return {
        "call_time": seconds(contact.began_at),
        "call_type": int(contact.interaction),
        "call_uuid": str(contact.uuid),
        "deal": _DEAL,
        "duration": contact.duration_s,
        "file_name": contact.file_name,
        "left_channel": left_channel,
        "left_silence_time": _silence(left),
        "left_speech_ratio": _ratio(left),
        "left_speed": None,
        "right_channel": right_channel,
        "right_silence_time": _silence(right),
        "right_speech_ratio": _ratio(right),
        "right_speed": None,
        "upload_time": seconds(contact.uploaded_at),
        "staff_id": shown.user or (None if contact.agent is None else str(contact.agent)),
        "status": int(contact.status),
    }


def _scores(shown: ShownContact) -> dict[str, Any]:
    return {"automaticScore": score(shown.machine), "manuallyScore": score(shown.manual)}


def _voices(contact: Contact) -> tuple[Voice | None, Voice | None]:
    found = contact.analysis
    return (found.mixed, None) if found.mixed is not None else (found.customer, found.agent)


def _channels(contact: Contact) -> tuple[str, str]:
    if contact.analysis.mixed is not None:
        return "", ""
    return Speaker.CUSTOMER.value, Speaker.AGENT.value


def _ratio(voice: Voice | None) -> float | None:
    return None if voice is None else round(voice.speech_ratio * 100, 2)


def _silence(voice: Voice | None) -> int | None:
    return None if voice is None else round(voice.silence_s)


def _segment(number: int, sentence: Sentence) -> dict[str, Any]:
    return {
        "segment_id": number,
        "speaker": "" if sentence.side is None else sentence.side.value,
        "start_time": round(sentence.began_s * 1000),
        "end_time": round(sentence.ended_s * 1000),
        "asr_text": sentence.text,
        "status": 0,
    }
