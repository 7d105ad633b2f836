"""recordplay: what agents do with recordings (cc-gateway.md 1.8)."""

from __future__ import annotations

from pydantic import Field

from sottovoce.http.ccgateway.gateway import Interfaces
from sottovoce.http.ccgateway.words import Form, Text
from sottovoce.live.recording import PauseRecording, RecordTalk, StopTalkRecording

INTERFACES = Interfaces("recordplay", message="success")
serves = INTERFACES.serves
asks = INTERFACES.asks


class RecordingName(Form):
    """How the client would call the file, which is named by its call."""

    filename: Text = Field(pattern=r"^[^/\\:]{1,100}$")


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
