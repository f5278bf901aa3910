"""Who can see a case, and who cannot whatever they try: people, units, grants, the vault key alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import AUDITOR, COLLEAGUE, OFFICER, SECOND_SUPERVISOR
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, Station
from vault.crypto.slots import open_workstation_slot, vault_keys
from vault.domain.access import Effect, GranteeKind, ReasonCode
from vault.domain.custody import Purpose
from vault.domain.identity import CaseId, Role
from vault.errors import RefusedError, TamperError
from vault.secret import Secret
from vault.storage.connection import CONTENT_FORMAT
from vault.storage.header import HEADER_NAME, read_unverified_header

MARKERS = ("ZEBRAFISH-TITLE", "Quillon Marchetti", "PERIWINKLE-PAGE", "KESTREL-TAG", "obsidian-document")


def marked_case(station: Station) -> CaseId:
    """A case whose title, person, tag, document name and page text are planted markers."""
    station.sign_in(CUSTODIAN)
    unit = next(one for one in station.vault.register.units() if one.name == "Records")
    from vault.domain.casefile import Marking

    line = station.vault.register.register_case(
        "2026-0777", MARKERS[0], "fraud", OFFICER, unit.unit_id, Marking.RESTRICTED, (MARKERS[1],), (MARKERS[3],)
    )
    document = station.directory.parent / f"{MARKERS[4]}.txt"
    document.write_text(f"{MARKERS[2]}\n" * 200)
    view = station.vault.intake.start(line.case_id, (str(document),))
    assert [one.state.value for one in station.vault.intake.status(view.intake_no).files] == ["done"]
    return line.case_id


def read_first_page(station: Station, case_id: CaseId) -> None:
    held = station.vault.custody.check_out(case_id, station.vault.custody.choices(case_id).purposes[0], 0, "reading for the test")
    opened = station.vault.reading.open_file(held.check_out_id)
    station.vault.reading.view_page(held.check_out_id, opened.documents[0].document_id, 1, 72, 0)


def test_the_vault_key_alone_shows_nothing_of_a_case(station: Station) -> None:
    case_id = marked_case(station)
    station.sign_in(OFFICER)
    read_first_page(station, case_id)
    station.sign_in(SUPERVISOR)  # the register's WAL still holds the officer's work
    header = read_unverified_header(station.directory / HEADER_NAME)
    record = station.keeper.read(f"workstation:{header.vault_id}")
    assert record is not None
    workstation_id = station.vault.world.station.workstation_id
    slot = header.workstation_slot(workstation_id)
    assert slot is not None
    keys = vault_keys(open_workstation_slot(slot, Secret(record.reveal()[32:]), None, header.vault_id, workstation_id).vault_key)
    seen = plain_dump(station.directory / "register.db", keys.register) + plain_dump(station.directory / "content.db", keys.content)
    raw = b"".join(path.read_bytes() for path in sorted(station.directory.iterdir()))
    assert len(seen) > 20_000
    assert b"Olu Brandt" in seen, "the dump must be able to find what is there"
    for marker in MARKERS:
        assert marker.encode() not in seen
        assert marker.encode() not in raw
    assert b"2026-0777" not in seen


def plain_dump(path: Path, key: Secret) -> bytes:
    """Every value of every table, decrypted with the vault key."""
    from sqlcipher3 import dbapi2

    with_key = dbapi2.connect(str(path))
    with_key.execute(f"PRAGMA key = \"x'{key.reveal().hex()}'\"")
    if path.name == "content.db":
        with_key.execute(f"PRAGMA cipher_page_size = {CONTENT_FORMAT.page_bytes}")
        with_key.execute(f"PRAGMA cipher_hmac_algorithm = {CONTENT_FORMAT.hmac}")
    tables = [row[0] for row in with_key.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    values = [value for table in tables for row in with_key.execute(f'SELECT * FROM "{table}"') for value in row]
    with_key.close()
    return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for value in values)


@pytest.mark.parametrize("badge", [ADMINISTRATOR, AUDITOR])
def test_administrator_and_auditor_cannot_read_a_case(station: Station, badge: str) -> None:
    case_id = marked_case(station)
    person = next(one for one in station.vault.register.people() if one.badge_no == badge)
    with pytest.raises(RefusedError, match=r"grant\.role-never"):
        station.vault.register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, person.person_id, 0, 0, "a try for the test")
    station.sign_in(badge)
    assert station.vault.desk.cases("", "", 200).total == 0
    assert station.vault.desk.cases(MARKERS[0], "", 200).total == 0
    for attempt in (
        lambda: station.vault.desk.case(case_id),
        lambda: station.vault.custody.choices(case_id),
        lambda: station.vault.custody.check_out(case_id, Purpose.OTHER, 0, "because I would like to"),
    ):
        with pytest.raises(RefusedError):
            attempt()


def test_the_administrator_still_manages_people(station: Station) -> None:
    station.sign_in(ADMINISTRATOR)
    assert {one.person.badge_no for one in station.vault.administration.people()} >= {OFFICER, SUPERVISOR, AUDITOR}
    station.enrol("2003", "Nadia Osei", Role.OFFICER, "Team A")
    station.sign_in("2003")
    assert station.vault.desk.overview().holding == ()


def test_a_colleague_without_a_grant_sees_no_case_and_the_answer_does_not_say_whether_it_exists(station: Station) -> None:
    marked_case(station)
    station.sign_in(COLLEAGUE)
    assert station.vault.desk.cases("", "", 200).lines == ()
    existing = station.vault.desk.explain("2026-0777", "")
    invented = station.vault.desk.explain("2026-9999", "")
    assert (existing.allowed, existing.lines) == (invented.allowed, invented.lines)
    assert existing.lines[0].code == ReasonCode.NO_GRANT.value


def test_deny_wins_over_every_allow_and_ends_with_its_removal(station: Station) -> None:
    case_id = marked_case(station)
    register = station.vault.register
    officer = next(one for one in register.people() if one.badge_no == OFFICER)
    deny = register.grant(case_id, Effect.DENY, GranteeKind.PERSON, officer.person_id, 0, 0, "conflict of interest")
    station.sign_in(OFFICER)
    assert station.vault.desk.cases("", "", 200).lines == ()
    with pytest.raises(RefusedError, match=r"access\.no-need-to-know"):
        station.vault.custody.choices(case_id)
    explained = station.vault.desk.explain("2026-0777", "")
    assert not explained.allowed
    assert explained.lines[0].code == ReasonCode.DENIED_TO_PERSON.value
    station.sign_in(CUSTODIAN)
    station.vault.register.remove_grant(case_id, deny.grant_id, "the conflict is resolved")
    station.sign_in(OFFICER)
    assert [one.rms_number for one in station.vault.desk.cases("", "", 200).lines] == ["2026-0777"]


def test_nobody_takes_the_last_sight_of_a_case_from_those_who_could_give_it_back(station: Station) -> None:
    """A case without anybody who sees it and may grant would be unreadable for ever."""
    case_id = marked_case(station)
    register, now_us = station.vault.register, station.clock.now_us()
    officer = next(one for one in register.people() if one.badge_no == OFFICER).person_id
    colleague = next(one for one in register.people() if one.badge_no == COLLEAGUE).person_id
    units = {one.name: one.unit_id for one in register.units()}
    register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, colleague, 0, 0, "who sees it and may not grant")
    firsts = {one.terms.grantee_id: one.terms.grant_id for one in station.vault.store.grants_of(case_id)}
    deny_officer = register.grant(case_id, Effect.DENY, GranteeKind.PERSON, officer, 0, 0, "conflict of interest")
    for attempt in (
        lambda: register.remove_grant(case_id, firsts[units["Records"]], "the last one that counts"),
        lambda: register.grant(case_id, Effect.DENY, GranteeKind.UNIT, units["Records"], 0, 0, "nobody would be left"),
        lambda: register.grant(case_id, Effect.DENY, GranteeKind.UNIT, units["Records"], now_us + 10**12, 0, "nobody would be left then"),
    ):
        with pytest.raises(RefusedError, match=r"grant\.last-grantor"):
            attempt()
    register.remove_grant(case_id, deny_officer.grant_id, "the conflict is resolved")
    register.remove_grant(case_id, firsts[colleague], "who could not grant anyway")
    # The officer in charge is left: the records unit may go, but then not the officer.
    register.grant(case_id, Effect.DENY, GranteeKind.UNIT, units["Records"], 0, 0, "the records unit goes")
    station.sign_in(OFFICER)
    with pytest.raises(RefusedError, match=r"grant\.last-grantor"):
        station.vault.register.remove_grant(case_id, firsts[officer], "myself, the last")


def test_a_gap_that_was_there_forbids_nothing_else(station: Station) -> None:
    """The officer in charge is disabled, and the custodian's own grant ends one day: nobody made that gap by denying somebody else."""
    case_id = marked_case(station)
    register = station.vault.register
    people = {one.badge_no: one.person_id for one in register.people()}
    records = next(one.unit_id for one in register.units() if one.name == "Records")
    until_us = station.clock.now_us() + 3600 * 1_000_000
    register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, people[CUSTODIAN], 0, until_us, "an hour to hand it over")
    firsts = {one.terms.grantee_id: one.terms.grant_id for one in station.vault.store.grants_of(case_id)}
    register.remove_grant(case_id, firsts[records], "the officer in charge is left")
    station.sign_in(ADMINISTRATOR)
    station.vault.administration.disable(people[OFFICER])
    station.sign_in(CUSTODIAN)
    register.grant(case_id, Effect.DENY, GranteeKind.PERSON, people[COLLEAGUE], 0, 0, "conflict of interest")


def test_a_grant_to_a_unit_lasts_as_long_as_it_says(station: Station) -> None:
    case_id = marked_case(station)
    team = next(one for one in station.vault.register.units() if one.name == "Team A")
    until_us = station.clock.now_us() + 3600 * 1_000_000
    station.vault.register.grant(case_id, Effect.ALLOW, GranteeKind.UNIT, team.unit_id, 0, until_us, "joint operation")
    station.sign_in(COLLEAGUE)
    assert station.vault.custody.choices(case_id).purposes == (Purpose.OTHER,), "a unit's grant is no assignment"
    read_first_page(station, case_id)
    station.clock.step(3700)
    with pytest.raises(RefusedError, match=r"access\.no-need-to-know"):
        station.vault.custody.choices(case_id)


def test_a_list_neither_shows_nor_counts_what_is_denied_or_over(station: Station) -> None:
    station.register_case("2026-0001", "Stays", OFFICER)
    register = station.vault.register
    officer = next(one for one in register.people() if one.badge_no == OFFICER)
    until_us = station.clock.now_us() + 3600 * 1_000_000
    for number in range(2, 6):
        case_id = station.register_case(f"2026-{number:04}", "Another", COLLEAGUE).case_id
        register.grant(case_id, Effect.ALLOW, GranteeKind.PERSON, officer.person_id, 0, until_us if number == 2 else 0, "helps with it")
        if number == 3:
            register.grant(case_id, Effect.DENY, GranteeKind.PERSON, officer.person_id, 0, 0, "conflict of interest")
    station.clock.step(3700)
    station.sign_in(OFFICER)
    whole = station.vault.desk.cases("", "", 200)
    assert ([one.rms_number for one in whole.lines], whole.total) == (["2026-0005", "2026-0004", "2026-0001"], 3)
    one = station.vault.desk.cases("", "", 1)
    assert one.total == 4, "the denied one is not counted; the one that is over is, until the list's end"
    numbers, anchor = [], ""
    while True:  # a page at a time: no case is left out, none comes twice
        page = station.vault.desk.cases("", anchor, 1)
        numbers += [line.rms_number for line in page.lines]
        if not (anchor := page.next_anchor):
            break
    assert numbers == ["2026-0005", "2026-0004", "2026-0001"]


def test_a_case_is_searched_as_it_is_typed_however_it_was_written(station: Station) -> None:
    station.register_case("2026-0001", "Jose\u0301 O\u2019Brien, Hauptstra\u00dfe", OFFICER)
    station.sign_in(OFFICER)
    station.register_case("\u00c9-1", "One", OFFICER)
    with pytest.raises(RefusedError, match=r"case\.number-taken"):  # the same number, which looks the same
        station.register_case("e\u0301-1", "Two", OFFICER)
    station.sign_in(OFFICER)
    assert station.vault.desk.explain("E\u0301-1", "").allowed
    for typed in ("José", "jose o'brien", "HAUPTSTRASSE"):
        assert [line.rms_number for line in station.vault.desk.cases(typed, "", 10).lines] == ["2026-0001"]
    assert station.vault.desk.cases("Joseph", "", 10).total == 0


def test_a_supervisor_has_no_standing_sight_of_cases(station: Station) -> None:
    case_id = marked_case(station)
    station.sign_in(SECOND_SUPERVISOR)
    assert station.vault.desk.cases("", "", 200).total == 0
    with pytest.raises(RefusedError, match=r"access\.no-need-to-know"):
        station.vault.desk.case(case_id)


def test_a_swapped_public_key_is_refused(station: Station) -> None:
    """A database owner replaces a colleague's public keys by their own: the directory no longer verifies."""
    station.sign_in(OFFICER)
    mine = station.vault.store.person_by_badge(OFFICER)
    theirs = station.vault.store.person_by_badge(COLLEAGUE)
    assert mine is not None
    assert theirs is not None
    station.vault.store._db.change_fast(  # the attacker has the vault key and plain SQL
        "UPDATE person SET kem_public = ? WHERE person_id = ?", (mine.kem_public, theirs.person_id)
    )
    with pytest.raises(TamperError, match=r"directory\.unsigned"):
        station.vault.world.directory.refresh()


def test_asking_about_a_colleague_does_not_tell_whether_a_case_exists(station: Station) -> None:
    marked_case(station)
    station.sign_in(COLLEAGUE)
    answers = []
    for number in ("2026-0777", "2026-9999"):
        with pytest.raises(RefusedError) as refused:
            station.vault.desk.explain(number, OFFICER)
        answers.append((refused.value.code, refused.value.facts))
    assert answers[0] == answers[1]
