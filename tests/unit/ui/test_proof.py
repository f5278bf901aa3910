"""The guard's proof of itself: true while it stands, and false as soon as any part of it fell over."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.ui_stage import StagedBridge
from ui.guard.interceptor import CopyAttemptInterceptor, GuardLevel
from ui.guard.proof import GuardProof
from ui.guard.watch import SelectionWatch
from vault.domain.protection import Protection

ALL = (Protection.COPY_KEYS, Protection.PRINT_SCREEN, Protection.CLIPBOARD)


def _made(qapp: QApplication, owner: QObject) -> tuple[GuardProof, CopyAttemptInterceptor, SelectionWatch, StagedBridge]:
    interceptor, selections, bridge = CopyAttemptInterceptor(qapp), SelectionWatch(owner), StagedBridge()
    return GuardProof(bridge, interceptor, selections, owner), interceptor, selections, bridge  # type: ignore[arg-type]


def test_a_standing_guard_proves_itself_at_every_level(qapp: QApplication, qtbot: QtBot) -> None:
    owner = QObject()
    proof, interceptor, selections, _bridge = _made(qapp, owner)
    told: list[object] = []
    interceptor.attempted.connect(lambda *facts: told.append(facts))
    for level in GuardLevel:
        interceptor.set_level(level)
        (selections.arm if level is GuardLevel.READING else selections.disarm)()
        assert proof.working() == ALL, level
    assert told == [], "a probe is nobody's copy attempt"
    qapp.removeEventFilter(interceptor)


def test_a_guard_that_is_not_installed_does_not(qapp: QApplication, qtbot: QtBot) -> None:
    owner = QObject()
    proof, interceptor, _selections, _bridge = _made(qapp, owner)
    qapp.removeEventFilter(interceptor)
    assert proof.working() == (Protection.CLIPBOARD,)


def test_a_watch_that_is_not_armed_while_a_page_is_shown_does_not(qapp: QApplication, qtbot: QtBot) -> None:
    owner = QObject()
    proof, interceptor, _selections, _bridge = _made(qapp, owner)
    interceptor.set_level(GuardLevel.READING)
    assert Protection.CLIPBOARD not in proof.working()
    qapp.removeEventFilter(interceptor)


def test_a_watch_that_does_not_hear_or_does_not_speak_does_not_stand(qapp: QApplication, qtbot: QtBot) -> None:
    owner = QObject()
    proof, interceptor, selections, _bridge = _made(qapp, owner)
    _others = SelectionWatch(owner)  # is connected to the same clipboard, and proves nothing of the first
    assert proof.working() == ALL
    selections.blockSignals(True)
    assert Protection.CLIPBOARD not in proof.working()
    selections.blockSignals(False)
    assert proof.working() == ALL
    QGuiApplication.clipboard().dataChanged.disconnect(selections._on_clipboard)
    assert Protection.CLIPBOARD not in proof.working()
    qapp.removeEventFilter(interceptor)


def test_it_tells_the_vault_at_once(qapp: QApplication, qtbot: QtBot) -> None:
    owner = QObject()
    proof, interceptor, _selections, bridge = _made(qapp, owner)
    proof.start()
    assert bridge.asked[-1] == ("InterfaceGuard.proven", (ALL, False))
    proof.stop()
    qapp.removeEventFilter(interceptor)
