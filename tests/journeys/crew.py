"""A station with everybody signed in once, so that a test can change hands without paying Argon2id each time.

The open sessions are real ones, made by signing in; `Crew.at` puts one of them back where `Session.sign_in` would have put it. What a
sign-in itself does is proven where it is the matter (tests/attacks/test_session.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.station import Station
from vault.assembly import Vault
from vault.domain.audit import AuditEntry, AuditKind
from vault.domain.casefile import Marking
from vault.domain.custody import Purpose
from vault.domain.identity import CaseId, CheckOutId, DocumentId, PersonId, UnitKind
from vault.errors import VaultError
from vault.services.page_memory import SLOT_BYTES, SLOT_COUNT
from vault.services.ports import AuditFilter
from vault.services.views import FileState, HoldingLine
from vault.services.world import OpenSession

LONG = "a reason that is long enough"
_numbers = itertools.count(1)


@dataclass
class Crew:
    """The people of a station and what they do in a test."""

    station: Station
    folder: Path
    sessions: dict[str, OpenSession]

    @classmethod
    def of(cls, station: Station, folder: Path, badges: Sequence[str]) -> Crew:
        """Sign everybody in, one after the other."""
        sessions: dict[str, OpenSession] = {}
        for badge in badges:
            station.sign_in(badge)
            session = station.vault.world.session
            assert session is not None
            sessions[badge] = session
        return cls(station, folder, sessions)

    @property
    def vault(self) -> Vault:
        return self.station.vault

    def at(self, badge: str) -> Vault:
        """Let a person sit down; whoever sat there leaves their page."""
        world = self.vault.world
        if world.session is not self.sessions[badge]:
            self.vault.reading.leave_page()
        session = self.sessions[badge]
        # A shift of its own, however far the clocks were stepped.
        session.row = replace(session.row, opened_us=world.clock.now_us())
        session.opened_boot_us = world.clock.boot_us()
        world.session = session
        return self.vault

    @contextmanager
    def nobody(self) -> Iterator[Vault]:
        """The sign-in screen."""
        self.vault.reading.leave_page()
        self.vault.world.session, before = None, self.vault.world.session
        yield self.vault
        self.vault.world.session = before

    def person_id(self, badge: str) -> PersonId:
        return self.sessions[badge].person.person_id

    def new_case(self, custodian: str, officer: str, *texts: str) -> CaseId:
        """Register a case, with a document for each text."""
        vault = self.at(custodian)
        number = next(_numbers)
        records = vault.world.directory.unit_of_kind(UnitKind.RECORDS).unit_id
        line = vault.register.register_case(
            f"2026-{number:06d}", f"Case {number}", "burglary", officer, records, Marking.OFFICIAL, ("Ada Vale",), ()
        )
        for place, text in enumerate(texts, start=1):
            path = self.folder / f"case-{number}-document-{place}.txt"
            path.write_text(text)
            view = vault.intake.start(line.case_id, (str(path),))
            assert [one.state for one in vault.intake.status(view.intake_no).files] == [FileState.DONE]
        return line.case_id

    def take(self, badge: str, case_id: CaseId) -> HoldingLine:
        """Check a case out for the first purpose offered."""
        custody = self.at(badge).custody
        purpose = custody.choices(case_id).purposes[0]
        return custody.check_out(case_id, purpose, 0, LONG if purpose is Purpose.OTHER else "")

    def first_document(self, check_out_id: CheckOutId) -> DocumentId:
        return self.vault.reading.open_file(check_out_id).documents[0].document_id

    def trail(self, *kinds: AuditKind, case_id: CaseId | None = None) -> list[AuditEntry]:
        """The entries of some kinds, oldest first."""
        wanted = AuditFilter(kinds=tuple(kind.value for kind in kinds), case_id=case_id)
        return list(reversed(self.vault.store.audit_entries(wanted, 0, 100_000)))

    def something_to_see(self) -> bool:
        """Whether anything is left in the page memory."""
        return any(bytes(self.station.pages.view(slot)) != bytes(SLOT_BYTES) for slot in range(SLOT_COUNT))

    def head(self) -> int:
        return self.vault.store.audit_head()[0]


def refused(code: str) -> pytest.RaisesExc[VaultError]:
    """The block is refused with exactly that code."""
    return pytest.RaisesExc(VaultError, match=f"^{code.replace('.', chr(92) + '.')}( |$)")
