"""The bridge's threads and descriptors, over a process that takes the vault's place and only waits for the end of its pipe."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui import bridge as bridge_module
from ui.bridge import Bridge

_WAITS = "import os, sys; pipe = int(sys.argv[sys.argv.index('--pipe') + 1])\nwhile os.read(pipe, 65536): pass"
_STARTS = 20


def _ends_by_itself(bridge: Bridge) -> None:
    bridge._why_ending = "locked"  # as it says before it ends
    os.kill(bridge.vault_process_id, signal.SIGKILL)


def _is_ended(bridge: Bridge) -> None:
    bridge.restart()


def _held() -> tuple[int, int]:
    return sum(one.name.startswith("bridge-") for one in threading.enumerate()), len(list(Path("/proc/self/fd").iterdir()))


def _no_more_than(before: tuple[int, int]) -> bool:
    return all(now <= then for now, then in zip(_held(), before, strict=True))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors")
@pytest.mark.parametrize("end", [_ends_by_itself, _is_ended])
def test_a_vault_process_that_ended_leaves_no_thread_and_no_descriptor(
    desk: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: Callable[[Bridge], None]
) -> None:
    monkeypatch.setattr(bridge_module, "_START", _WAITS)
    idle = _held()
    bridge = Bridge(tmp_path)
    bridge.start()
    before = _held()
    for _ in range(_STARTS):
        with qtbot.waitSignal(bridge.ended, timeout=30_000):
            end(bridge)
    qtbot.waitUntil(lambda: _no_more_than(before))
    bridge.shutdown()
    qtbot.waitUntil(lambda: _no_more_than(idle))


def test_a_vault_process_that_does_not_end_at_a_lock_is_killed(
    desk: QApplication, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge_module, "_START", _WAITS)  # it reads what it is asked and does nothing about it
    monkeypatch.setattr(bridge_module, "LOCK_SECONDS", 0.2)
    bridge = Bridge(tmp_path)
    bridge.start()
    before = bridge.vault_process_id
    with qtbot.waitSignal(bridge.ended, timeout=30_000) as ended:
        bridge.lock("key")
    assert ended.args == ["locked"]
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    qtbot.waitUntil(lambda: bridge.vault_process_id not in (0, before))  # the next one
    bridge.shutdown()
