"""Attacks on the ways to another phone and another passphrase: who may, what it takes, and what is dead afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pyotp
import pytest

from tests.conftest import COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import LONG, Crew, refused
from tests.station import ADMINISTRATOR, SUPERVISOR, Station, passphrase_of
from vault.domain.audit import AuditKind
from vault.domain.identity import PersonState, SessionId, WorkstationId
from vault.services.events import LockRequired
from vault.services.ports import AuditFilter, PersonRow, SessionRow
from vault.services.views import Enrolment

WRONG = "another quiet harbour lantern"
OTHER = "seven grey bicycles upstairs"
LOST = "their phone fell into the harbour"


@pytest.fixture(scope="module")
def crew(staffed: Station, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crew]:
    folder = tmp_path_factory.mktemp("credentials")
    station = staffed.copy_to(folder / "vault")
    yield Crew.of(station, folder, (ADMINISTRATOR, SUPERVISOR, OFFICER))
    station.close()


def row_of(station: Station, badge: str) -> PersonRow:
    row = station.vault.store.person_by_badge(badge)
    assert row is not None
    return row


def code_of(station: Station, made: Enrolment) -> str:
    station.clock.step(30)
    code = pyotp.parse_uri(made.provisioning_uri)
    assert isinstance(code, pyotp.TOTP)
    return code.at(station.clock.now_us() // 1_000_000)


def renew(crew: Crew, badge: str, passphrase: str | None = None, reason: str = LOST) -> Enrolment:
    person_id = row_of(crew.station, badge).person_id
    return crew.vault.credentials.renew_factor(person_id, passphrase_of(badge) if passphrase is None else passphrase, reason)


REFUSALS: list[tuple[str, str, Callable[[Crew], object], str]] = [
    # who -> what they try -> what comes of it
    (OFFICER, "renews a colleague's", lambda c: renew(c, COLLEAGUE), "access.not-your-role"),
    (ADMINISTRATOR, "renews their own without the old one", lambda c: renew(c, ADMINISTRATOR), "person.yourself"),
    (SUPERVISOR, "renews their own without the old one", lambda c: renew(c, SUPERVISOR), "person.yourself"),
    (SUPERVISOR, "gives no reason", lambda c: renew(c, COLLEAGUE, reason="lost"), "factor.reason-missing"),
    (SUPERVISOR, "renews nobody's", lambda c: c.vault.credentials.renew_factor("00" * 16, WRONG, LONG), "person.unknown"),  # type: ignore[arg-type]
    (ADMINISTRATOR, "does not know the passphrase", lambda c: renew(c, COLLEAGUE, WRONG), "passphrase.not-theirs"),
    (ADMINISTRATOR, "confirms what was never shown", lambda c: c.vault.credentials.confirm_factor("000000"), "factor.none-shown"),
    (
        OFFICER,
        "renews their own without a code",
        lambda c: c.vault.credentials.renew_own_factor(passphrase_of(OFFICER), ""),
        "session.not-recognised",
    ),
    (
        OFFICER,
        "changes a passphrase without a code",
        lambda c: c.vault.credentials.change_passphrase(passphrase_of(OFFICER), "000000", OTHER),
        "session.not-recognised",
    ),
    (
        OFFICER,
        "changes a passphrase without the old one",
        lambda c: c.vault.credentials.change_passphrase(WRONG, c.station.code(OFFICER), OTHER),
        "session.not-recognised",
    ),
]


@pytest.mark.parametrize(("badge", "attempt", "code"), [(who, how, code) for who, _, how, code in REFUSALS], ids=[o[1] for o in REFUSALS])
def test_who_may_not(crew: Crew, badge: str, attempt: Callable[[Crew], object], code: str) -> None:
    before = [(one.slot, one.state) for one in crew.vault.store.people()]
    changes = len(crew.trail(AuditKind.FACTOR_RENEWED, AuditKind.PERSON_RESEALED))
    crew.at(badge)
    for one in (OFFICER, COLLEAGUE):
        crew.vault.store.clear_sign_in_failures(crew.vault.world.locksmith.blind(f"badge:{one}"))
    with refused(code):
        attempt(crew)
    assert [(one.slot, one.state) for one in crew.vault.store.people()] == before
    assert len(crew.trail(AuditKind.FACTOR_RENEWED, AuditKind.PERSON_RESEALED)) == changes


def test_nobody_at_the_sign_in_screen_changes_anything(crew: Crew) -> None:
    with crew.nobody() as vault:
        for attempt in (
            lambda: renew(crew, COLLEAGUE),
            lambda: vault.credentials.renew_own_factor(passphrase_of(OFFICER), "000000"),
            lambda: vault.credentials.change_passphrase(passphrase_of(OFFICER), "000000", OTHER),
            lambda: vault.credentials.confirm_factor("000000"),
        ):
            with refused("session.locked"):
                attempt()


def test_a_lost_phone_is_dead_once_the_new_one_was_proven_and_whoever_renewed_it_does_not_get_in(station: Station) -> None:
    credentials = station.vault.credentials
    officer = row_of(station, OFFICER)
    elsewhere = SessionRow(SessionId("5e" * 16), officer.person_id, WorkstationId("e1" * 16), station.clock.now_us())
    station.sign_in(ADMINISTRATOR)
    station.vault.store.open_session(elsewhere, 0, [])
    made = credentials.renew_factor(officer.person_id, passphrase_of(OFFICER), LOST)
    with refused("factor.code-wrong"):
        credentials.confirm_factor(station.code(OFFICER))  # the old one's
    assert row_of(station, OFFICER).slot == officer.slot, "until it is proven nothing has changed"
    proof, shown = code_of(station, made), credentials._shown
    credentials.confirm_factor(proof)
    assert shown is not None
    assert not any(shown.totp_secret.reveal()), "it lies in the slot alone"
    with refused("factor.none-shown"):
        credentials.confirm_factor(proof)
    ended = station.vault.store.session(elsewhere.session_id)
    assert ended is not None
    assert ended.ended_us > 0
    [entry] = station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.FACTOR_RENEWED.value,)), 0, 9)
    facts = dict(json.loads(entry.facts))
    assert (entry.actor_id, facts["person_id"]) == (row_of(station, ADMINISTRATOR).person_id, officer.person_id)
    assert LOST not in entry.facts
    sign_in = station.vault.session.sign_in
    station.vault.session.sign_out()
    for passphrase, code in (
        (passphrase_of(OFFICER), station.code(OFFICER)),  # who found the phone, and knows the passphrase
        (passphrase_of(ADMINISTRATOR), code_of(station, made)),  # the administrator, who saw the new one
        (passphrase_of(OFFICER), proof),  # it was used
    ):
        with refused("session.not-recognised"):
            sign_in(OFFICER, passphrase, code)
    station.remember(made)
    station.sign_in(OFFICER)
    assert station.vault.world.require().keys.holder.kem_public == officer.kem_public, "the same keys: nothing is granted anew"


def test_a_supervisor_reads_why(crew: Crew) -> None:
    crew.at(ADMINISTRATOR)
    made = renew(crew, SECOND_SUPERVISOR)
    crew.vault.credentials.confirm_factor(code_of(crew.station, made))
    [line] = crew.at(SUPERVISOR).supervision.audit_page((AuditKind.FACTOR_RENEWED.value,), "", "", 0, 0, 0, 1).lines
    assert ("reason", LOST) in line.facts


def test_guesses_at_a_passphrase_over_a_renewal_lock_the_account(crew: Crew) -> None:
    crew.at(ADMINISTRATOR)
    vault, person = crew.vault, row_of(crew.station, COLLEAGUE)
    blind = vault.world.locksmith.blind(f"badge:{COLLEAGUE}")
    vault.store.clear_sign_in_failures(blind)
    for _ in range(vault.world.policy.failed_sign_ins - 1):
        vault.store.record_sign_in_failure(blind, crew.station.clock.now_us(), None, [])
    with refused("passphrase.not-theirs"):
        renew(crew, COLLEAGUE, WRONG)
    assert row_of(crew.station, COLLEAGUE).state is PersonState.LOCKED
    with refused("session.locked-out"):
        renew(crew, COLLEAGUE)
    assert [one.actor_id for one in crew.trail(AuditKind.LOCKED_OUT)].count(person.person_id) == 1
    failed = crew.trail(AuditKind.SIGN_IN_FAILED)[-2]
    assert failed.session_id == crew.sessions[ADMINISTRATOR].row.session_id, "the trail leads to whose session it was"
    crew.at(SUPERVISOR).administration.release(person.person_id)


@pytest.mark.parametrize("way", ["passphrase", "phone"])
def test_guesses_at_ones_own_within_a_session_lock_it_at_once(crew: Crew, way: str) -> None:
    vault, person = crew.at(OFFICER), row_of(crew.station, OFFICER)
    session_id = crew.sessions[OFFICER].row.session_id
    blind = vault.world.locksmith.blind(f"badge:{OFFICER}")
    vault.store.clear_sign_in_failures(blind)
    guess: Callable[[], object] = (
        (lambda: vault.credentials.change_passphrase(WRONG, "000000", OTHER))
        if way == "passphrase"
        else (lambda: vault.credentials.renew_own_factor(WRONG, "000000"))
    )
    for _ in range(vault.world.policy.failed_sign_ins - 2):
        vault.store.record_sign_in_failure(blind, crew.station.clock.now_us(), None, [])
    with refused("session.not-recognised"):
        guess()
    assert vault.world.require().row.session_id == session_id, "one is left"
    crew.station.events.clear()
    with refused("session.not-recognised"):
        guess()
    assert crew.station.events[0] == LockRequired("guesses"), "the page is covered before anything else"
    assert vault.world.session is None
    assert row_of(crew.station, OFFICER).state is PersonState.LOCKED
    last = crew.trail(AuditKind.LOCKED)[-1]
    assert (last.session_id, dict(json.loads(last.facts))["reason"]) == (session_id, "guesses")
    with refused("session.locked"):
        vault.credentials.change_passphrase(passphrase_of(OFFICER), "000000", OTHER)
    with refused("session.locked-out"):
        vault.session.unlock(passphrase_of(OFFICER))
    crew.at(SUPERVISOR).administration.release(person.person_id)
    vault.store.clear_sign_in_failures(blind)


@pytest.mark.slow
def test_what_was_shown_waits_ten_minutes_in_its_session_and_is_let_go(crew: Crew) -> None:
    credentials = crew.at(SUPERVISOR).credentials
    made = renew(crew, COLLEAGUE)
    crew.at(ADMINISTRATOR)
    with refused("factor.none-shown"):
        credentials.confirm_factor(code_of(crew.station, made))
    crew.at(SUPERVISOR)
    crew.station.clock.step(600)
    with refused("factor.none-shown"):
        credentials.confirm_factor(code_of(crew.station, made))
    made = renew(crew, COLLEAGUE)
    credentials.forget_factor()
    with refused("factor.none-shown"):
        credentials.confirm_factor(code_of(crew.station, made))


def test_ones_own_passphrase(station: Station) -> None:
    signed_in = station.sign_in(OFFICER)
    credentials, session = station.vault.credentials, station.vault.session
    before, old = row_of(station, OFFICER), passphrase_of(OFFICER)
    code = station.code(OFFICER)
    with refused("passphrase.same"):
        credentials.change_passphrase(old, code, old)  # refused, and the code is still good
    assert row_of(station, OFFICER).slot == before.slot
    credentials.change_passphrase(old, code, OTHER)
    [entry] = station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.PERSON_RESEALED.value,)), 0, 9)
    assert entry.actor_id == before.person_id
    session.lock("key")
    with refused("session.not-recognised"):
        session.unlock(old)
    assert session.unlock(OTHER).session_id == signed_in.session_id
    after = row_of(station, OFFICER)
    assert (after.kem_public, after.sign_public) == (before.kem_public, before.sign_public)


@pytest.mark.slow
def test_a_used_code_or_a_phone_shown_before_brings_no_old_passphrase_back(crew: Crew) -> None:
    credentials, old = crew.at(OFFICER).credentials, passphrase_of(OFFICER)
    shown = credentials.renew_own_factor(old, crew.station.code(OFFICER))
    code = crew.station.code(OFFICER)
    with refused("passphrase.too-short"):
        credentials.change_passphrase(old, code, "short")
    credentials.change_passphrase(old, code, OTHER)
    with refused("factor.none-shown"):
        credentials.confirm_factor(code_of(crew.station, shown))
    with refused("session.not-recognised"):
        credentials.change_passphrase(OTHER, code, WRONG)  # a code is good once
    credentials.change_passphrase(OTHER, crew.station.code(OFFICER), old)


@pytest.mark.slow
def test_ones_own_phone(crew: Crew) -> None:
    credentials = crew.at(OFFICER).credentials
    session_id, old = crew.sessions[OFFICER].row.session_id, passphrase_of(OFFICER)
    made = credentials.renew_own_factor(old, crew.station.code(OFFICER))
    credentials.confirm_factor(code_of(crew.station, made))
    before = crew.vault.store.session(session_id)
    with refused("session.not-recognised"):
        credentials.change_passphrase(old, crew.station.code(OFFICER), OTHER)
    crew.station.remember(made)
    credentials.change_passphrase(old, crew.station.code(OFFICER), OTHER)
    credentials.change_passphrase(OTHER, crew.station.code(OFFICER), old)
    assert crew.vault.store.session(session_id) == before, "one's own session goes on"
