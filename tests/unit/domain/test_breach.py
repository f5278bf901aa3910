"""The table of severities, containment, joining and triage: each line says what it must be."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.domain.breach import (
    COPY_ATTEMPTS,
    FAMILY,
    JOINING_WINDOW_US,
    SEVERITY,
    Containment,
    Finding,
    ReportState,
    Severity,
    SignalKind,
    TriageAct,
    TriageState,
    containment_of,
    family,
    joins,
    severity_of,
    triage,
)
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
