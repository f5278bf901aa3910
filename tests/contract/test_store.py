"""SQLCipher keeps the store's contract; a state machine plays custody on it against a plain model."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.contract.store_contract import ContentStoreContract, StoreContract, accept_any
from tests.contract.store_facts import (
    DESK,
    FIRST_US,
    KEY,
    SteppingClock,
    a_case,
    a_person,
    case_row,
    check_out_row,
    draft,
    new_contents,
    new_register,
)
from vault.domain.custody import CheckOut, ReturnKind
from vault.errors import RefusedError
from vault.services.ports import ContentStore, Store, WaitRow
from vault.storage.sqlcipher import SqlCipherStore


class TestSqlCipherStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = new_register(tmp_path)
        yield store
        store.close()

    @pytest.fixture
    def another(self, store: Store, tmp_path: Path) -> Iterator[Callable[[], Store]]:
        opened: list[SqlCipherStore] = []

        def open_again() -> Store:
            opened.append(SqlCipherStore.open(tmp_path / "register.db", KEY, DESK, SteppingClock()))
            return opened[-1]

        yield open_again
        for one in opened:
            one.close()


class TestSqlCipherContentStore(ContentStoreContract):
    @pytest.fixture
    def contents(self, tmp_path: Path) -> Iterator[ContentStore]:
        store = new_contents(tmp_path)
        yield store
        store.close()


PEOPLE = st.integers(1, 4).map(a_person)
CASES = st.integers(1, 3).map(a_case)
ENDINGS = st.sampled_from([kind for kind in ReturnKind if kind is not ReturnKind.HANDED_OVER])


class CustodyMachine(RuleBasedStateMachine):
    """Anyone may ask for anything in any order, across re-openings: never two holders, no history lost, no gap in the trail."""

    taken = Bundle("taken")

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._clock = SteppingClock()
        self._path = Path(self._folder.name) / "register.db"
        self._store = new_register(self._path.parent, self._clock)
        self._number = 0
        self._history: dict[str, list[CheckOut]] = {a_case(number): [] for number in (1, 2, 3)}
        self._active: dict[str, CheckOut] = {}
        self._waiting: dict[str, list[str]] = {a_case(number): [] for number in (1, 2, 3)}
        self._entries = 0

    @initialize()
    def cases(self) -> None:
        self._store.register_cases([(case_row(number), []) for number in (1, 2, 3)], [draft()])
        self._entries += 1

    @rule(target=taken, person=PEOPLE, case=CASES)
    def check_out(self, person, case):  # type: ignore[no-untyped-def]
        self._number += 1
        asked = check_out_row(self._number, case, person)
        if case in self._active:
            with pytest.raises(RefusedError, match=r"^custody\.already-checked-out"):
                self._store.open_check_out(asked, b"signed", [draft()])
            return asked.check_out_id
        got = self._store.open_check_out(asked, b"signed", [draft()])
        self._entries += 1
        self._active[case] = got
        self._history[case].append(got)
        if person in self._waiting[case]:
            self._waiting[case].remove(person)
        return got.check_out_id

    @rule(which=taken, kind=ENDINGS, by=PEOPLE)
    def close(self, which, kind, by):  # type: ignore[no-untyped-def]
        held = next((one for one in self._active.values() if one.check_out_id == which), None)
        if held is None:
            with pytest.raises(RefusedError, match=r"^custody\.not-held"):
                self._store.close_check_out(which, FIRST_US + 1, kind, by, b"", [draft()])
            return
        self._store.close_check_out(which, FIRST_US + 1, kind, by, b"", [draft()])
        self._entries += 1
        del self._active[held.case_id]

    @rule(target=taken, which=taken, successor=PEOPLE)
    def hand_over(self, which, successor):  # type: ignore[no-untyped-def]
        self._number += 1
        held = next((one for one in self._active.values() if one.check_out_id == which), None)
        asked = check_out_row(self._number, held.case_id if held else a_case(1), successor)
        if held is None:
            with pytest.raises(RefusedError, match=r"^custody\.not-held"):
                self._store.hand_over(which, FIRST_US + 2, asked, b"signed", [draft()])
            return asked.check_out_id
        got = self._store.hand_over(which, FIRST_US + 2, asked, b"signed", [draft()])
        self._entries += 1
        self._active[held.case_id] = got
        self._history[held.case_id].append(got)
        if successor in self._waiting[held.case_id]:
            self._waiting[held.case_id].remove(successor)
        return got.check_out_id

    @rule(person=PEOPLE, case=CASES)
    def wait(self, person, case):  # type: ignore[no-untyped-def]
        if person in self._waiting[case]:
            with pytest.raises(RefusedError, match=r"^custody\.already-waiting"):
                self._store.join_waiting(WaitRow(case, person, FIRST_US), draft())
            return
        self._store.join_waiting(WaitRow(case, person, FIRST_US), draft())
        self._entries += 1
        self._waiting[case].append(person)

    @precondition(lambda self: self._number)
    @rule()
    def reopen(self) -> None:
        self._store.close()
        self._store = SqlCipherStore.open(self._path, KEY, DESK, self._clock)

    @invariant()
    def one_holder_a_case(self) -> None:
        assert {one.case_id: one for one in self._store.all_held()} == self._active

    @invariant()
    def no_history_lost(self) -> None:
        for case, expected in self._history.items():
            kept = self._store.custody_history(case)  # type: ignore[arg-type]
            assert [one.check_out_id for one in kept] == [one.check_out_id for one in expected]
            assert [one.check_out_no for one in kept] == sorted(one.check_out_no for one in kept)
            assert [one.person_id for one in self._store.waiting(case)] == self._waiting[case]  # type: ignore[arg-type]

    @invariant()
    def every_act_in_the_trail(self) -> None:
        verdict = self._store.verify_chain(self._store.audit_head(), accept_any)
        assert verdict.holds
        assert verdict.entries == self._entries

    def teardown(self) -> None:
        self._store.close()
        self._folder.cleanup()


CustodyMachine.TestCase.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
TestCustody = CustodyMachine.TestCase
