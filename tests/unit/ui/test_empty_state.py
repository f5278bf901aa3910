"""What an empty list says stays readable in a low window."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.logging import _QtMessageCapture
from pytestqt.qtbot import QtBot

from ui.icons import IconName
from ui.widgets.buttons import Button
from ui.widgets.empty_state import EmptyState

HINT = "Bound to a key server in a locked room of the station, the vault opens only where that answers; carried out, it holds noise. " * 3


@pytest.mark.parametrize(("height", "icon"), [(190, False), (400, True)])
def test_the_icon_gives_way_before_anything_stands_upon_the_words(desk: QApplication, qtbot: QtBot, height: int, icon: bool) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(530, height)
    empty = EmptyState(IconName.PREMISES, "This workstation is bound to no key server", HINT, "Add server", parent=window)
    empty.resize(530, height)
    window.show()
    desk.processEvents()
    [button] = empty.findChildren(Button)
    assert button.geometry().top() >= empty._hint.geometry().bottom()
    assert empty._hint.height() >= empty._hint.heightForWidth(empty._hint.width())
    assert (empty._title.geometry().top() >= 32) is icon


def test_words_that_came_later_are_not_cut(desk: QApplication, qtbot: QtBot, qtlog: _QtMessageCapture) -> None:
    empty = EmptyState(IconName.SEARCH, "Nothing found", "", "Ask why")
    qtbot.addWidget(empty)
    empty.resize(530, 190)
    empty.show()
    desk.processEvents()
    assert not [one.message for one in qtlog.records if "Negative" in one.message], "the height of no words is none"
    empty.set_words("Nothing found", HINT)
    desk.processEvents()
    assert empty._hint.height() >= empty._hint.heightForWidth(empty._hint.width())
