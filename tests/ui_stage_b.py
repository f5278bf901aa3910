"""Canned views for the supervisor's, custodian's, administrator's and auditor's windows: pictures of layout, and their unit tests.

Synthetic people only. Proves what a window shows and asks, never that anything is protected.

Pictures: ``python -m tests.ui_stage_b --out build/windows [--scheme dark] [--size 1280x720] [--scale 2] [name ...]``
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ui_stage import (
    ADMINISTRATOR,
    AUDITOR,
    COLLEAGUE,
    CUSTODIAN,
    HOUR_US,
    LONG_NAMED,
    MINUTE_US,
    OFFICER,
    PEOPLE,
    SUPERVISOR,
    StagedBridge,
    case,
    enrolments,
    now_us,
    signed_in,
)
from vault.domain.audit import AuditKind
from vault.domain.breach import SEVERITY, Containment, Finding, Severity, SignalKind, TriageState
from vault.domain.custody import Purpose
from vault.domain.identity import BreachId, CheckOutId, PersonId, PersonState, Role, UnitId, UnitKind
from vault.domain.policy import Policy
from vault.domain.reading_rules import CATALOGUE
from vault.errors import RefusedError, UnavailableError
from vault.services.events import IntakeMoved
from vault.services.ports import MetServer, PremisesFacts
from vault.services.recovery import HolderLine, HoldersProposed, RecoveryState
from vault.services.views import (
    AuditLine,
    AuditPage,
    BoardLine,
    CaseDetail,
    ChainLine,
    DecoyLine,
    FileState,
    IntakeFile,
    IntakeView,
    KeyServerTest,
    PersonBrief,
    PersonLine,
    ReportFact,
    ReportLine,
    ReportNote,
    ReportView,
    RuleLine,
    UnitLine,
)

SECOND_SUPERVISOR = PersonBrief(PersonId("a8" * 16), "Beatriz Anand", "1192", "Watch command", Role.SUPERVISOR)
_KINDS = tuple(SignalKind)[:16]  # a queue as it is mostly: keys, selections, files
_HOLDERS = (OFFICER, COLLEAGUE, LONG_NAMED)
_PLACES = ("HS-DESK-03", "HS-DESK-07", "HS-INTERVIEW-ROOM-2")


# ---- breaches ----------------------------------------------------------------------------------------------------------------------


def report(index: int) -> ReportLine:
    kind = _KINDS[(index * 5) % len(_KINDS)]
    severity = SEVERITY[kind]
    state = (TriageState.OPEN, TriageState.ACKNOWLEDGED, TriageState.INVESTIGATING, TriageState.OPEN, TriageState.DISPOSED)[index % 5]
    officer: PersonBrief | None = _HOLDERS[index % 3]
    if index % 11 == 10:
        officer = None
    if index == 3:
        officer, kind, severity, state = SUPERVISOR, SignalKind.PRINT_KEY, Severity.DELIBERATE, TriageState.ACKNOWLEDGED
    if index == 0:
        kind, severity, state = SignalKind.STORE_COPIED, Severity.EXPOSED, TriageState.OPEN
    first = now_us() - (index * 17 + 4) * MINUTE_US
    owner = SECOND_SUPERVISOR if state is TriageState.INVESTIGATING else None
    return ReportLine(
        breach_id=BreachId(f"b0{index:030x}"),
        report_no=f"B-2026-{41 + index:04}",
        kind=kind,
        severity=severity,
        state=state,
        officer=officer,
        workstation_name=_PLACES[index % 3],
        first_us=first,
        last_us=first + 2 * MINUTE_US,
        count=1 + index % 4,
        owner=owner,
        on_you=index == 3,
    )


def reports(count: int) -> tuple[ReportLine, ...]:
    return tuple(report(index) for index in range(count))


def together() -> ReportLine:
    """A report of all three strands."""
    kinds = (SignalKind.MEDIA_MOUNTED, SignalKind.CAPTURE_TOOL, SignalKind.NEW_PICTURE, SignalKind.CAPTURE_TOOL, SignalKind.STORE_COPIED)
    line = dataclasses.replace(report(0), kind=kinds[0], severity=Severity.BULK, count=len(kinds), seen=kinds)
    return dataclasses.replace(line, first_us=now_us() - 9 * MINUTE_US, last_us=now_us() - 2 * MINUTE_US)


def report_view(line: ReportLine) -> ReportView:
    kinds = line.seen or tuple(
        line.kind if step or line.kind is not SignalKind.STORE_COPIED else SignalKind.STORE_OPENED for step in range(line.count + 1)
    )
    contained = Containment.RECALL if line.severity >= Severity.EXPOSED else Containment.BLANK
    facts = tuple(
        ReportFact(
            at_us=line.first_us + step * 40_000_000,
            kind=kind,
            case_label="2026-004417",
            document_title="Statement of the night watchman, second version with corrections by the harbour authority.pdf",
            page_no=14,
            check_out_no=1042,
            containment=contained,
            facts=(("process", "cp"), ("pid", "48211"), ("uid", "1000"), ("folder", "Downloads"), ("salt_matched", "yes")),
        )
        for step, kind in enumerate(kinds)
    )
    notes = ()
    if line.state is not TriageState.OPEN:
        notes = (
            ReportNote(
                line.first_us + 9 * MINUTE_US, line.officer or OFFICER, "account", "I meant to open the search and took the wrong key."
            ),
            ReportNote(
                line.first_us + 14 * MINUTE_US, SECOND_SUPERVISOR, "note", "Spoke to the officer at the desk; the screen was checked."
            ),
        )
    disposed = line.state is TriageState.DISPOSED
    return ReportView(
        line=line,
        facts=facts,
        notes=notes,
        detection_ms=34,
        acknowledged_us=line.first_us + 6 * MINUTE_US if line.state is not TriageState.OPEN else 0,
        disposed_us=line.first_us + 90 * MINUTE_US if disposed else 0,
        finding=Finding.FALSE_POSITIVE if disposed else None,
    )


# ---- custody -----------------------------------------------------------------------------------------------------------------------


def board(count: int) -> tuple[BoardLine, ...]:
    lines = []
    for index in range(count):
        due = now_us() + ((index * 37) % 500 - 60) * MINUTE_US + 9_000_000
        lines.append(
            BoardLine(
                check_out_id=CheckOutId(f"c0{index:030x}"),
                check_out_no=1042 + index,
                case_label=case(index).rms_number,
                holder=_HOLDERS[index % 3],
                workstation_name=_PLACES[index % 3],
                purpose=tuple(Purpose)[index % 5],
                flagged=index % 5 == 4,
                taken_us=due - 8 * HOUR_US,
                due_back_us=due,
                recalled_us=now_us() - 4 * MINUTE_US if index % 7 == 2 else 0,
                overdue=due < now_us(),
            )
        )
    return tuple(lines)


# ---- audit -------------------------------------------------------------------------------------------------------------------------

_AUDIT_KINDS = (AuditKind.PAGE_VIEWED, AuditKind.PAGE_LEFT, *AuditKind)


def entry(seq: int, auditor: bool = False) -> AuditLine:
    kind = _AUDIT_KINDS[(seq * 7) % len(_AUDIT_KINDS)]
    cased = kind.value.partition(".")[0] in {"case", "grant", "access", "document", "custody", "page"}
    refused = kind.value.endswith("refused") or kind is AuditKind.SIGN_IN_FAILED
    return AuditLine(
        seq=seq,
        at_us=now_us() - (18_204 - seq) * MINUTE_US,
        kind=kind.value,
        actor=PEOPLE[seq % len(PEOPLE)] if seq % 9 else None,
        case_label=("c0ffee12…" if auditor else case(seq % 7).rms_number) if cased else "",
        case_id=f"{seq % 7:032x}" if cased else "",
        document_id="d0" * 16 if kind.value.startswith("page") else "",
        page_no=seq % 24 + 1 if kind.value.startswith("page") else 0,
        outcome="refused" if refused else "done",
        facts=(("check_out_no", "1042"), ("dwell_ms", "41200")),
        entry_hash=f"{seq * 7919:064x}",
    )


def audit_page(head: int) -> Callable[..., AuditPage]:
    def page(kinds: tuple[str, ...], badge: str, number: str, from_us: int, until_us: int, before: int, limit: int) -> AuditPage:
        found: list[AuditLine] = []
        seq = (before or head + 1) - 1
        while seq > 0 and len(found) < limit:
            line = entry(seq)
            fits = (
                (not kinds or line.kind in kinds)
                and (not badge or (line.actor is not None and line.actor.badge_no == badge))
                and (not number or line.case_label == number)
                and (not from_us or line.at_us >= from_us)
                and (not until_us or line.at_us < until_us)
            )
            if fits:
                found.append(line)
            seq -= 1
        return AuditPage(tuple(found), found[-1].seq if len(found) == limit else 0, head)

    return page


CHAIN = ChainLine(True, 18_204, 0, "", now_us(), 71, 18_190)
BAD_CHAIN = ChainLine(False, 18_204, 17_311, "edited", now_us(), 71, 18_190)


# ---- people ------------------------------------------------------------------------------------------------------------------------


def people(count: int) -> tuple[PersonLine, ...]:
    lines = []
    for index in range(count):
        person = PEOPLE[index % len(PEOPLE)]
        if index >= len(PEOPLE):
            name = ("Amara", "Bogdan", "Chiara", "Đorđe", "Esi")[index % 5] + " " + ("Nilsson", "Okafor", "Ito", "Brandt")[index % 4]
            person = PersonBrief(PersonId(f"e0{index:030x}"), name, f"{5000 + index}", person.unit_name, Role.OFFICER)
        state = {5: PersonState.PENDING, 6: PersonState.LOCKED, 11: PersonState.DISABLED}.get(index, PersonState.ACTIVE)
        signed = None if state is PersonState.PENDING else SUPERVISOR
        lines.append(PersonLine(person, state, now_us() - (index + 2) * 31 * HOUR_US, ADMINISTRATOR if index else None, signed))
    return tuple(lines)


UNITS = (
    UnitLine(UnitId("e1" * 16), "Investigations East", UnitKind.TEAM, (OFFICER, COLLEAGUE, LONG_NAMED)),
    UnitLine(UnitId("e2" * 16), "Watch command", UnitKind.SUPERVISORS, (SUPERVISOR, SECOND_SUPERVISOR)),
    UnitLine(UnitId("e3" * 16), "Records", UnitKind.RECORDS, (CUSTODIAN,)),
    UnitLine(UnitId("e4" * 16), "وحدة الميناء", UnitKind.TEAM, ()),
)


# ---- intake ------------------------------------------------------------------------------------------------------------------------

_FILES = (
    ("Statement of the night watchman.pdf", FileState.DONE, "", 24),
    ("Scene photograph 03.jpg", FileState.DONE, "", 1),
    ("Quarterly figures (password).pdf", FileState.REFUSED, "document.encrypted", 0),
    ("تقرير الميناء.pdf", FileState.DONE, "", 3),
    (
        "Re: Access log, gate 4 (forwarded by the harbour authority's security desk on behalf of the night shift).eml",
        FileState.RUNNING,
        "",
        0,
    ),
    ("camera.mkv", FileState.WAITING, "", 0),
    ("empty.txt", FileState.REFUSED, "document.empty", 0),
)


def intake_view(count: int, finished: bool = False) -> IntakeView:
    files = []
    for index in range(count):
        name, state, reason, pages = _FILES[index % len(_FILES)]
        if index >= len(_FILES):
            name = f"{index:05} {name}"
        if finished and state in {FileState.RUNNING, FileState.WAITING}:
            state, pages = FileState.DONE, 2
        size = 48_211 * (index % 90 + 1)
        done = size if state is FileState.DONE else size // 3 if state is FileState.RUNNING else 0
        files.append(IntakeFile(index + 1, name, size, done, state, reason, pages))
    total = sum(file.size_bytes for file in files)
    return IntakeView(1, case(0).case_id, tuple(files), total if finished else sum(file.done_bytes for file in files), total, finished)


# ---- the bridge --------------------------------------------------------------------------------------------------------------------


def rule_lines() -> tuple[RuleLine, ...]:
    """The catalogue as the vault gives it."""
    return tuple(
        RuleLine(
            rule.rule_id.value,
            rule.version,
            rule.signal,
            rule.thresholds(Policy()),
            rule.false_alarms.flags,
            rule.false_alarms.shifts,
            rule.false_alarms.pages,
        )
        for rule in CATALOGUE.values()
    )


def decoys() -> tuple[DecoyLine, ...]:
    reason = "Closed in 2019; everything in it was moved to the case that followed."
    return (DecoyLine("d0" * 32, case(0).rms_number, reason, SUPERVISOR, now_us() - 24 * HOUR_US),)


KEY_SERVERS = PremisesFacts(
    1,
    (
        MetServer("Key room", "http://10.20.4.11:7500", "", "", ("nTQ2aGq1XfTzWl0yQm5cR7uVbKxJ3eD9sHpLoZiN8wA",)),
        MetServer(
            "Watch command, second floor",
            "https://keys.harbour-street.police.example:8443",
            "/etc/casevault/workstation.pem",
            "/etc/casevault/front-authority.pem",
            ("8fC1vYt4RbN6kQzXoW2mE5uJ7sLdPaHgTiKyB9xV3cM", "Zq0PlOk9Mi8Nj7Bh6Vg5Cf4Xd3Zs2Aq1WsEdRfTgYhU"),
        ),
    ),
)
NO_KEY_SERVERS = PremisesFacts(0, ())
SERVER_TESTS = (KeyServerTest("Key room", ""), KeyServerTest("Watch command, second floor", "premises.unreachable"))


_THUMBPRINTS = tuple("-".join([f"400{number}"] * 8) for number in (1, 2, 3))
ENROLLED = RecoveryState(2, _THUMBPRINTS, now_us() - 400 * HOUR_US, SUPERVISOR, None)
STANDING = HoldersProposed(ADMINISTRATOR, now_us() - MINUTE_US, now_us() + 14 * MINUTE_US, 2, _THUMBPRINTS)


class ConsoleBridge(StagedBridge):
    """The staged bridge with `count` rows behind every list of these windows."""

    def __init__(self, count: int = 7) -> None:
        super().__init__()
        self.case_count = count
        self._count = count
        self.recovery = RecoveryState(0, (), 0, None, None)
        head = {0: 0, 3: 3}.get(count, 18_204)
        self.answers |= {
            "Supervision.queue": lambda disposed: tuple(one for one in self.lines if disposed or one.state is not TriageState.DISPOSED),
            "Supervision.report": lambda breach_id: report_view(self.line(breach_id)),
            "Supervision.audit_page": audit_page(head),
            "Supervision.verify_chain": CHAIN,
            "Supervision.stop_verification": None,
            "Custody.board": lambda: board(count),
            "Custody.recall": lambda *_: None,
            "Custody.force_return": lambda *_: None,
            "Administration.people": lambda: people(count),
            "Administration.units": UNITS,
            "Administration.enrol": lambda *_: enrolments()[0],
            "Administration.cosign": lambda *_: None,
            "Administration.release": lambda *_: None,
            "Administration.disable": lambda *_: None,
            "Credentials.renew_factor": lambda *_: enrolments()[0],
            "Credentials.confirm_factor": lambda *_: None,
            "Credentials.forget_factor": lambda *_: None,
            "Administration.add_unit": lambda name: UnitLine(UnitId("e9" * 16), name, UnitKind.TEAM, ()),
            "Accommodations.accommodations": (),
            "Accommodations.grant": lambda *_: None,
            "Accommodations.remove": lambda *_: None,
            "UnusualReading.catalogue": rule_lines(),
            "UnusualReading.decoys": decoys,
            "UnusualReading.mark_decoy": lambda *_: None,
            "UnusualReading.remove_decoy": lambda *_: None,
            "Premises.servers": KEY_SERVERS,
            "Premises.test": SERVER_TESTS,
            "Premises.add": lambda server, thumbprint, threshold: PremisesFacts(
                threshold, (*KEY_SERVERS.servers, dataclasses.replace(server, thumbprints=(thumbprint,)))
            ),
            "Premises.rotate": KEY_SERVERS,
            "Premises.remove": lambda name, threshold: PremisesFacts(
                threshold, tuple(one for one in KEY_SERVERS.servers if one.name != name)
            ),
            "Register.units": UNITS,
            "Register.register_case": lambda *_: case(0),
            "Register.grant": lambda *_: self._desk_case(case(0).case_id).grants[0],
            "Register.remove_grant": lambda *_: None,
            "Intake.start": lambda *_: intake_view(count),
            "Intake.cancel": lambda *_: None,
            "Intake.interrupted": (),
            "Intake.forget": lambda *_: None,
        }
        for act, state in (
            ("acknowledge", TriageState.ACKNOWLEDGED),
            ("own", TriageState.INVESTIGATING),
            ("dispose", TriageState.DISPOSED),
        ):
            self.answers[f"Supervision.{act}"] = lambda breach_id, *_, state=state: self.decide(breach_id, state)
        self.answers["Supervision.note"] = lambda breach_id, _text: report_view(self.line(breach_id))

    @functools.cached_property
    def lines(self) -> tuple[ReportLine, ...]:
        return reports(self._count)

    def line(self, breach_id: BreachId) -> ReportLine:
        return next(one for one in self.lines if one.breach_id == breach_id)

    def decide(self, breach_id: BreachId, state: TriageState) -> ReportView:
        owner = SUPERVISOR if state is not TriageState.ACKNOWLEDGED else None
        self.lines = tuple(dataclasses.replace(one, state=state, owner=owner) if one.breach_id == breach_id else one for one in self.lines)
        return report_view(self.line(breach_id))

    def _recoveryholders_state(self) -> RecoveryState:
        return self.recovery

    def _recoveryholders_public_half(self, path: str) -> HolderLine:
        stem = Path(path).stem
        return HolderLine(f"badge {stem}", "-".join([stem] * 8), f"casevault-holder-1 {stem}")

    def _recoveryholders_propose(self, threshold: int, publics: tuple[str, ...]) -> RecoveryState:
        thumbprints = tuple("-".join([one.split()[-1]] * 8) for one in publics)
        proposed = HoldersProposed(ADMINISTRATOR, now_us(), now_us() + 15 * MINUTE_US, threshold, thumbprints)
        self.recovery = dataclasses.replace(self.recovery, proposed=proposed)
        return self.recovery

    def _recoveryholders_enrol(self, threshold: int, publics: tuple[str, ...]) -> RecoveryState:
        thumbprints = tuple("-".join([one.split()[-1]] * 8) for one in publics)
        self.recovery = RecoveryState(threshold, thumbprints, now_us(), SUPERVISOR, None)
        return self.recovery

    def _desk_case(self, case_id: Any) -> CaseDetail:
        return dataclasses.replace(super()._desk_case(case_id), may_take_in=True)


# ---- pictures ----------------------------------------------------------------------------------------------------------------------


def _with_together(page: Any) -> None:
    page.bridge.lines = (together(), *page.bridge.lines[1:])
    page.refresh()


def _bringing(*numbers: int) -> Callable[[Any], None]:
    """Open the sheet of the recovery holders and name their files."""

    def go(page: Any) -> None:
        from ui.windows.recovery_holders import HoldersSheet

        page.enrol_holders()
        page.window().findChild(HoldersSheet)._bring(tuple(f"/media/stick/400{number}.pub" for number in numbers))

    return go


def _typed(page: Any, name: str, words: str) -> None:
    from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

    field = page.window().findChild(QLineEdit, name) or page.window().findChild(QPlainTextEdit, name)
    field.setText(words) if isinstance(field, QLineEdit) else field.setPlainText(words)


def _renewing(page: Any) -> None:
    page._rows.choose(OFFICER.person_id)
    page.renew_factor()
    _typed(page, "renew_factor_reason", "Their phone fell into the harbour this morning.")
    _typed(page, "renew_factor_passphrase", "four grey lamps")


def _renewing_wrongly(page: Any) -> None:
    _renewing(page)
    _child(page, "renew_factor_save").click()


def _proving_wrongly(page: Any) -> None:
    page._prove(enrolments()[0])
    _typed(page, "factor_proof_code", "123456")
    _child(page, "factor_proof_save").click()


def _changing(page: Any) -> None:
    from ui.windows.credentials import ChangePassphraseSheet

    ChangePassphraseSheet(page.frame, page.bridge, "4471", lambda: None).open_over()
    for name, words in (("old", "four grey lamps"), ("code", "123456"), ("new", "seven green tables"), ("again", "seven green")):
        _typed(page, f"change_passphrase_{name}", words)


def _scenes() -> dict[str, Callable[[], tuple[Any, Callable[[Any], None]]]]:
    from ui.windows.audit import AuditPage as AuditWindow
    from ui.windows.breaches import BreachesPage
    from ui.windows.credentials import OwnFactorSheet
    from ui.windows.custody_board import CustodyBoardPage
    from ui.windows.intake import IntakePage
    from ui.windows.looked_for import LookedForPage
    from ui.windows.people import PeoplePage
    from ui.windows.premises import PremisesPage

    def page(window: Any, person: PersonBrief, count: int, then: Callable[[Any], None] = lambda _page: None, **answers: Any) -> Any:
        def make() -> tuple[Any, Callable[[Any], None]]:
            bridge = ConsoleBridge(count)
            bridge.answers |= {name.replace("__", "."): answer for name, answer in answers.items()}
            return window(bridge, signed_in(person)), then

        return make

    def enrolling(page: Any) -> None:
        page.enrol()
        for name, words in (
            ("enrol_badge", "4610"),
            ("enrol_name", "Halvard Nwosu"),
            ("enrol_passphrase", "four grey lamps"),
            ("enrol_again", "four grey"),
        ):
            _typed(page, name, words)

    def asking(page: Any) -> None:
        page.bridge.held_back.add("Premises.test")
        page.test()

    def adding(page: Any) -> None:
        page.add()
        for name, words in (
            ("premises_add_name", "Substation"),
            ("premises_add_address", "http://10.20.9.3:7500"),
            ("premises_add_thumbprint", "Zq0PlOk9Mi8Nj7Bh6Vg5Cf4Xd3Zs2Aq1WsEdRfTgYhU"),
        ):
            _typed(page, name, words)
        _child(page, "premises_add_save").click()

    def intake_on(view: IntakeView) -> Callable[[Any], None]:
        def go(page: Any) -> None:
            page.choose(case(0))
            page.take_in(("/srv/scans/quay-road",))
            page.bridge.told.emit(IntakeMoved(view))

        return go

    return {
        "breaches-0": page(BreachesPage, SUPERVISOR, 0),
        "breaches-3": page(BreachesPage, SUPERVISOR, 3),
        "breaches-10000": page(BreachesPage, SUPERVISOR, 10_000),
        "breaches-together": page(BreachesPage, SUPERVISOR, 7, _with_together),
        "breaches-own": page(BreachesPage, SUPERVISOR, 7, lambda page: page.open_at("B-2026-0044")),
        "breaches-decided": page(BreachesPage, SUPERVISOR, 7, lambda page: page.open_at("B-2026-0043")),
        "breaches-dispose": page(
            BreachesPage,
            SECOND_SUPERVISOR,
            7,
            lambda page: (page.open_at("B-2026-0043"), page._settle(), page.dispose()),  # type: ignore[func-returns-value]
        ),
        "custody-0": page(CustodyBoardPage, SUPERVISOR, 0),
        "custody-3": page(CustodyBoardPage, SUPERVISOR, 3),
        "custody-10000": page(CustodyBoardPage, SUPERVISOR, 10_000),
        "custody-force": page(CustodyBoardPage, SUPERVISOR, 7, lambda page: page.force_return()),
        "audit-0": page(AuditWindow, SUPERVISOR, 0),
        "audit-3": page(AuditWindow, SUPERVISOR, 3, lambda page: page.verify()),
        "audit-many": page(AuditWindow, SUPERVISOR, 10_000, lambda page: page.verify()),
        "audit-bad": page(AuditWindow, AUDITOR, 10_000, lambda page: page.verify(), Supervision__verify_chain=BAD_CHAIN),
        "audit-case": page(AuditWindow, SUPERVISOR, 10_000, lambda page: page.open_at("2026-004398")),
        "people-3": page(PeoplePage, ADMINISTRATOR, 3),
        "people-supervisor": page(PeoplePage, SUPERVISOR, 14),
        "people-10000": page(PeoplePage, ADMINISTRATOR, 10_000),
        "people-enrol": page(PeoplePage, ADMINISTRATOR, 7, enrolling),
        "people-qr": page(PeoplePage, ADMINISTRATOR, 7, lambda page: page._enrolled(enrolments()[0])),
        "people-disable": page(PeoplePage, ADMINISTRATOR, 7, lambda page: (page.table.set_current(3), page.disable())),  # type: ignore[func-returns-value]
        "people-renew": page(PeoplePage, SUPERVISOR, 7, _renewing),
        "people-renew-wrong": page(
            PeoplePage, SUPERVISOR, 7, _renewing_wrongly, Credentials__renew_factor=RefusedError("passphrase.not-theirs")
        ),
        "people-proof": page(PeoplePage, SUPERVISOR, 7, lambda page: page._prove(enrolments()[0])),
        "people-proof-wrong": page(
            PeoplePage, SUPERVISOR, 7, _proving_wrongly, Credentials__confirm_factor=RefusedError("factor.code-wrong")
        ),
        "people-renewed": page(PeoplePage, SUPERVISOR, 7, lambda page: page._renewed(enrolments()[0])),
        "people-verbs": page(PeoplePage, SUPERVISOR, 7, lambda page: page._rows.choose(OFFICER.person_id)),
        "passphrase": page(PeoplePage, OFFICER, 7, _changing),
        "own-factor": page(PeoplePage, OFFICER, 7, lambda page: OwnFactorSheet(page.frame, page.bridge, page._prove).open_over()),
        "looked-for": page(LookedForPage, OFFICER, 7),
        "looked-for-decoys": page(LookedForPage, SUPERVISOR, 7, lambda page: page._show_decoys.setChecked(True)),
        "looked-for-mark": page(LookedForPage, SUPERVISOR, 7, lambda page: page.mark()),
        "people-accommodate": page(PeoplePage, SUPERVISOR, 7, lambda page: (page._rows.choose(OFFICER.person_id), page.accommodate())),  # type: ignore[func-returns-value]
        "people-units": page(PeoplePage, SUPERVISOR, 7, lambda page: page._show_units.setChecked(True)),
        "people-officer": page(PeoplePage, OFFICER, 7),
        "premises-0": page(PremisesPage, ADMINISTRATOR, 7, Premises__servers=NO_KEY_SERVERS),
        "premises-0-supervisor": page(PremisesPage, SUPERVISOR, 7, Premises__servers=NO_KEY_SERVERS),
        "premises-2": page(PremisesPage, ADMINISTRATOR, 7, lambda page: page.test()),
        "premises-asked": page(PremisesPage, SUPERVISOR, 7, asking),
        "premises-add": page(PremisesPage, ADMINISTRATOR, 7, adding, Premises__add=UnavailableError("premises.unreachable")),
        "premises-adding": page(PremisesPage, ADMINISTRATOR, 7, lambda page: (page.bridge.held_back.add("Premises.add"), adding(page))),  # type: ignore[func-returns-value]
        "recovery-propose": page(PremisesPage, ADMINISTRATOR, 7, _bringing(1, 2, 3)),
        "recovery-enrolled": page(PremisesPage, ADMINISTRATOR, 7, RecoveryHolders__state=ENROLLED),
        "recovery-agree": page(
            PremisesPage,
            SUPERVISOR,
            7,
            _bringing(2, 9),
            RecoveryHolders__state=dataclasses.replace(ENROLLED, proposed=STANDING),
        ),
        "premises-rotate": page(PremisesPage, ADMINISTRATOR, 7, lambda page: page.rotate()),
        "premises-remove": page(PremisesPage, SUPERVISOR, 7, lambda page: page.remove()),
        "premises-remove-last": page(
            PremisesPage, SUPERVISOR, 7, lambda page: page.remove(), Premises__servers=PremisesFacts(1, KEY_SERVERS.servers[:1])
        ),
        "intake-choose": page(IntakePage, CUSTODIAN, 7),
        "intake-choose-0": page(IntakePage, CUSTODIAN, 0),
        "intake-drop": page(IntakePage, CUSTODIAN, 7, lambda page: page.choose(case(1))),
        "intake-running": page(IntakePage, CUSTODIAN, 7, intake_on(intake_view(7)), Intake__start=intake_view(7)),
        "intake-10000": page(IntakePage, CUSTODIAN, 10_000, intake_on(intake_view(10_000)), Intake__start=intake_view(10_000)),
        "intake-done": page(
            IntakePage, CUSTODIAN, 7, intake_on(intake_view(7, finished=True)), Intake__start=intake_view(7, finished=True)
        ),
        "intake-cancel": page(
            IntakePage,
            CUSTODIAN,
            7,
            lambda page: (intake_on(intake_view(7))(page), page._settle(), page.cancel()),
            Intake__start=intake_view(7),  # type: ignore[func-returns-value]
        ),
        "register": page(IntakePage, CUSTODIAN, 7, lambda page: page.register_case()),
        "grants": page(IntakePage, CUSTODIAN, 7, lambda page: (page.choose(case(0)), page.grants())),  # type: ignore[func-returns-value]
        "grant-add": page(
            IntakePage,
            CUSTODIAN,
            7,
            lambda page: (page.choose(case(0)), page.grants(), page._settle(), _child(page, "grants_save").click()),  # type: ignore[func-returns-value]
        ),
    }


def _child(page: Any, name: str) -> Any:
    from PySide6.QtWidgets import QWidget

    return page.window().findChild(QWidget, name)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("build/windows"))
    parser.add_argument("--scheme", default="light")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--scale", default="1")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ["QT_SCALE_FACTOR"] = given.scale
    os.environ["CASEVAULT_SCHEME"] = given.scheme
    os.environ["CASEVAULT_STRICT"] = "1"

    from PySide6.QtCore import QDeadlineTimer, QEventLoop
    from PySide6.QtWidgets import QApplication

    from ui import strings
    from ui.theme import apply_theme
    from ui.widgets.frame import Frame
    from ui.widgets.rail import Place

    app = QApplication(sys.argv[:1])
    apply_theme(app)

    def settle(milliseconds: int = 450) -> None:
        deadline = QDeadlineTimer(milliseconds)
        while not deadline.hasExpired():
            app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)

    width, height = (int(part) for part in given.size.split("x"))
    given.out.mkdir(parents=True, exist_ok=True)
    for name, make in _scenes().items():
        if given.names and not any(name.startswith(one) for one in given.names):
            continue
        page, then = make()
        frame = Frame("Harbour Street Station")
        person = page.signed_in.person
        frame.top.show_person(person.name, person.badge_no, strings.text(f"role.{person.role.value}"))
        frame.rail.set_places([Place(page.key, page.title, page.icon)])
        frame.content.addWidget(page)
        page.frame = frame
        page._settle = settle
        frame.resize(width, height)
        frame.show()
        page.shown()
        settle()
        then(page)
        settle()
        frame.grab().save(str(given.out / f"{name}-{given.scheme}-{given.size}@{given.scale}.png"))
        frame.close()
        frame.deleteLater()
        settle(20)
        print(name)


if __name__ == "__main__":
    main()
