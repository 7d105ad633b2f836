"""Media on this machine: workers on free ports of loopback, however few legs they take."""

from __future__ import annotations

from sottovoce.config import MediaSettings


def local_media(**chosen: object) -> MediaSettings:
    """One worker on free loopback ports, and what is chosen; values that nobody may set, too."""
    local = {"workers": 1, "host": "127.0.0.1", "first_port": 0, "last_port": 0}
    return MediaSettings().model_copy(update=local | chosen)
