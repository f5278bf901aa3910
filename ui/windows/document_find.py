"""Finding words in a document: the vault gives places, never text; this keeps them in order and moves between them.

Rules:

- A find starts at the page on screen, goes to the end and then from the beginning to where it started.
- Every answer to an older question is dropped. Moving wraps around.
- What could not be searched is kept beside what was found: nothing found there says nothing about it.

No widget here. Thread: the interface's main thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRectF, Signal

from vault.domain.identity import CheckOutId, DocumentId
from vault.services.reading import Reading
from vault.services.views import FindHit, FindResult

if TYPE_CHECKING:
    from ui.bridge import Bridge
    from vault.errors import VaultError


class DocumentFind(QObject):
    """One find. `changed` when places were added or forgotten, `refused` with the error."""

    changed = Signal()
    refused = Signal(object)

    def __init__(self, bridge: Bridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._question = 0
        self._start = 1
        self._wrapped = False
        self.words = ""
        self.hits: list[FindHit] = []
        self.unsearched: set[int] = set()
        self.current = -1
        self.running = False

    def start(self, check_out_id: CheckOutId, document_id: DocumentId, words: str, page_no: int) -> None:
        """Look for words, from a page on. `words` is not empty."""
        self.forget()
        self.words, self._start, self._wrapped = words, page_no, False
        self.running = True
        self._ask(check_out_id, document_id, page_no)

    def forget(self) -> None:
        """Drop what was found."""
        self._question += 1
        self.words, self.hits, self.current, self.running = "", [], -1, False
        self.unsearched.clear()
        self.changed.emit()

    def move(self, step: int) -> FindHit | None:
        """Go to the next place (1) or the one before (-1), around the ends; give it."""
        if not self.hits:
            return None
        self.current = (self.current + step) % len(self.hits)
        self.changed.emit()
        return self.hits[self.current]

    def on_page(self, page_no: int) -> tuple[list[QRectF], int]:
        """Give the places on a page, as fractions of the unrotated page, and which of them is the current one (-1: none)."""
        marks: list[QRectF] = []
        current = -1
        for index, hit in enumerate(self.hits):
            if hit.page_no == page_no:
                if index == self.current:
                    current = len(marks)
                marks.append(QRectF(hit.left, hit.top, hit.right - hit.left, hit.bottom - hit.top))
        return marks, current

    def _ask(self, check_out_id: CheckOutId, document_id: DocumentId, first_page: int) -> None:
        question = self._question

        def had(result: FindResult) -> None:
            if question == self._question:
                self._take(result, check_out_id, document_id)

        def not_had(error: VaultError) -> None:
            if question == self._question:
                self.running = False
                self.refused.emit(error)
                self.changed.emit()

        self._bridge.ask(Reading.find, check_out_id, document_id, self.words, first_page).then(had, not_had).owner(self)

    def _take(self, result: FindResult, check_out_id: CheckOutId, document_id: DocumentId) -> None:
        fresh = [hit for hit in result.hits if not self._wrapped or hit.page_no < self._start]
        self.unsearched.update(result.unsearched)
        kept = self.hits[self.current] if self.current >= 0 else None
        self.hits = sorted([*self.hits, *fresh], key=lambda hit: hit.page_no)  # stable: reading order within a page stays
        if kept is not None:
            self.current = self.hits.index(kept)
        elif self.hits:
            self.current = next((i for i, hit in enumerate(self.hits) if hit.page_no >= self._start), 0)
        if result.next_page and not (self._wrapped and result.next_page >= self._start):
            self._ask(check_out_id, document_id, result.next_page)
        elif not self._wrapped and self._start > 1:
            self._wrapped = True
            self._ask(check_out_id, document_id, 1)
        else:
            self.running = False
        self.changed.emit()
