"""The supervisor console: the breach queue, triage, the audit trail and its verification.

Rules:

- Nobody acts on a report on themselves: the domain refuses it, the store's trigger refuses it again (law 5). It is seen in the queue only.
- Reading a report and reading the audit trail are themselves audited (DESIGN §7).
- Reasons in the trail are sealed to the supervisors: they read them with the entry, an auditor does not. LIMIT: the
  sentence of a check-out in an older vault is sealed under the case's key, and opened nowhere.
- An auditor reads the trail with opaque case references; a supervisor sees case numbers; neither sees a case. Both may list what happened
  to the case of a number they know. A number no case has gives an empty list, as a number nothing was recorded about would.
"""

from __future__ import annotations

import msgspec

from vault.domain.audit import AuditEntry, AuditKind, ChainVerdict
from vault.domain.breach import Containment, Finding, SignalKind, TriageAct, TriageState, told_to_officer, triage
from vault.domain.identity import BreachId, CaseId, PersonId, Role, folded_badge
from vault.errors import RefusedError, TamperError
from vault.services.breach import SealedFact
from vault.services.cases import Cases
from vault.services.custody import Custody
from vault.services.events import ReportChanged, VerificationMoved
from vault.services.operation import Lane, Priority, change, operation, query
from vault.services.ports import AuditFilter, BreachNoteRow, BreachRow
from vault.services.together import SeenTogether
from vault.services.views import AuditLine, AuditPage, ChainLine, ReportFact, ReportLine, ReportNote, ReportView
from vault.services.witness import Witness, broken
from vault.services.world import World

_QUEUE_MOST = 500
_AUDIT_PAGE_MOST = 500
_FACT = msgspec.json.Decoder(SealedFact)
_FACTS = msgspec.json.Decoder(list[tuple[str, str | int]])
_AUDIT_OF_ACT = {
    TriageAct.ACKNOWLEDGE: AuditKind.BREACH_ACKNOWLEDGED,
    TriageAct.OWN: AuditKind.BREACH_OWNED,
    TriageAct.NOTE: AuditKind.BREACH_NOTED,
    TriageAct.DISPOSE: AuditKind.BREACH_DISPOSED,
}
# What a reason in an entry is bound to: a word, and the id among the entry's facts ("": none).
_REASON_PLACES = {
    AuditKind.CHECKED_OUT.value: ("reason", "check_out_id"),
    AuditKind.RECALLED.value: ("reason", "check_out_id"),
    AuditKind.FORCED_RETURN.value: ("reason", "check_out_id"),
    AuditKind.GRANT_REMOVED.value: ("reason", "grant_id"),
    AuditKind.ACCOMMODATION_GRANTED.value: ("accommodation", "act_id"),
    AuditKind.POLICY_CHANGED.value: ("policy-reason", ""),
    AuditKind.FACTOR_RENEWED.value: ("factor", "person_id"),
}


class Supervision:
    """What supervisors and auditors work with."""

    def __init__(self, world: World, cases: Cases, custody: Custody, witness: Witness, together: SeenTogether) -> None:
        self._world = world
        self._cases = cases
        self._custody = custody
        self._witness = witness
        self._together = together
        self._last_listing: tuple[object, ...] | None = None
        self._stopped = False  # the verification under way; control thread

    # -- breach reports --------------------------------------------------------------------------------------------------------------

    @query
    def queue(self, include_disposed: bool) -> tuple[ReportLine, ...]:
        """List breach reports: unacknowledged of severity 3 and more first, then newest.

        A flag on the asker is left out until they may know of it, as it is for an officer (`told_to_officer`). LIMIT: that something was
        recorded stands in the audit trail, which supervisors read, and in the gap in the reports' numbers.

        Raises:
            RefusedError: access.not-your-role.
        """
        me = self._world.require(Role.SUPERVISOR).person.person_id
        states = [TriageState.OPEN, TriageState.ACKNOWLEDGED, TriageState.INVESTIGATING]
        if include_disposed:
            states.append(TriageState.DISPOSED)
        rows = self._world.store.breaches(states, _QUEUE_MOST)
        told = [row for row in rows if row.state.officer_id != me or told_to_officer(row.state)]
        seen = self._together.of_each(told)
        return tuple(self._line(row, seen[row.state.breach_id]) for row in told)

    @change
    def report(self, breach_id: BreachId) -> ReportView:
        """Read a report. Raises RefusedError access.not-your-role, breach.unknown, breach.own-report. Audit: breach.read."""
        world = self._world
        row = self._row(breach_id)
        world.store.append_audit(world.draft(AuditKind.BREACH_READ, breach_id=breach_id))
        return self._view(row)

    @change
    def acknowledge(self, breach_id: BreachId) -> ReportView:
        """Say that I have seen it. Audit: breach.acknowledged."""
        return self._act(breach_id, TriageAct.ACKNOWLEDGE)

    @change
    def own(self, breach_id: BreachId) -> ReportView:
        """Take a report as mine to investigate. Audit: breach.owned."""
        return self._act(breach_id, TriageAct.OWN)

    @change
    def note(self, breach_id: BreachId, text: str) -> ReportView:
        """Add to the timeline. Raises RefusedError breach.note-empty. Audit: breach.noted."""
        return self._act(breach_id, TriageAct.NOTE, text=text)

    @change
    def dispose(self, breach_id: BreachId, finding: Finding, rationale: str) -> ReportView:
        """Close a report with a finding.

        Raises:
            RefusedError: breach.acknowledge-first, breach.not-owner, breach.rationale-missing, breach.disposed, breach.own-report.
        Audit: breach.disposed.
        """
        return self._act(breach_id, TriageAct.DISPOSE, finding, rationale)

    # -- audit trail -----------------------------------------------------------------------------------------------------------------

    @change
    def audit_page(
        self, kinds: tuple[str, ...], badge_no: str, rms_number: str, from_us: int, until_us: int, before_seq: int, limit: int
    ) -> AuditPage:
        """Read a page of the audit trail, newest first.

        Args:
            kinds: AuditKind values; () = all.
            badge_no: "" = everybody.
            rms_number: "" = all cases; otherwise the case of that number, found by its keyed hash.
            from_us: 0 = from the beginning.
            until_us: 0 = to now.
            before_seq: 0 = from the end; otherwise `next_before_seq` of the page before.
            limit: 1…500.
        Raises:
            RefusedError: access.not-your-role, person.unknown.
        Audit: audit.read, once a listing.
        """
        world = self._world
        world.require(Role.SUPERVISOR, Role.AUDITOR)
        listing = (kinds, badge_no, rms_number, from_us, until_us)
        if before_seq == 0 or listing != self._last_listing:
            self._last_listing = listing
            world.store.append_audit(world.draft(AuditKind.AUDIT_READ, filtered=int(bool(kinds or badge_no or rms_number))))
        actor: PersonId | None = None
        if badge_no.strip():
            if (person := world.store.person_by_badge(folded_badge(badge_no))) is None:
                raise RefusedError("person.unknown")
            actor = person.person_id
        case_id: CaseId | None = None
        if rms_number.strip():
            blind = self._cases.number_blind(rms_number)
            row = world.store.case_by_number(blind)
            case_id = row.case_id if row else CaseId(blind.hex())  # the same way through the trail; no case has such an id
        limit = max(1, min(limit, _AUDIT_PAGE_MOST))
        wanted = AuditFilter(kinds=kinds, actor_id=actor, case_id=case_id, from_us=from_us, until_us=until_us)
        entries = world.store.audit_entries(wanted, before_seq, limit)
        labels: dict[str, str] = {}
        lines = tuple(self._audit_line(entry, labels) for entry in entries)
        return AuditPage(lines, entries[-1].seq if len(entries) == limit else 0, world.store.audit_head()[0])

    @operation(Priority.CHANGE, Lane.TRAIL)
    def verify_chain(self) -> ChainLine:
        """Verify the whole audit trail against its checkpoints and its witness. Progress follows as `VerificationMoved`.

        Raises:
            RefusedError: access.not-your-role, audit.verification-stopped.
            TamperError: storage.damaged.
        Audit: audit.verified, with the verdict; nothing if it was stopped. A trail that does not hold is reported as well.
        Thread: a lane of its own; asks the control thread for one slice after the other.
        """
        self._world.on_control(self._begin_verification)
        verdict = self._witness.verify(self._verification_moved)
        return self._world.on_control(lambda: self._verified(verdict))

    @change
    def stop_verification(self) -> None:
        """Stop the verification under way after its slice; it is refused as audit.verification-stopped. Without one, nothing happens.

        Raises:
            RefusedError: access.not-your-role.
        """
        self._world.require(Role.SUPERVISOR, Role.AUDITOR)
        self._stopped = True

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _begin_verification(self) -> None:
        self._world.require(Role.SUPERVISOR, Role.AUDITOR)
        self._stopped = False

    def _verification_moved(self, entries: int, of: int) -> None:
        if self._stopped:
            raise RefusedError("audit.verification-stopped")
        self._world.publish(VerificationMoved(entries, of))

    def _verified(self, verdict: ChainVerdict) -> ChainLine:
        world = self._world
        world.store.append_audit(
            world.draft(AuditKind.AUDIT_VERIFIED, entries=verdict.entries, bad_seq=verdict.bad_seq, reason=verdict.reason)
        )
        if not verdict.holds:
            world.tampered(broken(verdict))
        return chain_line(verdict, world.clock.now_us())

    def _row(self, breach_id: BreachId) -> BreachRow:
        world = self._world
        session = world.require(Role.SUPERVISOR)
        row = world.store.breach(breach_id)
        if row is None:
            raise RefusedError("breach.unknown")
        if row.state.officer_id == session.person.person_id:
            raise RefusedError("breach.own-report")
        return row

    def _act(self, breach_id: BreachId, act: TriageAct, finding: Finding | None = None, text: str = "") -> ReportView:
        world = self._world
        row = self._row(breach_id)
        me = world.require().person.person_id
        state = triage(row.state, act, me, finding, text)
        now_us = world.clock.now_us()
        note: BreachNoteRow | None = None
        if text.strip():
            kind = "rationale" if act is TriageAct.DISPOSE else "note"
            note = BreachNoteRow(breach_id, now_us, me, kind, world.seal_to_supervisors(text.strip().encode(), "note", breach_id))
        audit = world.draft(_AUDIT_OF_ACT[act], breach_id=breach_id, finding=finding.value if finding else "")
        if act is TriageAct.NOTE and note is not None:
            world.store.add_breach_note(note, audit)
        else:
            owner = me if act in (TriageAct.OWN, TriageAct.DISPOSE) else row.state.owner_id
            world.store.triage_breach(breach_id, me, state, owner, now_us, finding, note, audit)
        world.publish(ReportChanged(row.report_no))
        return self._view(self._row(breach_id))

    def _line(self, row: BreachRow, seen: tuple[SignalKind, ...]) -> ReportLine:
        directory = self._world.directory
        me = self._world.require().person.person_id
        state = row.state
        return ReportLine(
            breach_id=state.breach_id,
            report_no=row.report_no,
            kind=state.kind,
            severity=state.severity,
            state=state.state,
            officer=directory.brief(state.officer_id),
            workstation_name=self._world.station.workstation_name,
            first_us=state.first_us,
            last_us=state.last_us,
            count=state.count,
            owner=directory.brief(state.owner_id),
            on_you=state.officer_id == me,
            seen=seen,
        )

    def _view(self, row: BreachRow) -> ReportView:
        world = self._world
        breach_id = row.state.breach_id
        facts = [fact for sealed in row.facts_sealed if (fact := self._fact(row, sealed)) is not None]
        notes = [(one, world.open_as_supervisor(one.text_sealed, "note", breach_id)) for one in world.store.breach_notes(breach_id)]
        return ReportView(
            line=self._line(row, self._together.of(row)),
            facts=tuple(
                ReportFact(f.at_us, f.kind, f.case_label, f.document_title, f.page_no, f.check_out_no, f.containment, f.facts)
                for f in facts
            ),
            notes=tuple(
                ReportNote(one.at_us, world.directory.named(one.author_id), one.kind, plain.decode())
                for one, plain in notes
                if plain is not None
            ),
            detection_ms=row.detection_us // 1000,
            acknowledged_us=row.acknowledged_us,
            disposed_us=row.disposed_us,
            finding=row.finding,
        )

    def _fact(self, row: BreachRow, sealed: bytes) -> SealedFact | None:
        """One signal of a report; where it cannot be opened, a fact that says so.

        Without a keyring anybody can leave a report in the spool whose facts are none. It must be seen and closed all the same, and a look
        at it is no tampering.
        """
        state = row.state
        try:
            opened = self._world.open_as_supervisor(sealed, "facts", state.breach_id)
            return _FACT.decode(opened) if opened is not None else None
        except TamperError as error:
            code = error.code
        except (msgspec.MsgspecError, UnicodeDecodeError):
            code = "sealing.not-authentic"
        return SealedFact(state.first_us, state.kind, "", "", 0, 0, Containment.NONE, (("code", code),))

    def _audit_line(self, entry: AuditEntry, labels: dict[str, str]) -> AuditLine:
        if entry.case_id and entry.case_id not in labels:
            labels[entry.case_id] = self._custody.label(CaseId(entry.case_id))
        return AuditLine(
            seq=entry.seq,
            at_us=entry.at_us,
            kind=entry.kind,
            actor=self._world.directory.brief(PersonId(entry.actor_id)) if entry.actor_id else None,
            case_label=labels.get(entry.case_id, ""),
            case_id=entry.case_id,
            document_id=entry.document_id,
            page_no=entry.page_no,
            outcome=entry.outcome,
            facts=self._audit_facts(entry.kind, _FACTS.decode(entry.facts)),
            entry_hash=entry.entry_hash.hex(),
        )

    def _audit_facts(self, kind: str, facts: list[tuple[str, str | int]]) -> tuple[tuple[str, str], ...]:
        """An entry's facts; what is sealed only where it is a reason and the asker a supervisor."""
        told = [(name, str(value)) for name, value in facts if not name.endswith("_sealed")]
        by_name = dict(facts)
        sealed = str(by_name.get("reason_sealed", ""))
        if sealed and kind in _REASON_PLACES:
            word, of = _REASON_PLACES[kind]
            try:
                plain = self._world.open_as_supervisor(bytes.fromhex(sealed), *((word, str(by_name.get(of, ""))) if of else (word,)))
            except (ValueError, TamperError):
                plain = None  # the trail is listed all the same; its chain says whether the entry was changed
            if plain is not None:
                told.append(("reason", plain.decode()))
        return tuple(told)


def chain_line(verdict: ChainVerdict, now_us: int) -> ChainLine:
    """Describe a verdict."""
    return ChainLine(
        holds=verdict.holds,
        entries=verdict.entries,
        bad_seq=verdict.bad_seq,
        reason=verdict.reason,
        verified_us=now_us,
        checkpoints=verdict.checkpoints,
        witnessed_seq=verdict.witnessed_seq,
        signatures=verdict.signatures,
        sealed_statements=verdict.sealed_statements,
    )
