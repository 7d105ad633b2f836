"""What callers are told while they wait: the words of the recordings in `media/announcements/`, by language.

Made by `synthesis`, as the demo's are. A sentence is put together of several (`domain/queueing.py` says
which), so each has the melody of its place in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sottovoce.demo.voices import SpokenLine

NUMBERS = {
    "en": "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty",
    "de": "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn"
    " siebzehn achtzehn neunzehn zwanzig",
    "zh": "一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九 二十",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "position": "You are number",
        "in-queue": "in the queue.",
        "many": "There are more than twenty callers before you.",
        "wait": "The expected waiting time is",
        "more-than": "more than",
        "one-minute": "one minute.",
        "minutes": "minutes.",
    },
    "de": {
        "position": "Sie sind Nummer",
        "in-queue": "in der Warteschlange.",
        "many": "Vor Ihnen warten mehr als zwanzig Anrufer.",
        "wait": "Die voraussichtliche Wartezeit beträgt",
        "more-than": "mehr als",
        "one-minute": "eine Minute.",
        "minutes": "Minuten.",
    },
    "zh": {
        "position": "您现在排在第",
        "in-queue": "位。",
        "many": "您前面有超过二十位来电者。",
        "wait": "预计等待时间为",
        "more-than": "超过",
        "one-minute": "一分钟。",
        "minutes": "分钟。",
    },
}
VOICES = {"en": ("en-gb+f2", 155), "de": ("de+f2", 155), "zh": ("cmn+f2", 150)}
"""The espeak-ng voice, and its words per minute."""


def lines(language: str) -> dict[str, SpokenLine]:
    """Every recording of a language by its name."""
    voice, speed = VOICES[language]
    numbers = {str(place): word for place, word in enumerate(NUMBERS[language].split(), 1)}
    return {name: SpokenLine(text, voice, 50, speed) for name, text in {**WORDS[language], **numbers}.items()}
