"""The threads of a vault process: which of them give way at the processor."""

from __future__ import annotations

import os
import queue
import sys
import threading

import pytest

from vault.services.operation import Lane, Priority
from vault.threads import Lanes, Worker

PATIENCE_SECONDS = 15.0


def _nice() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has a priority of its own on Linux alone")
def test_an_intake_and_what_it_starts_give_way_and_nobody_else_does() -> None:
    before, told = _nice(), queue.SimpleQueue[tuple[str, int]]()

    def tell(name: str) -> None:
        told.put((name, _nice()))

    def start_another() -> None:
        tell("intake")
        threading.Thread(target=tell, args=("started by it",)).start()

    lanes = Lanes()
    lanes.start()
    try:
        lanes.put(Lane.INTAKE, Priority.CHANGE, start_another)
        lanes.put(Lane.READING, Priority.CHANGE, lambda: tell("reading"))
        found = dict(told.get(timeout=PATIENCE_SECONDS) for _ in range(3))
    finally:
        lanes.end()
    assert found == {"intake": min(19, before + 10), "started by it": min(19, before + 10), "reading": before}


def test_the_reports_that_are_queued_are_made_before_a_worker_ends_and_nothing_else_is_done() -> None:
    worker, done = Worker("control"), list[str]()

    def lock() -> None:
        worker.put(Priority.QUERY, lambda: done.append("a question"))
        worker.put(Priority.BREACH, lambda: done.append("a report"))
        worker.put(Priority.CHANGE, lambda: done.append("a change"))
        worker.put(Priority.BREACH, lambda: done.append("another"))
        worker.end()
        done.append("locked")

    worker.put(Priority.LOCK, lock)
    worker.run()
    assert done == ["locked", "a report", "another"]
    assert not worker.put(Priority.BREACH, lambda: None)
