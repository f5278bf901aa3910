"""The threads of a vault process: one control thread with a priority queue, one thread a lane.

Rules (DESIGN §2):

- The control thread owns the register and the session; nothing else touches them. Breach before lock before change before query.
- What is queued when a worker ends is dropped, but what has the priority of a report is done first: the reports, and the little else that
  waits behind nothing (that a page is covered), which is answered after `Ending`. How long that may take is for whoever ends it.
- A lane runs its calls in order; what is asked for `later` runs when the lane has nothing else to do.
- A thread that works in Python gives way after `SWITCH_SECONDS`: a report asks for the interpreter several times, and with Python's own
  5 ms it waited for an intake each time (4.2 to 3.4 ms at the median beside one).
- The intake lane, and the threads it starts, give way to all others at the processor (`_GIVE_WAY_NICE`): a report beside an intake takes
  at most twice its time. LIMIT: on Linux alone; elsewhere the priority of a thread is not ours to set.
- `InlineThreads` does all of it on the calling thread: the command line and the tests use the same services without a pipe.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from vault.services.operation import Lane, Priority

T = TypeVar("T")
SWITCH_SECONDS: Final = 0.0005
_GIVE_WAY_NICE: Final = 10
_LATER: Final = 9
_log = logging.getLogger("vault.threads")


class _Outcome(Generic[T]):
    """The result of work handed to another thread."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._value: T | None = None
        self._error: BaseException | None = None

    def run(self, work: Callable[[], T]) -> None:
        try:
            self._value = work()
        except BaseException as error:
            self._error = error
        self._done.set()

    def abandon(self, error: BaseException) -> None:
        self._error = error
        self._done.set()

    def wait(self) -> T:
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class Worker:
    """A queue ordered by priority, then by arrival, and the loop that empties it on one thread."""

    def __init__(self, name: str, *, gives_way: bool = False) -> None:
        self.name = name
        self._gives_way = gives_way
        self._ready = threading.Condition()
        self._heap: list[tuple[int, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._ended = False
        self.thread_id = 0

    def put(self, priority: int, work: Callable[[], object]) -> bool:
        """Queue work; False if the worker has ended."""
        with self._ready:
            if self._ended:
                return False
            heapq.heappush(self._heap, (priority, next(self._order), work))
            self._ready.notify()
            return True

    def run(self, every_second: Callable[[], object] | None = None) -> None:
        """Empty the queue until `end`, calling `every_second` about once a second between pieces of work."""
        self.thread_id = threading.get_ident()
        if self._gives_way and sys.platform == "linux":
            thread = threading.get_native_id()  # and the threads it starts
            os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _GIVE_WAY_NICE))
        due = time.monotonic()
        while True:
            with self._ready:
                while not self._heap and not self._ended:
                    if every_second is None:
                        self._ready.wait()
                    elif not self._ready.wait(max(0.0, due - time.monotonic())) or time.monotonic() >= due:
                        break
                if self._ended and not self._heap:
                    return
                work = heapq.heappop(self._heap)[2] if self._heap else None
            if work is not None:
                self._do(work)
            if every_second is not None and not self._ended and time.monotonic() >= due:
                due = time.monotonic() + 1.0
                self._do(every_second)

    def end(self) -> None:
        """Stop after the piece of work under way and what is queued with the priority of a report; anything else is dropped."""
        with self._ready:
            self._ended = True
            self._heap = [one for one in self._heap if one[0] == Priority.BREACH]
            heapq.heapify(self._heap)
            self._ready.notify_all()

    def _do(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            _log.error("work failed in %s: %s", self.name, type(error).__name__)


class Lanes:
    """`services.world.Threads` over real threads."""

    def __init__(self) -> None:
        self.control = Worker("control")
        self._workers: dict[Lane, Worker] = {lane: Worker(lane.value, gives_way=lane is Lane.INTAKE) for lane in Lane}
        self._workers[Lane.CONTROL] = self.control

    def start(self) -> None:
        """Start every lane but control, whose loop the process's main thread runs. Sets how often threads take turns, for the process."""
        sys.setswitchinterval(SWITCH_SECONDS)
        for lane, worker in self._workers.items():
            if lane is not Lane.CONTROL:
                threading.Thread(target=worker.run, name=worker.name, daemon=True).start()

    def put(self, lane: Lane, priority: Priority, work: Callable[[], object]) -> bool:
        """Queue a call."""
        return self._workers[lane].put(priority, work)

    def on_control(self, work: Callable[[], T], priority: Priority) -> T:
        """Run on the control thread and wait; at once if already there."""
        if threading.get_ident() == self.control.thread_id:
            return work()
        outcome: _Outcome[T] = _Outcome()
        if not self.control.put(priority, lambda: outcome.run(work)):
            outcome.abandon(SystemExit())
        return outcome.wait()

    def later(self, lane: Lane, work: Callable[[], object]) -> None:
        """Run on a lane when it has nothing else to do."""
        self._workers[lane].put(_LATER, work)

    def end(self) -> None:
        """End every loop."""
        for worker in self._workers.values():
            worker.end()


class InlineThreads:
    """`services.world.Threads` on the calling thread."""

    def on_control(self, work: Callable[[], T], priority: Priority) -> T:  # noqa: ARG002 - one thread has one order
        """Run at once."""
        return work()

    def later(self, lane: Lane, work: Callable[[], object]) -> None:  # noqa: ARG002
        """Run at once."""
        work()
