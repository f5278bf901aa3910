"""Enrolling, cosigning, units, admission of custodians, disabling: always two people, never oneself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.journeys.crew import LONG, Crew, refused
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, Station, passphrase_of
from vault.domain.access import Effect, GranteeKind
from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.custody import Purpose
from vault.domain.identity import PersonId, PersonState, Role, UnitId, UnitKind
from vault.errors import RefusedError, TamperError
from vault.services.ports import AuditFilter


def unit(crew: Crew, name: str) -> UnitId:
    return next(one.unit_id for one in crew.vault.register.units() if one.name == name)


def test_enrolling_is_the_administrators_and_cosigning_the_supervisors(crew: Crew) -> None:
    team = unit(crew, "Team A")
    for badge in (OFFICER, SUPERVISOR, CUSTODIAN, AUDITOR):
        with refused("access.not-your-role"):
            crew.at(badge).administration.enrol("3001", "Ana Ruiz", Role.OFFICER, team, passphrase_of("3001"))
    made = crew.at(ADMINISTRATOR).administration.enrol(" 3001 ", " Ana   Ruiz ", Role.OFFICER, team, passphrase_of("3001"))
    assert made.badge_no == "3001"
    assert made.provisioning_uri.startswith("otpauth://totp/")
    line = next(one for one in crew.vault.administration.people() if one.person.badge_no == "3001")
    assert (line.person.name, line.state, line.cosigned_by) == ("Ana Ruiz", PersonState.PENDING, None)
    assert "3001" not in {one.badge_no for one in crew.vault.register.people()}
    for badge in (ADMINISTRATOR, OFFICER, CUSTODIAN, AUDITOR):
        with refused("access.not-your-role"):
            crew.at(badge).administration.cosign(made.person_id)
    with refused("unit.not-a-member"):  # the unit's key can be handed on by who holds it
        crew.at(SECOND_SUPERVISOR).administration.cosign(made.person_id)
    crew.at(SUPERVISOR).administration.cosign(made.person_id)
    with refused("person.not-pending"):
        crew.vault.administration.cosign(made.person_id)
    with refused("person.unknown"):
        crew.vault.administration.cosign("00" * 16)  # type: ignore[arg-type]
    line = next(one for one in crew.vault.administration.people() if one.person.badge_no == "3001")
    assert line.enrolled_by is not None
    assert line.cosigned_by is not None
    assert (line.state, line.enrolled_by.badge_no, line.cosigned_by.badge_no) == (PersonState.ACTIVE, ADMINISTRATOR, SUPERVISOR)
    assert [one.actor_id for one in crew.trail(AuditKind.PERSON_ENROLLED, AuditKind.PERSON_COSIGNED)[-2:]] == [
        crew.person_id(ADMINISTRATOR), crew.person_id(SUPERVISOR),
    ]  # fmt: skip


def test_what_is_refused_at_enrolment_leaves_nobody(crew: Crew) -> None:
    crew.at(ADMINISTRATOR)
    team, records, supervisors = (unit(crew, name) for name in ("Team A", "Records", "Supervisors"))
    before = len(crew.vault.store.people())
    good = passphrase_of("3100")
    for badge, name, role, where, passphrase, code in (
        ("", "Ana Ruiz", Role.OFFICER, team, good, "person.badge-missing"),
        ("3100", "  ", Role.OFFICER, team, good, "person.name-missing"),
        (OFFICER, "Ana Ruiz", Role.OFFICER, team, good, "person.badge-taken"),
        ("3100", "Ana Ruiz", Role.OFFICER, "00" * 16, good, "unit.unknown"),
        ("3100", "Ana Ruiz", Role.OFFICER, records, good, "unit.not-for-role"),
        ("3100", "Ana Ruiz", Role.CUSTODIAN, team, good, "unit.not-for-role"),
        ("3100", "Ana Ruiz", Role.OFFICER, supervisors, good, "unit.not-for-role"),
    ):
        with refused(code):
            crew.vault.administration.enrol(badge, name, role, where, passphrase)  # type: ignore[arg-type]
    for passphrase in ("", "short", "password", "my badge 3100 is in here"):
        with pytest.raises(RefusedError, match=r"^passphrase\."):
            crew.vault.administration.enrol("3100", "Ana Ruiz", Role.OFFICER, team, passphrase)
    assert len(crew.vault.store.people()) == before


def test_a_supervisor_admitted_to_a_team_signs_for_it_and_nobody_else_admits(station: Station) -> None:
    station.sign_in(SUPERVISOR)
    administration = station.vault.administration
    team = administration.add_unit("Team C").unit_id
    records = unit_of_records(station)
    who = {one.person.badge_no: one.person.person_id for one in administration.people()}
    for badge, where, code in (
        (OFFICER, records, "unit.not-for-role"),
        (AUDITOR, team, "unit.not-for-role"),
        (SUPERVISOR, team, "unit.already-member"),
        (OFFICER, "00" * 16, "unit.unknown"),
    ):
        with refused(code):
            administration.admit(who[badge], where)  # type: ignore[arg-type]
    with refused("person.unknown"):
        administration.admit("00" * 16, team)  # type: ignore[arg-type]
    station.sign_in(SECOND_SUPERVISOR)
    with refused("unit.not-a-member"):
        administration.admit(who[OFFICER], team)
    station.sign_in(SUPERVISOR)
    administration.admit(who[SECOND_SUPERVISOR], team)
    station.sign_in(ADMINISTRATOR)
    with refused("access.not-your-role"):
        administration.admit(who[OFFICER], team)
    made = administration.enrol("3002", "Ana Ruiz", Role.OFFICER, team, passphrase_of("3002"))
    station.sign_in(SECOND_SUPERVISOR)
    administration.cosign(made.person_id)
    administration.admit(who[OFFICER], team)
    line = station.register_case("2026-9006", "A case of the team", CUSTODIAN, "Team C")
    station.sign_in(OFFICER)
    assert [one.case_id for one in station.vault.desk.cases("", "", 10).lines] == [line.case_id]


def test_units_are_made_by_supervisors_once_a_name(crew: Crew) -> None:
    for badge in (ADMINISTRATOR, OFFICER, CUSTODIAN):
        with refused("access.not-your-role"):
            crew.at(badge).administration.add_unit("Team B")
    administration = crew.at(SUPERVISOR).administration
    with refused("unit.name-missing"):
        administration.add_unit("  ")
    made = administration.add_unit(" Team   B ")
    assert (made.name, made.kind, [one.badge_no for one in made.members]) == ("Team B", UnitKind.TEAM, [SUPERVISOR])
    with refused("unit.name-taken"):
        administration.add_unit("Team B")


def test_a_second_custodian_is_admitted_by_the_first_and_then_sees_every_case(station: Station) -> None:
    station.enrol("7002", "Nils Aho", Role.CUSTODIAN, "Records")
    line = station.register_case("2026-9001", "A case", OFFICER)
    station.sign_in("7002")
    assert station.vault.desk.cases("", "", 10).total == 0, "no key, no case"
    with refused("person.not-custodian"):
        station.vault.register.admit("7002")
    station.sign_in(CUSTODIAN)
    with refused("person.not-custodian"):
        station.vault.register.admit(OFFICER)
    station.vault.register.admit("7002")
    with refused("unit.already-member"):
        station.vault.register.admit("7002")
    station.sign_in("7002")
    assert [one.case_id for one in station.vault.desk.cases("", "", 10).lines] == [line.case_id]


def test_nobody_disables_or_releases_themselves(crew: Crew) -> None:
    with refused("person.yourself"):
        crew.at(ADMINISTRATOR).administration.disable(crew.person_id(ADMINISTRATOR))
    with refused("person.yourself"):
        crew.at(SUPERVISOR).administration.release(crew.person_id(SUPERVISOR))
    with refused("access.not-your-role"):
        crew.at(SUPERVISOR).administration.disable(crew.person_id(OFFICER))
    with refused("person.not-locked"):
        crew.vault.administration.release(crew.person_id(OFFICER))
    with refused("person.unknown"):
        crew.at(ADMINISTRATOR).administration.disable("00" * 16)  # type: ignore[arg-type]


def test_the_last_one_who_could_do_it_is_not_disabled(crew: Crew) -> None:
    """No second supervisor, administrator or custodian who works: whoever disabled the first would bring the station to a stand."""
    records, home = unit(crew, "Records"), unit(crew, "Team A")
    made = {}
    for badge, role, where in (("9002", Role.ADMINISTRATOR, home), ("7003", Role.CUSTODIAN, records), ("4003", Role.SUPERVISOR, home)):
        made[role] = crew.at(ADMINISTRATOR).administration.enrol(badge, "Ana Ruiz", role, where, passphrase_of(badge)).person_id
    for role in (Role.ADMINISTRATOR, Role.CUSTODIAN):
        crew.at(SUPERVISOR).administration.cosign(made[role])
    second = crew.person_id(SECOND_SUPERVISOR)

    def state(person_id: PersonId, now: PersonState) -> None:
        crew.vault.store.set_person_state(person_id, now, AuditDraft(AuditKind.PERSON_RELEASED))

    def disable(person_id: PersonId) -> None:
        crew.at(ADMINISTRATOR).administration.disable(person_id)

    state(second, PersonState.LOCKED)
    with refused("person.last-supervisor"):  # the other one is locked, and one waits for a signature
        disable(crew.person_id(SUPERVISOR))
    with refused("person.last-custodian"):  # the other one was not admitted: they have no key to hand on
        disable(crew.person_id(CUSTODIAN))
    state(crew.person_id(ADMINISTRATOR), PersonState.LOCKED)
    with refused("person.last-administrator"):
        disable(made[Role.ADMINISTRATOR])
    assert not crew.trail(AuditKind.PERSON_DISABLED)
    state(crew.person_id(ADMINISTRATOR), PersonState.ACTIVE)
    disable(second)  # locked, and the first one is active
    disable(made[Role.SUPERVISOR])  # never signed
    disable(made[Role.CUSTODIAN])  # no key, nothing lost with them
    disable(made[Role.ADMINISTRATOR])
    state(second, PersonState.ACTIVE)


def test_what_a_disabled_person_holds_returns_first(station: Station) -> None:
    line = station.register_case("2026-9004", "A case", OFFICER)
    station.sign_in(OFFICER)
    custody, world = station.vault.custody, station.vault.world
    custody.check_out(line.case_id, Purpose.ASSIGNED, 0, "")
    officer = next(one for one in station.vault.register.people() if one.badge_no == OFFICER)
    station.sign_in(ADMINISTRATOR)
    station.vault.administration.disable(officer.person_id)
    assert world.store.held_by(officer.person_id) == []
    trail = world.store.audit_entries(AuditFilter(), 2**62, 2)
    assert [one.kind for one in trail] == [AuditKind.PERSON_DISABLED.value, AuditKind.WITHDRAWN.value]


def test_a_disabled_person_waits_for_nothing(station: Station) -> None:
    line = station.register_case("2026-9005", "A case", OFFICER)
    colleague = next(one for one in station.vault.register.people() if one.badge_no == COLLEAGUE)
    station.vault.register.grant(line.case_id, Effect.ALLOW, GranteeKind.PERSON, colleague.person_id, 0, 0, LONG)
    station.vault.custody.check_out(line.case_id, Purpose.RECORDS, 0, "")
    station.sign_in(COLLEAGUE)
    station.vault.custody.wait(line.case_id)
    station.sign_in(ADMINISTRATOR)
    station.vault.administration.disable(colleague.person_id)
    assert station.vault.store.waiting(line.case_id) == []
    [ended] = station.vault.store.audit_entries(AuditFilter(kinds=(AuditKind.WAIT_ENDED.value,)), 0, 9)
    assert colleague.person_id in ended.facts


def test_a_disabled_person_is_given_nothing_more(station: Station, tmp_path: Path) -> None:
    line = station.register_case("2026-9002", "A case", OFFICER)
    register = station.vault.register
    colleague = next(one for one in register.people() if one.badge_no == COLLEAGUE)
    station.sign_in(ADMINISTRATOR)
    station.vault.administration.disable(colleague.person_id)
    with refused("person.disabled"):
        station.vault.administration.disable(colleague.person_id)
    station.sign_in(CUSTODIAN)
    with refused("person.unknown"):
        register.grant(line.case_id, Effect.ALLOW, GranteeKind.PERSON, colleague.person_id, 0, 0, LONG)
    with refused("person.unknown"):
        register.register_case("2026-9003", "A case", "fraud", COLLEAGUE, unit_of_records(station), line.marking, (), ())
    station.sign_in(OFFICER)
    held = station.vault.custody.check_out(line.case_id, station.vault.custody.choices(line.case_id).purposes[0], 0, "")
    with refused("person.unknown"):
        station.vault.custody.hand_over(held.check_out_id, COLLEAGUE)


def unit_of_records(station: Station) -> UnitId:
    return next(one.unit_id for one in station.vault.register.units() if one.kind is UnitKind.RECORDS)


def test_registering_and_granting_have_their_rules(crew: Crew) -> None:
    register = crew.at(CUSTODIAN).register
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    line = crew.vault.desk.case(case_id).line
    records = unit(crew, "Records")
    for number, title, badge, where, code in (
        (" ", "A case", OFFICER, records, "case.number-missing"),
        ("2026-X", " ", OFFICER, records, "case.title-missing"),
        (f" {line.rms_number.lower()} ", "A case", OFFICER, records, "case.number-taken"),
        ("2026-X", "A case", "0000", records, "person.unknown"),
        ("2026-X", "A case", OFFICER, "00" * 16, "unit.unknown"),
        ("2026-X", "A case", ADMINISTRATOR, records, "grant.role-never"),
        ("2026-X", "A case", AUDITOR, records, "grant.role-never"),
    ):
        with refused(code):
            register.register_case(number, title, "fraud", badge, where, line.marking, (), ())  # type: ignore[arg-type]
    now_us = crew.station.clock.now_us()
    colleague = crew.person_id(COLLEAGUE)
    for grantee, from_us, until_us, reason, code in (
        (colleague, 0, 0, "short", "grant.reason-missing"),
        (colleague, 0, now_us - 1, LONG, "grant.period"),
        (colleague, now_us + 100_000_000, now_us + 50_000_000, LONG, "grant.period"),
        ("00" * 16, 0, 0, LONG, "person.unknown"),
        (crew.person_id(AUDITOR), 0, 0, LONG, "grant.role-never"),
    ):
        with refused(code):
            register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, grantee, from_us, until_us, reason)
    with refused("access.no-need-to-know"):
        crew.at(COLLEAGUE).register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, colleague, 0, 0, LONG)
    granted = crew.at(OFFICER).register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, colleague, 0, 0, LONG)
    with refused("access.not-grantor"):
        crew.at(COLLEAGUE).register.grant(case_id, Effect.DENY, GranteeKind.PERSON, crew.person_id(OFFICER), 0, 0, LONG)
    crew.at(OFFICER)
    register.remove_grant(case_id, granted.grant_id, LONG)
    with refused("grant.unknown"):
        register.remove_grant(case_id, granted.grant_id, LONG)


def test_a_grant_signed_by_somebody_without_two_signatures_is_refused(crew: Crew) -> None:
    """Who writes to the register plants a person and a grant in that person's name: the entry has no two signatures."""
    case_id = crew.new_case(CUSTODIAN, OFFICER)
    made = crew.at(ADMINISTRATOR).administration.enrol("3200", "Planted", Role.CUSTODIAN, unit(crew, "Records"), passphrase_of("3200"))
    [grant, *_] = crew.vault.store.grants_of(case_id)
    from dataclasses import replace

    forged = replace(grant, terms=replace(grant.terms, granted_by=made.person_id))
    with pytest.raises(TamperError, match=r"^signature\.invalid grant_id"):
        crew.vault.world.directory.check_grant(forged)
