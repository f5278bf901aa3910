"""Check-out, check-in, handover, waiting, recall, forced return, expiry.

The rules are `vault.domain.custody`; exclusiveness is enforced once more by the store's unique index. Taking a file, handing it over and
attesting its statement are signed by the person who does it; each act is committed with its audit entry before anybody is told. What is
signed is verified with the audit trail (`vault.storage.verify_custody`, which has the form of it once more, on purpose).
"""

from __future__ import annotations

import msgspec

from vault.domain.access import Decision, ReasonCode
from vault.domain.audit import AuditDraft, AuditKind, Outcome
from vault.domain.breach import COPY_ATTEMPTS, SignalKind
from vault.domain.custody import (
    CheckInStatement,
    CheckOut,
    Purpose,
    ReturnKind,
    due_back_after_hand_over,
    purposes_open_to,
    require_due_back,
    require_free,
    require_held,
)
from vault.domain.duration import HOUR_US
from vault.domain.identity import CaseId, CheckOutId, PersonId, Role
from vault.domain.reason import is_reason
from vault.errors import RefusedError
from vault.services.cases import Cases
from vault.services.events import CustodyChanged
from vault.services.looking import Looks
from vault.services.operation import change, query
from vault.services.ports import AuditFilter, WaitRow
from vault.services.views import BoardLine, CheckedIn, CheckOutChoices, HoldingLine
from vault.services.world import World

_ATTEMPTS_COUNTED = 10_000
_FACTS = msgspec.json.Decoder(list[tuple[str, str | int]])
_READERS = (Role.OFFICER, Role.SUPERVISOR, Role.CUSTODIAN)


class Custody:
    """Who answers for a case file."""

    def __init__(self, world: World, cases: Cases) -> None:
        self._world = world
        self._cases = cases
        self._looks = Looks(world)

    # -- the officer -----------------------------------------------------------------------------------------------------------------

    @query
    def choices(self, case_id: CaseId) -> CheckOutChoices:
        """Offer purposes and due-back times for a case. Raises RefusedError access.no-need-to-know."""
        world = self._world
        world.require(*_READERS)
        line = self._cases.current_line(case_id)
        now_us = world.clock.now_us()
        return CheckOutChoices(
            case=line,
            purposes=self._purposes(case_id),
            due_back_us=now_us + world.policy.check_out_default_hours * HOUR_US,
            due_back_latest_us=now_us + world.policy.check_out_ceiling_hours * HOUR_US,
        )

    @change
    def check_out(self, case_id: CaseId, purpose: Purpose, due_back_us: int, note: str) -> HoldingLine:
        """Take custody of a case file.

        Args:
            case_id: a case I may see.
            purpose: one of `choices`; OTHER needs a note and is flagged.
            due_back_us: 0 = the default.
            note: why, for OTHER: at least ten characters. Sealed to the supervisors, who read it beside the flag in the trail.
        Raises:
            RefusedError: access.no-need-to-know, custody.already-checked-out, custody.already-yours, custody.due-back-past,
                custody.due-back-far, custody.purpose-missing, custody.purpose-not-offered, trust.too-low.
        Audit: custody.checked-out; custody.refused when the file is out, or this workstation is not trusted with its marking now.
        """
        world = self._world
        session = world.require(*_READERS)
        cipher = world.require_case(case_id)
        now_us = world.clock.now_us()
        due_back_us = due_back_us or now_us + world.policy.check_out_default_hours * HOUR_US
        require_due_back(due_back_us, now_us, world.policy.check_out_ceiling_hours)
        if purpose not in self._purposes(case_id):
            raise RefusedError("custody.purpose-not-offered")
        if purpose is Purpose.OTHER and not is_reason(note):
            raise RefusedError("custody.purpose-missing")
        active = world.store.active_check_out(case_id)
        try:
            world.require_trust(self._cases.open_card(self._cases.row(case_id), cipher).marking)
            require_free(active, session.person.person_id)
        except RefusedError as error:
            world.store.append_audit(world.draft(AuditKind.CUSTODY_REFUSED, case_id, Outcome.REFUSED, reason=error.code))
            raise
        asked = self._new(case_id, session.person.person_id, purpose, now_us, due_back_us)
        audit = world.draft(
            AuditKind.CHECKED_OUT,
            case_id,
            check_out_id=asked.check_out_id,
            purpose=purpose.value,
            flagged=int(asked.flagged),
            due_back_us=due_back_us,
            reason_sealed=self._sealed_reason(note, asked.check_out_id) if note.strip() else "",
        )
        taken = world.store.open_check_out(asked, self._sign(asked), [audit])
        world.publish(CustodyChanged(case_id, taken.check_out_id, None))
        return self._cases.holding(taken, self._cases.current_line(case_id))

    @query
    def statement(self, check_out_id: CheckOutId) -> CheckInStatement:
        """Write the statement of a check-out from the audit trail. The page on screen stays there, and its time so far counts.

        Raises:
            RefusedError: custody.not-held, custody.expired.
        """
        world = self._world
        check_out = require_held(world.store.check_out(check_out_id), world.require().person.person_id, world.clock.now_us())
        return self._statement(check_out)

    @change
    def check_in(self, check_out_id: CheckOutId, attested: bool) -> CheckedIn:
        """Return a case file with its statement attested.

        Raises:
            RefusedError: custody.not-held, custody.expired, custody.not-attested.
        Audit: custody.checked-in.
        """
        world = self._world
        session = world.require()
        check_out = require_held(world.store.check_out(check_out_id), session.person.person_id, world.clock.now_us())
        if not attested:
            raise RefusedError("custody.not-attested")
        world.leave_page()  # its time counts
        statement = self._statement(check_out)
        signature = session.keys.holder.sign("check-in", self._act(check_out) + msgspec.json.encode(statement)).hex()
        record = msgspec.json.encode({"statement": statement, "signature": signature})
        self.close(
            check_out,
            ReturnKind.CHECKED_IN,
            session.person.person_id,
            world.draft(
                AuditKind.CHECKED_IN,
                check_out.case_id,
                check_out_id=check_out_id,
                pages=statement.pages_viewed,
                documents=statement.documents_viewed,
                reading_seconds=statement.reading_seconds,
                held_seconds=statement.held_seconds,
                copy_attempts=statement.copy_attempts,
                signature=signature,  # beside all it covers, so that who verifies the trail needs no key of the case
            ),
            world.require_case(check_out.case_id).seal_card(record, world.locksmith.bind("statement", check_out_id)),
        )
        return CheckedIn(check_out.check_out_no, statement)

    @change
    def hand_over(self, check_out_id: CheckOutId, badge_no: str) -> None:
        """Pass custody to another officer who may see the case, in one act.

        The successor's purpose is the likeliest one open to them; without an assignment of their own it is OTHER, and flagged. They have an
        hour at least, within the ceiling that counts from when the file left the vault.

        Raises:
            RefusedError: custody.not-held, custody.expired, person.unknown, custody.successor-is-holder, custody.successor-may-not.
        Audit: custody.handed-over.
        """
        world = self._world
        session = world.require()
        now_us = world.clock.now_us()
        check_out = require_held(world.store.check_out(check_out_id), session.person.person_id, now_us)
        successor = world.directory.active_by_badge(badge_no)
        if successor.person_id == session.person.person_id:
            raise RefusedError("custody.successor-is-holder")
        unit_ids = [one.unit_id for one in world.store.memberships_of(successor.person_id)]
        decision, _ = world.decision(check_out.case_id, successor, unit_ids)
        if successor.role not in _READERS or not decision.allowed:
            raise RefusedError("custody.successor-may-not")
        history = world.store.custody_history(check_out.case_id)
        due_back_us = due_back_after_hand_over(history, check_out, now_us, world.policy.check_out_ceiling_hours)
        purpose = _purposes(decision, successor.role)[0]
        following = self._new(check_out.case_id, successor.person_id, purpose, now_us, due_back_us)
        audit = world.draft(
            AuditKind.HANDED_OVER,
            check_out.case_id,
            check_out_id=check_out_id,
            next_check_out_id=following.check_out_id,
            to=successor.person_id,
            purpose=purpose.value,
            flagged=int(following.flagged),
        )
        world.store.hand_over(check_out_id, now_us, following, self._sign(following), [audit])
        world.publish(CustodyChanged(check_out.case_id, check_out_id, ReturnKind.HANDED_OVER))

    @change
    def wait(self, case_id: CaseId) -> None:
        """Join the waiting list of a case file that is out.

        Raises:
            RefusedError: access.no-need-to-know, custody.not-out, custody.already-yours, custody.already-waiting.
        Audit: custody.waiting.
        """
        world = self._world
        session = world.require(*_READERS)
        world.require_case(case_id)
        active = world.store.active_check_out(case_id)
        me = session.person.person_id
        if active is None:
            raise RefusedError("custody.not-out")
        if active.holder_id == me:
            raise RefusedError("custody.already-yours")
        if any(one.person_id == me for one in world.store.waiting(case_id)):
            raise RefusedError("custody.already-waiting")
        world.store.join_waiting(WaitRow(case_id, me, world.clock.now_us()), world.draft(AuditKind.WAITING, case_id))
        world.publish(CustodyChanged(case_id, active.check_out_id, None))

    @change
    def leave_waiting(self, case_id: CaseId) -> None:
        """Leave a waiting list. Audit: custody.wait-ended."""
        world = self._world
        me = world.require().person.person_id
        world.store.leave_waiting(case_id, me, world.draft(AuditKind.WAIT_ENDED, case_id))
        world.publish(CustodyChanged(case_id, None, None))

    # -- the supervisor --------------------------------------------------------------------------------------------------------------

    @query
    def board(self) -> tuple[BoardLine, ...]:
        """Show every case file that is out; overdue ones first, then by due-back time.

        Raises:
            RefusedError: access.not-your-role.
        Audit: custody.board-read when looking begins, not when the board follows what changes (`vault.services.looking`).
        """
        world = self._world
        world.require(Role.SUPERVISOR, Role.CUSTODIAN)
        self._looks.enter(AuditKind.BOARD_READ)
        now_us = world.clock.now_us()
        return tuple(
            BoardLine(
                check_out_id=one.check_out_id,
                check_out_no=one.check_out_no,
                case_label=self.label(one.case_id),
                holder=world.directory.named(one.holder_id),
                workstation_name=world.station.workstation_name,
                purpose=one.purpose,
                flagged=one.flagged,
                taken_us=one.taken_us,
                due_back_us=one.due_back_us,
                recalled_us=one.recalled_us,
                overdue=now_us >= one.due_back_us,
            )
            for one in world.store.all_held()
        )

    @change
    def recall(self, check_out_id: CheckOutId, reason: str) -> None:
        """Ask the holder to bring a case file back.

        Raises:
            RefusedError: access.not-your-role, custody.not-held, custody.reason-missing.
        Audit: custody.recalled.
        """
        world = self._world
        check_out = self._supervised(check_out_id, reason)
        audit = world.draft(
            AuditKind.RECALLED, check_out.case_id, check_out_id=check_out_id, reason_sealed=self._sealed_reason(reason, check_out_id)
        )
        world.store.recall_check_out(check_out_id, world.clock.now_us(), audit)
        world.publish(CustodyChanged(check_out.case_id, check_out_id, None))

    @change
    def force_return(self, check_out_id: CheckOutId, reason: str) -> None:
        """Return a case file to the vault over its holder's head.

        Raises:
            RefusedError: access.not-your-role, custody.not-held, custody.reason-missing, custody.own-file.
        Audit: custody.forced-return.
        """
        world = self._world
        check_out = self._supervised(check_out_id, reason)
        me = world.require().person.person_id
        if check_out.holder_id == me:
            raise RefusedError("custody.own-file")
        audit = world.draft(
            AuditKind.FORCED_RETURN, check_out.case_id, check_out_id=check_out_id, reason_sealed=self._sealed_reason(reason, check_out_id)
        )
        self.close(check_out, ReturnKind.FORCED, me, audit)

    # -- the vault itself (control thread) -------------------------------------------------------------------------------------------

    def return_expired(self) -> None:
        """Return every case file past its due-back time, and what the signed-in person holds and may no longer see (every second).

        A grant ends by its own date too, and a deny begins by one; a process that died between removing a grant and returning the file
        leaves the return to this.

        Audit: custody.expired, custody.withdrawn.
        """
        world = self._world
        for one in world.store.overdue(world.clock.now_us()):
            audit = AuditDraft(AuditKind.EXPIRED, case_id=one.case_id, facts=(("check_out_id", one.check_out_id),))
            self.close(one, ReturnKind.EXPIRED, None, audit)
        if world.session is not None:
            for one in world.store.held_by(world.session.person.person_id):
                self._return_unless_entitled(one, None)

    def return_withdrawn(self, case_id: CaseId) -> None:
        """Return a case file at once if its holder may no longer see the case: its grants have just changed. Audit: custody.withdrawn."""
        if (active := self._world.store.active_check_out(case_id)) is not None:
            self._return_unless_entitled(active, self._world.require().person.person_id)

    def return_from(self, person_id: PersonId) -> None:
        """Return everything a person holds, and take them off every waiting list: their account ends.

        Audit: custody.withdrawn, custody.wait-ended.
        """
        world = self._world
        for wait in world.store.waits_of(person_id):
            world.store.leave_waiting(wait.case_id, person_id, world.draft(AuditKind.WAIT_ENDED, wait.case_id, person_id=person_id))
            world.publish(CustodyChanged(wait.case_id, None, None))
        for one in world.store.held_by(person_id):
            audit = world.draft(
                AuditKind.WITHDRAWN, one.case_id, check_out_id=one.check_out_id, holder=person_id, reason=AuditKind.PERSON_DISABLED.value
            )
            self.close(one, ReturnKind.WITHDRAWN, world.require().person.person_id, audit)

    def _return_unless_entitled(self, check_out: CheckOut, by: PersonId | None) -> None:
        world = self._world
        holder = world.directory.person(check_out.holder_id)
        reason = ReasonCode.NO_GRANT
        if holder is not None:
            unit_ids = [one.unit_id for one in world.store.memberships_of(holder.person_id)]
            decision, _ = world.decision(check_out.case_id, holder, unit_ids)
            if decision.allowed:
                return
            reason = decision.reasons[0].code
        audit = world.draft(
            AuditKind.WITHDRAWN, check_out.case_id, check_out_id=check_out.check_out_id, holder=check_out.holder_id, reason=reason.value
        )
        if by is None:
            audit = AuditDraft(AuditKind.WITHDRAWN, case_id=check_out.case_id, facts=audit.facts)
        self.close(check_out, ReturnKind.WITHDRAWN, by, audit)

    def close(self, check_out: CheckOut, kind: ReturnKind, by: PersonId | None, audit: AuditDraft, statement_sealed: bytes = b"") -> None:
        """End a check-out and tell."""
        world = self._world
        world.store.close_check_out(check_out.check_out_id, world.clock.now_us(), kind, by, statement_sealed, [audit])
        self.tell(check_out, kind)

    def tell(self, check_out: CheckOut, kind: ReturnKind) -> None:
        """Say that a check-out has ended."""
        self._world.publish(CustodyChanged(check_out.case_id, check_out.check_out_id, kind))

    def label(self, case_id: CaseId) -> str:
        """The case number for those who may know it, otherwise a short form of the opaque id."""
        world = self._world
        session = world.session
        row = world.store.case(case_id)
        if row is None or session is None:
            return case_id[:8]
        if (plain := world.open_as_supervisor(row.label_sealed, "label", case_id)) is not None:
            return plain.decode()
        decision, grants = world.decision(case_id, session.person, session.unit_ids)
        if not decision.allowed:
            return case_id[:8]
        cipher = session.cases.get(case_id)
        if cipher is None:
            cipher = world.open_grant(next(one for one in grants if one.terms.grant_id == decision.reasons[0].grant_id))
        return self._cases.open_card(row, cipher).rms_number

    # -- inner -----------------------------------------------------------------------------------------------------------------------

    def _purposes(self, case_id: CaseId) -> tuple[Purpose, ...]:
        session = self._world.require()
        decision, _ = self._world.decision(case_id, session.person, session.unit_ids)
        return _purposes(decision, session.person.role)

    def _new(self, case_id: CaseId, holder: PersonId, purpose: Purpose, now_us: int, due_back_us: int) -> CheckOut:
        world = self._world
        return CheckOut(
            check_out_id=CheckOutId(world.entropy.token()),
            check_out_no=0,
            case_id=case_id,
            holder_id=holder,
            workstation_id=world.station.workstation_id,
            purpose=purpose,
            flagged=purpose is Purpose.OTHER,
            taken_us=now_us,
            due_back_us=due_back_us,
        )

    def _statement(self, check_out: CheckOut) -> CheckInStatement:
        world = self._world
        pages, documents, read_ms = world.store.reading_seconds(check_out.check_out_id)
        return CheckInStatement(
            pages_viewed=pages,
            documents_viewed=documents,
            reading_seconds=(read_ms + world.dwell_ms(check_out.check_out_id)) // 1000,
            held_seconds=(world.clock.now_us() - check_out.taken_us) // 1_000_000,
            copy_attempts=self._attempts(check_out),
        )

    def _attempts(self, check_out: CheckOut) -> int:
        """Signals under this check-out, from the trail: a report may have begun under another one, and holds many signals."""
        wanted = AuditFilter(kinds=(AuditKind.BREACH_RECORDED.value, AuditKind.BREACH_JOINED.value), case_id=check_out.case_id)
        found = [dict(_FACTS.decode(one.facts)) for one in self._world.store.audit_entries(wanted, 0, _ATTEMPTS_COUNTED)]
        return sum(one.get("check_out_id") == check_out.check_out_id and SignalKind(str(one["signal"])) in COPY_ATTEMPTS for one in found)

    def _supervised(self, check_out_id: CheckOutId, reason: str) -> CheckOut:
        world = self._world
        world.require(Role.SUPERVISOR)
        if not is_reason(reason):
            raise RefusedError("custody.reason-missing")
        check_out = world.store.check_out(check_out_id)
        if check_out is None or not check_out.active:
            raise RefusedError("custody.not-held")
        return check_out

    def _sealed_reason(self, reason: str, check_out_id: CheckOutId) -> str:
        return self._world.seal_to_supervisors(reason.strip().encode(), "reason", check_out_id).hex()

    def _act(self, check_out: CheckOut) -> bytes:
        return self._world.locksmith.bind(
            check_out.check_out_id,
            check_out.case_id,
            check_out.holder_id,
            check_out.purpose.value,
            check_out.taken_us,
            check_out.due_back_us,
        )

    def _sign(self, check_out: CheckOut) -> bytes:
        return self._world.require().keys.holder.sign("check-out", self._act(check_out))


def _purposes(decision: Decision, role: Role) -> tuple[Purpose, ...]:
    """A grant to the person, or being in charge, is an assignment; a grant to the unit alone is not."""
    assigned = any(one.decisive and one.unit_id is None for one in decision.reasons)
    return purposes_open_to(assigned, role is Role.SUPERVISOR, role is Role.CUSTODIAN)
