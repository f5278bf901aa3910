"""The pure parts of these windows: sentences, orders, times left. No widget."""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import ui_stage_b as stage
from ui import strings
from ui.widgets.passphrase_field import Typed
from ui.windows import audit_words, breach_words
from ui.windows.audit_words import KindGroup
from ui.windows.enrol import matrix, passphrase_feedback, unit_suits
from ui.windows.grants import GrantState, grant_state
from ui.windows.intake_progress import Pace, progress_sentence
from ui.windows.naming import isolated, who
from ui.windows.person_field import fitting
from ui.windows.report_pane import evidence, timeline
from ui.windows.strip_wall import board_order
from vault.domain.audit import AuditKind
from vault.domain.breach import Containment, Finding, Severity, SignalKind, TriageState
from vault.domain.custody import Purpose
from vault.domain.identity import PersonState, Role, UnitKind
from vault.domain.place import Fit
from vault.services.views import FileState, IntakeView

# ---- breach reports ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SignalKind)
def test_every_kind_of_signal_has_a_sentence_with_and_without_somebody_signed_in(kind: SignalKind) -> None:
    line = dataclasses.replace(stage.report(1), kind=kind, count=3)
    told = breach_words.summary(stage.report_view(line))
    assert "4519" in told
    assert "2026-004417" in told
    nobody = breach_words.summary(stage.report_view(dataclasses.replace(line, officer=None)))
    assert "{" not in nobody
    assert nobody[0].isupper()


@pytest.mark.parametrize(
    ("name", "value", "label", "said"),
    [
        ("dwell_ms", "41200", "On screen for", "41.2 s"),
        ("until_us", "1795312800000000", "Until", "2026-11-22T02:00:00Z"),
        ("until_us", "0", "Until", "None"),
        ("check_out_no", "1042", "Check-out", "1042"),
        ("a_later_fact", "7", "A later fact", "7"),
        ("a_later_ms", "soon", "A later ms", "soon"),
    ],
)
def test_a_fact_of_the_trail_is_said_as_what_it_measures(name: str, value: str, label: str, said: str) -> None:
    found, told = audit_words.fact_row(name, value)
    assert found == label
    assert said in told


def test_a_report_never_speaks_of_a_violation() -> None:
    for index in range(40):
        told = breach_words.summary(stage.report_view(stage.report(index))).lower()
        assert not any(word in told for word in ("violation", "suspect", "offender"))


@pytest.mark.parametrize("value", [*Severity, *TriageState, *Finding, *Containment])
def test_every_value_a_report_can_have_has_a_word(value: Severity | TriageState | Finding | Containment) -> None:
    room = {Severity: "severity", TriageState: "state", Finding: "finding", Containment: "containment"}[type(value)]
    assert strings.has_text(f"breaches.{room}.{value.value}")


def test_a_report_of_several_strands_names_them_the_gravest_first_and_says_why_it_counts_more() -> None:
    line = stage.together()
    assert breach_words.what(line) == ("Capture program", "+3")
    view = stage.report_view(line)
    told = breach_words.summary(view)
    assert told.startswith("Noticed together: Capture program ×2, Vault file copied, New picture, Medium connected; Ingrid")
    assert "one step more" in breach_words.why_higher(view)
    nobody = breach_words.summary(dataclasses.replace(view, line=dataclasses.replace(line, officer=None)))
    assert "; nobody was signed in, with page" in nobody
    two = dataclasses.replace(view, facts=tuple(fact for fact in view.facts if fact.kind is not SignalKind.MEDIA_MOUNTED))
    assert breach_words.summary(two).startswith("Noticed together: Capture program ×2, Vault file copied, New picture; ")
    assert breach_words.why_higher(two) == ""


def test_of_sights_of_one_act_the_gravest_is_told_and_counted_alone() -> None:
    sights = (SignalKind.STORE_OPENED, SignalKind.STORE_COPIED)
    line = dataclasses.replace(stage.report(0), kind=sights[0], seen=sights, count=2)
    assert breach_words.what(line) == ("Vault file copied", "")
    view = stage.report_view(line)
    both = dataclasses.replace(view, facts=tuple(dataclasses.replace(view.facts[0], kind=kind) for kind in sights))
    assert breach_words.summary(both).startswith("A copy of the vault's files was noticed once while ")


def test_unacknowledged_high_severity_stays_on_top_and_disposed_sinks() -> None:
    queue = breach_words.queue_order(stage.reports(200))
    pressing = [breach_words.presses(line) for line in queue]
    assert pressing == sorted(pressing, reverse=True)
    disposed = [line.state is TriageState.DISPOSED for line in queue]
    assert disposed == sorted(disposed)
    first = [line for line in queue if breach_words.presses(line)]
    assert [int(line.severity) for line in first] == sorted((int(line.severity) for line in first), reverse=True)


def test_the_timeline_is_in_order_and_holds_what_people_did() -> None:
    view = stage.report_view(stage.report(4))
    moments = timeline(view)
    assert [moment.at_us for moment in moments] == sorted(moment.at_us for moment in moments)
    assert len(moments) == len(view.facts) + len(view.notes) + 2
    assert sum(bool(moment.words) for moment in moments) == len(view.notes)


def test_evidence_leaves_no_value_out_and_shows_no_empty_row() -> None:
    view = stage.report_view(stage.report(1))
    rows = [row for _heading, block in evidence(view) for row in block]
    assert all(value for _label, value in rows)
    assert ("Program", "cp") in rows
    assert ("Salt matched", "yes") in rows  # a fact without a word of its own is shown as the sensor called it


def test_where_it_happened_stands_once_and_with_its_times_where_it_changed() -> None:
    view = stage.report_view(dataclasses.replace(stage.report(1), count=2))
    first, second, third = view.facts[:3]
    home = (("place_name", "Headquarters"), ("place_fit", "fits"), ("place_addresses", "eth0 10.20.3.4/16"))
    away = (("place_fit", "other-network"), ("place_addresses", "none"))

    def placed(*facts: tuple[tuple[str, str], ...]) -> list[tuple[str, list[tuple[str, str]]]]:
        told = zip((first, second, third), facts, strict=True)
        blocks = evidence(dataclasses.replace(view, facts=tuple(dataclasses.replace(one, facts=one.facts + more) for one, more in told)))
        assert not any(label == "What fits" for heading, rows in blocks if not heading.startswith("Where") for label, _value in rows)
        return [block for block in blocks if block[0].startswith("Where it happened")]

    assert placed((), (), ()) == []
    [(heading, rows)] = placed(home, (), ())
    assert heading == "Where it happened"
    assert rows == [
        ("Approved place", "Headquarters"),
        ("What fits", "The network fits an approved place"),
        ("Addresses", "eth0 10.20.3.4/16"),
    ]
    [(later, rows), (earlier, _)] = placed(home, (), away)
    assert ("What fits", "The network is of no approved place") in rows
    assert later != earlier


def test_where_it_happened_stays_however_many_signals_follow() -> None:
    view = stage.report_view(stage.report(1))
    first = dataclasses.replace(view.facts[0], facts=(("place_name", "Headquarters"), ("place_hash", "aa")))
    blocks = evidence(dataclasses.replace(view, facts=(first, *[view.facts[0]] * 60)))
    [place] = [rows for heading, rows in blocks if heading == "Where it happened"]
    assert place == [("Approved place", "Headquarters")], "the hash of a medium's folder is none of it"
    assert len(blocks) == 1 + 1 + 40


#: name and value of a fact · what is shown
SAID = [
    ("moment", "opening", "Being opened"),
    ("moment", "open", "Open"),
    ("place_unread", "not-readable", "The system did not say"),
    ("place_addresses", "none", "None"),
    ("place_gateways", "none", "None"),
    ("place_tunnels", "none", "None"),
    ("place_remote", "none", "None"),
    ("place_remote", "not-readable", "Could not be looked for"),
    ("place_remote", "forwarded relay, of-a-later version", "A program forwards the screen; of-a-later version"),
    ("place_addresses", "eth0 10.20.3.4/16, wlan0 10.20.3.5/16", "eth0 10.20.3.4/16, wlan0 10.20.3.5/16"),
    ("place_name", "none", "none"),
    ("of", "part", "A part of the vault's database"),
    ("seen", "already-there", "It was there already"),
    ("found", "inside", "Inside the file"),
    ("when", "before-the-page", "Before the page was shown"),
    ("how", "served", "Shown to the network"),
    ("because", "not-system", "Not a program of the system"),
]


@pytest.mark.parametrize(("name", "value", "shown"), SAID)
def test_codes_of_the_place_are_said_in_words(name: str, value: str, shown: str) -> None:
    assert breach_words.fact_row(name, value)[1] == shown


def test_the_facts_of_a_copy_are_named_in_words() -> None:
    named = {name: breach_words.fact_name(name) for name in ("name", "folder", "bytes", "of", "copy", "seen", "found")}
    assert named == {
        "name": "Name",
        "folder": "Folder",
        "bytes": "Size, bytes",
        "of": "Copy of",
        "copy": "Number of the file",
        "seen": "When it was seen",
        "found": "Where it was found",
    }


@pytest.mark.parametrize("code", ["spool.gap", "spool.damaged", "spool.moved", "sealing.not-authentic"])
def test_what_was_done_to_the_spool_is_said_in_words(code: str) -> None:
    assert breach_words.fact_row("code", code)[1] == strings.text(f"breaches.code.code.{code}")
    assert breach_words.fact_row("code", "header.damaged")[1] == "header.damaged"


def test_a_sensor_that_went_blind_is_said_in_the_strips_words() -> None:
    assert breach_words.fact_row("protection", "process")[1] == strings.text("protection.process.name")
    assert breach_words.fact_row("reason", "stopped")[1] == strings.text("protection_reason.stopped")
    typed = "As agreed, see 4.2. of the order"
    assert breach_words.fact_row("reason", typed)[1] == typed, "a person's own words stand as they were typed"


@pytest.mark.parametrize("fit", Fit)
def test_every_judgement_of_the_place_is_said_in_words(fit: Fit) -> None:
    assert breach_words.fact_row("place_fit", fit.value)[1] == strings.text(f"breaches.code.place_fit.{fit.value}")
    assert breach_words.fact_row("place_fit", "of-a-later-version")[1] == "of-a-later-version"


# ---- audit -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", AuditKind)
def test_every_kind_of_entry_has_a_sentence_and_one_group(kind: AuditKind) -> None:
    assert strings.has_text(f"audit.sentence.{kind.value}")
    assert audit_words.group_of(kind) in KindGroup


def test_the_groups_together_are_every_kind() -> None:
    by_group = [audit_words.kinds_of(frozenset({group})) for group in KindGroup]
    assert sorted(kind for kinds in by_group for kind in kinds) == sorted(kind.value for kind in AuditKind)
    assert audit_words.kinds_of(frozenset()) == () == audit_words.kinds_of(frozenset(KindGroup))


def test_a_kind_of_a_later_version_is_shown_as_it_stands() -> None:
    assert audit_words.sentence(dataclasses.replace(stage.entry(3), kind="retention.reviewed")) == "retention.reviewed"


@pytest.mark.parametrize("reason", ["edited", "missing", "inserted", "reordered", "truncated", "checkpoint", "rolled-back", "unheard-of"])
def test_a_bad_chain_names_the_first_bad_entry_and_why(reason: str) -> None:
    told = audit_words.chain_sentence(dataclasses.replace(stage.BAD_CHAIN, reason=reason))
    assert strings.number(stage.BAD_CHAIN.bad_seq) in told
    assert reason == "unheard-of" or strings.text(f"audit.reason.{reason}") in told


def test_a_good_chain_is_not_called_witnessed_when_it_was_not() -> None:
    assert "not witnessed" in audit_words.chain_sentence(dataclasses.replace(stage.CHAIN, witnessed_seq=0))
    assert "not" not in audit_words.chain_sentence(stage.CHAIN)


@given(st.dates(min_value=datetime.date(1990, 1, 1), max_value=datetime.date(2037, 1, 1)))
def test_a_typed_day_is_its_first_local_moment(day: datetime.date) -> None:
    at_us = audit_words.day_us(f" {day} ")
    assert at_us is not None
    local = time.localtime(at_us // 1_000_000)
    assert (local.tm_hour, local.tm_min) == (0, 0)
    assert time.strftime("%Y-%m-%d", local) == str(day)


@pytest.mark.parametrize(
    ("typed", "right"),
    [("", True), ("2026-11-22", True), ("2026-11-22 08:00", True), ("22.11.2026", False), ("2026-13-01", False), ("tomorrow", False)],
)
def test_a_moment_is_read_or_refused(typed: str, right: bool) -> None:
    assert (audit_words.moment_us(typed) is not None) is right


# ---- names -------------------------------------------------------------------------------------------------------------------------


def test_a_name_never_stands_alone_and_a_right_to_left_one_is_isolated() -> None:
    assert who(stage.OFFICER) == "Ingrid Vasquez-Halloran · 4471 · Investigations East"
    assert who(stage.COLLEAGUE).startswith("\u2068")
    assert isolated("Đorđe Nilsson") == "Đorđe Nilsson"  # not ASCII, not turned


@pytest.mark.parametrize(
    ("typed", "first"), [("4471", "4471"), ("ing", "4471"), ("hall", "4471"), ("okon", "1180"), ("1", "1180"), ("zz", None)]
)
def test_a_person_is_found_by_badge_or_a_part_of_the_name(typed: str, first: str | None) -> None:
    found = fitting(stage.PEOPLE, typed)
    assert (found[0].badge_no if found else None) == first


@pytest.mark.parametrize("typed", ["dorde", "Đorđe", "núñez", "NUNEZ", "lukasz", "bjørn"])
def test_accents_and_strokes_keep_nobody_from_being_found(typed: str) -> None:
    named = dataclasses.replace(stage.OFFICER, name="Đorđe Núñez Łukasz-Bjørn")
    assert fitting((stage.SUPERVISOR, named), typed) == (named,)


# ---- custody, people, grants -------------------------------------------------------------------------------------------------------


def test_overdue_strips_come_first_and_the_longest_overdue_on_top() -> None:
    order = board_order(stage.board(300))
    overdue = [line.overdue for line in order]
    assert overdue == sorted(overdue, reverse=True)
    assert order[0].due_back_us == min(line.due_back_us for line in order)


@pytest.mark.parametrize("value", [*Purpose, *PersonState, *Role, *UnitKind, *FileState])
def test_every_value_shown_has_a_word(value: Purpose | PersonState | Role | UnitKind | FileState) -> None:
    room = {Purpose: "purpose", PersonState: "people.state", Role: "role", UnitKind: "people.unit_kind", FileState: "intake.state"}[
        type(value)
    ]
    assert strings.has_text(f"{room}.{value.value}")


@pytest.mark.parametrize(
    ("passphrase", "fine"),
    [("", False), ("short", False), ("aaaaaaaaaaaaaaa", False), ("badge 4610 in it", False), ("four grey lamps", True)],
)
def test_the_passphrase_rule_is_told_while_typing(passphrase: str, fine: bool) -> None:
    typed = Typed()
    typed.splice(0, 0, passphrase)
    assert passphrase_feedback(typed, "4610")[1] is fine


@pytest.mark.parametrize(
    ("kind", "role", "suits"),
    [
        (UnitKind.TEAM, Role.OFFICER, True),
        (UnitKind.TEAM, Role.CUSTODIAN, False),
        (UnitKind.RECORDS, Role.CUSTODIAN, True),
        (UnitKind.RECORDS, Role.OFFICER, False),
        (UnitKind.SUPERVISORS, Role.SUPERVISOR, True),
        (UnitKind.SUPERVISORS, Role.ADMINISTRATOR, False),
        (UnitKind.TEAM, Role.SUPERVISOR, True),
    ],
)
def test_units_offered_suit_the_role(kind: UnitKind, role: Role, suits: bool) -> None:
    assert unit_suits(kind, role) is suits


def test_the_quiet_zone_of_a_code_is_not_painted_twice() -> None:
    rows = stage.enrolments()[0].qr_rows
    modules = matrix(rows)
    assert len(modules) == len(rows) - 8
    assert modules[0][:7] == [True] * 7
    assert matrix(("000", "000")) == []


def test_a_grant_says_whether_it_counts_now() -> None:
    grant = dataclasses.replace(stage.ConsoleBridge()._desk_case(stage.case(0).case_id).grants[0], from_us=100, until_us=200, removed_us=0)
    states = [grant_state(grant, now) for now in (99, 100, 199, 200)]
    assert states == [GrantState.NOT_YET, GrantState.IN_FORCE, GrantState.IN_FORCE, GrantState.ENDED]
    assert grant_state(dataclasses.replace(grant, removed_us=150), 160) is GrantState.REMOVED


# ---- intake ------------------------------------------------------------------------------------------------------------------------


def test_no_time_is_told_before_there_is_something_to_measure() -> None:
    pace = Pace()
    assert pace.seconds_left(1000) is None
    pace.note(0.0, 0)
    pace.note(0.2, 100)
    assert pace.seconds_left(1000) is None


def test_the_time_left_follows_the_last_seconds_only() -> None:
    pace = Pace()
    for second in range(60):
        pace.note(float(second), second)  # slow at first
    for second in range(60, 90):
        pace.note(float(second), 59 + (second - 59) * 100)
    left = pace.seconds_left(59 + 3000 + 1000)
    assert left is not None
    assert left == pytest.approx(10, abs=2)


def test_an_intake_says_how_far_it_is_and_what_became_of_it() -> None:
    def said(view: IntakeView) -> str:
        return progress_sentence(view, Counter(file.state for file in view.files), None)

    assert "5 of 7 files" in said(stage.intake_view(7))
    done = said(stage.intake_view(7, finished=True))
    assert "5 files taken in" in done
    assert "2 refused" in done
    assert "already" not in done
    one, *others = stage.intake_view(7, finished=True).files
    again = dataclasses.replace(stage.intake_view(7, finished=True), files=(dataclasses.replace(one, state=FileState.PRESENT), *others))
    assert "4 files taken in · 1 already in this case" in said(again)
    assert said(dataclasses.replace(stage.intake_view(0), looking=True)) == "Looking for files"
