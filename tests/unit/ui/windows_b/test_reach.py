"""What holds for every window of this group: stable names, a keyboard way to everything, a small screen, and case text given to nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QWidget

from tests import ui_stage_b as stage
from ui.windows.audit import AuditPage
from ui.windows.breaches import BreachesPage
from ui.windows.custody_board import CustodyBoardPage
from ui.windows.intake import IntakePage
from ui.windows.people import PeoplePage
from ui.windows.premises import PremisesPage

Stage = Callable[..., Any]

WINDOWS = [
    (BreachesPage, stage.SUPERVISOR),
    (CustodyBoardPage, stage.SUPERVISOR),
    (AuditPage, stage.SUPERVISOR),
    (PeoplePage, stage.SUPERVISOR),
    (PeoplePage, stage.ADMINISTRATOR),
    (PremisesPage, stage.SUPERVISOR),
    (PremisesPage, stage.ADMINISTRATOR),
    (IntakePage, stage.CUSTODIAN),
]
_IDS = [f"{window.__name__}-{person.role.value}" for window, person in WINDOWS]
_TOUCHED = (QAbstractButton, QLineEdit, QPlainTextEdit, QComboBox)
# Parts of the kit whose own buttons have no name of ours: a notice's action and close, the eye of a passphrase.
_KIT_PARENTS = ("NoticeBar", "Inspector", "PassphraseField")


def settled(on: Any) -> Any:
    on.until(lambda: on.bridge.asked)
    for _ in range(20):
        QApplication.processEvents()
    return on


def reachable(page: QWidget) -> list[QWidget]:
    """Follow Tab through the page once."""
    found: list[QWidget] = []
    at: QWidget | None = page.nextInFocusChain()
    while at is not None and at is not page:
        if page.isAncestorOf(at) and at.isVisible() and at.isEnabled() and at.focusPolicy() & Qt.FocusPolicy.TabFocus:
            found.append(at)
        at = at.nextInFocusChain()
    return found


@pytest.mark.parametrize(("window", "person"), WINDOWS, ids=_IDS)
def test_everything_a_person_can_touch_has_a_name_and_is_reached_by_tab(on_stage: Stage, window: Any, person: Any) -> None:
    on = settled(on_stage(window, person))
    touched = [one for one in on.page.findChildren(QWidget) if isinstance(one, _TOUCHED) and one.isVisible()]
    ours = [one for one in touched if not any(type(above).__name__ in _KIT_PARENTS for above in _parents(one))]
    assert ours
    assert [one for one in ours if not one.objectName()] == []
    by_tab = reachable(on.page)
    assert [one.objectName() for one in touched if one.isEnabled() and one not in by_tab and not isinstance(one.parent(), QComboBox)] == []


def _parents(widget: QWidget) -> list[QWidget]:
    above, at = [], widget.parentWidget()
    while at is not None:
        above.append(at)
        at = at.parentWidget()
    return above


@pytest.mark.parametrize(("window", "person"), WINDOWS, ids=_IDS)
def test_names_are_unique_on_screen(on_stage: Stage, window: Any, person: Any) -> None:
    on = settled(on_stage(window, person))
    names = [
        one.objectName() for one in on.page.findChildren(QWidget) if one.isVisible() and isinstance(one, (*_TOUCHED, QAbstractScrollArea))
    ]
    ours = [name for name in names if name and not name.startswith("qt_")]
    assert sorted(ours) == sorted(set(ours))


@pytest.mark.parametrize(("window", "person"), WINDOWS, ids=_IDS)
def test_a_page_fits_a_small_screen_at_double_scale(on_stage: Stage, window: Any, person: Any) -> None:
    on = settled(on_stage(window, person))
    on.frame.resize(640, 360)
    QApplication.processEvents()
    assert on.frame.size() == QSize(640, 360)


@pytest.mark.parametrize(("window", "person"), WINDOWS, ids=_IDS)
def test_a_page_thrown_away_leaves_nothing_that_answers(on_stage: Stage, window: Any, person: Any, qtbot: Any) -> None:
    on = on_stage(window, person)
    on.page.deleteLater()
    qtbot.waitUntil(lambda: not _alive(on.page))
    for _ in range(20):
        QApplication.processEvents()  # answers that were under way arrive and are dropped


def _alive(widget: QWidget) -> bool:
    try:
        widget.objectName()
    except RuntimeError:
        return False
    return True


@pytest.mark.parametrize(("window", "person"), WINDOWS, ids=_IDS)
def test_assistive_technology_is_given_no_case_number_no_title_and_no_document(on_stage: Stage, window: Any, person: Any) -> None:
    on = settled(on_stage(window, person))
    if window is BreachesPage:
        on.until(lambda: on.page.report.shown_report() is not None)
    told = " ".join(_told(QAccessible.queryAccessibleInterface(on.page)))
    assert told
    for secret in ("2026-0044", "2026-0043", "Warehouse", "watchman", "Adeyemi"):
        assert secret not in told


def _told(node: Any) -> list[str]:
    """Collect everything an accessible object and its children say."""
    if node is None or not node.isValid():
        return []
    words = [node.text(kind) for kind in (QAccessible.Text.Name, QAccessible.Text.Description, QAccessible.Text.Value)]
    for index in range(node.childCount()):
        words += _told(node.child(index))
    return words


@pytest.mark.parametrize(("window", "person"), WINDOWS, ids=_IDS)
def test_every_action_offered_has_words_and_a_key(on_stage: Stage, window: Any, person: Any) -> None:
    on = settled(on_stage(window, person))
    actions = on.page.actions()
    assert len({action.name for action in actions}) == len(actions)
    assert all(action.words and action.keys for action in actions)
