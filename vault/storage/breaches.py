"""Breach reports in the register: recorded, joined, triaged, never removed.

Rules the engine keeps: a report's facts, notes and identity are never changed or removed; its severity and count only rise; the officer
named changes nothing about it but may give an account; a disposed report is final. Report numbers are given in order within a year (UTC).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import bindparam, literal_column

from vault.domain.audit import AuditDraft
from vault.domain.breach import Finding, ReportState, Severity, SignalKind, TriageState
from vault.domain.identity import BreachId, PersonId, WorkstationId
from vault.errors import DefectError
from vault.services.ports import BreachNoteRow, BreachRow
from vault.storage.engine import Row
from vault.storage.part import Part
from vault.storage.schema import alert, breach, breach_fact, breach_note
from vault.storage.statements import compiled

# Facts kept a report; the count goes on. Nothing may be removed, so it is the first ones that stay.
MAX_FACTS = 100

_NEWEST_OF_YEAR = compiled(
    sa.select(sa.func.coalesce(sa.func.max(breach.c.report_of_year), literal_column("0"))).where(breach.c.report_year == bindparam("year"))
)
_RECORD = compiled(sa.insert(breach).values({column: bindparam(column.name) for column in breach.c if column.name != "breach_no"}))
_ADD_FACTS = compiled(sa.insert(breach_fact).values(breach_id=bindparam("breach_id"), facts_sealed=bindparam("facts_sealed")))
_RAISE_ALERT = compiled(
    sa.insert(alert).values(
        breach_id=bindparam("breach_id"), severity=bindparam("severity"), raised_us=bindparam("raised_us"), delivered_us=literal_column("0")
    )
)
_SEVERITY = compiled(sa.select(breach.c.severity, breach.c.count).where(breach.c.breach_id == bindparam("breach_id")))
_JOIN = compiled(
    sa.update(breach)
    .where(breach.c.breach_id == bindparam("which"))
    .values(
        severity=sa.func.max(breach.c.severity, bindparam("at_least")),
        count=breach.c.count + literal_column("1"),
        last_us=sa.func.max(breach.c.last_us, bindparam("at")),
    )
)
_LATELY = compiled(
    sa.select(breach)
    .where(
        breach.c.officer_id.is_not_distinct_from(bindparam("officer_id")),
        sa.or_(breach.c.officer_id.is_not(None), breach.c.workstation_id == bindparam("workstation_id")),
        breach.c.last_us >= bindparam("since_us"),
        breach.c.first_us <= bindparam("until_us"),
        breach.c.state != literal_column("'disposed'"),
    )
    .order_by(breach.c.last_us.desc(), breach.c.breach_no.desc())
)
_URGENT = compiled(
    sa.select(breach)
    .where(breach.c.state == literal_column("'open'"), breach.c.severity >= literal_column("3"))
    .order_by(breach.c.breach_no.desc())
    .limit(bindparam("limit"))
)
_OF_STATE = compiled(
    sa.select(breach)
    .where(
        breach.c.state == bindparam("state"),
        sa.not_(sa.and_(breach.c.state == literal_column("'open'"), breach.c.severity >= literal_column("3"))),
    )
    .order_by(breach.c.breach_no.desc())
    .limit(bindparam("limit"))
)
_ONE = compiled(sa.select(breach).where(breach.c.breach_id == bindparam("breach_id")))
_FACTS = compiled(
    sa.select(breach_fact.c.facts_sealed).where(breach_fact.c.breach_id == bindparam("breach_id")).order_by(breach_fact.c.fact_no)
)
_TRIAGE = compiled(
    sa.update(breach)
    .where(breach.c.breach_id == bindparam("which"))
    .values(
        state=bindparam("new_state"),
        owner_id=bindparam("new_owner"),
        finding=bindparam("new_finding"),
        triaged_by=bindparam("actor"),
        acknowledged_us=sa.case(
            (breach.c.acknowledged_us == literal_column("0"), bindparam("acknowledged")), else_=breach.c.acknowledged_us
        ),
        disposed_us=bindparam("disposed"),
    )
)
_ADD_NOTE = compiled(
    sa.insert(breach_note).values({column: bindparam(column.name) for column in breach_note.c if column.name != "note_no"})
)
_NOTES = compiled(sa.select(breach_note).where(breach_note.c.breach_id == bindparam("breach_id")).order_by(breach_note.c.note_no))


class Breaches(Part):
    """The operations of `services.ports.Store` on breach reports."""

    def record_breach(self, breach: BreachRow, audit: Sequence[AuditDraft]) -> str:
        """Commit a new report with its alert and audit entries; return the report number it was given (B-<year>-<4 digits>)."""
        state = breach.state
        year = datetime.fromtimestamp(state.first_us / 1_000_000, UTC).year
        with self._trail.recorded(audit):
            newest = self._db.first(_NEWEST_OF_YEAR, year=year)
            number = int(newest[0]) + 1 if newest else 1
            self._db.change(
                _RECORD,
                breach_id=state.breach_id,
                report_year=year,
                report_of_year=number,
                kind=state.kind.value,
                severity=int(state.severity),
                state=state.state.value,
                officer_id=state.officer_id,
                check_out_id=state.check_out_id,
                owner_id=state.owner_id,
                first_us=state.first_us,
                last_us=state.last_us,
                count=state.count,
                workstation_id=breach.workstation_id,
                case_id=breach.case_id,
                detection_us=breach.detection_us,
                acknowledged_us=breach.acknowledged_us,
                disposed_us=breach.disposed_us,
                finding=breach.finding.value if breach.finding else None,
                triaged_by=None,
            )
            for facts in breach.facts_sealed[:MAX_FACTS]:
                self._db.change(_ADD_FACTS, breach_id=state.breach_id, facts_sealed=facts)
            self._db.change(_RAISE_ALERT, breach_id=state.breach_id, severity=int(state.severity), raised_us=state.last_us)
        return _report_no(year, number)

    def join_breach(
        self, breach_id: BreachId, severity: Severity, kind: SignalKind, at_us: int, facts_sealed: bytes, audit: Sequence[AuditDraft]
    ) -> None:
        """Add a repeat to a report: count, last time, facts; severity only rises, and a rise is an alert of its own.

        The report keeps the kind it was filed under; `kind` is in the sealed facts and in the audit entry.
        """
        del kind
        with self._trail.recorded(audit):
            known = self._db.first(_SEVERITY, breach_id=breach_id)
            if known is None:
                raise DefectError("storage.not-found", what="breach")
            self._db.change(_JOIN, which=breach_id, at_least=int(severity), at=at_us)
            if known[1] < MAX_FACTS:
                self._db.change(_ADD_FACTS, breach_id=breach_id, facts_sealed=facts_sealed)
            if int(severity) > known[0]:
                self._db.change(_RAISE_ALERT, breach_id=breach_id, severity=int(severity), raised_us=at_us)

    def joinable_breaches(
        self, officer_id: PersonId | None, workstation_id: WorkstationId, kinds: Sequence[SignalKind], since_us: int, until_us: int
    ) -> Sequence[BreachRow]:
        """Reports on that officer filed under one of the kinds, not disposed, that span any of the window; newest first, without facts.

        Where nobody was signed in, those of that workstation.
        """
        wanted = {kind.value for kind in kinds}
        lately = {"officer_id": officer_id, "workstation_id": workstation_id, "since_us": since_us, "until_us": until_us}
        with self._db.stream(_LATELY, **lately) as rows:
            return [_row(row, ()) for row in rows if row[_KIND_AT] in wanted]

    def breaches(self, states: Sequence[TriageState], limit: int) -> Sequence[BreachRow]:
        """Unacknowledged of severity 3 and more first, then newest."""
        urgent = self._db.rows(_URGENT, limit=limit) if TriageState.OPEN in states else []
        rest = [row for state in states for row in self._db.rows(_OF_STATE, state=state.value, limit=limit)]
        rest.sort(key=lambda row: int(row[0]), reverse=True)
        return [self._whole(row) for row in (urgent + rest)[:limit]]

    def breach(self, breach_id: BreachId) -> BreachRow | None:
        """One report."""
        row = self._db.first(_ONE, breach_id=breach_id)
        return self._whole(row) if row else None

    def triage_breach(
        self,
        breach_id: BreachId,
        actor: PersonId,
        state: TriageState,
        owner_id: PersonId | None,
        at_us: int,
        finding: Finding | None,
        note: BreachNoteRow | None,
        audit: AuditDraft,
    ) -> None:
        """Change a report's state, with its note.

        Raises:
            RefusedError: breach.own-report (by trigger, if the actor is the officer named), breach.disposed.
        """
        with self._trail.recorded((audit,)):
            touched = self._db.change(
                _TRIAGE,
                which=breach_id,
                new_state=state.value,
                new_owner=owner_id,
                new_finding=finding.value if finding else None,
                actor=actor,
                acknowledged=0 if state is TriageState.OPEN else at_us,
                disposed=at_us if state is TriageState.DISPOSED else 0,
            )
            if not touched:
                raise DefectError("storage.not-found", what="breach")
            if note is not None:
                self._add_note(note)

    def add_breach_note(self, note: BreachNoteRow, audit: AuditDraft) -> None:
        """Add a line to the timeline; RefusedError breach.own-report unless the note's kind is account."""
        with self._trail.recorded((audit,)):
            self._add_note(note)

    def breach_notes(self, breach_id: BreachId) -> Sequence[BreachNoteRow]:
        """The timeline, oldest first."""
        return [BreachNoteRow(*row[1:]) for row in self._db.rows(_NOTES, breach_id=breach_id)]

    def _add_note(self, note: BreachNoteRow) -> None:
        self._db.change(
            _ADD_NOTE, breach_id=note.breach_id, at_us=note.at_us, author_id=note.author_id, kind=note.kind, text_sealed=note.text_sealed
        )

    def _whole(self, row: Row) -> BreachRow:
        return _row(row, tuple(found[0] for found in self._db.rows(_FACTS, breach_id=row[1])))


def _row(row: Row, facts_sealed: tuple[bytes, ...]) -> BreachRow:
    return BreachRow(
        state=ReportState(
            breach_id=row[1],
            kind=SignalKind(row[4]),
            severity=Severity(row[5]),
            state=TriageState(row[6]),
            officer_id=row[7],
            check_out_id=row[8],
            owner_id=row[9],
            first_us=row[10],
            last_us=row[11],
            count=row[12],
        ),
        report_no=_report_no(row[2], row[3]),
        workstation_id=row[13],
        case_id=row[14],
        facts_sealed=facts_sealed,
        detection_us=row[15],
        acknowledged_us=row[16],
        disposed_us=row[17],
        finding=Finding(row[18]) if row[18] is not None else None,
    )


_KIND_AT = breach.c.keys().index("kind")


def _report_no(year: int, number: int) -> str:
    return f"B-{year}-{number:04d}"
