"""Attacks on the sign-in screen and on the vault's files: each line names the attempt and what must come of it."""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest

from tests.conftest import COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import refused
from tests.station import ADMINISTRATOR, SUPERVISOR, Station, derived_once, passphrase_of
from vault.assembly import CONTENT_NAME, REGISTER_NAME
from vault.crypto.recovery import make_holder_file
from vault.crypto.slots import Argon2Cost, open_workstation_slot, vault_keys
from vault.domain.audit import AuditDraft, AuditEntry, AuditKind
from vault.domain.breach import Severity, SignalKind
from vault.domain.identity import PersonState, Role
from vault.errors import TamperError, UnavailableError
from vault.secret import Secret
from vault.services.ports import AuditFilter
from vault.storage.header import HEADER_NAME, read_unverified_header

WRONG = "another quiet harbour lantern"


def trail(station: Station, *kinds: AuditKind) -> list[AuditEntry]:
    """Entries of some kinds, oldest first."""
    return list(reversed(station.vault.store.audit_entries(AuditFilter(kinds=tuple(one.value for one in kinds)), 0, 100_000)))


def state_of(station: Station, badge: str) -> PersonState:
    row = station.vault.store.person_by_badge(badge)
    assert row is not None
    return row.state


def fail(station: Station, badge: str, times: int) -> None:
    for _ in range(times):
        with derived_once(), refused("session.not-recognised"):
            station.vault.session.sign_in(badge, WRONG, "000000")


def files(station: Station) -> list[Path]:
    """The register with whatever SQLite keeps beside it."""
    return sorted(station.directory.glob(f"{REGISTER_NAME}*"))


def signals(station: Station) -> list[tuple[SignalKind, Severity]]:
    station.sign_in(SUPERVISOR)
    return [(one.kind, one.severity) for one in station.vault.supervision.queue(include_disposed=False)]


# ---- two factors -------------------------------------------------------------------------------------------------------------------


def test_each_factor_alone_is_refused_and_both_together_open(station: Station) -> None:
    session = station.vault.session
    good = station.code(OFFICER)
    attempts = [
        (OFFICER, passphrase_of(OFFICER), ""),
        (OFFICER, passphrase_of(OFFICER), "000000"),
        (OFFICER, WRONG, good),
        (OFFICER, "", good),
    ]
    for badge, passphrase, code in attempts:
        with refused("session.not-recognised"):
            session.sign_in(badge, passphrase, code)
        assert station.vault.world.session is None
    signed_in = session.sign_in(f" {OFFICER} ", passphrase_of(OFFICER), good)
    assert signed_in.person.badge_no == OFFICER
    assert len(trail(station, AuditKind.SIGN_IN_FAILED)) == len(attempts)


def test_a_code_of_somebody_else_is_refused(station: Station) -> None:
    with refused("session.not-recognised"):
        station.vault.session.sign_in(OFFICER, passphrase_of(OFFICER), station.code(COLLEAGUE))


def test_a_code_is_good_once(station: Station) -> None:
    code = station.code(OFFICER)
    station.vault.session.sign_in(OFFICER, passphrase_of(OFFICER), code)
    station.vault.session.sign_out()
    with refused("session.not-recognised"):
        station.vault.session.sign_in(OFFICER, passphrase_of(OFFICER), code)
    station.close()
    with refused("session.not-recognised"):
        station.vault.session.sign_in(OFFICER, passphrase_of(OFFICER), code)
    before = pyotp.TOTP(station.secrets[OFFICER]).at(station.clock.now_us() // 1_000_000 - 30)
    with refused("session.not-recognised"):
        station.vault.session.sign_in(OFFICER, passphrase_of(OFFICER), before)
    station.sign_in(OFFICER)


def test_unknown_badge_wrong_passphrase_and_wrong_code_are_one_answer_at_one_speed(station: Station) -> None:
    attempts: dict[str, Callable[[int], tuple[str, str, str]]] = {
        "unknown badge": lambda turn: (f"77{turn}", WRONG, "000000"),
        "wrong passphrase": lambda _: (OFFICER, WRONG, "000000"),
        "wrong code": lambda _: (COLLEAGUE, passphrase_of(COLLEAGUE), "000000"),
    }
    seconds: dict[str, list[float]] = {name: [] for name in attempts}
    for turn in range(3):  # in turns, so that a busy machine slows all three alike
        for name, arguments in attempts.items():
            began = time.process_time()
            with refused("session.not-recognised") as refusal:
                station.vault.session.sign_in(*arguments(turn))
            seconds[name].append(time.process_time() - began)
            assert refusal.value.facts == {}
    typical = {name: statistics.median(taken) for name, taken in seconds.items()}
    assert max(typical.values()) < 2 * min(typical.values()), typical


def test_wrong_badges_leave_their_traces_without_the_badge(station: Station) -> None:
    with refused("session.not-recognised"):
        station.vault.session.sign_in("55512", WRONG, "000000")
    [entry] = trail(station, AuditKind.SIGN_IN_FAILED)
    assert entry.actor_id == ""
    assert "55512" not in entry.facts
    assert "55512" not in str(station.vault.store._db._raw.execute("SELECT * FROM sign_in_failure").fetchall())


def test_a_badge_number_is_one_person_however_it_is_typed(station: Station) -> None:
    station.sign_in(ADMINISTRATOR)
    units = station.vault.administration.units()
    team = next(one.unit_id for one in units if one.name == "Team A")
    enrol = station.vault.administration.enrol
    made = enrol("PC 77a", "Nadia Osei", Role.OFFICER, team, WRONG)
    for spelling in ("pc77a", " Pc 77A "):
        with refused("person.badge-taken"):
            enrol(spelling, "Somebody Else", Role.OFFICER, team, WRONG)
    station.remember(made)
    station.vault.session.sign_out()
    with refused("session.pending"):  # both factors were right
        station.vault.session.sign_in("pC77a", WRONG, station.code(made.badge_no))


# ---- lock-out ----------------------------------------------------------------------------------------------------------------------


def test_five_failures_lock_until_a_supervisor_releases_over_a_restart_and_over_time(station: Station) -> None:
    fail(station, OFFICER, 5)
    assert state_of(station, OFFICER) is PersonState.LOCKED
    for restart in (False, True):
        if restart:
            station.close()
            station.clock.step(3600)
        with refused("session.locked-out"):
            station.vault.session.sign_in(OFFICER, passphrase_of(OFFICER), station.code(OFFICER))
    failed = trail(station, AuditKind.SIGN_IN_FAILED)
    assert [dict(json.loads(one.facts)) for one in failed] == [*({"failures": n} for n in range(1, 6)), *({"reason": "locked-out"},) * 2]
    assert len(trail(station, AuditKind.LOCKED_OUT)) == 1
    person_id = failed[0].actor_id
    station.sign_in(ADMINISTRATOR)
    with refused("access.not-your-role"):
        station.vault.administration.release(person_id)  # type: ignore[arg-type]
    station.sign_in(SUPERVISOR)
    station.vault.administration.release(person_id)  # type: ignore[arg-type]
    with refused("person.not-locked"):
        station.vault.administration.release(person_id)  # type: ignore[arg-type]
    assert station.sign_in(OFFICER).person.badge_no == OFFICER
    assert [one.actor_id != "" for one in trail(station, AuditKind.PERSON_RELEASED)] == [True]


def test_the_only_supervisor_is_held_off_for_the_window_and_never_locked_for_good(station: Station) -> None:
    """Whoever is near the keyboard could otherwise end all supervision of the station with five wrong passphrases."""
    fail(station, SECOND_SUPERVISOR, 5)
    assert state_of(station, SECOND_SUPERVISOR) is PersonState.LOCKED  # the other one can release it
    fail(station, SUPERVISOR, 5)
    assert state_of(station, SUPERVISOR) is PersonState.ACTIVE
    assert len(trail(station, AuditKind.LOCKED_OUT)) == 2
    with refused("session.locked-out"):
        station.sign_in(SUPERVISOR)
    station.clock.step(901)
    station.sign_in(SUPERVISOR)
    [locked] = [one for one in station.vault.store.people() if one.badge_no == SECOND_SUPERVISOR]
    station.vault.administration.release(locked.person_id)


def test_a_lock_that_nobody_could_release_any_more_ends_with_the_window(station: Station) -> None:
    fail(station, SECOND_SUPERVISOR, 5)
    [other] = [one for one in station.vault.store.people() if one.badge_no == SUPERVISOR]
    draft = AuditDraft(AuditKind.PERSON_DISABLED)
    station.vault.store.set_person_state(other.person_id, PersonState.DISABLED, draft)  # as before the last active one was kept
    with refused("session.locked-out"):
        station.sign_in(SECOND_SUPERVISOR)
    station.clock.step(901)
    station.sign_in(SECOND_SUPERVISOR)
    assert state_of(station, SECOND_SUPERVISOR) is PersonState.ACTIVE
    assert [one.actor_id for one in trail(station, AuditKind.PERSON_RELEASED)] == [station.vault.world.require().person.person_id]


def test_four_failures_are_forgotten_after_a_sign_in_and_after_the_window(station: Station) -> None:
    fail(station, OFFICER, 4)
    station.sign_in(OFFICER)
    station.vault.session.sign_out()
    fail(station, OFFICER, 4)
    station.clock.step(901)
    fail(station, OFFICER, 1)
    assert state_of(station, OFFICER) is PersonState.ACTIVE


def test_setting_the_clock_back_does_not_forget_failures(station: Station) -> None:
    fail(station, OFFICER, 4)
    station.clock.added_us -= 3600 * 1_000_000
    fail(station, OFFICER, 1)
    assert state_of(station, OFFICER) is PersonState.LOCKED


def test_an_unknown_badge_locks_out_like_a_known_one(station: Station) -> None:
    fail(station, "4711", 5)
    with refused("session.locked-out"):
        station.vault.session.sign_in("4711", WRONG, "000000")
    assert len(trail(station, AuditKind.LOCKED_OUT)) == 1
    station.sign_in(OFFICER)


# ---- accounts that are no accounts -------------------------------------------------------------------------------------------------


def pending(station: Station, badge: str = "2009") -> str:
    station.sign_in(ADMINISTRATOR)
    unit = next(one for one in station.vault.administration.units() if one.name == "Team A")
    made = station.vault.administration.enrol(badge, "Nadia Osei", Role.OFFICER, unit.unit_id, passphrase_of(badge))
    station.remember(made)
    station.vault.session.sign_out()
    return made.person_id


def test_a_pending_account_does_not_sign_in_and_cannot_be_made_good_by_locking_it(station: Station) -> None:
    person_id = pending(station)
    with refused("session.pending"):
        station.vault.session.sign_in("2009", passphrase_of("2009"), station.code("2009"))
    [entry] = trail(station, AuditKind.SIGN_IN_FAILED)
    assert (entry.actor_id, json.loads(entry.facts)) == (person_id, [["reason", "pending"]])
    fail(station, "2009", 5)
    assert state_of(station, "2009") is PersonState.PENDING
    station.sign_in(SUPERVISOR)  # the directory still reads
    with refused("person.not-locked"):
        station.vault.administration.release(person_id)  # type: ignore[arg-type]
    station.close()
    station.sign_in(SUPERVISOR)  # and the vault still opens


def test_a_pending_account_that_is_disabled_stops_nobody_else(station: Station) -> None:
    person_id = pending(station)
    station.sign_in(ADMINISTRATOR)
    station.vault.administration.disable(person_id)  # type: ignore[arg-type]
    station.close()
    station.sign_in(SUPERVISOR)
    with refused("person.not-pending"):
        station.vault.administration.cosign(person_id)  # type: ignore[arg-type]


def test_a_disabled_account_does_not_sign_in_and_cannot_be_re_enabled_by_locking_it(station: Station) -> None:
    station.sign_in(ADMINISTRATOR)
    row = station.vault.store.person_by_badge(OFFICER)
    assert row is not None
    station.vault.administration.disable(row.person_id)
    station.vault.session.sign_out()
    with refused("session.disabled"):
        station.vault.session.sign_in(OFFICER, passphrase_of(OFFICER), station.code(OFFICER))
    fail(station, OFFICER, 5)
    assert state_of(station, OFFICER) is PersonState.DISABLED
    station.sign_in(SUPERVISOR)
    with refused("person.not-locked"):
        station.vault.administration.release(row.person_id)
    assert OFFICER not in {one.badge_no for one in station.vault.register.people()}


# ---- lock, unlock, end -------------------------------------------------------------------------------------------------------------


def test_a_lock_is_undone_by_the_same_persons_passphrase_alone_within_the_hours(station: Station) -> None:
    opened = station.sign_in(OFFICER)
    vault = station.vault
    vault.session.lock("key")
    with refused("session.locked"):
        vault.desk.overview()
    station.close()  # a lock ends the process; what was locked is known to the next one
    vault = station.vault
    locked = vault.session.station().locked_person
    assert locked is not None
    assert locked.badge_no == OFFICER
    for wrong in (WRONG, passphrase_of(COLLEAGUE), ""):
        with refused("session.not-recognised"):
            vault.session.unlock(wrong)
    resumed = vault.session.unlock(passphrase_of(OFFICER))
    assert (resumed.session_id, resumed.session_ends_us) == (opened.session_id, opened.session_ends_us)
    assert vault.desk.overview().holding == ()
    with refused("session.already-open"):
        vault.session.unlock(passphrase_of(OFFICER))
    vault.session.lock("idle")
    station.clock.step(12 * 3600)
    assert vault.session.station().locked_person is None
    with refused("session.ended"):
        vault.session.unlock(passphrase_of(OFFICER))
    assert len(trail(station, AuditKind.LOCKED)) == 2
    assert len(trail(station, AuditKind.UNLOCKED)) == 1


def test_wrong_passphrases_at_the_lock_count(station: Station) -> None:
    station.sign_in(OFFICER)
    station.vault.session.lock("key")
    for _ in range(5):
        with refused("session.not-recognised"):
            station.vault.session.unlock(WRONG)
    with refused("session.locked-out"):
        station.vault.session.unlock(passphrase_of(OFFICER))


def test_a_disabled_person_does_not_unlock(station: Station) -> None:
    station.sign_in(OFFICER)
    row = station.vault.world.require().person
    station.vault.session.lock("key")
    draft = station.vault.world.draft(AuditKind.PERSON_DISABLED)
    station.vault.store.set_person_state(row.person_id, PersonState.DISABLED, draft)  # as from another workstation
    with refused("session.disabled"):
        station.vault.session.unlock(passphrase_of(OFFICER))


def test_nothing_is_locked_without_a_session(station: Station) -> None:
    with refused("session.nothing-locked"):
        station.vault.session.unlock(passphrase_of(OFFICER))
    station.sign_in(OFFICER)
    station.vault.session.sign_out()
    with refused("session.nothing-locked"):
        station.vault.session.unlock(passphrase_of(OFFICER))


def test_a_session_ends_after_twelve_hours_even_if_the_interface_does_nothing(station: Station) -> None:
    station.sign_in(OFFICER)
    vault = station.vault
    station.clock.step(12 * 3600 - 1)
    assert not vault.session.overdue()
    vault.desk.overview()
    station.clock.step(1)
    assert vault.session.overdue()
    with refused("session.ended"):
        vault.desk.overview()
    vault.session.lock("session-end")
    with refused("session.ended"):
        vault.session.unlock(passphrase_of(OFFICER))
    station.sign_in(OFFICER)


def test_setting_the_clock_neither_ends_a_session_nor_stretches_it(station: Station) -> None:
    station.sign_in(OFFICER)
    vault = station.vault
    station.clock.added_us += 13 * 3600 * 1_000_000
    assert not vault.session.overdue()
    vault.desk.overview()
    station.clock.added_us -= 20 * 3600 * 1_000_000
    station.clock.boot_added_us += 12 * 3600 * 1_000_000
    assert vault.session.overdue()
    with refused("session.ended"):
        vault.desk.overview()


def test_one_session_a_workstation(station: Station) -> None:
    first = station.sign_in(OFFICER)
    with refused("session.already-open"):
        station.vault.session.sign_in(COLLEAGUE, passphrase_of(COLLEAGUE), station.code(COLLEAGUE))
    station.vault.session.lock("key")
    station.vault.session.sign_in(COLLEAGUE, passphrase_of(COLLEAGUE), station.code(COLLEAGUE))  # a locked desk can be taken over
    ended = station.vault.store.session(first.session_id)
    assert ended is not None
    assert ended.ended_us > 0
    station.vault.session.lock("key")
    with refused("session.not-recognised"):
        station.vault.session.unlock(passphrase_of(OFFICER))


def test_a_sign_in_tells_of_the_one_before(station: Station) -> None:
    assert station.sign_in(OFFICER).last_signed_in_us == 0
    [entry] = trail(station, AuditKind.SIGNED_IN)[-1:]
    assert station.sign_in(OFFICER).last_signed_in_us == entry.at_us


# ---- the vault's files -------------------------------------------------------------------------------------------------------------


def test_a_clock_set_back_while_closed_is_reported_at_opening(station: Station) -> None:
    station.sign_in(OFFICER)
    station.vault.session.sign_out()
    station.close()
    station.clock.added_us -= 7200 * 1_000_000
    [entry] = trail(station, AuditKind.CLOCK_SET_BACK)
    assert 7190 <= dict(json.loads(entry.facts))["seconds"] <= 7200
    station.clock.step(7300)  # or the supervisor's code would be one already used
    assert signals(station) == [(SignalKind.CLOCK_SET_BACK, Severity.DELIBERATE)]


def test_yesterdays_register_put_back_is_reported(station: Station, tmp_path: Path) -> None:
    for path in files(station):
        shutil.copy(path, tmp_path / path.name)
    station.sign_in(OFFICER)
    station.vault.session.sign_out()
    station.close()
    for path in files(station):
        path.unlink()
    for path in tmp_path.glob(f"{REGISTER_NAME}*"):
        shutil.copy(path, station.directory / path.name)
    assert signals(station) == [(SignalKind.STORE_TAMPERED, Severity.BULK)]
    [line] = station.vault.supervision.queue(include_disposed=False)
    [fact] = station.vault.supervision.report(line.breach_id).facts
    assert dict(fact.facts)["code"] == "audit.rolled-back"
    station.close()
    assert len(signals(station)) == 1, "reported once, not at every opening"


def test_an_old_header_put_back_is_reported(station: Station) -> None:
    path = station.directory / HEADER_NAME
    assert signals(station) == []
    old = path.read_bytes()
    cost = Argon2Cost(64 * 1024, 3, 1)
    holders = [make_holder_file(f"holder {number}", Secret(b"a long enough passphrase of theirs"), cost)[1] for number in range(2)]
    station.vault.binding.enrol_recovery(2, holders)
    station.close()
    assert signals(station) == [], "a newer one is nobody's attempt"
    station.close()
    path.write_bytes(old)
    assert signals(station) == [(SignalKind.STORE_TAMPERED, Severity.BULK)]
    station.close()
    assert len(signals(station)) == 1, "reported once, not at every opening"


def register_key(station: Station) -> bytes:
    """What somebody has who got hold of the vault key."""
    header = read_unverified_header(station.directory / HEADER_NAME)
    record = station.keeper.read(f"workstation:{header.vault_id}")
    assert record is not None
    workstation_id = record.reveal()[:32].decode()
    slot = header.workstation_slot(workstation_id)  # type: ignore[arg-type]
    assert slot is not None
    opened = open_workstation_slot(slot, Secret(record.reveal()[32:]), None, header.vault_id, workstation_id)  # type: ignore[arg-type]
    return vault_keys(opened.vault_key).register.reveal()


def rewrite(station: Station, *statements: str) -> None:
    """Change the register with the vault key, its triggers taken away and put back."""
    from sqlcipher3 import dbapi2

    raw = dbapi2.connect(str(station.directory / REGISTER_NAME), isolation_level=None)
    raw.execute(f"PRAGMA key = \"x'{register_key(station).hex()}'\"")
    triggers = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        raw.execute(f'DROP TRIGGER "{name}"')
    for statement in statements:
        raw.execute(statement)
    for _, sql in triggers:
        raw.execute(sql)
    raw.close()


LAST = "(SELECT max(seq) FROM audit)"
NEWEST_CHECKPOINT = "(SELECT max(seq) FROM audit_checkpoint)"
REWRITES: list[tuple[str, tuple[str, ...], str]] = [
    # what a database owner with the key does -> what opening says; "" opens, and is a report
    ("cut the tail", (f"DELETE FROM audit WHERE seq > {LAST} - 3",), "audit.chain-broken"),
    (
        "cut the tail and the checkpoints that tell",
        (
            f"DELETE FROM audit WHERE seq > {LAST} - 3",
            f"DELETE FROM audit_checkpoint WHERE seq > {LAST}",
            f"DELETE FROM audit_about WHERE seq > {NEWEST_CHECKPOINT}",
        ),
        "",
    ),
    (
        "edit a new entry",
        (f"DELETE FROM audit_checkpoint WHERE seq = {NEWEST_CHECKPOINT}", f"UPDATE audit SET entry_hash = zeroblob(32) WHERE seq = {LAST}"),
        "audit.chain-broken",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "code"), [one[1:] for one in REWRITES], ids=[one[0] for one in REWRITES])
def test_a_trail_rewritten_with_the_vault_key(station: Station, statements: tuple[str, ...], code: str) -> None:
    station.sign_in(OFFICER)
    station.vault.session.sign_out()
    station.close()
    rewrite(station, *statements)
    if code:
        with pytest.raises(TamperError, match=f"^{code}"):
            _ = station.vault
    else:
        assert (SignalKind.STORE_TAMPERED, Severity.BULK) in signals(station)


def test_an_old_entry_edited_with_the_vault_key_is_named_by_the_verification(station: Station) -> None:
    station.close()
    _ = station.vault
    station.close()
    rewrite(station, "UPDATE audit SET at_us = at_us + 1 WHERE seq = 5")
    station.sign_in(SUPERVISOR)
    line = station.vault.supervision.verify_chain()
    assert (line.holds, line.bad_seq, line.reason) == (False, 5, "edited")
    assert trail(station, AuditKind.AUDIT_VERIFIED)


def alter_header(station: Station, change: Callable[[dict[str, object]], None]) -> None:
    path = station.directory / HEADER_NAME
    content = json.loads(path.read_text())
    change(content["body"])
    path.write_text(json.dumps(content, separators=(",", ":"), ensure_ascii=False))


def _keyring(station: Station, flip: bool) -> None:
    for name, value in station.keeper._values.items():
        if name.startswith("workstation:"):
            station.keeper._values[name] = value[:-1] + bytes([value[-1] ^ 1]) if flip else b"short"


def _other_vaults_secret(station: Station) -> None:
    """A keyring that answers with what belongs to another vault: another workstation, another secret."""
    for name, value in station.keeper._values.items():
        if name.startswith("workstation:"):
            station.keeper._values[name] = b"ab" * 16 + value[32:]


def _missing(station: Station) -> None:
    station.keeper.unavailable = "keyring.missing"


def _locked(station: Station) -> None:
    station.keeper.unavailable = "keyring.locked"


def _set(name: str, value: object) -> Callable[[Station], None]:
    return lambda station: alter_header(station, lambda body: body.__setitem__(name, value))


OPENINGS: list[tuple[str, Callable[[Station], None], type[Exception], str]] = [
    ("no keyring", _missing, UnavailableError, "keyring.missing"),
    ("a locked keyring", _locked, UnavailableError, "keyring.locked"),
    ("a keyring without our secret", lambda s: s.keeper._values.clear(), UnavailableError, "header.wrong-workstation"),
    ("a keyring with another vault's secret", _other_vaults_secret, UnavailableError, "header.wrong-workstation"),
    ("a secret that is cut", lambda s: _keyring(s, flip=False), UnavailableError, "header.wrong-workstation"),
    ("a secret with one bit wrong", lambda s: _keyring(s, flip=True), UnavailableError, "header.wrong-workstation"),
    ("another station's name in the header", _set("station_name", "Southgate"), TamperError, "header.altered"),
    ("cheaper passphrases from now on", _set("argon2_iterations", 1), TamperError, "header.altered"),
    ("the supervisors' key swapped", _set("supervisors_public_kem", "QUJD"), TamperError, "header.altered"),
    ("other roots of trust", _set("directory_roots", []), TamperError, "header.altered"),
    ("another vault id", _set("vault_id", "ab" * 16), UnavailableError, "header.wrong-workstation"),
    ("no header", lambda s: (s.directory / HEADER_NAME).unlink(), UnavailableError, "header.missing"),
    ("no register", lambda s: (s.directory / REGISTER_NAME).unlink(), UnavailableError, "storage.missing"),
    ("no content", lambda s: (s.directory / CONTENT_NAME).unlink(), UnavailableError, "storage.missing"),
]  # fmt: skip


@pytest.mark.parametrize(("attack", "kind", "code"), [one[1:] for one in OPENINGS], ids=[one[0] for one in OPENINGS])
def test_what_does_not_open(station: Station, attack: Callable[[Station], None], kind: type[Exception], code: str) -> None:
    attack(station)
    with pytest.raises(kind) as failure:
        _ = station.vault
    assert str(failure.value).startswith(code)
    kept = {path.name for path in station.directory.iterdir()}
    station.close()
    assert {path.name for path in station.directory.iterdir()} <= kept


def test_a_supervisor_cannot_release_themselves(station: Station) -> None:
    fail(station, SECOND_SUPERVISOR, 5)
    station.sign_in(SUPERVISOR)
    row = station.vault.store.person_by_badge(SECOND_SUPERVISOR)
    me = station.vault.world.require().person.person_id
    assert row is not None
    with refused("person.yourself"):
        station.vault.administration.release(me)
    station.vault.administration.release(row.person_id)
