"""How far an intake is and how long it still takes.

Rules of this module:

- Pure but for the clock reading that is passed in. The rate is measured over the last `WINDOW_SECONDS`, so that one slow file does not
  colour the whole estimate, and no time is told before there is something to measure.
- What became of the files is counted by who holds them: a newer state of an intake brings only what changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from ui import strings
from vault.services.views import FileState, IntakeFile, IntakeView

WINDOW_SECONDS = 15.0
_LEAST_SECONDS = 1.0
_ENDED = frozenset({FileState.DONE, FileState.PRESENT, FileState.REFUSED, FileState.CANCELLED})


class Pace:
    """The measured rate of one intake."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, at_seconds: float, done_bytes: int) -> None:
        """Take one reading of a monotonic clock and of the bytes done."""
        self._seen.append((at_seconds, done_bytes))
        while len(self._seen) > 2 and at_seconds - self._seen[0][0] > WINDOW_SECONDS:  # noqa: PLR2004 -- a rate needs two readings
            self._seen.popleft()

    def seconds_left(self, total_bytes: int) -> int | None:
        """Give the time left; None while it cannot be said."""
        if len(self._seen) < 2:  # noqa: PLR2004 -- a rate needs two readings
            return None
        (first_at, first_bytes), (last_at, last_bytes) = self._seen[0], self._seen[-1]
        passed, moved = last_at - first_at, last_bytes - first_bytes
        if passed < _LEAST_SECONDS or moved <= 0:
            return None
        return max(0, round((total_bytes - last_bytes) * passed / moved))


def ended(file: IntakeFile) -> bool:
    """Say whether nothing more happens to a file in this intake."""
    return file.state in _ENDED


def progress_sentence(view: IntakeView, by_state: Mapping[FileState, int], seconds_left: int | None) -> str:
    """Say how far an intake is: while it runs with the time left, at its end with what became of the files.

    Args:
        view: the intake; its files are not looked at.
        by_state: how many of its files are in each state, with a 0 where there is none.
        seconds_left: None while it cannot be said.
    """
    if view.looking:
        return strings.text("intake.looking")
    if view.finished:
        parts = [strings.text("intake.finished_all", count=by_state[FileState.DONE])]
        if by_state[FileState.PRESENT]:
            parts.append(strings.text("intake.finished_present", count=by_state[FileState.PRESENT]))
        if by_state[FileState.REFUSED]:
            parts.append(strings.text("intake.finished_refused", count=by_state[FileState.REFUSED]))
        if by_state[FileState.CANCELLED]:
            parts.append(strings.text("intake.finished_cancelled", count=by_state[FileState.CANCELLED]))
        return " · ".join(parts)
    told = strings.text(
        "intake.progress",
        count=sum(by_state.values()),
        done=strings.number(sum(by_state[state] for state in _ENDED)),
        done_size=strings.size(view.done_bytes),
        total_size=strings.size(view.total_bytes),
    )
    left = (
        strings.text("intake.time_measuring") if seconds_left is None else strings.text("intake.time_left", span=strings.span(seconds_left))
    )
    return f"{told} · {left}"


def file_state(file: IntakeFile) -> str:
    """Name where a file stands, with its share while it is sealed."""
    percent = 100 * file.done_bytes // file.size_bytes if file.size_bytes else 0
    return strings.text(f"intake.state.{file.state.value}", percent=percent)
