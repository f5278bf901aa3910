"""The rows of a long list that are in memory: pages of 200, the last eight used, asked for by keyset anchor.

Rules of this module:

- A list of a million rows holds at most 1 600 of them. Memory does not grow with scrolling, but for one small anchor a page seen.
- A page is asked for once while its answer is awaited. An answer to an older question (before `reset`) is dropped.
- Anchors make the store's work independent of how deep the page is: it seeks to the anchor and skips `skip_rows`, 0 when scrolling.

No Qt here. Thread: the interface's main thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

PAGE_ROWS = 200
_PAGES_KEPT = 8

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One question to the source.

    `first_row` is 0-based and a multiple of 200; `rows` how many are wanted, at most 200. `after` is the anchor of a row before the page
    (None: the beginning) and `skip_rows` how many rows lie between it and `first_row`. `generation` comes back with the answer.
    """

    first_row: int
    rows: int
    after: str | None
    skip_rows: int
    generation: int


class RowWindow(Generic[R]):
    """A window on `row_count` rows."""

    def __init__(self) -> None:
        self.row_count = 0
        self.generation = 0
        self._pages: OrderedDict[int, Sequence[R]] = OrderedDict()
        self._anchors: dict[int, str] = {}  # page number -> anchor of its last row
        self._awaited: set[int] = set()

    def reset(self, row_count: int) -> None:
        """Forget every row: the list is another one now, of `row_count` rows."""
        self.row_count = row_count
        self.generation += 1
        self._pages.clear()
        self._anchors.clear()
        self._awaited.clear()

    def row(self, index: int) -> R | None:
        """Give a row that is in memory, and keep its page longer; None when it is not here."""
        page = self._pages.get(index // PAGE_ROWS)
        if page is None or index % PAGE_ROWS >= len(page):
            return None
        self._pages.move_to_end(index // PAGE_ROWS)
        return page[index % PAGE_ROWS]

    def missing(self, first: int, last: int) -> list[PageRequest]:
        """Give the questions to ask so that rows `first`..`last` (0-based, inclusive) come into memory. Each is asked once."""
        wanted = []
        for page_no in range(max(0, first) // PAGE_ROWS, min(last, self.row_count - 1) // PAGE_ROWS + 1):
            if page_no in self._pages:
                self._pages.move_to_end(page_no)  # wanted now: the answer for a neighbour must not push it out
                continue
            if page_no in self._awaited:
                continue
            self._awaited.add(page_no)
            near = max((known for known in self._anchors if known < page_no), default=-1)
            start = page_no * PAGE_ROWS
            wanted.append(
                PageRequest(
                    first_row=start,
                    rows=min(PAGE_ROWS, self.row_count - start),
                    after=self._anchors.get(near),
                    skip_rows=start - (near + 1) * PAGE_ROWS,
                    generation=self.generation,
                )
            )
        return wanted

    def supply(self, request: PageRequest, rows: Sequence[R], last_anchor: str | None) -> bool:
        """Take an answer.

        Args:
            request: the question, unchanged.
            rows: at most ``request.rows``; fewer at the end of the list. Kept as they are: a sequence may make a row when it is looked at.
            last_anchor: the anchor of the last of them, None when there are none.
        Returns:
            False when the question is out of date and the answer was dropped.
        """
        if request.generation != self.generation:
            return False
        page_no = request.first_row // PAGE_ROWS
        self._awaited.discard(page_no)
        self._pages[page_no] = rows
        self._pages.move_to_end(page_no)
        if last_anchor is not None and len(rows) == PAGE_ROWS:
            self._anchors[page_no] = last_anchor
        while len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        return True

    def refused(self, request: PageRequest) -> None:
        """Take back a question the source could not answer, so that it can be asked again."""
        if request.generation == self.generation:
            self._awaited.discard(request.first_row // PAGE_ROWS)

    def replace(self, index: int, row: R) -> None:
        """Change one row in place, if it is in memory."""
        page = self._pages.get(index // PAGE_ROWS)
        if page is not None and index % PAGE_ROWS < len(page):
            changed = list(page)
            changed[index % PAGE_ROWS] = row
            self._pages[index // PAGE_ROWS] = changed
