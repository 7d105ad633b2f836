"""recordplay and recordfile: what agents do with recordings (cc-gateway.md 1.8, [4202], [0455])."""

from __future__ import annotations

from pydantic import Field

from sottovoce.errors import Code, Refused
from sottovoce.http.ccgateway.gateway import Caller, Interfaces
from sottovoce.http.ccgateway.words import Form, Number, Text
from sottovoce.http.family.ranges import FileAnswer
from sottovoce.live.playing import HaltPlaying, MovePlaying, PlayRecording, StopPlaying
from sottovoce.live.recording import PauseRecording, RecordTalk, StopTalkRecording
from sottovoce.quality import access, playback
from sottovoce.quality.playback import SoundFile

INTERFACES = Interfaces("recordplay", message="success")
serves = INTERFACES.serves
asks = INTERFACES.asks

FILES = Interfaces("recordfile")
_LONGEST_S = 86_400
_CALL, _MESSAGE = 1, 2
"""Kinds of files [0455]; messages of IVRs are not there."""


class RecordingName(Form):
    """How the client would call the file, which is named by its call."""

    filename: Text = Field(pattern=r"^[^/\\:]{1,100}$")


class Played(Form):
    """What to hear, and from which second on; how loud, how fast and how often is fixed [4202]."""

    in_body = True

    path: Text = Field(alias="voicepath", max_length=100)
    start: Number = Field(0, alias="startpostion", ge=0, le=_LONGEST_S)
    volumechange: Number = Field(50, ge=50, le=50)
    speedchange: Number = Field(50, ge=50, le=50)
    times: Number = Field(1, ge=1, le=1)
    codeformat: Number = Field(0, ge=0, le=0)


class Jump(Form):
    """How far."""

    seconds: Number = Field(alias="time", ge=1, le=_LONGEST_S)


class FileWanted(Form):
    """Which file [0455]."""

    recording: Text = Field(alias="recordId", max_length=100)
    kind: Number = Field(_CALL, alias="filetype", ge=_CALL, le=_MESSAGE)


# Record the caller's talk from now on.
asks("PUT", "/record", RecordingName, lambda by, form: RecordTalk(by))
# The same without a wish for a name.
asks("PUT", "/recordwithoutfilename", Form, lambda by, form: RecordTalk(by))
# Keep all voices off the recordings of the caller's call.
asks("POST", "/pauserecord", Form, lambda by, form: PauseRecording(by, True))
# Let them on again.
asks("POST", "/resumerecord", Form, lambda by, form: PauseRecording(by, False))
# End what `record` began.
asks("DELETE", "/stoprecord", Form, lambda by, form: StopTalkRecording(by))
# Let the recording that the caller hears stand still.
asks("POST", "/pauseplay", Form, lambda by, form: HaltPlaying(by, True))
# Let it go on.
asks("POST", "/resumeplay", Form, lambda by, form: HaltPlaying(by, False))
# Hear it no more.
asks("DELETE", "/stopplay", Form, lambda by, form: StopPlaying(by))
# Go on later in it.
asks("POST", "/forefast/{time}", Jump, lambda by, form: MovePlaying(by, 1000 * form.seconds))
# Go on earlier.
asks("POST", "/backfast/{time}", Jump, lambda by, form: MovePlaying(by, -1000 * form.seconds))


@serves("PUT", "/play", Played)
async def play(caller: Caller, form: Played) -> None:
    """Hear a recording on the caller's phone, which rings if it is down [4202]."""
    caller.desk.may_play(caller.agent)
    sound = await _sound(caller, form.path, "heard on the agent's phone")
    await caller.desk.ask(PlayRecording(caller.agent, sound.path, 1000 * form.start))


@FILES.serves("GET", "", FileWanted)
async def record_file(caller: Caller, form: FileWanted) -> FileAnswer:
    """A recording's file; ranges of it are one playback [0455]."""
    if form.kind == _MESSAGE:
        raise Refused(Code.NOT_FOUND, "there are no messages of IVRs")
    sound = await _sound(caller, form.recording, "downloaded by the agent's client")
    return FileAnswer(sound.path, sound.state, "application/octet-stream")


async def _sound(caller: Caller, recording: str, purpose: str) -> SoundFile:
    """The file of a recording that the caller may hear, with its playback on record."""
    office = caller.gateway.office
    if office is None:
        raise Refused(Code.UNAVAILABLE, "there is no after-call half")
    profile = caller.desk.profile(caller.agent).agents[caller.agent]
    reach = await access.for_an_agent(office, profile)
    contact = await playback.named(office, reach, recording)
    begun = await playback.running(office, reach, contact) if caller.goes_on else None
    if begun is None:
        begun = await playback.begin(office, reach, contact, purpose)
    return await playback.sound(office, reach, begun.playback)
