"""However it is scrolled, a long list stays small and asks for what it lacks, once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ui.widgets.row_window import PAGE_ROWS, PageRequest, RowWindow

ROWS = 10_000


def _answer(window: RowWindow[int], request: PageRequest) -> None:
    """Answer as a keyset store does: seek to the anchor, skip, take."""
    start = 0 if request.after is None else int(request.after) + 1
    start += request.skip_rows
    rows = list(range(start, min(start + request.rows, window.row_count)))
    assert start == request.first_row, "anchor and skip lead to the page"
    assert window.supply(request, rows, str(rows[-1]) if rows else None)


@given(st.lists(st.integers(min_value=0, max_value=ROWS - 1), min_size=1, max_size=60))
def test_any_scrolling_shows_the_right_rows_in_bounded_memory(tops: list[int]) -> None:
    window: RowWindow[int] = RowWindow()
    window.reset(ROWS)
    for top in tops:
        last = min(top + 40, ROWS - 1)
        for request in window.missing(top, last):
            _answer(window, request)
        assert [window.row(i) for i in range(top, last + 1)] == list(range(top, last + 1))
        held = sum(window.row(i) is not None for i in range(0, ROWS, PAGE_ROWS))
        assert held <= 8


def test_a_page_is_asked_for_once() -> None:
    window: RowWindow[int] = RowWindow()
    window.reset(ROWS)
    first = window.missing(0, 40)
    assert len(first) == 1
    assert window.missing(0, 40) == []
    window.refused(first[0])
    assert window.missing(0, 40) == first, "a refused question may be asked again"


def test_scrolling_on_skips_nothing() -> None:
    window: RowWindow[int] = RowWindow()
    window.reset(ROWS)
    for page in range(20):
        (request,) = window.missing(page * PAGE_ROWS, page * PAGE_ROWS)
        assert request.skip_rows == 0
        _answer(window, request)


def test_an_answer_to_an_older_list_is_dropped() -> None:
    window: RowWindow[int] = RowWindow()
    window.reset(ROWS)
    (old,) = window.missing(0, 0)
    window.reset(3)
    assert not window.supply(old, list(range(200)), "199")
    assert window.row(0) is None
    (new,) = window.missing(0, 2)
    assert (new.rows, new.after) == (3, None)
