"""Case files, grants and documents in the register. Everything that says anything about a case is sealed; the store sorts by time and id.

Rules: a case number's blind is taken once; grants are added and marked removed, never changed; a document appears when its row does.

How the list of a person's cases stays fast: each grant carries its case's `registered_us`, and one partial index holds the standing allow
grants in list order, so a page is the merge of one index range for the person and one for each unit, read row by row until it is
full. The time depends on the page, not on the number of cases.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy import bindparam, literal_column

from vault.domain.access import Effect, GranteeKind, GrantTerms
from vault.domain.audit import AuditDraft
from vault.domain.identity import CaseId, DocumentId, GrantId, PersonId, UnitId
from vault.errors import DefectError, RefusedError
from vault.services.ports import CaseRow, DocumentRow, GrantedCase, GrantRow
from vault.storage.custody import check_out_from
from vault.storage.engine import Row
from vault.storage.part import Part
from vault.storage.schema import case_file, case_grant, check_out, document
from vault.storage.statements import Statement, compiled

_CASE = compiled(sa.select(case_file).where(case_file.c.case_id == bindparam("case_id")))
_CASE_BY_NUMBER = compiled(sa.select(case_file).where(case_file.c.number_blind == bindparam("number_blind")))
_ADD_CASE = compiled(sa.insert(case_file))
_REGISTERED_US = compiled(sa.select(case_file.c.registered_us).where(case_file.c.case_id == bindparam("case_id")))

_GRANTS_OF = compiled(
    sa.select(case_grant).where(case_grant.c.case_id == bindparam("case_id")).order_by(case_grant.c.granted_us, case_grant.c.grant_id)
)
_ADD_GRANT = compiled(sa.insert(case_grant))
_REMOVE_GRANT = compiled(sa.update(case_grant).where(case_grant.c.grant_id == bindparam("which")).values(removed_us=bindparam("at")))

_DOCUMENTS_OF = compiled(sa.select(document).where(document.c.case_id == bindparam("case_id")).order_by(document.c.document_no))
_DOCUMENT = compiled(sa.select(document).where(document.c.document_id == bindparam("document_id")))
_DOCUMENT_IDS = compiled(sa.select(document.c.document_id))
_ADD_DOCUMENT = compiled(
    sa.insert(document).values({column: bindparam(column.name) for column in document.c if column.name != "document_no"})
)

# Spelt out as in the index: the planner takes a partial index only for its own condition.
_STANDING = sa.and_(case_grant.c.removed_us == literal_column("0"), case_grant.c.effect == literal_column("'allow'"))


def _page(continued: bool) -> Statement:
    """One grantee's cases in list order, from the start or after (registered_us, case_id)."""
    columns = [*case_grant.c, *case_file.c, *check_out.c]
    joined = case_grant.join(case_file, case_file.c.case_id == case_grant.c.case_id).outerjoin(
        check_out, sa.and_(check_out.c.case_id == case_grant.c.case_id, check_out.c.returned_us == literal_column("0"))
    )
    wanted = sa.select(*columns).select_from(joined).where(case_grant.c.grantee_id == bindparam("grantee_id"), _STANDING)
    if continued:
        wanted = wanted.where(
            sa.tuple_(case_grant.c.registered_us, case_grant.c.case_id) < sa.tuple_(bindparam("before_us"), bindparam("before_id"))
        )
    return compiled(wanted.order_by(case_grant.c.registered_us.desc(), case_grant.c.case_id.desc()))


_FIRST_PAGE = _page(continued=False)
_NEXT_PAGE = _page(continued=True)
_GRANT_WIDTH = len(case_grant.c)
_CASE_WIDTH = len(case_file.c)


@lru_cache(maxsize=64)
def _count_for(grantees: int) -> Statement:
    """How many different cases that many grantees hold, from the index alone."""
    names: list[sa.BindParameter[str]] = [bindparam(f"grantee_{index}") for index in range(grantees)]
    return compiled(sa.select(sa.func.count(sa.distinct(case_grant.c.case_id))).where(case_grant.c.grantee_id.in_(names), _STANDING))


_DENIES = compiled(
    sa.select(case_grant)
    .where(
        case_grant.c.grantee_id == bindparam("grantee_id"),
        case_grant.c.removed_us == literal_column("0"),
        case_grant.c.effect == literal_column("'deny'"),
    )
    .order_by(case_grant.c.granted_us, case_grant.c.grant_id)
)


class Cases(Part):
    """The operations of `services.ports.Store` on cases, grants and documents."""

    def register_case(self, case: CaseRow, grants: Sequence[GrantRow], audit: Sequence[AuditDraft]) -> None:
        """Register a case with its first grants; RefusedError case.number-taken."""
        self.register_cases([(case, grants)], audit)

    def register_cases(self, cases: Sequence[tuple[CaseRow, Sequence[GrantRow]]], audit: Sequence[AuditDraft]) -> None:
        """Many in one transaction; RefusedError case.number-taken and none of them is registered."""
        with self._trail.recorded(audit):
            self._db.change_many(
                _ADD_CASE,
                [
                    {
                        "case_id": case.case_id,
                        "number_blind": case.number_blind,
                        "card_sealed": case.card_sealed,
                        "label_sealed": case.label_sealed,
                        "registered_us": case.registered_us,
                        "registered_by": case.registered_by,
                    }
                    for case, _ in cases
                ],
            )
            self._db.change_many(_ADD_GRANT, [_grant_values(grant, case.registered_us) for case, grants in cases for grant in grants])

    def case(self, case_id: CaseId) -> CaseRow | None:
        """One case."""
        row = self._db.first(_CASE, case_id=case_id)
        return CaseRow(*row) if row else None

    def case_by_number(self, number_blind: bytes) -> CaseRow | None:
        """The case whose number has that blind."""
        row = self._db.first(_CASE_BY_NUMBER, number_blind=number_blind)
        return CaseRow(*row) if row else None

    def grants_of(self, case_id: CaseId) -> Sequence[GrantRow]:
        """Every grant of the case, oldest first, removed and ended ones included."""
        return [_grant(row) for row in self._db.rows(_GRANTS_OF, case_id=case_id)]

    def add_grants(self, grants: Sequence[GrantRow], audit: Sequence[AuditDraft]) -> None:
        """Grant or deny."""
        with self._trail.recorded(audit):
            for grant in grants:
                case = self._db.first(_REGISTERED_US, case_id=grant.terms.case_id)
                if case is None:
                    raise DefectError("storage.not-found", what="case")
                self._db.change(_ADD_GRANT, **_grant_values(grant, case[0]))

    def remove_grant(self, grant_id: GrantId, at_us: int, audit: AuditDraft) -> None:
        """Mark a grant removed; RefusedError grant.removed if it was."""
        with self._trail.recorded((audit,)):
            if not self._db.change(_REMOVE_GRANT, which=grant_id, at=at_us):
                raise RefusedError("grant.removed")

    def granted_cases(
        self, person_id: PersonId, unit_ids: Sequence[UnitId], now_us: int, before: tuple[int, str] | None, limit: int
    ) -> Sequence[GrantedCase]:
        """Cases with an allow grant in force at `now_us`, newest (registered_us, case_id) first, keyset-paged.

        One row a case: the person's own grant before a unit's, and of several in force the one granted last.
        """
        statement, place = (_FIRST_PAGE, {}) if before is None else (_NEXT_PAGE, {"before_us": before[0], "before_id": before[1]})
        page: list[GrantedCase] = []
        with ExitStack() as open_streams:
            streams: list[Iterator[Row]] = [
                open_streams.enter_context(self._db.stream(statement, grantee_id=grantee, **place))
                for grantee in dict.fromkeys((person_id, *unit_ids))
            ]
            merged = heapq.merge(*streams, key=_place, reverse=True) if len(streams) > 1 else streams[0]
            for _, grants in groupby(merged, key=_place):
                in_force = [row for row in grants if row[_FROM_US_AT] <= now_us and (not row[_UNTIL_US_AT] or now_us < row[_UNTIL_US_AT])]
                if in_force:
                    page.append(_granted(max(in_force, key=_preference)))
                if len(page) >= limit:
                    break
        return page

    def denies_for(self, person_id: PersonId, unit_ids: Sequence[UnitId]) -> Sequence[GrantTerms]:
        """Every deny, not removed, on the person or one of the units."""
        grantees = dict.fromkeys((person_id, *unit_ids))
        return [_grant(row).terms for grantee in grantees for row in self._db.rows(_DENIES, grantee_id=grantee)]

    def count_granted_cases(self, person_id: PersonId, unit_ids: Sequence[UnitId]) -> int:
        """How many cases have a standing allow grant, whatever its dates; the time grows with that number."""
        grantees = list(dict.fromkeys((person_id, *unit_ids)))
        values = {f"grantee_{index}": grantee for index, grantee in enumerate(grantees)}
        row = self._db.first(_count_for(len(grantees)), **values)
        return int(row[0]) if row else 0

    def documents_of(self, case_id: CaseId) -> Sequence[DocumentRow]:
        """The documents of a case in the order they were taken in."""
        return [DocumentRow(*row[1:]) for row in self._db.rows(_DOCUMENTS_OF, case_id=case_id)]

    def document(self, document_id: DocumentId) -> DocumentRow | None:
        """One visible document."""
        row = self._db.first(_DOCUMENT, document_id=document_id)
        return DocumentRow(*row[1:]) if row else None

    def add_document(self, document: DocumentRow, audit: AuditDraft) -> None:
        """Make a document visible; its chunks are already committed in the content store."""
        with self._trail.recorded((audit,)):
            self._db.change(
                _ADD_DOCUMENT,
                document_id=document.document_id,
                case_id=document.case_id,
                card_sealed=document.card_sealed,
                chunk_salt=document.chunk_salt,
                chunk_count=document.chunk_count,
                size_bytes=document.size_bytes,
            )

    def document_ids(self) -> Sequence[DocumentId]:
        """Every visible document: what the content store's sweep keeps."""
        return [DocumentId(row[0]) for row in self._db.rows(_DOCUMENT_IDS)]


_place = itemgetter(case_grant.c.keys().index("registered_us"), case_grant.c.keys().index("case_id"))
_GRANTEE_KIND_AT = case_grant.c.keys().index("grantee_kind")
_GRANTED_US_AT = case_grant.c.keys().index("granted_us")
_FROM_US_AT, _UNTIL_US_AT = case_grant.c.keys().index("from_us"), case_grant.c.keys().index("until_us")
_KINDS = {kind.value: kind for kind in GranteeKind}


def _preference(row: Row) -> tuple[bool, int, str]:
    """The person's own grant, then the newest."""
    return row[_GRANTEE_KIND_AT] == GranteeKind.PERSON.value, row[_GRANTED_US_AT], row[0]


def _granted(row: Row) -> GrantedCase:
    out = row[_GRANT_WIDTH + _CASE_WIDTH :]
    return GrantedCase(
        case=CaseRow(*row[_GRANT_WIDTH : _GRANT_WIDTH + _CASE_WIDTH]),
        grant=_grant(row[:_GRANT_WIDTH]),
        check_out=check_out_from(out) if out[0] is not None else None,
    )


def _grant(row: Row) -> GrantRow:
    terms = GrantTerms(
        row[0], row[1], Effect(row[2]), GranteeKind(row[3]), row[4], row[5], row[6], row[7], row[8], row[9]
    )  # fmt: skip
    return GrantRow(terms, row[10], row[11], row[12])


def _grant_values(grant: GrantRow, registered_us: int) -> dict[str, object]:
    terms = grant.terms
    return {
        "grant_id": terms.grant_id,
        "case_id": terms.case_id,
        "effect": terms.effect.value,
        "grantee_kind": terms.grantee_kind.value,
        "grantee_id": terms.grantee_id,
        "from_us": terms.from_us,
        "until_us": terms.until_us,
        "granted_by": terms.granted_by,
        "granted_us": terms.granted_us,
        "removed_us": terms.removed_us,
        "case_key_sealed": grant.case_key_sealed,
        "reason_sealed": grant.reason_sealed,
        "signature": grant.signature,
        "registered_us": registered_us,
    }
