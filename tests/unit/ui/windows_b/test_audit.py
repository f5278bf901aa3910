"""The audit window: pages by keyset, filters, the chain's state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt

from tests import ui_stage_b as stage
from ui import strings
from ui.theme import Tone
from ui.windows.audit import AuditPage
from ui.windows.audit_words import KindGroup, day_us, kinds_of
from vault.domain.audit import AuditKind
from vault.domain.duration import DAY_US
from vault.errors import RefusedError, UnavailableError
from vault.services.events import VerificationMoved

Stage = Callable[..., Any]


def ready(on_stage: Stage, person: Any = stage.SUPERVISOR, count: int = 7, **answers: Any) -> Any:
    on = on_stage(AuditPage, person, count, **answers)
    on.until(lambda: on.page.trail.current() is not None)
    return on


def pages(on: Any) -> list[tuple[Any, ...]]:
    return on.asked("Supervision.audit_page")


def test_the_whole_trail_is_there_and_one_page_was_asked_for(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.until(lambda: on.page.trail.current() is not None)
    assert on.page.table.row_count() == 18_204
    assert on.page.trail.current().seq == 18_204
    assert [args[5] for args in pages(on)] == [0]


def test_any_page_of_the_unfiltered_trail_is_asked_for_at_once(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.until(lambda: on.page.trail.current() is not None)
    on.press(Qt.Key.Key_End)
    on.until(lambda: on.page.trail.current() is not None and on.page.trail.current().seq == 1)
    assert len(pages(on)) <= 4
    assert sum(args[5] == 0 for args in pages(on)) == 1  # a listing is recorded once


def test_a_filtered_trail_grows_as_its_end_comes_near(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.find("audit_group_reading").click()
    on.until(lambda: on.page.table.row_count() == 200)
    assert pages(on)[-1][0] == kinds_of(frozenset({KindGroup.READING}))
    on.page.table.setFocus()
    on.press(Qt.Key.Key_End)
    on.until(lambda: on.page.table.row_count() == 400)
    on.until(lambda: on.page.table.record(399) is not None)
    assert len({on.page.table.record(row).key for row in range(400)}) == 400


def test_an_answer_to_an_older_filter_is_dropped(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.bridge.held_back.add("Supervision.audit_page")
    on.find("audit_group_reports").click()
    on.find("audit_group_reports").click()
    on.find("audit_group_people").click()
    on.bridge.release("Supervision.audit_page")
    on.bridge.release("Supervision.audit_page")
    assert on.page.table.row_count() == 18_204
    on.bridge.release("Supervision.audit_page")
    assert on.page.table.row_count() == 200


def test_badge_case_and_days_narrow_the_trail(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.fill("audit_badge", "4471")
    on.fill("audit_case", "2026-004417")
    on.fill("audit_from", "2026-11-01")
    on.fill("audit_until", "2026-11-30")
    on.press(Qt.Key.Key_Return)
    assert pages(on)[-1][1:5] == ("4471", "2026-004417", day_us("2026-11-01"), (day_us("2026-11-30") or 0) + DAY_US)


def test_a_day_that_is_none_is_told_beside_its_field_and_asks_nothing(on_stage: Stage) -> None:
    on = ready(on_stage)
    asked = len(pages(on))
    on.fill("audit_from", "22.11.2026")
    on.press(Qt.Key.Key_Return)
    assert on.find("audit_from").accessibleDescription()
    on.find("audit_from").clear()
    on.fill("audit_from", "2026-11-22")
    on.fill("audit_until", "2026-11-01")
    on.press(Qt.Key.Key_Return)
    assert on.find("audit_until").accessibleDescription()
    assert len(pages(on)) == asked


def test_an_unknown_badge_is_told_beside_its_field_and_the_list_stays(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.bridge.answers["Supervision.audit_page"] = RefusedError("person.unknown")
    on.fill("audit_badge", "9999")
    on.press(Qt.Key.Key_Return)
    on.until(on.find("audit_badge").accessibleDescription)
    assert on.page.table.row_count() == 18_204


def test_nothing_fits_says_so(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.fill("audit_badge", "0000")
    on.press(Qt.Key.Key_Return)
    on.until(lambda: not on.page.table.isVisible())
    on.find("audit_clear").click()
    on.until(on.page.table.isVisible)


def test_the_chain_is_verified_by_key_and_said_in_one_line(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.bridge.held_back.add("Supervision.verify_chain")
    on.page.table.setFocus()
    on.press(Qt.Key.Key_V)
    assert not on.find("audit_verify").isEnabled()
    on.press(Qt.Key.Key_V)
    on.bridge.release("Supervision.verify_chain")
    on.until(lambda: "witnessed to" in on.find("audit_chain_words").text())
    assert len(on.asked("Supervision.verify_chain")) == 1
    assert on.page.chain._tone is Tone.PROVEN


def test_what_of_custody_was_verified_is_said_and_what_could_not_be(on_stage: Stage) -> None:
    on = ready(on_stage)
    for sealed, said in ((0, False), (2, True)):
        on.page.chain.show_chain(replace(stage.CHAIN, signatures=9, sealed_statements=sealed))
        words = on.find("audit_chain_words").text()
        assert strings.text("audit.chain_signatures", count=9) in words
        assert (strings.text("audit.chain_sealed", count=2) in words) is said


@pytest.mark.parametrize("reason", ["signature", "custody"])
def test_a_forged_custody_act_has_words_of_its_own(on_stage: Stage, reason: str) -> None:
    on = ready(on_stage, Supervision__verify_chain=replace(stage.BAD_CHAIN, reason=reason))
    on.page.verify()
    on.until(lambda: strings.text(f"audit.reason.{reason}") in on.find("audit_chain_words").text())


def test_a_bad_chain_is_red_and_leads_to_its_first_bad_entry(on_stage: Stage) -> None:
    on = ready(on_stage, Supervision__verify_chain=stage.BAD_CHAIN)
    on.page.verify()
    on.until(lambda: on.there("audit_show_bad"))
    assert on.page.chain._tone is Tone.BREACH
    on.find("audit_show_bad").click()
    on.until(lambda: on.page.trail.current() is not None and on.page.trail.current().seq == stage.BAD_CHAIN.bad_seq)


def test_a_verification_that_could_not_run_is_not_a_verdict(on_stage: Stage) -> None:
    on = ready(on_stage, Supervision__verify_chain=UnavailableError("storage.busy"))
    on.page.verify()
    on.until(on.page._notice.isVisible)
    assert on.page.chain.chain() is None
    assert on.find("audit_verify").isEnabled()


def test_how_far_a_verification_is_shows_and_it_can_be_stopped(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.bridge.told.emit(VerificationMoved(16_384, 18_204))  # another's, or one of before this page
    far = strings.text("audit.verifying_of", done=strings.number(16_384), all=strings.number(18_204))
    assert far not in on.find("audit_chain_words").text()
    on.page.stop_verifying()
    assert not on.asked("Supervision.stop_verification")
    on.bridge.held_back.add("Supervision.verify_chain")
    on.page.table.setFocus()
    on.press(Qt.Key.Key_V)
    on.bridge.told.emit(VerificationMoved(16_384, 18_204))
    assert far in on.find("audit_chain_words").text()
    on.bridge.answers["Supervision.verify_chain"] = RefusedError("audit.verification-stopped")
    on.find("audit_stop_verifying").click()
    on.until(lambda: on.asked("Supervision.stop_verification"))
    on.bridge.release("Supervision.verify_chain")
    on.until(lambda: on.find("audit_verify").isEnabled())
    assert not on.page._notice.isVisible()
    assert not on.there("audit_stop_verifying")
    assert on.page.chain.chain() is None


def test_a_cases_history_and_a_persons_acts_are_one_key(on_stage: Stage) -> None:
    on = ready(on_stage)
    row = next(i for i in range(100) if stage.entry(18_204 - i).case_label and stage.entry(18_204 - i).actor)
    line = stage.entry(18_204 - row)
    on.page.table.set_current(row)
    on.page.table.setFocus()
    on.press(Qt.Key.Key_H)
    on.until(lambda: pages(on)[-1][2] == line.case_label)
    assert on.find("audit_case").text() == ""  # painted, not put into an input
    on.press(Qt.Key.Key_P)
    on.until(lambda: pages(on)[-1][1] != "")
    assert pages(on)[-1][2] == ""


def test_another_page_opens_the_history_with_one_question(on_stage: Stage) -> None:
    on = ready(on_stage)
    on.page.hidden()
    asked = len(pages(on))
    on.page.open_at("2026-004398")
    on.page.shown()
    on.until(lambda: len(pages(on)) == asked + 1)
    assert pages(on)[-1][2] == "2026-004398"


def test_an_auditor_types_the_number_whose_history_they_want(on_stage: Stage) -> None:
    on = ready(on_stage, stage.AUDITOR)
    on.fill("audit_case", "2026-004398")
    on.press(Qt.Key.Key_Return)
    on.until(lambda: pages(on)[-1][2] == "2026-004398")


def test_an_auditor_is_offered_no_history_of_an_entry_for_its_number_is_not_known_to_them(on_stage: Stage) -> None:
    on = ready(on_stage, stage.AUDITOR)
    on.page.table.set_current(next(i for i in range(100) if stage.entry(18_204 - i).case_label))
    assert not on.there("audit_history_of_entry")


def test_every_field_of_an_entry_is_in_the_inspector(on_stage: Stage) -> None:
    from ui.windows.audit import _facts, _fields

    line = next(stage.entry(seq) for seq in range(1, 99) if stage.entry(seq).kind == AuditKind.PAGE_VIEWED.value)
    shown = [fact.value for fact in (*_fields(line), *_facts(line))]
    assert line.entry_hash in shown
    assert line.case_id in shown
    assert line.document_id in shown
    assert next(fact for fact in _fields(line) if fact.value == line.entry_hash).mono
