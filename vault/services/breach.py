"""From a signal to a committed report, containment and a notice (law 5).

Rules:

- The report, its audit entries and its alert are one transaction. What was on screen is what the vault disclosed last, whatever the
  interface says.
- Facts are sealed to the supervisors' unit; the store knows kind, severity, state, officer and times.
- What belongs together is one report (ADR 0023): repeats, sights of one act, and the strands of carrying a file out. Each signal keeps its
  own sealed fact and its own entry in the trail.
- Every report says where the workstation stood, as evidence: with its first signal, and again with one that finds it somewhere else.
- Containment that returns the file happens right after the commit, in the same turn of the control thread.
- The officer sees that a report was made, and may give their own account; nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from vault.domain.audit import AuditDraft, AuditKind
from vault.domain.breach import (
    JOINING_WINDOW_US,
    READING_FLAGS,
    Containment,
    ReportState,
    Severity,
    Signal,
    SignalKind,
    TriageState,
    all_strands,
    containment_of,
    joinable_kinds,
    joined_by,
    severity_of,
    severity_of_act,
    severity_together,
    strands_of,
    told_to_officer,
)
from vault.domain.custody import ReturnKind
from vault.domain.identity import BreachId, DocumentId
from vault.domain.place import PLACE_FACTS, Facts
from vault.domain.reading_rules import ReadingFlag
from vault.errors import DefectError, RefusedError
from vault.services.custody import Custody
from vault.services.events import BreachRecorded, ReportChanged
from vault.services.operation import Priority, change, operation, query
from vault.services.ports import BreachNoteRow, BreachRow
from vault.services.reading import OnScreen
from vault.services.together import SeenTogether
from vault.services.views import BreachNotice, MyReport
from vault.services.world import World

_OWN_REPORTS_SHOWN = 50
_ACCOUNT_MOST_CHARACTERS = 4000
FACT_MOST_CHARACTERS = 200
_SELECTIONS = frozenset({SignalKind.CLIPBOARD, SignalKind.PRIMARY_SELECTION})
_OBSERVED_MOST_US = 60_000_000
_CLOCKS = frozenset({"place_server_clock"})  # a second more or less is no other place
_PLACED_MOST = 64  # reports whose place is remembered; more than can be joined within the window that matters


class SealedFact(msgspec.Struct, frozen=True):
    """One signal of a report, as supervisors read it."""

    at_us: int
    kind: SignalKind
    case_label: str
    document_title: str
    page_no: int
    check_out_no: int
    containment: Containment
    facts: tuple[tuple[str, str], ...]


def legible(text: str) -> str:
    """Give a fact as it can be written: a file's name may be no text, and a report must not be lost for that. A cut one says so."""
    return shortened(text.encode("utf-8", "replace").decode(), FACT_MOST_CHARACTERS)


def shortened(text: str, most_characters: int) -> str:
    """Give a text as long as it may be; where that is not all of it, the last character says so."""
    return text if len(text) <= most_characters else text[: most_characters - 1] + "\N{HORIZONTAL ELLIPSIS}"


class Breaches:
    """Records what was observed."""

    def __init__(self, world: World, custody: Custody, on_screen: Callable[[], OnScreen | None], together: SeenTogether) -> None:
        self._world = world
        self._custody = custody
        self._on_screen = on_screen
        self._together = together
        self._placed: dict[BreachId, Facts] = {}  # where the workstation stood when a report was last told

    @operation(Priority.BREACH)
    def report(
        self, kind: SignalKind, facts: tuple[tuple[str, str], ...], document_id: DocumentId | None, page_no: int, observed_us: int
    ) -> BreachNotice:
        """Record something the interface observed.

        Args:
            kind: what.
            facts: names and short values; never content.
            document_id: ignored where the vault knows better: what was disclosed last.
            page_no: likewise.
            observed_us: UTC microseconds of the event; clipped to the last minute.
        Returns:
            BreachNotice: the committed report. `BreachRecorded` is published as well.
        Audit: breach.recorded or breach.joined; custody.contained when the file returned.
        """
        now_us = self._world.clock.now_us()
        observed_us = min(max(observed_us, now_us - _OBSERVED_MOST_US), now_us)
        seen = tuple(one for one in facts if one[0] not in PLACE_FACTS)  # where it happened is not the interface's to say
        return self.record(Signal(kind, observed_us, self._with_owner(kind, seen), document_id, page_no))

    def _with_owner(self, kind: SignalKind, facts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str | int], ...]:
        """Name the program that took a selection over, or say that nobody has it: the interface cannot."""
        if kind not in _SELECTIONS:
            return facts
        owner = self._world.screen.selection_owner(primary=kind is SignalKind.PRIMARY_SELECTION)
        return (*(one for one in facts if one[0] != "owner"), *owner) if owner else facts

    def record(self, signal: Signal) -> BreachNotice:
        """Record a signal from the interface or a sensor (control thread).

        Raises:
            DefectError: breach.flag-without-rule: unusual reading is told by `record_flag` only.
        """
        if signal.kind in READING_FLAGS:
            raise DefectError("breach.flag-without-rule")
        return self._record(signal)

    def record_flag(self, flag: ReadingFlag) -> None:
        """Record what a published rule said of the page on screen (control thread); nobody who reads is told.

        Audit: breach.recorded or breach.joined.
        """
        rule = flag.rule
        facts: list[tuple[str, str | int]] = [("rule", rule.rule_id.value), ("rule_version", rule.version)]
        facts += [(f"measured_{name}", value) for name, value in flag.facts]
        facts += [(f"threshold_{name}", value) for name, value in rule.thresholds(self._world.policy)]
        self._record(Signal(rule.signal, flag.observed_us, tuple(facts)))

    def _record(self, signal: Signal) -> BreachNotice:
        world = self._world
        seen = self._on_screen()
        joined = self._joinable(signal)
        before = self._together.of(joined) if joined else ()
        held = (*before, signal.kind)
        severity = severity_together(held, world.policy.raised_severity)
        if joined is not None:
            severity = max(severity, joined.state.severity)
        containment = containment_of(signal.kind, severity_of_act(held, world.policy.raised_severity)) if seen else Containment.NONE
        breach_id = joined.state.breach_id if joined else BreachId(world.entropy.token())
        where = self._where(signal)
        sealed = self._seal(breach_id, signal, seen, containment, () if self._placed.get(breach_id) == _without_clocks(where) else where)
        kind = AuditKind.BREACH_JOINED if joined else AuditKind.BREACH_RECORDED
        audit = self._draft(kind, breach_id, signal, severity, seen, held)
        committed_us = world.clock.now_us()
        detection_us = max(0, committed_us - signal.observed_us)
        if joined is not None:
            world.store.join_breach(breach_id, severity, signal.kind, signal.observed_us, sealed, [audit])
            report_no = joined.report_no
        else:
            report_no = world.store.record_breach(self._row(breach_id, signal, severity, seen, sealed, detection_us), [audit])
        self._together.remember(breach_id, joined.state.count + 1 if joined else 1, held)
        self._remember(breach_id, _without_clocks(where))
        detection_ms = max(0, world.clock.now_us() - signal.observed_us) // 1000
        notice = BreachNotice(breach_id, report_no, signal.kind, severity, containment, joined is not None, detection_ms, all_strands(held))
        returned = False
        try:
            if seen is not None and containment is Containment.RECALL:
                returned = self._contain(seen, breach_id)
        finally:  # a file that could not be returned (a full disk) takes neither the notice nor the blanking with it
            if signal.kind not in READING_FLAGS:
                world.publish(BreachRecorded(notice, seen.check_out.check_out_id if seen else None, returned))
        if seen is not None and returned:  # after the report: whoever closes the page says why
            self._custody.tell(seen.check_out, ReturnKind.CONTAINED)
        return notice

    def record_spooled(self, breach_id: BreachId, kind: SignalKind, observed_us: int, facts_sealed: bytes, number: int) -> bool:
        """Record a report that was made while the vault could not be opened (control thread).

        Args:
            breach_id: given when it was made; the facts are sealed to it.
            kind: what was observed.
            observed_us: when, by the clock of then.
            facts_sealed: a `SealedFact` for the supervisors; nobody here can read it.
            number: its place in the spool, for the trail.
        Returns:
            False if it is in the vault already: it is recorded once.
        Audit: breach.recorded.
        """
        world = self._world
        if world.store.breach(breach_id) is not None:
            return False
        severity = severity_of(kind, world.policy.raised_severity, 1)
        audit = AuditDraft(
            AuditKind.BREACH_RECORDED,
            facts=(
                ("breach_id", breach_id),
                ("signal", kind.value),
                ("severity", int(severity)),
                ("check_out_id", ""),
                ("spooled", number),
            ),
        )
        state = ReportState(breach_id, kind, severity, TriageState.OPEN, None, None, None, observed_us, observed_us, 1)
        row = BreachRow(state, "", world.station.workstation_id, None, (facts_sealed,), max(0, world.clock.now_us() - observed_us))
        report_no = world.store.record_breach(row, [audit])
        world.publish(BreachRecorded(BreachNotice(breach_id, report_no, kind, severity, Containment.NONE, False, 0), None, False))
        return True

    @query
    def my_reports(self) -> tuple[MyReport, ...]:
        """List the reports on me, newest first; a flag of unusual reading once a supervisor took it up, a decoy once that is closed."""
        world = self._world
        me = world.require().person.person_id
        rows = [row for row in world.store.breaches(list(TriageState), 500) if row.state.officer_id == me and told_to_officer(row.state)]
        rows = sorted(rows, key=lambda row: row.state.first_us, reverse=True)[:_OWN_REPORTS_SHOWN]
        seen = self._together.of_each(rows)
        return tuple(
            MyReport(
                row.state.breach_id,
                row.report_no,
                row.state.kind,
                row.state.severity,
                row.state.state,
                row.state.first_us,
                row.state.count,
                any(note.kind == "account" for note in world.store.breach_notes(row.state.breach_id)),
                row.finding,
                seen[row.state.breach_id],
            )
            for row in rows
        )

    @change
    def give_account(self, breach_id: BreachId, text: str) -> None:
        """Add my own account to a report on me. It is sealed to the supervisors; I cannot read it back.

        Raises:
            RefusedError: breach.unknown, breach.account-empty, breach.account-too-long.
        Audit: breach.account-given.
        """
        world = self._world
        me = world.require().person.person_id
        row = world.store.breach(breach_id)
        if row is None or row.state.officer_id != me:
            raise RefusedError("breach.unknown")
        if not text.strip():
            raise RefusedError("breach.account-empty")
        if len(text) > _ACCOUNT_MOST_CHARACTERS:
            raise RefusedError("breach.account-too-long", most=_ACCOUNT_MOST_CHARACTERS)
        sealed = world.seal_to_supervisors(text.strip().encode(), "note", breach_id)
        note = BreachNoteRow(breach_id, world.clock.now_us(), me, "account", sealed)
        world.store.add_breach_note(note, world.draft(AuditKind.BREACH_ACCOUNT, breach_id=breach_id))
        world.publish(ReportChanged(row.report_no))

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _contain(self, seen: OnScreen, breach_id: BreachId) -> bool:
        check_out = seen.check_out
        audit = AuditDraft(
            AuditKind.CONTAINED,
            actor_id=check_out.holder_id,
            case_id=check_out.case_id,
            facts=(("check_out_id", check_out.check_out_id), ("breach_id", breach_id)),
        )
        store = self._world.store
        try:
            store.close_check_out(check_out.check_out_id, self._world.clock.now_us(), ReturnKind.CONTAINED, None, b"", [audit])
        except RefusedError:
            return False  # it had just been returned
        return True

    def _joinable(self, signal: Signal) -> BreachRow | None:
        """The report a signal joins."""
        world = self._world
        officer_id = world.session.person.person_id if world.session else None
        since_us, until_us = signal.observed_us - JOINING_WINDOW_US, signal.observed_us + JOINING_WINDOW_US
        rows = world.store.joinable_breaches(officer_id, world.station.workstation_id, joinable_kinds(signal.kind), since_us, until_us)
        found = joined_by((row.state for row in rows), signal.kind, officer_id, signal.observed_us)
        return next((row for row in rows if row.state is found), None)

    def _where(self, signal: Signal) -> Facts:
        """Where the workstation stands; what a signal says of it itself counts for it."""
        own = tuple((name, str(value)) for name, value in signal.facts if name in PLACE_FACTS)
        return own or self._world.place()

    def _remember(self, breach_id: BreachId, where: Facts) -> None:
        self._placed.pop(breach_id, None)
        self._placed[breach_id] = where
        while len(self._placed) > _PLACED_MOST:
            del self._placed[next(iter(self._placed))]

    def _behind(self) -> Facts:
        """The clock against the audit trail's head."""
        world = self._world
        return (("place_clock", str((world.clock.now_us() - world.store.latest_entry_time_us()) // 1_000_000)),)

    def _seal(self, breach_id: BreachId, signal: Signal, seen: OnScreen | None, containment: Containment, where: Facts) -> bytes:
        observed = [(name, str(value)) for name, value in signal.facts if name not in PLACE_FACTS]
        fact = SealedFact(
            at_us=signal.observed_us,
            kind=signal.kind,
            case_label=seen.case_label if seen else "",
            document_title=seen.document_title if seen else "",
            page_no=seen.page_no if seen else 0,
            check_out_no=seen.check_out.check_out_no if seen else 0,
            containment=containment,
            facts=tuple((legible(name), legible(value)) for name, value in (*observed, *where, *(self._behind() if where else ()))),
        )
        return self._world.seal_to_supervisors(msgspec.json.encode(fact), "facts", breach_id)

    def _draft(
        self,
        kind: AuditKind,
        breach_id: BreachId,
        signal: Signal,
        severity: Severity,
        seen: OnScreen | None,
        held: Sequence[SignalKind],
    ) -> AuditDraft:
        strands = strands_of(held)
        together = (("together", " ".join(one.value for one in strands)),) if len(strands) > 1 else ()
        session = self._world.session
        return AuditDraft(
            kind,
            actor_id=session.person.person_id if session else None,
            session_id=session.row.session_id if session else None,
            case_id=seen.check_out.case_id if seen else None,
            document_id=seen.document_id if seen else None,
            page_no=seen.page_no if seen else 0,
            facts=(
                ("breach_id", breach_id),
                ("signal", signal.kind.value),
                ("severity", int(severity)),
                ("check_out_id", seen.check_out.check_out_id if seen else ""),
                *together,
            ),
        )

    def _row(
        self, breach_id: BreachId, signal: Signal, severity: Severity, seen: OnScreen | None, sealed: bytes, detection_us: int
    ) -> BreachRow:
        world = self._world
        session = world.session
        state = ReportState(
            breach_id=breach_id,
            kind=signal.kind,
            severity=severity,
            state=TriageState.OPEN,
            officer_id=session.person.person_id if session else None,
            check_out_id=seen.check_out.check_out_id if seen else None,
            owner_id=None,
            first_us=signal.observed_us,
            last_us=signal.observed_us,
            count=1,
        )
        return BreachRow(
            state=state,
            report_no="",
            workstation_id=world.station.workstation_id,
            case_id=seen.check_out.case_id if seen else None,
            facts_sealed=(sealed,),
            detection_us=detection_us,
        )


def _without_clocks(where: Facts) -> Facts:
    return tuple(one for one in where if one[0] not in _CLOCKS)
