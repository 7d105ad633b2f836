"""A thread beside the media loop, for work that may wait for a disk."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable


class Lane:
    """A thread that does what it is handed, in order; it takes all that waits at once."""

    def __init__(self, name: str) -> None:
        self._work: deque[Callable[[], None]] = deque()
        self._wake = threading.Event()
        self._ends = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, work: Callable[[], None]) -> None:
        """Queue without waking the thread."""
        self._work.append(work)

    def wake(self) -> None:
        """Have the thread look."""
        if self._work:
            self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._work:
                self._work.popleft()()
            if self._ends:
                return

    def join(self, timeout_s: float) -> bool:
        """End when all is done; False if that takes longer."""
        self._ends = True
        self._wake.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()
