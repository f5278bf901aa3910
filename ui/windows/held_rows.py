"""A list that is held whole and shown in a record table: the bridge between a tuple of views and the table's pages.

Rules of this module:

- The items stay the page's; rows are made when the table asks for them, so that ten thousand items cost two hundred rows.
- Showing another state of the same list keeps the current item by its key; if it is gone, its place stays current.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ui.widgets.record_table import Record, RecordTable
from ui.widgets.row_window import PageRequest

Item = TypeVar("Item")

_HELD_AT_ONCE = 1_600  # what the table keeps in memory by itself


class HeldRows(Generic[Item]):
    """Items of one table."""

    def __init__(self, table: RecordTable, record: Callable[[Item], Record], key: Callable[[Item], str]) -> None:
        """Bind a table.

        Args:
            table: shows the items and nothing else.
            record: makes the row of an item; its key must be the item's.
            key: names an item.
        """
        self.table, self._record, self._key = table, record, key
        self.items: list[Item] = []
        table.page_wanted.connect(self._supply)

    def show(self, items: Sequence[Item]) -> None:
        """Show these items in this order."""
        kept, place = self.current(), self.table.current()
        self.items = list(items)
        at = next((i for i, item in enumerate(self.items) if kept is not None and self._key(item) == self._key(kept)), -1)
        at = at if at >= 0 else min(max(0, place), len(self.items) - 1)
        if len(self.items) <= _HELD_AT_ONCE:
            self.table.set_records([self._record(item) for item in self.items])
        else:
            self.table.reset(len(self.items))
        if self.items:
            self.table.set_current(at)

    def update(self, items: Sequence[Item]) -> None:
        """Show a newer state of the same list: only rows that changed are made again. Another list is shown as `show` does."""
        if [self._key(item) for item in items] != [self._key(item) for item in self.items]:
            self.show(items)
            return
        for at, (old, new) in enumerate(zip(self.items, items, strict=True)):
            if old != new:
                self.items[at] = new
                self.table.replace(at, self._record(new))

    def put(self, at: int, item: Item) -> None:
        """Show a newer state of one item, by its place; its key stays."""
        if self.items[at] != item:
            self.items[at] = item
            self.table.replace(at, self._record(item))

    def current(self) -> Item | None:
        """Give the current item, if there is one."""
        at = self.table.current()
        return self.items[at] if 0 <= at < len(self.items) else None

    def choose(self, key: str) -> bool:
        """Make an item current; False when it is not in the list."""
        at = next((i for i, item in enumerate(self.items) if self._key(item) == key), -1)
        if at >= 0:
            self.table.set_current(at)
        return at >= 0

    def _supply(self, request: PageRequest) -> None:
        wanted = self.items[request.first_row : request.first_row + request.rows]
        self.table.supply(request, [self._record(item) for item in wanted], None)
