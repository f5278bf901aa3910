"""Words, numbers and times as people read them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui import strings
from vault.errors import DefectError

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
NOW = 1_795_348_800_000_000  # 22 Nov 2026, 12:00 UTC


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_plural_follows_the_count() -> None:
    assert strings.text("breaches.heading", count=1) == "1 open report"
    assert strings.text("breaches.heading", count=12_000) == "12\u202f000 open reports"


def test_a_missing_key_fails_a_test_and_not_a_shift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASEVAULT_STRICT", "1")
    with pytest.raises(DefectError, match=r"strings\.missing"):
        strings.text("no.such_key")
    with pytest.raises(DefectError, match=r"strings\.values"):
        strings.text("time.left", wrong="x")
    monkeypatch.setenv("CASEVAULT_STRICT", "0")
    assert strings.text("no.such_key") == "no.such_key"


@given(st.integers(min_value=-(10**15), max_value=10**15))
def test_thousands_are_parted_and_nothing_else_changes(value: int) -> None:
    written = strings.number(value)
    assert written.replace("\u202f", "") == str(value)
    assert all(len(part) == 3 for part in written.lstrip("-").split("\u202f")[1:])


@pytest.mark.parametrize(
    ("size_bytes", "written"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (4_812_000, "4.8 MB"),
        (999_600, "1.0 MB"),
        (48_230_992, "48 MB"),
        (4_000_000_000, "4.0 GB"),
    ],
)
def test_sizes(size_bytes: int, written: str) -> None:
    assert strings.size(size_bytes) == written


@pytest.mark.parametrize(
    ("offset_us", "written"),
    [
        (130 * MINUTE, "2 h 10 min left"),
        (HOUR, "1 h left"),
        (45_000_000, "45 s left"),
        (0, "0 s left"),
        (-15 * MINUTE, "overdue by 15 min"),
        (3 * DAY + 4 * HOUR, "3 d 4 h left"),
        (3 * DAY, "3 d left"),
    ],
)
def test_time_left(offset_us: int, written: str) -> None:
    assert strings.duration_left(NOW + offset_us, NOW) == written


@pytest.mark.parametrize(
    ("ago_us", "written"),
    [(0, "just now"), (59_000_000, "just now"), (3 * MINUTE, "3 min ago"), (5 * HOUR, "5 h ago"), (9 * DAY, "9 d ago")],
)
def test_age(ago_us: int, written: str) -> None:
    assert strings.age(NOW - ago_us, NOW) == written


@pytest.mark.parametrize(("at_us", "written"), [(NOW - 2 * HOUR, "10:00"), (NOW - DAY, "21 Nov 12:00"), (NOW - 365 * DAY, "22 Nov 2025")])
def test_local_time_is_as_brief_as_it_stays_clear(at_us: int, written: str) -> None:
    assert strings.local_time(at_us, NOW) == written


def test_hover_names_the_zone_and_utc() -> None:
    assert strings.local_time_full(NOW) == "22 Nov 2026, 12:00:00 UTC (2026-11-22T12:00:00Z)"
