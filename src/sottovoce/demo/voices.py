"""Who says what in the demo, and the recordings of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SPEECH = Path(__file__).parent / "speech"
"""Recordings: 8 kHz mono G.711 WAV, made by `synthesis`."""


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """A recorded line: its words, and the espeak-ng voice, pitch (0-99) and words per minute."""

    text: str
    voice: str
    pitch: int
    speed: int


LINES: dict[str, SpokenLine] = {
    "customer-1": SpokenLine(
        "Hello, I ordered a kettle two weeks ago, and it still has not arrived. "
        "Could you tell me where it is, please?",
        "en-gb+f3",
        62,
        165,
    ),
    "customer-2": SpokenLine(
        "Good morning. My bill is twice as high as last month, and I did not change anything. "
        "Can you explain that to me?",
        "en-us+m3",
        40,
        160,
    ),
    "customer-3": SpokenLine(
        "I would like to cancel my contract at the end of the month. "
        "Unless you can make me a better offer, of course.",
        "en-gb-scotland+m1",
        30,
        165,
    ),
    "customer-4": SpokenLine(
        "My router has been blinking red since yesterday evening. "
        "I have switched it off and on again three times already.",
        "en-us+f2",
        75,
        170,
    ),
    "agent-1": SpokenLine(
        "Thank you for waiting. Let me have a look at that for you. One moment, please, "
        "I am opening your account now.",
        "en-us+f4",
        50,
        155,
    ),
    "agent-2": SpokenLine(
        "I understand, and I am sorry about the trouble. "
        "May I ask for your customer number, so that I can check it?",
        "en-gb+m7",
        45,
        160,
    ),
    "agent-3": SpokenLine(
        "I see your order here. It left our warehouse on Tuesday. "
        "I will ask the carrier, and call you back today.",
        "en-gb-x-rp+f5",
        55,
        160,
    ),
    "inspector": SpokenLine(
        "This is your supervisor, only you can hear me. "
        "You are doing well. Offer ten percent off for the next three months.",
        "en-us+m5",
        20,
        150,
    ),
}


def recording(name: str) -> Path:
    """The file of a line of `LINES`."""
    return SPEECH / f"{name}.wav"
