"""While the key servers do not answer: why the page is covered, and how long this session lasts without them.

Rules: calm, above everything of the session, and gone by itself. It counts down and cannot be closed. It is called out to assistive
technology once, not every second.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QTimer

from ui import strings
from ui.icons import IconName
from ui.theme import Tone
from ui.widgets.notice_bar import NoticeBar

_TICK_MS = 250


class PremisesBar(NoticeBar):
    """Hidden while the key servers answer."""

    def __init__(self, reads: Callable[[], bool]) -> None:
        """Make the bar; `reads` says whether a case file is open now."""
        super().__init__(closable=False)
        self.setObjectName("premises_bar")
        self._reads = reads
        self._locks_at_s: float | None = None
        self._clock = QTimer(self, interval=_TICK_MS)
        self._clock.timeout.connect(self._tick)

    def show_left(self, locks_at_s: float | None) -> None:
        """Count down to a moment of the monotonic clock; None takes the bar away."""
        self._locks_at_s = locks_at_s
        if locks_at_s is None:
            self._clock.stop()
            self.hide()
            return
        self.show_notice(strings.text("premises_bar.title"), self._sentence_now(), tone=Tone.ATTENTION, icon=IconName.PREMISES)
        self._clock.start()

    def _tick(self) -> None:
        self.set_sentence(self._sentence_now())

    def _sentence_now(self) -> str:
        left = math.ceil((self._locks_at_s or 0.0) - time.monotonic())
        if left <= 0:
            return strings.text("premises_bar.locks_now")
        return strings.text("premises_bar.reading" if self._reads() else "premises_bar.elsewhere", span=strings.span(left))
