"""How cards and lines of cases are read: from sealed rows to what a person may see. Shared by desk, custody, reading and intake.

Control thread only. Nothing here writes.
"""

from __future__ import annotations

from unicodedata import normalize

import msgspec

from vault.domain.casefile import CaseCard, DocumentCard
from vault.domain.custody import CheckOut
from vault.domain.identity import CaseId, PersonId
from vault.errors import RefusedError
from vault.services.locksmith import CaseCipher
from vault.services.ports import CaseRow, DocumentRow
from vault.services.views import CaseLine, CaseStatus, DocumentLine, HoldingLine
from vault.services.world import World

_CARD = msgspec.json.Decoder(CaseCard)
_DOCUMENT = msgspec.json.Decoder(DocumentCard)


class Cases:
    """Opens cards."""

    def __init__(self, world: World) -> None:
        self._world = world

    # -- sealing ---------------------------------------------------------------------------------------------------------------------

    def seal_card(self, card: CaseCard, cipher: CaseCipher) -> bytes:
        """Seal an index card under its case's key."""
        return cipher.seal_card(msgspec.json.encode(card), self._world.locksmith.bind("card", card.case_id))

    def open_card(self, row: CaseRow, cipher: CaseCipher) -> CaseCard:
        """Open an index card."""
        return _CARD.decode(cipher.open_card(row.card_sealed, self._world.locksmith.bind("card", row.case_id)))

    def seal_document(self, card: DocumentCard, cipher: CaseCipher) -> bytes:
        """Seal a document's card under its case's key."""
        return cipher.seal_card(msgspec.json.encode(card), self._world.locksmith.bind("document", card.case_id, card.document_id))

    def open_document(self, row: DocumentRow, cipher: CaseCipher) -> DocumentCard:
        """Open a document's card."""
        place = self._world.locksmith.bind("document", row.case_id, row.document_id)
        return _DOCUMENT.decode(cipher.open_card(row.card_sealed, place))

    def number_blind(self, rms_number: str) -> bytes:
        """The keyed hash a case number is found by: one number, however its accents and spaces are written."""
        return self._world.locksmith.blind("case:" + normalize("NFC", " ".join(rms_number.split())).casefold())

    # -- lines -----------------------------------------------------------------------------------------------------------------------

    def row(self, case_id: CaseId) -> CaseRow:
        """Load a case that must exist. Raises RefusedError case.unknown."""
        if (row := self._world.store.case(case_id)) is None:
            raise RefusedError("case.unknown")
        return row

    def line(self, row: CaseRow, cipher: CaseCipher, check_out: CheckOut | None, *, waits: bool = False) -> CaseLine:
        """Make the register's line of a case."""
        return self.line_of_card(self.open_card(row, cipher), check_out, waits=waits)

    def line_of_card(self, card: CaseCard, check_out: CheckOut | None, *, waits: bool = False) -> CaseLine:
        """Make the register's line of an opened card."""
        world = self._world
        me: PersonId | None = world.session.person.person_id if world.session else None
        status = CaseStatus.IN_VAULT
        if check_out is not None:
            status = CaseStatus.YOURS if check_out.holder_id == me else CaseStatus.OUT
        return CaseLine(
            case_id=card.case_id,
            rms_number=card.rms_number,
            title=card.title,
            case_type=card.case_type,
            marking=card.marking,
            officer_in_charge=world.directory.brief(card.officer_in_charge),
            unit_name=world.directory.unit(card.unit_id).name,
            persons=card.persons,
            tags=card.tags,
            status=status,
            holder=world.directory.brief(check_out.holder_id) if check_out else None,
            due_back_us=check_out.due_back_us if check_out else 0,
            you_wait=waits,
        )

    def current_line(self, case_id: CaseId) -> CaseLine:
        """Load, open and describe a case the signed-in person may see."""
        cipher = self._world.require_case(case_id)
        me = self._world.require().person.person_id
        waits = any(one.person_id == me for one in self._world.store.waiting(case_id))
        return self.line(self.row(case_id), cipher, self._world.store.active_check_out(case_id), waits=waits)

    def documents(self, case_id: CaseId, cipher: CaseCipher) -> tuple[DocumentLine, ...]:
        """Describe the documents of a case, in the order they were taken in."""
        cards = [self.open_document(row, cipher) for row in self._world.store.documents_of(case_id)]
        return tuple(
            DocumentLine(one.document_id, one.title, one.kind, one.page_count, one.size_bytes, one.taken_in_us, one.sha256, one.unshown)
            for one in sorted(cards, key=lambda one: (one.title.casefold(), one.taken_in_us))
        )

    def holding(self, check_out: CheckOut, line: CaseLine, last_title: str = "", last_page: int = 0) -> HoldingLine:
        """Describe a check-out with its case."""
        return HoldingLine(
            check_out_id=check_out.check_out_id,
            check_out_no=check_out.check_out_no,
            case=line,
            purpose=check_out.purpose,
            taken_us=check_out.taken_us,
            due_back_us=check_out.due_back_us,
            recalled_us=check_out.recalled_us,
            last_document_title=last_title,
            last_page_no=last_page,
        )
