"""My desk and the register as one person may see it.

Rules:

- A list shows only cases whose key the asker can open; a deny in force hides a case from lists and from search alike.
- Reading a case's details and searching the register are in the trail before they are answered; what counts as one look is said in
  `vault.services.looking`. A search is entered with a keyed hash of its words, a plain list of what was granted is not entered.
- Search runs over opened cards in memory. It never reveals that a case exists to somebody who may not see it: an explanation for a number
  that is not granted reads the same whether or not such a case exists.
"""

from __future__ import annotations

from dataclasses import dataclass

from vault.domain.access import Effect, Reason
from vault.domain.audit import AuditKind
from vault.domain.breach import TriageState, told_to_officer
from vault.domain.casefile import CaseCard
from vault.domain.custody import CheckOut
from vault.domain.folding import folded
from vault.domain.identity import CaseId, Role
from vault.errors import VaultError
from vault.services.cases import Cases
from vault.services.looking import Looks
from vault.services.operation import Lane, Priority, operation, query
from vault.services.ports import AuditFilter, GrantedCase
from vault.services.register import Register
from vault.services.views import (
    CaseDetail,
    CaseLine,
    CasesPage,
    CustodyLine,
    DeskView,
    Explanation,
    ExplanationLine,
    HoldingLine,
    ReturnedLine,
    WaitingLine,
)
from vault.services.world import OpenSession, World

_RETURNED_SHOWN = 8
_PAGE_MOST = 200
_GATHER_STEP = 200
_HASH_SHOWN = 16


@dataclass(slots=True)
class _Gathered:
    """What is searched of the cards of one session's granted cases, newest first, read step by step."""

    session: OpenSession
    texts: dict[CaseId, str]
    complete: bool = False
    before: tuple[int, str] | None = None


class Desk:
    """What lies on a person's desk."""

    def __init__(self, world: World, cases: Cases, register: Register) -> None:
        self._world = world
        self._cases = cases
        self._register = register
        self._looks = Looks(world)
        self._gathered: _Gathered | None = None

    @query
    def overview(self) -> DeskView:
        """Tell what I hold, what waits for me and what I returned lately."""
        world = self._world
        me = world.require().person.person_id
        store = world.store
        returned = [(one, self._visible_line(one.case_id)) for one in store.recently_returned_by(me, _RETURNED_SHOWN)]
        waits = [(one, self._visible_line(one.case_id)) for one in store.waits_of(me)]
        reports = store.breaches([TriageState.OPEN, TriageState.ACKNOWLEDGED, TriageState.INVESTIGATING], 500)
        return DeskView(
            holding=tuple(line for one in store.held_by(me) if (line := self._holding(one)) is not None),
            waiting=tuple(
                WaitingLine(line, one.since_us, 1 + [w.person_id for w in store.waiting(one.case_id)].index(me))
                for one, line in waits
                if line is not None
            ),
            returned=tuple(
                ReturnedLine(line, one.check_out_no, one.returned_us, one.return_kind)
                for one, line in returned
                if line is not None and one.return_kind is not None
            ),
            my_open_reports=sum(1 for one in reports if one.state.officer_id == me and told_to_officer(one.state)),
        )

    @operation(Priority.QUERY, Lane.KEYS)
    def cases(self, search: str, anchor: str, limit: int) -> CasesPage:
        """List the cases granted to me, newest first, or those that match a search.

        Args:
            search: words; each must occur in number, title, type, persons or tags. "" lists all.
            anchor: `next_anchor` of the page before; "" for the first.
            limit: 1…200 rows.
        Audit: case.searched, with a keyed hash of the words.
        """
        limit = max(1, min(limit, _PAGE_MOST))
        if search.strip():
            return self._found(search, anchor, limit)
        return self._world.on_control(lambda: self._listed(anchor, limit), Priority.QUERY)

    @query
    def case(self, case_id: CaseId) -> CaseDetail:
        """Show a case: documents, grants, custody history. Raises RefusedError access.no-need-to-know. Audit: case.read."""
        world = self._world
        session = world.require()
        cipher = world.require_case(case_id)
        self._looks.enter(AuditKind.CASE_READ, case_id)
        card = self._cases.open_card(self._cases.row(case_id), cipher)
        return CaseDetail(
            line=self._cases.current_line(case_id),
            documents=self._cases.documents(case_id, cipher),
            grants=tuple(self._register.grant_line(one, cipher) for one in world.store.grants_of(case_id)),
            custody=tuple(self._custody_line(one) for one in reversed(world.store.custody_history(case_id))),
            waiting=tuple(world.directory.named(one.person_id) for one in world.store.waiting(case_id)),
            may_grant=self._register.may_grant(case_id, card),
            may_take_in=session.person.role is Role.CUSTODIAN or card.officer_in_charge == session.person.person_id,
        )

    @query
    def explain(self, rms_number: str, badge_no: str) -> Explanation:
        """Say why a person can or cannot see a case file.

        Anybody may ask about themselves; about somebody else, whoever can see the case.

        Raises:
            RefusedError: person.unknown, access.no-need-to-know.
        """
        world = self._world
        session = world.require()
        asked = world.directory.active_by_badge(badge_no) if badge_no.strip() else session.person
        row = world.store.case_by_number(self._cases.number_blind(rms_number))
        if asked.person_id != session.person.person_id:  # the same answer whether or not there is such a case
            world.require_case(row.case_id if row else CaseId(""))
        unit_ids = [one.unit_id for one in world.store.memberships_of(asked.person_id)]
        decision, _ = world.decision(row.case_id if row else CaseId(""), asked, unit_ids)
        return Explanation(
            person=world.directory.named(asked.person_id),
            rms_number=rms_number,
            allowed=decision.allowed,
            lines=tuple(self._explained(one) for one in decision.reasons),
        )

    # -- lists -----------------------------------------------------------------------------------------------------------------------

    def _listed(self, anchor: str, limit: int) -> CasesPage:
        world = self._world
        session = world.require()
        before = _anchor(anchor)
        lines: list[CaseLine] = []
        while (missing := limit - len(lines)) > 0:
            rows = world.store.granted_cases(session.person.person_id, session.unit_ids, world.clock.now_us(), before, missing)
            lines += [line for row in rows if (line := self._granted_line(session, row)) is not None]
            if len(rows) < missing:
                return CasesPage(tuple(lines), "", self._total(session) if anchor else len(lines))
            last = rows[-1].case
            before = (last.registered_us, last.case_id)
        return CasesPage(tuple(lines), f"{before[0]}:{before[1]}" if before else "", self._total(session))

    def _total(self, session: OpenSession) -> int:
        """How many rows a list longer than a page has: what a deny hides is not counted, so that the number never tells of it.

        LIMIT: grants that have ended by their date, or have not begun, are counted; who walks to the list's end sees where it ends.
        """
        store, now_us = self._world.store, self._world.clock.now_us()
        mine = (session.person.person_id, *session.unit_ids)
        granted = store.count_granted_cases(session.person.person_id, session.unit_ids)
        denied = {one.case_id for one in store.denies_for(session.person.person_id, session.unit_ids) if one.idle_because(now_us) is None}
        return granted - sum(
            any(one.terms.grantee_id in mine and one.terms.effect is Effect.ALLOW and not one.terms.removed_us for one in grants)
            for grants in map(store.grants_of, denied)
        )

    def _granted_line(self, session: OpenSession, row: GrantedCase) -> CaseLine | None:
        card = self._card(session, row)
        return self._cases.line_of_card(card, row.check_out) if card is not None else None

    def _card(self, session: OpenSession, row: GrantedCase) -> CaseCard | None:
        terms = row.grant.terms
        if self._denied(session, terms.case_id, self._world.clock.now_us()):
            return None
        cipher = session.cases.get(terms.case_id)
        try:
            if cipher is None:
                cipher = self._world.open_grant(row.grant)
                session.cases[terms.case_id] = cipher
            return self._cases.open_card(row.case, cipher)
        except VaultError:
            # A grant or card that does not open is not a case this person can see; opening the case itself reports it.
            return None

    def _denied(self, session: OpenSession, case_id: CaseId, now_us: int) -> bool:
        return any(
            one.case_id == case_id and one.idle_because(now_us) is None
            for one in self._world.store.denies_for(session.person.person_id, session.unit_ids)
        )

    # -- search ----------------------------------------------------------------------------------------------------------------------

    def _found(self, search: str, anchor: str, limit: int) -> CasesPage:
        """Gather cards in short turns on the control thread, then match them there: a breach never waits for a search."""
        words = search.casefold().split()
        self._world.on_control(lambda: self._enter_search(words), Priority.QUERY)
        while not self._world.on_control(self._gather_step, Priority.QUERY):
            pass
        return self._world.on_control(lambda: self._matched(words, int(anchor or 0), limit), Priority.QUERY)

    def _enter_search(self, words: list[str]) -> None:
        self._looks.enter(AuditKind.CASES_SEARCHED, words=self._world.locksmith.blind("search:" + " ".join(words)).hex()[:_HASH_SHOWN])

    def _gather_step(self) -> bool:
        world = self._world
        session = world.require()
        gathered = self._gathered
        if gathered is None or gathered.session is not session:
            gathered = self._gathered = _Gathered(session, {})
        if gathered.complete:
            return True
        rows = world.store.granted_cases(session.person.person_id, session.unit_ids, world.clock.now_us(), gathered.before, _GATHER_STEP)
        for row in rows:
            if (card := self._card(session, row)) is not None:
                gathered.texts[card.case_id] = _searched(card)
        gathered.complete = len(rows) < _GATHER_STEP
        if rows:
            gathered.before = (rows[-1].case.registered_us, rows[-1].case.case_id)
        return gathered.complete

    def _matched(self, words: list[str], start: int, limit: int) -> CasesPage:
        world = self._world
        session = world.require()
        gathered = self._gathered
        now_us = world.clock.now_us()
        sought = [folded(word) for word in words]
        matches = [
            case_id
            for case_id, text in (gathered.texts.items() if gathered else ())
            if all(word in text for word in sought) and not self._denied(session, case_id, now_us)
        ]
        shown = matches[start : start + limit]
        lines = tuple(line for one in shown if (line := self._visible_line(one)) is not None)
        following = str(start + limit) if start + limit < len(matches) else ""
        return CasesPage(lines, following, len(matches))

    def forget(self) -> None:
        """Gather afresh at the next search: the register changed."""
        self._gathered = None

    # -- lines -----------------------------------------------------------------------------------------------------------------------

    def _visible_line(self, case_id: CaseId) -> CaseLine | None:
        """The line of a case, None if it can no longer be seen. A list of what was granted is no look at a case: nothing is entered."""
        world = self._world
        session = world.require()
        decision, grants = world.decision(case_id, session.person, session.unit_ids)
        row = world.store.case(case_id)
        if not decision.allowed or row is None:
            return None
        cipher = session.cases.get(case_id)
        if cipher is None:
            cipher = world.open_grant(next(one for one in grants if one.terms.grant_id == decision.reasons[0].grant_id))
            session.cases[case_id] = cipher
        waits = any(one.person_id == session.person.person_id for one in world.store.waiting(case_id))
        return self._cases.line(row, cipher, world.store.active_check_out(case_id), waits=waits)

    def _holding(self, check_out: CheckOut) -> HoldingLine | None:
        line = self._visible_line(check_out.case_id)
        if line is None:
            return None
        title, page_no = self._last_page(check_out)
        return self._cases.holding(check_out, line, title, page_no)

    def _last_page(self, check_out: CheckOut) -> tuple[str, int]:
        world = self._world
        wanted = AuditFilter(
            kinds=(AuditKind.PAGE_VIEWED.value,), actor_id=check_out.holder_id, case_id=check_out.case_id, from_us=check_out.taken_us
        )
        entries = world.store.audit_entries(wanted, 0, 1)
        cipher = world.require().cases.get(check_out.case_id)
        if not entries or cipher is None:
            return "", 0
        for row in world.store.documents_of(check_out.case_id):
            if row.document_id == entries[0].document_id:
                return self._cases.open_document(row, cipher).title, entries[0].page_no
        return "", 0

    def _custody_line(self, one: CheckOut) -> CustodyLine:
        return CustodyLine(
            check_out_no=one.check_out_no,
            holder=self._world.directory.named(one.holder_id),
            purpose=one.purpose,
            flagged=one.flagged,
            taken_us=one.taken_us,
            due_back_us=one.due_back_us,
            returned_us=one.returned_us,
            return_kind=one.return_kind,
        )

    def _explained(self, reason: Reason) -> ExplanationLine:
        directory = self._world.directory
        return ExplanationLine(
            code=reason.code.value,
            decisive=reason.decisive,
            unit_name=directory.unit(reason.unit_id).name if reason.unit_id else "",
            granted_by=directory.brief(reason.granted_by),
            from_us=reason.from_us,
            until_us=reason.until_us,
        )


def _anchor(text: str) -> tuple[int, str] | None:
    registered, _, case_id = text.partition(":")
    return (int(registered), case_id) if case_id else None


def _searched(card: CaseCard) -> str:
    return folded(" ".join((card.rms_number, card.title, card.case_type, *card.persons, *card.tags)))
