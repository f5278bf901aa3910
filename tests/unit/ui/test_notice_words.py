"""What an officer is told of every kind of signal: what happened, that it was recorded, the number, and how to say it was a mistake."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from ui.widgets.label import Label
from ui.widgets.notice_bar import NoticeBar
from ui.windows import notice as notices
from ui.windows.notice import NoticeSheet
from vault.domain.breach import READING_FLAGS, SEVERITY, Containment, SignalKind
from vault.domain.identity import BreachId
from vault.services.views import BreachNotice

TOLD = [kind for kind in SignalKind if kind not in READING_FLAGS]
SCOLDING = re.compile(r"\b(you (must|should|may not|are not allowed)|forbidden|illegal|warning|attempted to|tried to|caught)\b|!", re.I)


def notice_of(kind: SignalKind, joined: bool = False) -> BreachNotice:
    return BreachNotice(BreachId("b0" * 16), "B-2026-0042", kind, SEVERITY[kind], Containment.BLANK, joined, 12)


@pytest.mark.parametrize("kind", TOLD)
@pytest.mark.parametrize("joined", [False, True])
def test_the_sheet_and_the_bar_say_what_is_due(qtbot: QtBot, kind: SignalKind, joined: bool) -> None:
    from PySide6.QtWidgets import QWidget

    host = QWidget()
    qtbot.addWidget(host)
    host.resize(640, 360)  # a small screen at 200 %
    host.show()
    sheet = NoticeSheet(host, None, notice_of(kind, joined))  # type: ignore[arg-type]
    sheet.open_over()
    said = [label.text() for label in sheet.findChildren(Label) if label.isVisible()]
    everything = " ".join(said)
    assert f"{notices.blocked(kind)}." in said
    assert "B-2026-0042" in everything
    assert "supervisor" in everything
    assert not SCOLDING.search(everything), everything
    assert not re.search(r"[{}]|\.\.", everything), everything
    for name in ("notice_mistake", "notice_go_on"):
        button = sheet.findChild(QWidget, name)
        assert button is not None
        assert host.rect().contains(button.mapTo(host, button.rect().center())), f"{name} is in view"
    bar = NoticeBar()
    qtbot.addWidget(bar)
    notices.show_in_bar(bar, notice_of(kind, joined))
    shown = " ".join(label.text() for label in bar.findChildren(Label))
    assert notices.blocked(kind) in shown
    assert "B-2026-0042" in shown


def test_the_third_strand_says_why_the_report_counts_more() -> None:
    said = notices.recorded(replace(notice_of(SignalKind.STORE_COPIED, joined=True), raised_together=True))
    assert "B-2026-0042" in said
    assert "one step more" in said
    assert not SCOLDING.search(said)


@pytest.mark.parametrize("kind", sorted(READING_FLAGS, key=lambda one: one.value))
def test_what_is_flagged_is_named_without_a_finding(kind: SignalKind) -> None:
    assert not SCOLDING.search(notices.blocked(kind))
