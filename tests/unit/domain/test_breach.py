"""The table of severities, containment, joining and triage: each line says what it must be."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.domain.breach import (
    COPY_ATTEMPTS,
    FAMILY,
    JOINING_WINDOW_US,
    MOST_BEFORE_A_STRAND_JOINS,
    SEVERITY,
    STRAND,
    Containment,
    Finding,
    ReportState,
    Severity,
    SignalKind,
    Strand,
    TriageAct,
    TriageState,
    all_strands,
    containment_of,
    family,
    joinable_kinds,
    joined_by,
    joins,
    severity_of,
    severity_of_act,
    severity_together,
    triage,
)
from vault.domain.duration import MINUTE_US
from vault.domain.identity import BreachId, PersonId
from vault.errors import RefusedError

K = SignalKind
OFFICER, SUPERVISOR, SECOND = PersonId("officer"), PersonId("supervisor"), PersonId("second")
LONG = "a rationale of a sentence"

#            first  third                  first containment      on the third
TABLE = {
    K.COPY_KEY: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.CUT_KEY: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.SELECT_ALL_KEY: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.CONTEXT_MENU: (1, 1, Containment.NOTICE, Containment.NOTICE),
    K.DRAG: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.PRINT_KEY: (3, 3, Containment.BLANK, Containment.BLANK),
    K.SAVE_KEY: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.PRINT_SCREEN_KEY: (3, 3, Containment.BLANK, Containment.BLANK),
    K.CLIPBOARD: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.PRIMARY_SELECTION: (1, 1, Containment.NONE, Containment.NONE),
    K.STORE_OPENED: (3, 3, Containment.RECALL, Containment.RECALL),
    K.STORE_COPIED: (4, 4, Containment.RECALL, Containment.RECALL),
    K.STORE_CHANGED: (4, 4, Containment.RECALL, Containment.RECALL),
    K.CLOCK_SET_BACK: (3, 3, Containment.BLANK, Containment.BLANK),
    K.STORE_TAMPERED: (5, 5, Containment.RECALL, Containment.RECALL),
    K.SENSOR_BLIND: (3, 3, Containment.BLANK, Containment.BLANK),
    K.CAPTURE_TOOL: (4, 4, Containment.RECALL, Containment.RECALL),
    K.UNKNOWN_SCREEN_CLIENT: (4, 4, Containment.RECALL, Containment.RECALL),
    K.NEW_PICTURE: (3, 3, Containment.BLANK, Containment.BLANK),
    K.SCREEN_CAST: (4, 4, Containment.RECALL, Containment.RECALL),
    K.REMOTE_SESSION: (4, 4, Containment.RECALL, Containment.RECALL),
    K.SYNTHETIC_INPUT: (3, 3, Containment.BLANK, Containment.BLANK),
    K.DISPLAY_ADDED: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.MEDIA_MOUNTED: (1, 1, Containment.NONE, Containment.NONE),
    K.DEBUGGER: (5, 5, Containment.RECALL, Containment.RECALL),
    K.FOREIGN_LIBRARY: (5, 5, Containment.RECALL, Containment.RECALL),
    K.HOSTILE_ENVIRONMENT: (3, 3, Containment.BLANK, Containment.BLANK),
    K.VIRTUAL_MACHINE: (1, 1, Containment.NONE, Containment.NONE),
    # Flags: for a supervisor to look at, and nothing else.
    K.BULK_READING: (2, 3, Containment.NONE, Containment.NONE),
    K.READING_OUTSIDE_SHIFT: (1, 1, Containment.NONE, Containment.NONE),
    K.READING_OUTSIDE_ASSIGNMENT: (2, 3, Containment.NONE, Containment.NONE),
    K.DECOY_READ: (3, 3, Containment.NONE, Containment.NONE),
    K.OFF_PREMISES: (4, 4, Containment.RECALL, Containment.RECALL),
    K.PREMISES_LOST: (3, 3, Containment.BLANK, Containment.BLANK),
    K.PLACE_NOT_APPROVED: (3, 3, Containment.BLANK, Containment.BLANK),
    K.DESK_KILLED: (3, 3, Containment.BLANK, Containment.BLANK),
    K.PLACE_FILE_ALTERED: (3, 3, Containment.BLANK, Containment.BLANK),
    K.STARTED_OFF_PREMISES: (3, 3, Containment.BLANK, Containment.BLANK),
    K.RECOVERY_OPENED: (4, 4, Containment.RECALL, Containment.RECALL),
    K.RECOVERY_REFUSED: (3, 3, Containment.BLANK, Containment.BLANK),
    K.POLICY_CHANGED: (2, 3, Containment.NOTICE, Containment.BLANK),
    K.PREMISES_WEAKENED: (2, 3, Containment.NOTICE, Containment.BLANK),
}

NOT_COPYING = {
    K.CLOCK_SET_BACK,
    K.SENSOR_BLIND,
    K.STORE_TAMPERED,
    K.DISPLAY_ADDED,
    K.MEDIA_MOUNTED,
    K.HOSTILE_ENVIRONMENT,
    K.VIRTUAL_MACHINE,
    K.BULK_READING,
    K.READING_OUTSIDE_SHIFT,
    K.READING_OUTSIDE_ASSIGNMENT,
    K.DECOY_READ,
    K.OFF_PREMISES,
    K.PREMISES_LOST,
    K.PLACE_NOT_APPROVED,
    K.DESK_KILLED,
    K.PLACE_FILE_ALTERED,
    K.STARTED_OFF_PREMISES,
    K.RECOVERY_OPENED,
    K.RECOVERY_REFUSED,
    K.POLICY_CHANGED,
    K.PREMISES_WEAKENED,
}


def test_the_tables_are_total() -> None:
    assert set(TABLE) == set(SEVERITY) == set(SignalKind)
    assert set(SignalKind) - COPY_ATTEMPTS == NOT_COPYING


@pytest.mark.parametrize("kind", SignalKind)
def test_severity_and_containment(kind: SignalKind) -> None:
    first, third = severity_of(kind, {}, 1), severity_of(kind, {}, 3)
    assert severity_of(kind, {}, 2) is first
    assert (first, third, containment_of(kind, first), containment_of(kind, third)) == TABLE[kind]


@given(st.sampled_from(SignalKind), st.integers(-5, 12), st.integers(1, 9))
def test_policy_raises_and_never_lowers(kind: SignalKind, wanted: int, repeats: int) -> None:
    without, raised = severity_of(kind, {}, repeats), severity_of(kind, {kind.value: wanted}, repeats)
    assert without <= raised <= Severity.BULK
    assert raised >= min(wanted, 5)


@given(st.sampled_from(SignalKind), st.sampled_from(Severity), st.sampled_from(Severity))
def test_more_severe_is_never_contained_less(kind: SignalKind, one: Severity, other: Severity) -> None:
    order = list(Containment)
    low, high = sorted((one, other))
    assert order.index(containment_of(kind, low)) <= order.index(containment_of(kind, high))


def report(kind: SignalKind = K.COPY_KEY, state: TriageState = TriageState.OPEN, owner: PersonId | None = None) -> ReportState:
    return ReportState(BreachId("b"), kind, Severity.AMBIGUOUS, state, OFFICER, None, owner, 0, JOINING_WINDOW_US, 1)


#   signal, by, distance from the report's last signal, state -> joins
JOINS = [
    (K.COPY_KEY, OFFICER, 0, TriageState.OPEN, True),
    (K.COPY_KEY, OFFICER, JOINING_WINDOW_US, TriageState.OPEN, True),
    (K.COPY_KEY, OFFICER, JOINING_WINDOW_US + 1, TriageState.OPEN, False),
    (K.COPY_KEY, OFFICER, -1, TriageState.OPEN, True),  # two sensors, told in the wrong order
    (K.COPY_KEY, OFFICER, 5, TriageState.ACKNOWLEDGED, True),
    (K.COPY_KEY, OFFICER, 5, TriageState.INVESTIGATING, True),
    (K.COPY_KEY, OFFICER, 5, TriageState.DISPOSED, False),
    (K.CUT_KEY, OFFICER, 5, TriageState.OPEN, False),
    (K.COPY_KEY, SECOND, 5, TriageState.OPEN, False),
    (K.COPY_KEY, None, 5, TriageState.OPEN, False),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "officer", "after_us", "state", "expected"), JOINS)
def test_what_joins(kind: SignalKind, officer: PersonId | None, after_us: int, state: TriageState, expected: bool) -> None:
    known = report(state=state)
    assert joins(known, kind, officer, known.last_us + after_us) is expected


def test_an_opening_and_the_copy_it_made_are_one_family_and_nobody_joins_nobody() -> None:
    opened = report(K.STORE_OPENED)
    assert joins(opened, K.STORE_COPIED, OFFICER, opened.last_us)
    assert joins(report(K.STORE_COPIED), K.STORE_OPENED, OFFICER, opened.last_us)
    assert joins(replace(opened, officer_id=None), K.STORE_COPIED, None, opened.last_us)
    assert {family(kind) for kind in SignalKind} == set(SignalKind) - set(FAMILY)


# ---- strands ------------------------------------------------------------------------------------------------------------------------


@dataclass
class Register:
    """Reports as the vault keeps them, newest first, with the kinds each holds."""

    policy: Mapping[str, int] = field(default_factory=dict)
    reports: list[tuple[ReportState, list[SignalKind]]] = field(default_factory=list)
    contained: list[Containment] = field(default_factory=list)

    def take(self, kind: SignalKind, at_us: int, officer: PersonId | None) -> None:
        lately = [one for one, _ in self.reports if one.kind in joinable_kinds(kind)]
        joined = joined_by(lately, kind, officer, at_us)
        if joined is None:
            state = ReportState(BreachId("b"), kind, SEVERITY[kind], TriageState.OPEN, officer, None, None, at_us, at_us, 0)
            held = [kind]
        else:
            [held] = [kinds for one, kinds in self.reports if one is joined]
            state = joined
            held.append(kind)
        severity = max(state.severity, severity_together(held, self.policy))
        self.contained.append(containment_of(kind, severity_of_act(held, self.policy)))
        self.reports = [(one, kinds) for one, kinds in self.reports if one is not joined]
        self.reports.append((replace(state, severity=severity, last_us=max(state.last_us, at_us), count=len(held)), held))
        self.reports.sort(key=lambda one: one[0].last_us, reverse=True)

    def told(self) -> list[tuple[set[SignalKind], int]]:
        return [(set(held), int(state.severity)) for state, held in reversed(self.reports)]


CLIENT, TOOL, PICTURE, CAST = K.UNKNOWN_SCREEN_CLIENT, K.CAPTURE_TOOL, K.NEW_PICTURE, K.SCREEN_CAST
STICK, OPENED, COPIED, CHANGED = K.MEDIA_MOUNTED, K.STORE_OPENED, K.STORE_COPIED, K.STORE_CHANGED
ME, YOU, NOBODY = OFFICER, SECOND, None

#   what was seen (kind, minute, officer) -> the reports (kinds, severity), the one last added to last
TOGETHER: list[tuple[list[tuple[SignalKind, int, PersonId | None]], list[tuple[set[SignalKind], int]]]] = [
    ([(STICK, 0, ME)], [({STICK}, 1)]),
    ([(STICK, 0, ME), (STICK, 3, ME)], [({STICK}, 1)]),
    # two strands are one report of the graver severity
    ([(STICK, 0, ME), (OPENED, 1, ME)], [({STICK, OPENED}, 3)]),
    ([(STICK, 0, ME), (COPIED, 1, ME)], [({STICK, COPIED}, 4)]),
    ([(PICTURE, 0, ME), (STICK, 9, ME)], [({PICTURE, STICK}, 3)]),
    ([(TOOL, 0, ME), (CHANGED, 2, ME)], [({TOOL, CHANGED}, 4)]),
    # all three are one step more, once
    ([(CLIENT, 0, ME), (STICK, 4, ME), (OPENED, 8, ME)], [({CLIENT, STICK, OPENED}, 5)]),
    ([(OPENED, 8, ME), (STICK, 4, ME), (CLIENT, 0, ME)], [({CLIENT, STICK, OPENED}, 5)]),
    ([(PICTURE, 0, ME), (STICK, 1, ME), (OPENED, 2, ME)], [({PICTURE, STICK, OPENED}, 4)]),
    ([(PICTURE, 0, ME), (STICK, 1, ME), (OPENED, 2, ME), (PICTURE, 3, ME), (STICK, 4, ME)], [({PICTURE, STICK, OPENED}, 4)]),
    ([(PICTURE, 0, ME), (STICK, 1, ME), (OPENED, 2, ME), (COPIED, 3, ME)], [({PICTURE, STICK, OPENED, COPIED}, 5)]),
    ([(TOOL, 0, ME), (STICK, 1, ME), (COPIED, 2, ME), (CAST, 3, ME)], [({TOOL, STICK, COPIED, CAST}, 5)]),
    # one strand alone, however often it is seen
    ([(CLIENT, 0, ME), (TOOL, 1, ME), (PICTURE, 2, ME), (CAST, 3, ME)], [({CLIENT, TOOL, PICTURE, CAST}, 4)]),
    # not within the window, not the same person
    ([(STICK, 0, ME), (COPIED, 11, ME)], [({STICK}, 1), ({COPIED}, 4)]),
    ([(STICK, 0, ME), (COPIED, 1, YOU)], [({STICK}, 1), ({COPIED}, 4)]),
    ([(STICK, 0, NOBODY), (COPIED, 1, ME)], [({STICK}, 1), ({COPIED}, 4)]),
    ([(TOOL, 0, NOBODY), (STICK, 1, NOBODY), (COPIED, 2, NOBODY)], [({TOOL, STICK, COPIED}, 5)]),
    # two reports stand: the third signal joins the newer, the other stays what it is
    ([(TOOL, 0, ME), (STICK, 15, ME), (COPIED, 8, ME)], [({TOOL}, 4), ({STICK, COPIED}, 4)]),
    # what is no strand stays a report of its own: the shift's three
    ([(K.COPY_KEY, 0, ME), (K.PRINT_SCREEN_KEY, 1, ME), (OPENED, 2, ME)], [({K.COPY_KEY}, 2), ({K.PRINT_SCREEN_KEY}, 3), ({OPENED}, 3)]),
    ([(TOOL, 0, ME), (K.REMOTE_SESSION, 1, ME), (K.DEBUGGER, 2, ME)], [({TOOL}, 4), ({K.REMOTE_SESSION}, 4), ({K.DEBUGGER}, 5)]),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), TOGETHER)
def test_what_is_one_report(seen: list[tuple[SignalKind, int, PersonId | None]], expected: list[tuple[set[SignalKind], int]]) -> None:
    register = Register()
    for kind, minute, officer in seen:
        register.take(kind, minute * MINUTE_US, officer)
    assert sorted(register.told(), key=str) == sorted(expected, key=str)


def test_policy_raises_what_a_report_of_several_strands_counts() -> None:
    register = Register({STICK.value: 3, OPENED.value: 4})
    for minute, kind in enumerate((STICK, OPENED)):
        register.take(kind, minute * MINUTE_US, ME)
    assert register.told() == [({STICK, OPENED}, 4)]
    register.take(PICTURE, MINUTE_US, ME)
    assert register.told() == [({STICK, OPENED, PICTURE}, 5)]


def test_a_disposed_report_is_joined_by_no_strand_and_a_long_one_by_its_own_alone() -> None:
    tool = report(TOOL)
    assert joins(tool, STICK, OFFICER, tool.last_us)
    assert not joins(replace(tool, state=TriageState.DISPOSED), STICK, OFFICER, tool.last_us)
    long = replace(tool, count=MOST_BEFORE_A_STRAND_JOINS)
    assert not joins(long, STICK, OFFICER, tool.last_us), "a flood of one strand hides no fact of another"
    assert joins(long, PICTURE, OFFICER, tool.last_us)


def test_a_late_signal_joins_the_report_that_spans_its_time() -> None:
    spanning = replace(report(TOOL), last_us=3 * JOINING_WINDOW_US)
    assert joins(spanning, STICK, OFFICER, JOINING_WINDOW_US)
    assert not joins(spanning, STICK, OFFICER, -JOINING_WINDOW_US - 1)


#   in this order -> what each leads to while a page is shown
CONTAINED = [
    # beside a graver report a medium takes nothing away; as the third strand, and after it, it does
    ([OPENED, STICK], [Containment.RECALL, Containment.NONE]),
    ([TOOL, STICK], [Containment.RECALL, Containment.NONE]),
    ([STICK, PICTURE], [Containment.NONE, Containment.BLANK]),
    ([TOOL, PICTURE], [Containment.RECALL, Containment.RECALL]),
    ([PICTURE, STICK, OPENED], [Containment.BLANK, Containment.NONE, Containment.RECALL]),
    ([OPENED, PICTURE, STICK, STICK], [Containment.RECALL, Containment.BLANK, Containment.RECALL, Containment.RECALL]),
]


@pytest.mark.parametrize(("kinds", "expected"), CONTAINED)
def test_containment_follows_the_step_once_every_strand_was_seen(kinds: list[SignalKind], expected: list[Containment]) -> None:
    register = Register()
    for minute, kind in enumerate(kinds):
        register.take(kind, minute * MINUTE_US, ME)
    assert register.contained == expected


def test_the_catalogue_of_strands() -> None:
    assert set(STRAND.values()) == set(Strand)
    for kind in STRAND:
        assert all(family(one) is not family(kind) or STRAND[one] is STRAND[kind] for one in STRAND), "a family lies in one strand"
        assert all(one in STRAND for one in SignalKind if family(one) is family(kind))
    for kind in SignalKind:
        wanted = set(STRAND) if kind in STRAND else {one for one in SignalKind if family(one) is family(kind)}
        assert set(joinable_kinds(kind)) == wanted


_SIGNALS = st.tuples(
    st.sampled_from([*STRAND, K.COPY_KEY, K.DRAG, K.REMOTE_SESSION]),
    st.integers(0, 40 * MINUTE_US),
    st.sampled_from([OFFICER, SECOND, None]),
)


def together(kinds: Iterable[SignalKind]) -> int:
    gravest = max(SEVERITY[kind] for kind in kinds)
    return min(5, gravest + 1) if all_strands(kinds) else gravest


@given(st.lists(_SIGNALS, max_size=25))
def test_no_order_of_arrival_loses_a_signal_or_lets_severity_fall(seen: list[tuple[SignalKind, int, PersonId | None]]) -> None:
    register = Register()
    for number, (kind, at_us, officer) in enumerate(seen, 1):
        before = sum(state.severity for state, _ in register.reports)
        register.take(kind, at_us, officer)
        assert sum(state.severity for state, _ in register.reports) >= before
        assert sum(len(held) for _, held in register.reports) == number
    for state, held in register.reports:
        assert {officer for kind, _, officer in seen if kind in held} >= {state.officer_id}
        assert state.severity >= together(held)
        assert state.severity <= min(5, max(severity_of(kind, {}, 3) for kind in held) + all_strands(held))
    kinds = sorted((kind.value for kind, _, _ in seen))
    assert sorted(kind.value for _, held in register.reports for kind in held) == kinds


@given(st.data(), st.lists(st.tuples(st.sampled_from(list(STRAND)), st.integers(0, JOINING_WINDOW_US)), min_size=1, max_size=12))
def test_within_one_window_the_order_of_arrival_does_not_matter(data: st.DataObject, seen: list[tuple[SignalKind, int]]) -> None:
    register = Register()
    for kind, at_us in data.draw(st.permutations(seen)):
        register.take(kind, at_us, ME)
    assert register.told() == [({kind for kind, _ in seen}, together([kind for kind, _ in seen]))]


# ---- triage -------------------------------------------------------------------------------------------------------------------------

A, T = TriageAct, TriageState
TRIAGE: list[tuple[TriageState, PersonId | None, TriageAct, PersonId, Finding | None, str, TriageState | str]] = [
    # state, owner, act, by whom, finding, text -> state after, or the refusal
    (T.OPEN, None, A.ACKNOWLEDGE, SUPERVISOR, None, "", T.ACKNOWLEDGED),
    (T.ACKNOWLEDGED, None, A.ACKNOWLEDGE, SECOND, None, "", T.ACKNOWLEDGED),
    (T.INVESTIGATING, SUPERVISOR, A.ACKNOWLEDGE, SECOND, None, "", T.INVESTIGATING),
    (T.OPEN, None, A.OWN, SUPERVISOR, None, "", T.INVESTIGATING),
    (T.ACKNOWLEDGED, None, A.OWN, SUPERVISOR, None, "", T.INVESTIGATING),
    (T.OPEN, None, A.NOTE, SUPERVISOR, None, "seen", T.OPEN),
    (T.INVESTIGATING, SUPERVISOR, A.NOTE, SECOND, None, "seen", T.INVESTIGATING),
    (T.OPEN, None, A.NOTE, SUPERVISOR, None, "  ", "breach.note-empty"),
    (T.OPEN, None, A.DISPOSE, SUPERVISOR, Finding.SUBSTANTIATED, LONG, "breach.acknowledge-first"),
    (T.ACKNOWLEDGED, None, A.DISPOSE, SUPERVISOR, Finding.FALSE_POSITIVE, LONG, T.DISPOSED),
    (T.INVESTIGATING, SUPERVISOR, A.DISPOSE, SUPERVISOR, Finding.REFERRED, LONG, T.DISPOSED),
    (T.INVESTIGATING, SUPERVISOR, A.DISPOSE, SECOND, Finding.REFERRED, LONG, "breach.not-owner"),
    (T.INVESTIGATING, SUPERVISOR, A.DISPOSE, SUPERVISOR, None, LONG, "breach.rationale-missing"),
    (T.INVESTIGATING, SUPERVISOR, A.DISPOSE, SUPERVISOR, Finding.REFERRED, " too short  ", "breach.rationale-missing"),
    *[(T.DISPOSED, SUPERVISOR, act, SUPERVISOR, Finding.REFERRED, LONG, "breach.disposed") for act in A],
    *[(state, None, act, OFFICER, Finding.REFERRED, LONG, "breach.own-report") for state, act in itertools.product(T, A)],
]  # fmt: skip


@pytest.mark.parametrize(("state", "owner", "act", "by", "finding", "text", "expected"), TRIAGE)
def test_triage(
    state: TriageState,
    owner: PersonId | None,
    act: TriageAct,
    by: PersonId,
    finding: Finding | None,
    text: str,
    expected: TriageState | str,
) -> None:
    known = report(state=state, owner=owner)
    if isinstance(expected, str):
        with pytest.raises(RefusedError) as refusal:
            triage(known, act, by, finding, text)
        assert refusal.value.code == expected
    else:
        assert triage(known, act, by, finding, text) is expected


@given(st.lists(st.tuples(st.sampled_from(TriageAct), st.sampled_from([SUPERVISOR, SECOND, OFFICER])), max_size=12))
def test_no_report_is_closed_unseen_and_none_is_reopened(acts: list[tuple[TriageAct, PersonId]]) -> None:
    known = report()
    seen = [known.state]
    for act, by in acts:
        try:
            state = triage(known, act, by, Finding.SUBSTANTIATED, LONG)
        except RefusedError:
            continue
        assert by != OFFICER
        known = replace(known, state=state, owner_id=by if act is TriageAct.OWN else known.owner_id)
        seen.append(state)
    order = [list(TriageState).index(state) for state in seen]
    assert order == sorted(order)
    assert TriageState.DISPOSED not in seen or {TriageState.ACKNOWLEDGED, TriageState.INVESTIGATING} & set(seen)
