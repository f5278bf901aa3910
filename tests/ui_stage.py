"""A stage for the windows: canned views behind the bridge's face, for pictures and key-path tests of layout. Synthetic people only.

Rules:

- The staged bridge has the real one's face (`ask`, `picture`, `lock`, `told`, `refused`, `ended`, `ready`, `stalled`) and none of its
  promises: it proves what a window shows and asks, never that anything is protected. Journeys run against a real vault.
- A reply is delivered on a later turn of the event loop, as the real one is.

Pictures: ``python -m tests.ui_stage --out build/windows [--scheme dark] [--size 1280x720] [name ...]``
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QImage, QPainter
from PySide6.QtWidgets import QApplication, QWidget

from ui.bridge import Reply
from vault.domain.access import Effect, GranteeKind
from vault.domain.breach import Containment, Finding, Severity, SignalKind, TriageState
from vault.domain.casefile import DocumentKind, Marking
from vault.domain.custody import CheckInStatement, Purpose, ReturnKind
from vault.domain.duration import HOUR_US, MINUTE_US
from vault.domain.identity import BreachId, CaseId, CheckOutId, DocumentId, GrantId, PersonId, Role, SessionId, UnitId, UnitKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.errors import RefusedError, VaultError
from vault.secret import Secret
from vault.services import views, wire
from vault.services.recovery import HoldersHere, OpenedByHolders, RecoverySlotFacts
from vault.services.views import (
    BreachNotice,
    CaseDetail,
    CaseLine,
    CasesPage,
    CaseStatus,
    CheckedIn,
    CheckOutChoices,
    CustodyLine,
    DeskView,
    DocumentLine,
    Enrolment,
    Explanation,
    ExplanationLine,
    FindHit,
    FindResult,
    GrantLine,
    HoldingLine,
    MyReport,
    OpenFile,
    PageImage,
    PersonBrief,
    PreparedPage,
    ReturnedLine,
    SignedIn,
    StationView,
    WaitingLine,
)


def now_us() -> int:
    return time.time_ns() // 1_000


# ---- people ------------------------------------------------------------------------------------------------------------------------

OFFICER = PersonBrief(PersonId("a1" * 16), "Ingrid Vasquez-Halloran", "4471", "Investigations East", Role.OFFICER)
SUPERVISOR = PersonBrief(PersonId("a2" * 16), "Tomasz Okonkwo", "1180", "Watch command", Role.SUPERVISOR)
CUSTODIAN = PersonBrief(PersonId("a3" * 16), "Ruth Lindqvist", "2066", "Records", Role.CUSTODIAN)
ADMINISTRATOR = PersonBrief(PersonId("a4" * 16), "Dele Marchetti", "0007", "Systems", Role.ADMINISTRATOR)
AUDITOR = PersonBrief(PersonId("a5" * 16), "Noor Petrescu", "0310", "Professional standards", Role.AUDITOR)
COLLEAGUE = PersonBrief(PersonId("a6" * 16), "عبد الرحمن السعيد", "4519", "Investigations East", Role.OFFICER)
LONG_NAMED = PersonBrief(PersonId("a7" * 16), "Wilhelmina Constantinopoulos-Featherstonehaugh", "4533", "Investigations East", Role.OFFICER)
PEOPLE = (OFFICER, SUPERVISOR, CUSTODIAN, ADMINISTRATOR, AUDITOR, COLLEAGUE, LONG_NAMED)

PROTECTIONS = (
    ProtectionStatus(Protection.COPY_KEYS, ProtectionState.ENFORCED, "armed"),
    ProtectionStatus(Protection.PRINT_SCREEN, ProtectionState.DETECTED, "key-only"),
    ProtectionStatus(Protection.CLIPBOARD, ProtectionState.DETECTED, "watched"),
    ProtectionStatus(Protection.STORE_ACCESS, ProtectionState.DETECTED, "lease"),
    ProtectionStatus(Protection.COPIES, ProtectionState.DETECTED, "watched"),
    ProtectionStatus(Protection.RENDITION, ProtectionState.ENFORCED, "sandboxed"),
    ProtectionStatus(Protection.SCREEN_CAPTURE, ProtectionState.UNAVAILABLE, "x11"),
    ProtectionStatus(Protection.SESSION_SIGNALS, ProtectionState.DETECTED, "logind"),
    ProtectionStatus(Protection.KEYRING, ProtectionState.ENFORCED, "secret-service"),
    ProtectionStatus(Protection.PREMISES, ProtectionState.UNAVAILABLE, "not-configured"),
)

STATION = StationView(True, "Harbour Street Station", "HS-DESK-03", None, PROTECTIONS)


def signed_in(person: PersonBrief = OFFICER) -> SignedIn:
    start = now_us()
    return SignedIn(
        SessionId("5e" * 16),
        person,
        STATION.station_name,
        STATION.workstation_name,
        600,
        start + 12 * HOUR_US,
        start - 26 * HOUR_US,
        PROTECTIONS,
    )


# ---- cases -------------------------------------------------------------------------------------------------------------------------

_TITLES = (
    ("2026-004417", "Warehouse burglary, Quay Road 14", "Burglary", Marking.OFFICIAL_SENSITIVE),
    ("2026-004398", "Missing person: M. Adeyemi-Lund, last seen Central Station", "Missing person", Marking.RESTRICTED),
    ("2026-004102", "Hit and run, Ferry Lane", "Traffic", Marking.OFFICIAL),
    ("2026-003987", "Series of thefts from vehicles, multi-storey car park north, levels 2 to 5", "Theft", Marking.OFFICIAL),
    ("2026-003555", "Threats received by the Municipal Housing Office", "Threats", Marking.OFFICIAL_SENSITIVE),
    ("2025-019876", "Fraud against elderly residents, Linden Court", "Fraud", Marking.CONFIDENTIAL),
    ("2025-018004", "Assault, Night bus 61", "Assault", Marking.OFFICIAL_SENSITIVE),
)


def case(index: int, status: CaseStatus = CaseStatus.IN_VAULT, you_wait: bool = False) -> CaseLine:
    number, title, kind, marking = _TITLES[index % len(_TITLES)]
    if index >= len(_TITLES):
        number = f"{2025 - index // 20000}-{index % 20000:06}"
    holder = {CaseStatus.OUT: COLLEAGUE if index % 2 else LONG_NAMED, CaseStatus.YOURS: OFFICER}.get(status)
    due = now_us() + 3 * HOUR_US if holder else 0
    return CaseLine(
        CaseId(f"{index:032x}"),
        number,
        title,
        kind,
        marking,
        OFFICER if index % 3 else SUPERVISOR,
        "Investigations East",
        ("Mira Adeyemi-Lund", "Jonas Brandt") if index % 2 else (),
        ("harbour",) if index % 4 == 0 else (),
        status,
        holder,
        due,
        you_wait,
    )


def status_of(index: int) -> CaseStatus:
    return {0: CaseStatus.YOURS, 1: CaseStatus.YOURS, 4: CaseStatus.OUT}.get(
        index, CaseStatus.OUT if index % 9 == 8 else CaseStatus.IN_VAULT
    )


@functools.cache
def cases(count: int) -> tuple[CaseLine, ...]:
    return tuple(case(index, status_of(index), you_wait=index == 4) for index in range(count))


def holding(index: int = 0, minutes_left: int = 130, recalled: bool = False, page_no: int = 14) -> HoldingLine:
    taken = now_us() - 90 * MINUTE_US
    return HoldingLine(
        CheckOutId(f"c0{index:030x}"),
        1042 + index,
        case(index, CaseStatus.YOURS),
        Purpose.ASSIGNED if index == 0 else Purpose.OTHER,
        taken,
        now_us() + minutes_left * MINUTE_US + 5_000_000,
        now_us() - 4 * MINUTE_US if recalled else 0,
        "Statement of the night watchman.pdf" if page_no else "",
        page_no,
    )


def desk_view(held: int = 2) -> DeskView:
    lines = (holding(0), holding(1, minutes_left=7, page_no=0), holding(2, minutes_left=-15, recalled=True))[:held]
    waiting = (WaitingLine(case(4, CaseStatus.OUT, you_wait=True), now_us() - 40 * MINUTE_US, 1),) if held else ()
    returned = (
        (
            ReturnedLine(case(5), 1038, now_us() - 20 * HOUR_US, ReturnKind.CHECKED_IN),
            ReturnedLine(case(6), 1031, now_us() - 49 * HOUR_US, ReturnKind.EXPIRED),
        )
        if held
        else ()
    )
    return DeskView(lines, waiting, returned, 1 if held else 0)


_DOCUMENTS = (
    ("Statement of the night watchman.pdf", DocumentKind.PDF, 24),
    ("Scene photograph 03.jpg", DocumentKind.JPEG, 1),
    ("Loading bay camera stills.tiff", DocumentKind.TIFF, 12),
    ("Re: Access log, gate 4 (forwarded by the harbour authority's security desk).eml", DocumentKind.MAIL, 3),
    ("Inventory of missing goods.txt", DocumentKind.TEXT, 2),
    ("Laboratory report, tool marks.pdf", DocumentKind.PDF, 8),
)


def documents() -> tuple[DocumentLine, ...]:
    return tuple(
        DocumentLine(DocumentId(f"d0{n:030x}"), title, kind, pages, 48_211 * (n + 1), now_us() - n * HOUR_US, f"{n:064x}")
        for n, (title, kind, pages) in enumerate(_DOCUMENTS)
    )


def detail(line: CaseLine | None = None) -> CaseDetail:
    line = line or case(0, CaseStatus.YOURS)
    grants = (
        GrantLine(
            GrantId("f1" * 16),
            Effect.ALLOW,
            GranteeKind.UNIT,
            "Investigations East",
            "Assigned unit",
            now_us() - 72 * HOUR_US,
            0,
            CUSTODIAN,
            0,
        ),
        GrantLine(
            GrantId("f2" * 16),
            Effect.DENY,
            GranteeKind.PERSON,
            "Arne Quist (4402)",
            "Witness in this case",
            now_us() - 70 * HOUR_US,
            0,
            SUPERVISOR,
            0,
        ),
    )
    custody = (
        CustodyLine(1042, OFFICER, Purpose.ASSIGNED, False, now_us() - 90 * MINUTE_US, now_us() + 130 * MINUTE_US, 0, None),
        CustodyLine(
            1020,
            COLLEAGUE,
            Purpose.OTHER,
            True,
            now_us() - 30 * HOUR_US,
            now_us() - 22 * HOUR_US,
            now_us() - 23 * HOUR_US,
            ReturnKind.CHECKED_IN,
        ),
        CustodyLine(
            1004,
            LONG_NAMED,
            Purpose.COURT,
            False,
            now_us() - 80 * HOUR_US,
            now_us() - 72 * HOUR_US,
            now_us() - 72 * HOUR_US,
            ReturnKind.EXPIRED,
        ),
    )
    return CaseDetail(line, documents(), grants, custody, (LONG_NAMED,), may_grant=True, may_take_in=False)


def explanation(rms_number: str, allowed: bool) -> Explanation:
    yes = (
        ExplanationLine("access.granted-to-unit", True, "Investigations East", CUSTODIAN, now_us() - 72 * HOUR_US, 0),
        ExplanationLine("access.ended", False, "", SUPERVISOR, now_us() - 400 * HOUR_US, now_us() - 200 * HOUR_US),
    )
    no = (ExplanationLine("access.no-grant", True, "", None, 0, 0),)
    return Explanation(OFFICER, rms_number, allowed, yes if allowed else no)


def notice(
    kind: SignalKind = SignalKind.COPY_KEY, severity: Severity = Severity.AMBIGUOUS, containment: Containment = Containment.NOTICE
) -> BreachNotice:
    return BreachNotice(BreachId("b1" * 16), "B-2026-0042", kind, severity, containment, False, 12)


def enrolments() -> tuple[Enrolment, ...]:
    import segno

    made = []
    for person in (ADMINISTRATOR, SUPERVISOR, CUSTODIAN):
        uri = f"otpauth://totp/Casevault:{person.badge_no}?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Casevault"
        rows = tuple("".join("1" if cell else "0" for cell in row) for row in segno.make(uri, error="m").matrix_iter(border=4))
        made.append(Enrolment(person.person_id, person.badge_no, person.name, uri, rows))
    return tuple(made)


# ---- the bridge --------------------------------------------------------------------------------------------------------------------


def page_picture(document_id: DocumentId, page_no: int, dpi: int, rotation: int) -> QImage:
    """Draw a stand-in for a marked page; the words are made up."""
    width, height = round(8.27 * dpi), round(11.69 * dpi)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    face = QFont("Inter")
    face.setPixelSize(max(4, round(dpi * 0.14)))
    painter.setFont(face)
    painter.setPen(QColor("#1a1a1a"))
    margin, leading = round(dpi * 0.9), round(dpi * 0.24)
    painter.drawText(margin, margin, f"STAGE PAGE {page_no} OF {document_id[:6]}")
    for row in range(34):
        words = "The gate was found open at 02:40 by the patrol, the seal unbroken and the lamp dark. " * 2
        painter.drawText(QRect(margin, margin + (row + 2) * leading, width - 2 * margin, leading), int(Qt.AlignmentFlag.AlignLeft), words)
    painter.setPen(QColor(0, 0, 0, 36))
    painter.rotate(-30)
    for row in range(-2, 14):
        for column in range(-3, 6):
            painter.drawText(round(column * dpi * 2.6), round(row * dpi * 1.3), "I. Vasquez-Halloran 4471 · HS-DESK-03 · #1042")
    painter.end()
    if rotation:
        from PySide6.QtGui import QTransform

        image = image.transformed(QTransform().rotate(rotation))
    return image


class StagedBridge(QObject):
    """The bridge's face over canned answers. `asked` lists every call as ("Service.method", arguments)."""

    told = Signal(object)
    refused = Signal(object)
    ended = Signal(str)
    ready = Signal()
    stalled = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.answers: dict[str, Any] = {}
        self.held_back: set[str] = set()
        self.waiting: list[tuple[str, Callable[[], None]]] = []
        self.locked: list[str] = []
        self.case_count = 7
        self.case_count_over = 0  # how many more than there are the vault counts
        self.held = 2
        self.started = 0
        self.holders: tuple[str, ...] = ()
        self._pictures: dict[int, QImage] = {}
        self._serial = 0

    def start(self) -> None:
        self.started += 1
        QTimer.singleShot(0, self.ready.emit)

    def restart(self) -> None:
        self.start()

    def shutdown(self) -> None:
        self.asked.append(("shutdown", ()))

    def lock(self, reason: str) -> None:
        self.locked.append(reason)

    def ask(self, method: Any, *args: Any) -> Reply[Any]:
        name = method.__qualname__
        _, _, sent = wire.decode_call(bytes(wire.call_frame(1, method, args)[4:]))
        args = wire.signature(method).arguments.decode(sent)  # as the vault is asked: encoded before this returns
        self.asked.append((name, args))
        reply: Reply[Any] = Reply(self.refused.emit)

        def deliver() -> None:
            try:
                value = self._answer(name, args)
            except VaultError as error:
                reply.deliver(None, error)
            else:
                reply.deliver(value, None)

        if name in self.held_back:
            self.waiting.append((name, deliver))
        else:
            QTimer.singleShot(0, self, deliver)
        return reply

    def release(self, name: str) -> None:
        """Deliver the oldest reply that is held back under this name."""
        for position, (waiting, deliver) in enumerate(self.waiting):
            if waiting == name:
                del self.waiting[position]
                deliver()
                return
        raise AssertionError(f"nothing waits under {name}")

    def calls(self, name: str) -> list[tuple[Any, ...]]:
        return [args for called, args in self.asked if called == name]

    def picture(self, image: PageImage) -> QImage:
        return self._pictures[image.slot].copy()

    def _answer(self, name: str, args: tuple[Any, ...]) -> Any:
        if name in self.answers:
            answer = self.answers[name]
            if isinstance(answer, VaultError):
                raise answer
            return answer(*args) if callable(answer) else answer
        return getattr(self, "_" + name.replace(".", "_").lower())(*args)

    # -- canned answers, one a method ------------------------------------------------------------------------------------------------

    def _session_station(self) -> StationView:
        return STATION

    def _session_sign_in(self, badge_no: str, passphrase: str, code: str) -> SignedIn:
        for person in PEOPLE:
            if person.badge_no == badge_no and passphrase and code:
                return signed_in(person)
        raise RefusedError("session.not-recognised")

    def _interfaceguard_proven(self, working: tuple[Protection, ...], excluded_from_capture: bool) -> None:
        """The guard's proof of itself."""

    def _session_unlock(self, passphrase: str) -> SignedIn:
        if passphrase != "right":
            raise RefusedError("session.not-recognised")
        return signed_in()

    def _session_sign_out(self) -> None:
        QTimer.singleShot(0, lambda: self.ended.emit("signed-out"))

    def _session_protections(self) -> tuple[ProtectionStatus, ...]:
        return PROTECTIONS

    def _founding_found(self, *_: Any) -> tuple[Enrolment, ...]:
        return enrolments()

    def _founding_complete(self) -> None:
        """The vault is put in its place."""

    def _recovery_slot(self) -> RecoverySlotFacts:
        return RecoverySlotFacts(2, 3, 8, 24)

    def _recovery_give(self, path: str, _passphrase: str) -> HoldersHere:
        self.holders = (*self.holders, f"badge {Path(path).stem}")
        return HoldersHere(self.holders, 2)

    def _recovery_open(self, hours: int) -> OpenedByHolders:
        return OpenedByHolders(now_us() + hours * HOUR_US, "B-2026-0043")

    def _desk_overview(self) -> DeskView:
        return desk_view(self.held)

    def _desk_cases(self, search: str, anchor: str, limit: int) -> CasesPage:
        found = [line for line in cases(self.case_count) if search.lower() in f"{line.rms_number} {line.title}".lower()]
        first = int(anchor or 0)
        rest = found[first : first + limit]
        return CasesPage(tuple(rest), str(first + limit) if first + limit < len(found) else "", len(found) + self.case_count_over)

    def _desk_case(self, case_id: CaseId) -> CaseDetail:
        return detail(case(int(case_id, 16), status_of(int(case_id, 16))))

    def _desk_explain(self, rms_number: str, _badge_no: str) -> Explanation:
        return explanation(rms_number, allowed=any(line.rms_number == rms_number for line in cases(self.case_count)))

    def _register_people(self) -> tuple[PersonBrief, ...]:
        return PEOPLE

    def _register_units(self) -> tuple[views.UnitLine, ...]:
        return (views.UnitLine(UnitId("e1" * 16), "Investigations East", UnitKind.TEAM, (OFFICER, COLLEAGUE)),)

    def _custody_choices(self, case_id: CaseId) -> CheckOutChoices:
        line = case(int(case_id, 16))
        return CheckOutChoices(line, (Purpose.ASSIGNED, Purpose.COURT, Purpose.OTHER), now_us() + 8 * HOUR_US, now_us() + 72 * HOUR_US)

    def _custody_check_out(self, case_id: CaseId, purpose: Purpose, due_back_us: int, note: str) -> HoldingLine:
        return dataclasses.replace(holding(int(case_id, 16), page_no=0), purpose=purpose, due_back_us=due_back_us)

    def _custody_statement(self, _check_out_id: CheckOutId) -> CheckInStatement:
        return CheckInStatement(17, 3, 2_460, 5_400, 1)

    def _custody_check_in(self, _check_out_id: CheckOutId, attested: bool) -> CheckedIn:
        if not attested:
            raise RefusedError("custody.not-attested")
        return CheckedIn(1042, self._custody_statement(_check_out_id))

    def _custody_hand_over(self, _check_out_id: CheckOutId, _badge_no: str) -> None:
        return None

    def _custody_wait(self, _case_id: CaseId) -> None:
        return None

    def _custody_leave_waiting(self, _case_id: CaseId) -> None:
        return None

    def _reading_open_file(self, check_out_id: CheckOutId) -> OpenFile:
        index = int(check_out_id[2:], 16)
        held = holding(index, page_no=0 if index == 1 else 14)
        lines = documents()
        return OpenFile(
            held,
            lines,
            lines[0].document_id if held.last_page_no else None,
            ((lines[0].document_id, tuple(range(1, 15))), (lines[1].document_id, (1,))),
        )

    def _reading_prepare_page(self, check_out_id: CheckOutId, document_id: DocumentId | None, _dpi: int) -> PreparedPage:
        opened = self._reading_open_file(check_out_id)
        return PreparedPage(document_id or opened.last_document_id or opened.documents[0].document_id, opened.holding.last_page_no or 1)

    def _reading_view_page(
        self, _check_out_id: CheckOutId, document_id: DocumentId, page_no: int, dpi: int, rotation: int, _request_no: int
    ) -> PageImage:
        picture = page_picture(document_id, page_no, dpi, rotation)
        self._serial += 1
        self._pictures = {self._serial: picture}
        return PageImage(
            document_id,
            page_no,
            self._serial,
            picture.width(),
            picture.height(),
            picture.bytesPerLine(),
            595.0,
            842.0,
            rotation,
            900 + self._serial,
            (),
        )

    def _reading_cover_page(self, _is_covered: bool) -> None:
        return None

    def _reading_leave_page(self, _request_no: int) -> None:
        return None

    def _reading_find(self, _check_out_id: CheckOutId, _document_id: DocumentId, text: str, first_page: int) -> FindResult:
        if "gate" not in text.lower():
            return FindResult((), 0)
        return FindResult(tuple(FindHit(page, 0.2, 0.2, 0.5, 0.22) for page in (2, 14, 20) if page >= first_page), 0)

    def _breaches_report(self, kind: SignalKind, *_: Any) -> BreachNotice:
        from vault.domain.breach import SEVERITY, containment_of

        return notice(kind, SEVERITY[kind], containment_of(kind, SEVERITY[kind]))

    def _breaches_my_reports(self) -> tuple[MyReport, ...]:
        return (
            MyReport(
                BreachId("b1" * 16),
                "B-2026-0042",
                SignalKind.COPY_KEY,
                Severity.AMBIGUOUS,
                TriageState.OPEN,
                now_us() - 12 * MINUTE_US,
                2,
                False,
                None,
            ),
            MyReport(
                BreachId("b2" * 16),
                "B-2026-0017",
                SignalKind.PRINT_SCREEN_KEY,
                Severity.DELIBERATE,
                TriageState.DISPOSED,
                now_us() - 500 * HOUR_US,
                1,
                True,
                Finding.FALSE_POSITIVE,
            ),
        )

    def _breaches_give_account(self, _breach_id: BreachId, _text: str) -> None:
        return None

    def _supervision_queue(self, _include_disposed: bool) -> tuple[views.ReportLine, ...]:
        return ()

    def _custody_board(self) -> tuple[views.BoardLine, ...]:
        return ()


# ---- pictures ----------------------------------------------------------------------------------------------------------------------


def spin(milliseconds: int = 250) -> None:
    """Let the event loop turn; for pictures only, tests wait on conditions."""
    from PySide6.QtCore import QEventLoop

    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


class Stage:
    """The real window and routing over the staged bridge."""

    def __init__(self, width: int, height: int) -> None:
        from ui.app import MainWindow, Routing

        self.bridge = StagedBridge()
        self.window = MainWindow()
        self.window.resize(width, height)
        self.routing = Routing(self.window, lambda: self.bridge)  # type: ignore[arg-type,return-value]
        self.window.show()
        spin(200)

    def sign_in(self, person: PersonBrief = OFFICER) -> None:
        self.routing.sign_in.submitted.emit(person.badge_no, Secret(b"passphrase"), "123456")
        spin(500)

    def shell(self) -> Any:
        return self.routing.shell

    def page(self) -> Any:
        return self.routing.shell._page

    def read(self) -> Any:
        self.shell().open_reader(CheckOutId(f"c0{0:030x}"))
        spin(500)
        return self.shell().reader


def _scene_sign_in(stage: Stage) -> None:
    stage.routing.sign_in.badge.set_value("4471")


def _scene_sign_in_refused(stage: Stage) -> None:
    stage.routing.sign_in.submitted.emit("9999", Secret(b"x"), "1")


def _scene_founding(stage: Stage) -> None:
    stage.bridge.answers["Session.station"] = dataclasses.replace(STATION, founded=False)
    stage.bridge.ready.emit()


def _scene_founding_person(stage: Stage) -> None:
    _scene_founding(stage)
    spin(100)
    page = stage.routing._founding
    page.station.set_value("Harbour Street Station")
    page.onward.click()
    page.badge.set_value("0007")
    page.person_name.set_value("Dele Marchetti")
    page.passphrase.line.setText("short")
    page.onward.click()


def _scene_founding_scan(stage: Stage) -> None:
    _scene_founding(stage)
    spin(100)
    page = stage.routing._founding
    page.station.set_value("Harbour Street Station")
    page.onward.click()
    for badge, name in (("0007", "Dele Marchetti"), ("1180", "Tomasz Okonkwo"), ("2066", "Ruth Lindqvist")):
        page.badge.set_value(badge)
        page.person_name.set_value(name)
        page.passphrase.line.setText("four words of my own")
        page.again.line.setText("four words of my own")
        page.onward.click()


def _scene_lock(stage: Stage) -> None:
    stage.sign_in()
    stage.routing.lock("key")
    stage.bridge.ended.emit("locked")
    stage.bridge.answers["Session.station"] = dataclasses.replace(STATION, locked_person=OFFICER)
    stage.bridge.ready.emit()


def _scene_cannot_open(stage: Stage) -> None:
    from vault.errors import UnavailableError

    stage.bridge.answers["Session.station"] = UnavailableError("keyring.missing")
    stage.bridge.ready.emit()


def _scene_off_premises(stage: Stage) -> None:
    from vault.errors import UnavailableError

    facts = {"recorded": 1, "contact": "Watch desk, extension 112", "recovery_threshold": 2}
    stage.bridge.answers["Session.station"] = UnavailableError("premises.unreachable", **facts)
    stage.bridge.ready.emit()


def _scene_holders(stage: Stage) -> None:
    _scene_off_premises(stage)
    spin(200)
    stage.routing._cannot_open.holders.click()


def _scene_holders_one(stage: Stage) -> None:
    _scene_holders(stage)
    spin(200)
    page = stage.routing._holders
    page.path.set_value("/media/stick/4001.key")
    page.passphrase.line.setText("four words of my own")
    page.onward.click()
    spin(200)
    stage.bridge.answers["Recovery.give"] = RefusedError("recovery.not-recognised", holder="0000")
    page.path.set_value("/media/stick/4002.key")
    page.passphrase.line.setText("three words only")
    page.onward.click()


def _scene_holders_hours(stage: Stage) -> None:
    _scene_holders(stage)
    spin(200)
    page = stage.routing._holders
    for number in (1, 2):
        page.path.set_value(f"/media/stick/400{number}.key")
        page.passphrase.line.setText("four words of my own")
        page.onward.click()
        spin(100)


def _scene_holders_opened(stage: Stage) -> None:
    _scene_holders_hours(stage)
    stage.routing._holders.onward.click()


def _scene_desk(stage: Stage) -> None:
    stage.bridge.case_count = 10_000
    stage.sign_in()


def _scene_desk_overdue(stage: Stage) -> None:
    stage.bridge.held = 3
    stage.bridge.case_count = 3
    stage.sign_in()


def _scene_desk_empty(stage: Stage) -> None:
    stage.bridge.held = 0
    stage.bridge.case_count = 0
    stage.sign_in()


def _scene_desk_inspector(stage: Stage) -> None:
    stage.sign_in()
    stage.shell().frame.toggle_inspector()


def _scene_check_out(stage: Stage) -> None:
    stage.sign_in()
    stage.page().acts.open(case(2))


def _scene_check_out_other(stage: Stage) -> None:
    stage.sign_in()
    stage.page().acts.at_once(case(2), 3)


def _scene_wait(stage: Stage) -> None:
    stage.sign_in()
    stage.page().acts.open(case(8, CaseStatus.OUT))


def _scene_check_in(stage: Stage) -> None:
    stage.sign_in()
    stage.page()._return(holding(0))


def _scene_hand_over(stage: Stage) -> None:
    stage.sign_in()
    stage.page()._hand_over(holding(0))


def _scene_find(stage: Stage) -> None:
    stage.sign_in()
    stage.shell().go("find")
    spin(200)
    stage.page().cases.setFocus()


def _scene_find_nothing(stage: Stage) -> None:
    stage.sign_in()
    stage.shell().go("find")
    stage.page().field.setText("2026-000001")


def _scene_explain(stage: Stage) -> None:
    _scene_find_nothing(stage)
    spin(200)
    stage.page().ask_why()


def _scene_explain_yes(stage: Stage) -> None:
    stage.sign_in()
    stage.page()._explain(case(0))


def _scene_reader(stage: Stage) -> None:
    stage.sign_in()
    stage.read()


def _scene_reader_find(stage: Stage) -> None:
    stage.sign_in()
    reader = stage.read()
    reader.open_find()
    reader.find_bar.field.setText("gate")
    reader._look_for("gate")


def _scene_reader_notice(stage: Stage) -> None:
    stage.sign_in()
    stage.read().attempted(SignalKind.COPY_KEY, {"keys": "Ctrl+C", "count": 1})


def _scene_reader_blanked(stage: Stage) -> None:
    stage.sign_in()
    stage.read().attempted(SignalKind.PRINT_SCREEN_KEY, {"keys": "Print", "count": 1})


def _scene_account(stage: Stage) -> None:
    _scene_reader_blanked(stage)
    spin(300)
    stage.shell().reader._sheet._mistake()


def _scene_reader_recalled(stage: Stage) -> None:
    from vault.services.events import BreachRecorded

    stage.sign_in()
    stage.read()
    told = notice(SignalKind.STORE_COPIED, Severity.EXPOSED, Containment.RECALL)
    stage.bridge.told.emit(BreachRecorded(told, CheckOutId(f"c0{0:030x}"), True))


def _scene_reader_banner(stage: Stage) -> None:
    stage.bridge.answers["Reading.open_file"] = lambda check_out_id: OpenFile(
        holding(0, minutes_left=9, recalled=True), documents(), None, ()
    )
    stage.sign_in()
    stage.read()


def _scene_reader_refused(stage: Stage) -> None:
    stage.bridge.answers["Reading.view_page"] = RefusedError("document.page-refused")
    stage.sign_in()
    stage.read()


def _scene_my_reports(stage: Stage) -> None:
    stage.sign_in()
    stage.shell().go("my_reports")


def _scene_palette(stage: Stage) -> None:
    stage.sign_in()
    stage.shell().open_palette()


def _scene_keys(stage: Stage) -> None:
    stage.sign_in()
    stage.read()
    stage.shell().show_keys()


def _scene_sign_out(stage: Stage) -> None:
    stage.sign_in()
    stage.shell().sign_out()


def _scene_protection(stage: Stage) -> None:
    stage.sign_in()
    from ui.widgets.protection_strip import ProtectionStrip

    strip = stage.shell().frame.findChild(ProtectionStrip)
    strip.findChildren(QWidget)[1].setFocus()


SCENES: dict[str, Callable[[Stage], None]] = {
    name.removeprefix("_scene_"): made for name, made in list(globals().items()) if name.startswith("_scene_")
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/windows"))
    parser.add_argument("--scheme", default="light")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("names", nargs="*")
    chosen = parser.parse_args()
    from ui import theme

    app = QApplication(sys.argv[:1])
    theme.apply_theme(app, theme.Scheme(chosen.scheme))
    app.setQuitOnLastWindowClosed(False)
    chosen.out.mkdir(parents=True, exist_ok=True)
    width, height = (int(part) for part in chosen.size.split("x"))
    for name in chosen.names or SCENES:
        stage = Stage(width, height)
        SCENES[name](stage)
        spin(500)
        stage.window.grab().save(str(chosen.out / f"{name}.png"))
        stage.window.may_close = True
        if stage.routing.shell is not None:
            stage.routing.shell.end()
        stage.window.close()
        stage.window.deleteLater()
        spin(30)


if __name__ == "__main__":
    main()
