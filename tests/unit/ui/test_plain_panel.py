"""Plain words on a page of their own: whole from the first paint, however often the page is used again."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QStackedWidget, QWidget
from pytestqt.qtbot import QtBot

from ui.windows.cannot_open import PlainPanel

LINE = "Your desk stays open. A supervisor decides what follows; you can give your account under My reports."
# what is said, one use of the panel after the other; a longer text after a shorter one is what used to be cut
USES = (
    (("A copy of the vault's files was made", "This was recorded as report B-2026-0042.", LINE), (LINE * 2, LINE, LINE * 2)),
    ((LINE,), (LINE * 3, LINE * 3, LINE * 3), (LINE,), (LINE, LINE, LINE)),
)


@pytest.mark.parametrize("uses", USES)
@pytest.mark.parametrize("shown", [True, False], ids=["while shown", "before it is shown"])
def test_no_line_is_cut_in_the_turn_in_which_it_is_said(qtbot: QtBot, uses: tuple[tuple[str, ...], ...], shown: bool) -> None:
    faces = QStackedWidget()
    qtbot.addWidget(faces)
    other, panel = QWidget(), PlainPanel("closed")
    faces.addWidget(other)
    faces.addWidget(panel)
    faces.resize(1280, 720)
    faces.show()
    qtbot.waitExposed(faces)
    for lines in uses:
        faces.setCurrentWidget(panel if shown else other)
        panel.show_words("The file was returned to the vault", *lines, act="To my desk")
        faces.setCurrentWidget(panel)
        said = [one for one in panel._lines if one.isVisible()]
        assert len(said) == len(lines)
        # No turn of the event loop up to here: this is what the next paint shows.
        assert [one.height() >= one.heightForWidth(one.width()) for one in said] == [True] * len(said)
        assert panel.act.height() >= panel.act.sizeHint().height()
        assert all(below.y() >= above.geometry().bottom() for above, below in zip(said, [*said[1:], panel.act], strict=True))
