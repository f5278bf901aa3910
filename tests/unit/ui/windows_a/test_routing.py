"""Which face is shown when: sign-in, founding, lock, cannot open, session, end."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from tests.ui_stage import ADMINISTRATOR, AUDITOR, CUSTODIAN, OFFICER, STATION, SUPERVISOR
from tests.ui_stage_b import report
from tests.unit.ui.windows_a.conftest import CTRL, Driver, Key
from ui import strings
from ui.widgets.label import Label
from ui.widgets.qr import QrCode
from ui.windows.lock import LockPage
from vault.domain.breach import Containment, Severity
from vault.domain.identity import CaseId, Role
from vault.errors import RefusedError, UnavailableError
from vault.secret import Secret
from vault.services.events import IntakeMoved, LockRequired
from vault.services.views import BreachNotice, IntakeView, PersonBrief, ReportLine, StationView


def test_enter_walks_through_the_fields_and_signs_in(driver: Driver) -> None:
    driver.sign_in()
    assert driver.bridge.calls("Session.sign_in") == [("4471", "four words of my own", "123456")]


def test_what_was_typed_before_the_vault_opened_is_sent_when_it_has(driver: Driver) -> None:
    driver.bridge.held_back.add("Session.station")
    driver.until(lambda: driver.bridge.waiting)
    for words in ("4471", "secret words", "123456"):
        driver.type(words)
        driver.press(Key.Key_Return)
    assert not driver.bridge.calls("Session.sign_in")
    driver.bridge.release("Session.station")
    driver.until(lambda: driver.bridge.calls("Session.sign_in"))


def test_a_refusal_empties_the_secrets_and_keeps_the_badge(driver: Driver) -> None:
    driver.bridge.answers["Session.sign_in"] = RefusedError("session.not-recognised")
    driver.ready()
    for words in ("4471", "wrong words here", "000000"):
        driver.type(words)
        driver.press(Key.Key_Return)
    sign_in = driver.routing.sign_in
    driver.until(lambda: sign_in.passphrase.control.property("refused"))
    assert (sign_in.badge.value(), len(sign_in.passphrase.typed), sign_in.code.value()) == ("4471", 0, "")
    assert driver.focused("sign_in_passphrase")


def test_an_empty_field_is_named_and_nothing_is_asked(driver: Driver) -> None:
    driver.ready()
    driver.type("4471")
    driver.routing.sign_in.enter.click()
    assert driver.focused("sign_in_passphrase")
    assert not driver.bridge.calls("Session.sign_in")


def test_a_vault_that_is_not_founded_opens_the_founding_page(driver: Driver) -> None:
    driver.window.resize(640, 360)  # a small screen at double scale
    driver.bridge.answers["Session.station"] = dataclasses.replace(STATION, founded=False)
    driver.until(lambda: driver.routing._founding is not None)
    driver.type("Harbour Street Station")
    driver.press(Key.Key_Return)
    for badge, name in (("0007", "Dele Marchetti"), ("1180", "Tomasz Okonkwo"), ("2066", "Ruth Lindqvist")):
        for _ in range(8):  # badge, name, twice passphrase and eye, back, onward
            driver.press(Key.Key_Tab)
            focused = QApplication.focusWidget()
            assert focused is not None
            assert focused.isVisible(), "Tab leads to nothing hidden"
        assert driver.focused("founding_badge")
        for words in (badge, name, "four words of my own", "four words of my own"):
            driver.type(words)
            driver.press(Key.Key_Return)
    driver.until(lambda: driver.bridge.calls("Founding.found"))
    station, *founders = driver.bridge.calls("Founding.found")[0]
    assert station == "Harbour Street Station"
    assert [founder.badge_no for founder in founders] == ["0007", "1180", "2066"]
    driver.bridge.answers["Session.station"] = STATION
    for _ in founders:  # each says that the second factor was scanned
        driver.until(lambda: driver.focused("founding_onward"))
        code = driver.window.findChild(QrCode)
        assert code is not None
        driver.until(lambda code=code: code.visibleRegion().boundingRect() == code.rect())
        assert not driver.bridge.calls("Founding.complete"), "until then nothing is founded"
        driver.press(Key.Key_Return)
    driver.until(lambda: driver.window.face() is driver.routing.sign_in)
    assert driver.bridge.calls("Founding.complete") == [()]


def test_after_a_founding_that_was_not_finished_the_first_run_says_so(driver: Driver) -> None:
    driver.bridge.answers["Session.station"] = dataclasses.replace(STATION, founded=False, unfinished=True)
    driver.until(lambda: driver.routing._founding is not None)
    page = driver.routing._founding
    assert page is not None
    assert page._refusal.isVisible()
    assert "not finished" in page._refusal.accessibleName()


@pytest.mark.parametrize(
    ("badge", "passphrase", "again", "field"),
    [
        ("0007", "too short", "too short", "founding_passphrase"),
        ("0007", "my badge is 0007 so there", "my badge is 0007 so there", "founding_passphrase"),
        ("0007", "four words of my own", "four words of my owm", "founding_again"),
        ("", "four words of my own", "four words of my own", "founding_badge"),
    ],
)
def test_a_founder_is_told_what_is_wrong_beside_the_field(driver: Driver, badge: str, passphrase: str, again: str, field: str) -> None:
    driver.bridge.answers["Session.station"] = dataclasses.replace(STATION, founded=False)
    driver.until(lambda: driver.routing._founding is not None)
    page = driver.routing._founding
    assert page is not None
    page.station.set_value("Harbour Street Station")
    page.onward.click()
    page.badge.set_value(badge)
    page.person_name.set_value("Dele Marchetti")
    page.passphrase.line.setText(passphrase)
    page.again.line.setText(again)
    page.onward.click()
    assert driver.focused(field)
    assert not driver.bridge.calls("Founding.found")


def test_a_missing_keyring_is_said_in_full_and_can_be_tried_again(driver: Driver) -> None:
    driver.bridge.answers["Session.station"] = UnavailableError("keyring.missing")
    driver.until(lambda: driver.routing._cannot_open is not None)
    assert driver.focused("cannot_open_act")
    driver.bridge.answers["Session.station"] = STATION
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.window.face() is driver.routing.sign_in)


@pytest.mark.parametrize(
    ("person", "places"),
    [
        (OFFICER, ["desk", "find"]),
        (SUPERVISOR, ["desk", "find", "breaches", "custody", "audit", "people"]),
        (CUSTODIAN, ["find", "intake", "custody"]),
        (ADMINISTRATOR, ["people"]),
        (AUDITOR, ["audit"]),
    ],
)
def test_places_are_the_roles_and_a_session_starts_on_the_first(driver: Driver, person: PersonBrief, places: list[str]) -> None:
    from ui.windows.shell import PLACES

    assert list(PLACES[person.role]) == places
    assert set(PLACES) == set(Role)
    if person is OFFICER:
        driver.sign_in(person)
        assert driver.shell.page_key() == places[0]


def test_guesses_within_a_session_lock_it_and_the_lock_page_says_why(driver: Driver) -> None:
    driver.read()
    locked: list[str] = []
    driver.bridge.lock = locked.append  # type: ignore[method-assign]
    driver.bridge.told.emit(LockRequired("guesses"))
    assert locked == ["guesses"]
    assert driver.routing.shell is None
    lock = driver.window.face()
    assert isinstance(lock, LockPage)
    assert lock._why.isVisible()
    assert lock._why.text() == strings.text("lock.guesses")
    driver.bridge.answers["Session.station"] = dataclasses.replace(STATION, locked_person=OFFICER)
    driver.bridge.ended.emit("locked")
    driver.bridge.ready.emit()
    driver.until(lambda: driver.focused("lock_passphrase"))
    assert lock._why.isVisible(), "and goes on saying it"
    driver.type("right")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.routing.shell is not None)
    driver.routing.lock("key")
    assert not lock._why.isVisible(), "another lock is another reason"


def test_ctrl_l_replaces_everything_before_the_vault_is_asked(driver: Driver) -> None:
    driver.read()
    order: list[str] = []
    driver.bridge.lock = lambda reason: order.append(f"{reason}:{type(driver.window.face()).__name__}")  # type: ignore[method-assign]
    driver.press(Key.Key_L, CTRL)
    assert order == ["key:LockPage"]
    assert driver.routing.shell is None
    assert not [child for child in driver.window.findChildren(object) if type(child).__name__ == "ProtectedPage"]


def test_ctrl_l_locks_over_a_sheet_and_takes_the_sheet_away(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_I)
    driver.until(lambda: driver.sheet_open("check_in_sheet"))
    driver.press(Key.Key_L, CTRL)
    driver.until(lambda: driver.bridge.locked == ["key"])
    assert isinstance(driver.window.face(), LockPage)
    assert driver.sheet() is None
    assert driver.window.face().isEnabled()  # type: ignore[union-attr]


@pytest.mark.parametrize("reason", ["suspend", "screen-lock", "tamper"])
def test_the_vaults_order_to_lock_is_followed(driver: Driver, reason: str) -> None:
    driver.desk()
    driver.bridge.told.emit(LockRequired(reason))
    assert driver.bridge.locked == [reason]
    assert isinstance(driver.window.face(), LockPage)


def test_nobody_at_the_desk_locks_it(driver: Driver) -> None:
    driver.desk()
    driver.shell._idle.idle.emit()
    assert driver.bridge.locked == ["idle"]


def _lock_and_come_back(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_L, CTRL)
    driver.bridge.answers["Session.station"] = dataclasses.replace(STATION, locked_person=OFFICER)
    driver.bridge.ended.emit("locked")
    driver.bridge.ready.emit()


def test_the_passphrase_alone_unlocks(driver: Driver) -> None:
    _lock_and_come_back(driver)
    driver.until(lambda: driver.named("lock_unlock").isEnabled())
    driver.type("wrong")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.named("lock_passphrase").property("refused"))
    driver.type("right")
    driver.press(Key.Key_Return)
    driver.until(lambda: driver.shell is not None)
    assert driver.bridge.calls("Session.unlock") == [("wrong",), ("right",)]


def test_a_passphrase_typed_before_the_fresh_vault_answers_is_not_lost(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_L, CTRL)
    driver.bridge.answers["Session.station"] = dataclasses.replace(STATION, locked_person=OFFICER)
    driver.type("right")
    driver.press(Key.Key_Return)
    assert not driver.bridge.calls("Session.unlock")
    driver.bridge.ended.emit("locked")
    driver.bridge.ready.emit()
    driver.until(lambda: driver.shell is not None)


def test_the_next_person_may_type_while_the_last_ones_vault_ends(driver: Driver) -> None:
    driver.sign_in()
    driver.routing._sign_out()
    driver.type("2001")
    driver.press(Key.Key_Return)
    driver.type("quiet harbour")
    driver.bridge.ended.emit("signed-out")
    assert (driver.routing.sign_in.badge.value(), driver.routing.sign_in.passphrase.value()) == ("2001", Secret(b"quiet harbour"))
    assert driver.routing.sign_in.passphrase.control.hasFocus()


def _type_early(driver: Driver) -> None:
    for words in ("2001", "quiet harbour", "123456"):
        driver.type(words)
        driver.press(Key.Key_Return)


def _is_empty(driver: Driver) -> bool:
    sign_in = driver.routing.sign_in
    nothing = not (sign_in.badge.value() or sign_in.passphrase.typed or sign_in.code.value())
    return driver.routing._wanted is None and nothing and not sign_in.is_waiting()


@pytest.mark.parametrize("kept", [dataclasses.replace(STATION, locked_person=OFFICER), dataclasses.replace(STATION, founded=False)])
def test_what_was_typed_early_is_dropped_where_it_is_somebody_elses_turn(driver: Driver, kept: StationView) -> None:
    driver.bridge.held_back.add("Session.station")
    driver.until(lambda: driver.bridge.waiting)
    _type_early(driver)
    assert driver.routing._wanted is not None
    driver.bridge.answers["Session.station"] = kept
    driver.bridge.release("Session.station")
    assert driver.window.face() is not driver.routing.sign_in
    assert _is_empty(driver)
    assert not driver.bridge.calls("Session.sign_in")


def test_what_was_typed_early_does_not_outlive_a_session(driver: Driver) -> None:
    early = Secret(b"quiet harbour")
    driver.sign_in()
    driver.routing._wanted = ("2001", early, "123456")
    driver.routing._sign_out()
    assert _is_empty(driver)
    assert early == Secret(bytes(len(early))), "it is overwritten"


def test_a_passphrase_typed_early_is_not_kept_for_a_vault_that_does_not_open(driver: Driver) -> None:
    driver.desk()
    driver.press(Key.Key_L, CTRL)
    driver.type("right")
    driver.press(Key.Key_Return)
    lock = driver.window.face()
    assert isinstance(lock, LockPage)
    assert lock.passphrase.typed
    driver.routing._cannot(UnavailableError("keyring.missing"))
    assert not lock.passphrase.typed
    assert not lock._entered_early


def test_a_passphrase_at_the_lock_page_is_not_kept_for_somebody_else(driver: Driver) -> None:
    _lock_and_come_back(driver)
    driver.until(lambda: driver.named("lock_unlock").isEnabled())
    driver.type("right")
    lock = driver.window.face()
    assert isinstance(lock, LockPage)
    lock.other.click()
    assert not lock.passphrase.typed


def test_a_sign_in_that_is_under_way_when_the_vault_ends_may_be_typed_again(driver: Driver) -> None:
    driver.bridge.held_back.add("Session.sign_in")
    driver.ready()
    _type_early(driver)
    assert driver.routing.sign_in.is_waiting()
    driver.bridge.ended.emit("premises-lost")
    assert driver.window.face() is driver.routing.sign_in
    assert _is_empty(driver)
    assert driver.focused("sign_in_badge")


def test_somebody_else_signs_in_from_the_lock_page(driver: Driver) -> None:
    _lock_and_come_back(driver)
    driver.until(lambda: driver.named("lock_unlock").isEnabled())
    driver.named("lock_someone_else").setFocus(Qt.FocusReason.TabFocusReason)
    driver.press(Key.Key_Space)
    assert driver.window.face() is driver.routing.sign_in
    assert driver.focused("sign_in_badge")


def test_a_vault_process_that_dies_takes_the_session_off_the_screen(driver: Driver) -> None:
    driver.read()
    driver.bridge.ended.emit("crashed")
    assert driver.routing.shell is None
    assert driver.window.face() is driver.routing.sign_in


def test_a_vault_process_that_keeps_dying_is_said(driver: Driver) -> None:
    driver.ready()
    for _ in range(3):
        driver.bridge.ended.emit("crashed")
    assert driver.window.face() is driver.routing._cannot_open


def test_closing_with_a_file_held_says_what_becomes_of_it(driver: Driver) -> None:
    driver.desk()
    driver.window.close()
    driver.until(lambda: driver.sheet_open("close_sheet"))
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.sheet() is None)
    assert driver.window.isVisible()
    driver.window.close()
    driver.until(lambda: driver.sheet_open("close_sheet"))
    driver.named("close_save").setFocus()
    driver.press(Key.Key_Return)
    driver.until(lambda: ("shutdown", ()) in driver.bridge.asked)
    assert driver.bridge.calls("Session.sign_out") == [()]


def _take_in(driver: Driver, *, finished: bool = False) -> None:
    driver.bridge.told.emit(IntakeMoved(IntakeView(1, CaseId("c1"), (), 0, 100, finished)))


def _words(driver: Driver) -> str:
    sheet = driver.sheet()
    assert sheet is not None
    return " ".join(one.text() for one in sheet.findChildren(Label))


def test_who_locks_while_an_intake_runs_is_asked_first_and_locks_with_the_same_keys(driver: Driver) -> None:
    driver.desk()
    _take_in(driver)
    driver.press(Key.Key_L, CTRL)
    driver.until(lambda: driver.sheet_open("lock_sheet"))
    assert "The intake stops" in _words(driver)
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.sheet() is None)
    assert driver.bridge.locked == []
    assert not driver.shell._unanswered.isActive(), "who stays has answered"
    driver.press(Key.Key_L, CTRL)
    driver.until(lambda: driver.sheet_open("lock_sheet"))
    driver.press(Key.Key_L, CTRL)
    assert driver.bridge.locked == ["key"]


def test_who_reads_a_file_while_an_intake_runs_locks_at_once(driver: Driver) -> None:
    driver.read()
    _take_in(driver)
    driver.press(Key.Key_L, CTRL)
    assert driver.bridge.locked == ["key"]


def test_a_question_about_a_lock_that_is_taken_away_unanswered_locks_all_the_same(driver: Driver) -> None:
    driver.desk()
    _take_in(driver)
    driver.press(Key.Key_L, CTRL)
    driver.until(lambda: driver.sheet_open("lock_sheet"))
    driver.shell._close_sheets()
    assert driver.shell._unanswered.isActive()
    driver.shell._unanswered.start(0)
    driver.until(lambda: driver.bridge.locked == ["key"])


def test_a_question_about_a_lock_that_nobody_answers_locks(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.windows.shell._UNANSWERED_LOCK_SECONDS", 0)
    driver.desk()
    _take_in(driver)
    driver.press(Key.Key_L, CTRL)
    driver.until(lambda: driver.bridge.locked == ["key"])
    assert driver.sheet() is None


def test_an_idle_lock_asks_nobody_about_an_intake(driver: Driver) -> None:
    driver.desk()
    _take_in(driver)
    driver.shell._idle.idle.emit()
    assert driver.bridge.locked == ["idle"]


def test_an_intake_that_finished_holds_nobody_up(driver: Driver) -> None:
    driver.desk()
    _take_in(driver)
    _take_in(driver, finished=True)
    driver.press(Key.Key_L, CTRL)
    assert driver.bridge.locked == ["key"]


def test_signing_out_and_closing_say_what_becomes_of_an_intake_and_of_the_file_held(driver: Driver) -> None:
    driver.desk()
    _take_in(driver)
    driver.shell.sign_out()
    driver.until(lambda: driver.sheet_open("sign_out_sheet"))
    assert "The intake stops" in _words(driver)
    assert "2 files stay checked out" in _words(driver)
    driver.press(Key.Key_Escape)
    driver.until(lambda: driver.sheet() is None)
    driver.window.close()
    driver.until(lambda: driver.sheet_open("close_sheet"))
    assert "The intake stops" in _words(driver)


def test_closing_at_the_sign_in_page_just_closes(driver: Driver) -> None:
    driver.ready()
    driver.window.close()
    driver.until(lambda: ("shutdown", ()) in driver.bridge.asked)
    assert not driver.bridge.calls("Session.sign_out")


def _report_comes(driver: Driver) -> None:
    driver.shell._alerts.alerted.emit("Report B-2026-000007 was recorded", "High · WS-07 · badge 2001", "B-2026-000007")


def _supervisor_reads(driver: Driver) -> None:
    driver.sign_in(SUPERVISOR)
    driver.until(lambda: driver.page.key == "desk" and driver.page.view is not None and driver.shell._alerts is not None)
    driver.shell.open_reader(driver.page.view.holding[0].check_out_id)
    driver.until(lambda: not driver.reader.page.is_blank())


def test_a_report_is_told_over_the_file_a_supervisor_reads_and_opens_from_there(driver: Driver) -> None:
    _supervisor_reads(driver)
    _report_comes(driver)
    bar = driver.named("alert_bar")
    assert bar.isVisible()
    assert "B-2026-000007" in bar.accessibleName()
    assert not driver.reader.page.is_blank(), "reading goes on"
    assert "alert" in {one.name for _group, actions in driver.shell.offers() for one in actions}
    bar.acted.emit()  # type: ignore[attr-defined]
    driver.until(lambda: driver.shell.page_key() == "breaches")
    assert driver.reader is None
    assert not bar.isVisible()
    assert driver.bridge.calls("Custody.check_in") == []


def test_a_report_that_was_not_opened_is_still_told_when_the_file_is_left(driver: Driver) -> None:
    _supervisor_reads(driver)
    _report_comes(driver)
    driver.reader.leave()
    driver.until(lambda: driver.shell.page_key() == "desk")
    assert not driver.named("alert_bar").isVisible()
    assert driver.shell.frame.notice.isVisible()
    driver.shell.frame.notice.acted.emit()
    driver.until(lambda: driver.shell.page_key() == "breaches")


def test_a_report_closed_over_the_file_is_closed_in_the_frame(driver: Driver) -> None:
    _supervisor_reads(driver)
    _report_comes(driver)
    driver.named("alert_bar").close_notice()  # type: ignore[attr-defined]
    driver.reader.leave()
    driver.until(lambda: driver.shell.page_key() == "desk")
    assert not driver.shell.frame.notice.isVisible()


def test_a_click_on_the_balloon_leaves_the_file_for_the_report_and_one_on_the_icon_does_not(driver: Driver) -> None:
    _supervisor_reads(driver)
    alerts, why = driver.shell._alerts, QSystemTrayIcon.ActivationReason
    alerts._last = "B-2026-000007"
    for reason in why:
        alerts._tray_clicked(reason)
    assert driver.reader is not None
    alerts._tray_icon().messageClicked.emit()
    driver.until(lambda: driver.shell.page_key() == "breaches")
    assert driver.reader is None
    opened: list[str] = []
    alerts.opened.connect(opened.append)
    for reason in why:
        alerts._tray_clicked(reason)
    assert opened == ["B-2026-000007"], "the plain click"


def _is_recorded(driver: Driver, line: ReportLine) -> None:
    alerts = driver.shell._alerts
    alerts._merge.stop()
    alerts._news[line.report_no] = BreachNotice(line.breach_id, line.report_no, line.kind, Severity.DELIBERATE, Containment.NONE, False, 5)
    alerts._had((line,))


@pytest.mark.parametrize("reads", [False, True])
def test_a_report_about_the_supervisor_signed_in_is_told_without_the_verb_that_opens_it(driver: Driver, reads: bool) -> None:
    if reads:
        _supervisor_reads(driver)
    else:
        driver.sign_in(SUPERVISOR)
        driver.until(lambda: driver.shell._alerts is not None)
    alerted: list[str] = []
    driver.shell._alerts.alerted.connect(lambda _title, _sentence, report_no: alerted.append(report_no))
    _is_recorded(driver, dataclasses.replace(report(0), officer=SUPERVISOR, on_you=True))
    assert alerted == []
    assert driver.shell._alert_report == ""
    assert driver.shell.frame.notice.isVisible() is not reads


def test_a_report_about_somebody_else_is_told(driver: Driver) -> None:
    driver.sign_in(SUPERVISOR)
    driver.until(lambda: driver.shell._alerts is not None)
    _is_recorded(driver, report(0))
    assert driver.shell._alert_report == report(0).report_no


def test_the_guard_is_off_where_nobody_is_signed_in(driver: Driver) -> None:
    driver.ready()
    driver.press(Key.Key_C, CTRL)
    driver.press(Key.Key_Print)
    assert not driver.bridge.calls("Breaches.report")
