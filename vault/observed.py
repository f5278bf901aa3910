"""What was observed and stands in no report yet: on its way from the sensors' threads into the vault, or at the end into the sealed spool.

Rules:

- A signal stays here until its report is committed or sealed: neither a lock nor a control thread that hangs takes it away.
- What cannot be committed (a full disk, or a defect on the way) is tried again every second, in order, and no page is shown meanwhile
  (`waits`). What fails by a defect stands in the way of no other.
- At most `MOST_WAITING` wait. How many came after those is a report of its own, behind them.
- What is left when the process ends is sealed: at the end it makes, and two seconds before the one that is forced on it. What was being
  committed at that moment may be told of twice.

LIMIT: what neither the vault nor the spool can take (a disk that stays full) is gone with the process, and nothing tells of it.

Thread: `put` and `seal` any; `commit_new` and `commit_waiting` the control thread.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from vault.domain.breach import Signal, SignalKind
from vault.errors import VaultError

MOST_WAITING: Final = 200
_log = logging.getLogger(__name__)


class Observed:
    """The signals of one vault process that are in no report yet."""

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._new: deque[Signal] = deque()
        self._waiting: deque[Signal] = deque()
        self._more = 0  # that nothing is known of but their number
        self._changing = threading.Lock()
        self._sealing = threading.Lock()

    @property
    def waits(self) -> bool:
        """Whether there is something that could not be committed."""
        return bool(self._waiting)

    def put(self, signal: Signal) -> None:
        """Keep a signal until it is committed."""
        with self._changing:
            self._new.append(signal)

    def commit_new(self, commit: Callable[[Signal], bool]) -> int:
        """Commit what was not tried yet; what `commit` says no to, or fails at, waits. Give how many were committed."""
        done = 0
        while (signal := self._first()) is not None:
            committed = False
            try:
                committed = commit(signal)
            finally:  # also where it fails in a way nobody foresaw: the signal is in no report
                if not committed:
                    self._keep(signal)
                self._forget(signal)
            done += committed
        return done

    def commit_waiting(self, commit: Callable[[Signal], bool]) -> int:
        """Try again to commit what waits, all of it. Give how many were committed."""
        done = 0
        for signal in self._all_waiting():
            if not self._still_waits(signal):
                continue  # sealed meanwhile
            if commit(signal):
                done += 1
                self._forget(signal, waiting=True)
        if not self._waiting and (more := self._told_more()) is not None:
            self.put(more)
            done += self.commit_new(commit)
        return done

    def seal(self, seal: Callable[[Signal], object]) -> None:
        """Seal whatever is left, oldest first, until the spool refuses."""
        with self._sealing:
            for signal in self._all_left():
                try:
                    if not self._sealed(signal, seal):
                        return
                except Exception as error:  # a defect: what comes after it is sealed all the same
                    _log.error("a report cannot be sealed: %s", type(error).__name__)
                    continue
                self._forget(signal, waiting=True)
                self._forget(signal)
            if (more := self._told_more()) is not None:
                self._sealed(more, seal)

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _first(self) -> Signal | None:
        with self._changing:
            return self._new[0] if self._new else None

    def _all_waiting(self) -> tuple[Signal, ...]:
        with self._changing:
            return tuple(self._waiting)

    def _all_left(self) -> tuple[Signal, ...]:
        with self._changing:
            return (*self._waiting, *self._new)

    def _still_waits(self, signal: Signal) -> bool:
        with self._changing:
            return signal in self._waiting

    def _keep(self, signal: Signal) -> None:
        with self._changing:
            if len(self._waiting) < MOST_WAITING:
                self._waiting.append(signal)
                return
            self._more += 1
        _log.error("more reports wait than are kept: %d", self._more)

    def _forget(self, signal: Signal, *, waiting: bool = False) -> None:
        with self._changing, suppress(ValueError):
            (self._waiting if waiting else self._new).remove(signal)

    def _told_more(self) -> Signal | None:
        with self._changing:
            more, self._more = self._more, 0
        return Signal(SignalKind.SENSOR_BLIND, self._now_us(), (("reason", "overflow"), ("count", more))) if more else None

    @staticmethod
    def _sealed(signal: Signal, seal: Callable[[Signal], object]) -> bool:
        try:
            seal(signal)
        except VaultError as error:
            _log.error("a report could not be sealed: %s", error)
            return False
        return True
