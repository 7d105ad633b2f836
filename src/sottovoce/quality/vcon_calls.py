"""Calls in vCon files, the IETF's JSON container for conversations (draft-ietf-vcon-vcon-core).

Each `dialog` of type `recording` is a call of its own; those of type `text` are one together, with their
texts for a transcript; an `incomplete` one is a call that nobody took. A `transfer` is no call. The sound is
the WAV in `body`, or the file of that `filename` beside the vCon; a `url` is not followed. The agent is the
party with the role `agent` (in version 0.0.1 `meta.role`), found by work number, phone or name; where no
party has a role, the only one that is a known agent. In stereo, the first of the dialog's parties is on the
left. `null` is the same as absent everywhere.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sottovoce.domain.calls import CallDirection
from sottovoce.domain.contacts import Ender, Sentence, Speaker
from sottovoce.domain.directory import AgentId
from sottovoce.plain import natural, read_json
from sottovoce.quality.foreign_calls import (
    LONGEST_NAME,
    LONGEST_TEXT,
    ForeignCall,
    LeftOut,
    Mistake,
    beside,
    moment,
    short,
)
from sottovoce.storage.review.imports import Tenant

LARGEST_FILE = 256 << 20
"""Bytes: some 100 minutes of stereo in a body."""
LONGEST_TRANSCRIPT = 1 << 20
"""Characters."""
SUFFIXES = (".vcon", ".vcon.json", ".json")
_WAV = ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")
_NAMING = ("agent", "user_id", "id", "uuid", "tel", "sip", "mailto", "name")
"""Members of a party that may name a known agent, by weight."""
_DIRECTIONS = {"in": False, "inbound": False, "out": True, "outbound": True}
"""Whether a call went out, by `meta.direction` of version 0.0.1."""
_LONGEST_ROW = 4096
"""Characters of a dialog that is told of."""
_MOST = 10_000
"""Parties, or dialogs."""


@dataclass(frozen=True, slots=True)
class _Party:
    number: str
    agent: AgentId | None
    is_agent: bool


@dataclass(frozen=True, slots=True)
class _Vcon:
    path: Path
    uuid: str
    parties: Sequence[_Party]
    tenant: Tenant
    now: datetime


def calls(path: Path, tenant: Tenant, now: datetime) -> Iterator[ForeignCall | LeftOut]:
    """What each dialog is, in order, and the texts last. OSError where the file cannot be read."""
    texts: list[tuple[str, Mapping[str, Any]]] = []
    try:
        content = _content(path)
        vcon = _Vcon(path, _uuid(content), _parties(content, tenant), tenant, now)
        dialogs = _list(content, "dialog")
        if not dialogs:
            raise Mistake("it has no dialog")
    except Mistake as wrong:
        yield LeftOut(path.name, str(wrong))
        return
    for number, dialog in enumerate(dialogs):
        place = f"{path.name}: dialog {number}"
        try:
            match dialog.get("type"):
                case "recording":
                    yield _recording(vcon, place, number, dialog)
                case "incomplete":
                    yield _incomplete(vcon, place, number, dialog)
                case "text":
                    texts.append((place, dialog))
                case "transfer":
                    pass
                case other:
                    raise Mistake(f"its type is {str(other)[:20]!r}; wanted: recording, text, incomplete")
        except Mistake as wrong:
            yield LeftOut(place, str(wrong), _row(dialog))
    if texts:
        try:
            yield _conversation(vcon, texts)
        except Mistake as wrong:
            yield LeftOut(f"{path.name}: its texts", str(wrong))


def _content(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise Mistake(f"it is larger than {LARGEST_FILE >> 20} MB")
    try:
        content = _without_null(read_json(data.decode("utf-8-sig")))
    except json.JSONDecodeError as failure:
        raise Mistake(f"line {failure.lineno}: {failure.msg}") from None
    except ValueError:
        raise Mistake("it is no JSON in UTF-8") from None
    if not isinstance(content, dict):
        raise Mistake("it is no JSON object")
    if "payload" in content or "ciphertext" in content:
        raise Mistake("it is signed or encrypted; wanted: the plain vCon")
    if not isinstance(content.get("parties"), list):
        raise Mistake("it is no vCon: it has no parties")
    return content


def _without_null(content: Any) -> Any:
    if isinstance(content, dict):
        return {name: _without_null(item) for name, item in content.items() if item is not None}
    return [_without_null(item) for item in content] if isinstance(content, list) else content


def _uuid(content: Mapping[str, Any]) -> str:
    found = content.get("uuid")
    if not isinstance(found, str) or not found.strip():
        raise Mistake("it has no uuid")
    return short("uuid", found)


def _list(content: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = content.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Mistake(f"{name} is no list of objects")
    if len(found) > _MOST:
        raise Mistake(f"{name} has more than {_MOST} members")
    return found


def _parties(content: Mapping[str, Any], tenant: Tenant) -> list[_Party]:
    listed = _list(content, "parties")
    found = [_party(party, tenant) for party in listed]
    if any(map(_role, listed)):
        return found
    agents = [party for party in found if party.agent is not None]
    return [replace(party, is_agent=len(agents) == 1 and party in agents) for party in found]


def _role(party: Mapping[str, Any]) -> str:
    """In version 0.0.1 it stands in `meta`."""
    meta = party.get("meta")
    return str(party.get("role") or (meta.get("role", "") if isinstance(meta, dict) else "")).strip().lower()


def _party(party: Mapping[str, Any], tenant: Tenant) -> _Party:
    words = {name: _plain(str(party[name])) for name in _NAMING if isinstance(party.get(name), str | int)}
    role = _role(party)
    number = next((words[name] for name in ("tel", "sip", "mailto", "name") if words.get(name)), "")
    agent = _known(words, tenant) if role in ("", "agent") else None
    return _Party(number[:LONGEST_TEXT], agent, role == "agent")


def _plain(text: str) -> str:
    """Without the scheme of a URI, and without signs that are no text."""
    kept = "".join(sign for sign in text.strip() if sign >= " " and not "\ud800" <= sign <= "\udfff")
    scheme, colon, rest = kept.partition(":")
    return rest if colon and scheme.lower() in ("tel", "sip", "sips", "mailto") else kept


def _known(words: Mapping[str, str], tenant: Tenant) -> AgentId | None:
    for word in words.values():
        number = natural(word, 9)
        if number is not None and number in tenant.agents:
            return AgentId(number)
        named = [agent for agent, names in tenant.agents.items() if word.lower() in names]
        if len(named) == 1:
            return named[0]
    return None


def _places(vcon: _Vcon, dialog: Mapping[str, Any]) -> list[int]:
    """The dialog's parties, in their order, by their places in the vCon's. Mistake."""
    named = dialog.get("parties", list(range(len(vcon.parties))))
    flat = [one for item in (named if isinstance(named, list) else [named]) for one in _flat(item)]
    places = [one for one in flat if isinstance(one, int) and 0 <= one < len(vcon.parties)]
    if len(places) < len(flat):
        raise Mistake("its parties are not those of the vCon")
    return places


def _sides(vcon: _Vcon, dialog: Mapping[str, Any]) -> tuple[list[_Party], _Party | None]:
    """The dialog's parties in their order, and the one that began it."""
    parties = [vcon.parties[place] for place in _places(vcon, dialog)]
    originator = dialog.get("originator")
    if isinstance(originator, int) and 0 <= originator < len(vcon.parties):
        return parties, vcon.parties[originator]
    return parties, parties[0] if parties else None


def _flat(item: object) -> list[object]:
    return item if isinstance(item, list) else [item]


def _call(
    vcon: _Vcon,
    place: str,
    reference: str,
    dialog: Mapping[str, Any],
    *,
    taken: bool = True,
    file_name: str = "",
    sound: Path | bytes | None = None,
    duration_s: float = 0.0,
) -> ForeignCall:
    """The call of a dialog; `taken`: whether an agent took it. Mistake."""
    parties, originator = _sides(vcon, dialog)
    agent = next((party for party in parties if party.is_agent), None)
    customer = next((party for party in parties if not party.is_agent), None)
    if agent is not None and agent.agent is None and taken:
        raise Mistake(f"VDN {vcon.tenant.vdn} has no agent with the number, phone or name of its agent party")
    outbound = _said(dialog) if _said(dialog) is not None else agent is not None and originator is agent
    ends = [party.number if party is not None else "" for party in (customer, agent)]
    caller, called = reversed(ends) if outbound else ends
    start = dialog.get("start")
    if not isinstance(start, str | int | float) or isinstance(start, bool):
        raise Mistake("it has no start")
    warnings: list[str] = []
    began_at = moment(str(start), vcon.tenant.zone, vcon.now, warnings)
    if agent is None and taken:
        warnings.append("none of its parties is an agent: no sample will have it")
    return ForeignCall(
        place=place,
        reference=reference,
        call=vcon.uuid,
        began_at=began_at,
        direction=CallDirection.OUTBOUND if outbound else CallDirection.INBOUND,
        caller=caller,
        called=called,
        skill=None,
        ended_by=Ender.SYSTEM,
        agent=agent.agent if agent is not None and taken else None,
        file_name=file_name,
        sound=sound,
        agent_left=bool(parties) and parties[0].is_agent,
        duration_s=duration_s,
        warnings=tuple(warnings),
        row=_row(dialog),
    )


def _row(dialog: Mapping[str, Any]) -> str:
    """A dialog as it is told of, without its sound."""
    return json.dumps({name: item for name, item in dialog.items() if name != "body"})[:_LONGEST_ROW]


def _said(dialog: Mapping[str, Any]) -> bool | None:
    """Whether a dialog says that the call went out; None: it says nothing, or who began it says more."""
    meta = dialog.get("meta")
    said = meta.get("direction") if isinstance(meta, dict) and "originator" not in dialog else None
    return _DIRECTIONS.get(said) if isinstance(said, str) else None


def _recording(vcon: _Vcon, place: str, number: int, dialog: Mapping[str, Any]) -> ForeignCall:
    kind = dialog.get("mediatype", dialog.get("mimetype"))
    if isinstance(kind, str) and kind.split(";")[0].strip().lower() not in _WAV:
        raise Mistake(f"its sound is {kind[:40]!r}; wanted: WAV (audio/x-wav)")
    name = dialog.get("filename")
    if name is not None and not isinstance(name, str):
        raise Mistake("its filename is no text")
    sound: Path | bytes
    if isinstance(dialog.get("body"), str) and dialog["body"]:
        sound = _body(dialog)
        name = Path(short("filename", name or "", LONGEST_NAME)).name or f"{vcon.uuid}-{number}.wav"
    elif name:
        sound = beside(vcon.path.parent, name)
        name = sound.name
    elif dialog.get("url"):
        raise Mistake("its sound is at a url, which is not followed; wanted: body, or a file beside the vCon")
    else:
        raise Mistake("it has no sound: neither body nor filename")
    reference = f"vcon/{vcon.uuid}/{number}"
    return _call(vcon, place, reference, dialog, file_name=name, sound=sound)


def _body(dialog: Mapping[str, Any]) -> bytes:
    if dialog.get("encoding", "base64url") != "base64url":
        raise Mistake("the encoding of its body is not base64url")
    text = dialog["body"].translate({ord("+"): "-", ord("/"): "_"}).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Mistake("its body is not base64url") from None


def _incomplete(vcon: _Vcon, place: str, number: int, dialog: Mapping[str, Any]) -> ForeignCall:
    reference = f"vcon/{vcon.uuid}/{number}"
    return _call(vcon, place, reference, dialog, taken=False, duration_s=_duration(dialog))


def _duration(dialog: Mapping[str, Any]) -> float:
    found = dialog.get("duration", 0)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1e6:
        raise Mistake("its duration is no number of seconds")
    return float(found)


def _conversation(vcon: _Vcon, texts: list[tuple[str, Mapping[str, Any]]]) -> ForeignCall:
    """All texts of a vCon as one contact."""
    said: list[tuple[ForeignCall, Speaker | None, str]] = []
    everybody = list(dict.fromkeys(place for _, dialog in texts for place in _places(vcon, dialog)))
    if len(everybody) == 1:
        everybody = list(range(len(vcon.parties)))
    alone = set[ForeignCall]()
    for place, dialog in texts:
        try:
            named = _places(vcon, dialog)
            begun = {"originator": named[0], **dialog} if named else dialog
            one = _call(vcon, place, "", {**begun, "parties": everybody})
            one = replace(one, duration_s=_duration(dialog))
            if len(named) == 1:
                alone.add(one)
            said.append((one, _speaker(vcon, dialog), _text(dialog)))
        except Mistake as wrong:
            raise Mistake(f"{place.rpartition(': ')[2]}: {wrong}") from None
    said.sort(key=lambda one: one[0].began_at)
    if sum(len(text) for *_, text in said) > LONGEST_TRANSCRIPT:
        raise Mistake(f"they are longer than {LONGEST_TRANSCRIPT} characters")
    first = said[0][0]
    transcript = []
    for one, side, text in said:
        begin = (one.began_at - first.began_at).total_seconds()
        transcript.append(Sentence(text, side, begin, begin + one.duration_s))
    warnings = dict.fromkeys(warning for one, *_ in said for warning in one.warnings)
    if first in alone:
        warnings["its first message names only its sender; whom it was for is taken from the others"] = None
    return replace(
        first,
        warnings=tuple(warnings),
        place=f"{vcon.path.name}: its texts",
        reference=f"vcon/{vcon.uuid}/text",
        file_name=vcon.path.name[:LONGEST_NAME],
        transcript=tuple(transcript),
        duration_s=max(one.ended_s for one in transcript),
    )


def _speaker(vcon: _Vcon, dialog: Mapping[str, Any]) -> Speaker | None:
    _, originator = _sides(vcon, dialog)
    if originator is None:
        return None
    return Speaker.AGENT if originator.is_agent else Speaker.CUSTOMER


def _text(dialog: Mapping[str, Any]) -> str:
    body = dialog.get("body")
    if not isinstance(body, str):
        raise Mistake("it has no body")
    if dialog.get("encoding") == "base64url":
        try:
            body = _body(dialog).decode()
        except ValueError:
            raise Mistake("its body is no text in UTF-8") from None
    return body
