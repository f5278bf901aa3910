"""Every sentence of the interface, and the shapes of its numbers and times.

Rules of this module:

- Sentences stand in `resources/strings/en.toml`; code names them by dotted key. A key that is missing is a `DefectError` when the tests
  run (CASEVAULT_STRICT=1) and its own name on screen otherwise: a person with a strange word can work, a person with a crash cannot.
- ``key.one`` and ``key.other`` are chosen by the value `count`.
- Times are shown local, 24-hour; the zone is in `local_time_full`, which goes on hover. Thousands are parted by a narrow no-break space.
- A table of the file is read when its first word is asked for: reading them all would cost the first paint 10 ms. The first window's are
  looked for by their names; the file is cut into all its tables (1 ms) when a name is not found so.

Thread: the interface's main thread.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache

from ui.resource_files import RESOURCES, find_table, read_table, split_tables
from vault.errors import DefectError

_THIN = "\u202f"  # narrow no-break space
_SECOND_US = 1_000_000
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_KILO = 1_000

Value = str | int | float


class _Words:
    """The file; a table is read when its first word is asked for."""

    def __init__(self) -> None:
        self._file = RESOURCES / "strings" / "en.toml"
        self._text = "\n" + self._file.read_bytes().decode()
        self._found: set[str] = set()  # tables found by name before the file was cut
        self._unread: dict[str, str] | None = None  # the others, cut
        self._read: dict[str, str] = {}

    def find(self, key: str) -> str | None:
        """Give the sentence of a key, None if there is none."""
        sentence = self._read.get(key)
        if sentence is not None:
            return sentence
        table = key.rpartition(".")[0]
        while table:
            body = self._take(table)
            if body is not None:
                self._read.update((name, str(words)) for name, words in read_table(table, body).items())
            table = table.rpartition(".")[0]
        return self._read.get(key)

    def _take(self, table: str) -> str | None:
        """Give a table's lines, once."""
        if table in self._found:
            return None
        if self._unread is None:
            body = find_table(self._text, table)
            if body is not None:
                self._found.add(table)
                return body
            self._unread = {name: lines for name, lines in split_tables(self._file).items() if name not in self._found}
            self._text = ""
        return self._unread.pop(table, None)


@lru_cache(maxsize=1)
def _words() -> _Words:
    return _Words()


def has_text(key: str) -> bool:
    """Say whether a key has a sentence (or a singular and a plural one)."""
    return _words().find(key) is not None or _words().find(f"{key}.other") is not None


def text(key: str, /, **values: Value) -> str:
    """Give the sentence of a key with its values filled in.

    Args:
        key: dotted, for example ``desk.title``.
        values: fill the sentence's braces; an int named `count` also chooses between ``.one`` and ``.other`` and is written with `number`.
    Raises:
        DefectError: strings.missing or strings.values, only under CASEVAULT_STRICT=1; otherwise the key itself is returned.
    """
    words = _words()
    sentence = words.find(key)
    count = values.get("count")
    if sentence is None and isinstance(count, int):
        sentence = words.find(f"{key}.one" if count == 1 else f"{key}.other")
    if sentence is None:
        return _missing("strings.missing", key)
    if not values:
        return sentence
    shown = {name: number(value) if name == "count" and isinstance(value, int) else value for name, value in values.items()}
    try:
        return sentence.format(**shown)
    except (KeyError, IndexError, ValueError):
        return _missing("strings.values", key)


def _missing(code: str, key: str) -> str:
    if os.environ.get("CASEVAULT_STRICT") == "1":
        raise DefectError(code, key=key)
    return key


def number(value: int) -> str:
    """Write an integer with thin thousands separators: 18 204.

    >>> number(18204) == "18\u202f204"
    True
    """
    return f"{value:,}".replace(",", _THIN)


def size(size_bytes: int) -> str:
    """Write a size in decimal units, three figures at most: 412 B, 4.2 MB, 1.3 GB."""
    if size_bytes < _KILO:
        return text("unit.byte", n=size_bytes)
    amount, units = size_bytes / _KILO, ["kilobyte", "megabyte", "gigabyte", "terabyte"]
    while amount >= _KILO - 0.5 and len(units) > 1:
        amount /= _KILO
        units.pop(0)
    return text(f"unit.{units[0]}", n=f"{amount:.1f}" if amount < 10 else f"{amount:.0f}")  # noqa: PLR2004 -- one decimal below ten


def now_us() -> int:
    """Give the wall clock in UTC microseconds, for shown ages only; times that count come from the vault process."""
    return time.time_ns() // 1_000


def local_time(at_us: int, now: int | None = None) -> str:
    """Write a moment as briefly as it stays clear: ``14:02`` today, ``21 Nov 14:02`` this year, ``21 Nov 2025`` else.

    Args:
        at_us: UTC microseconds.
        now: UTC microseconds; None asks the wall clock.
    """
    at = time.localtime(at_us // _SECOND_US)
    today = time.localtime((now_us() if now is None else now) // _SECOND_US)
    clock, month = f"{at.tm_hour:02}:{at.tm_min:02}", text(f"month.short_{at.tm_mon}")
    if at.tm_year != today.tm_year:
        return f"{at.tm_mday} {month} {at.tm_year}"
    return clock if at.tm_yday == today.tm_yday else f"{at.tm_mday} {month} {clock}"


def local_time_full(at_us: int) -> str:
    """Write a moment for hover: local date, seconds and zone, then UTC in ISO form."""
    seconds = at_us // _SECOND_US
    at = time.localtime(seconds)
    month = text(f"month.short_{at.tm_mon}")
    local = f"{at.tm_mday} {month} {at.tm_year}, {time.strftime('%H:%M:%S', at)} {at.tm_zone}"
    return f"{local} ({time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(seconds))})"


def span(seconds: int) -> str:
    """Write a length of time in its two largest units: ``3 d 4 h``, ``2 h 10 min``, ``45 s``. `seconds` >= 0."""
    if seconds < _MINUTE_S:
        return text("span.seconds", s=seconds)
    days, rest = divmod(seconds, _DAY_S)
    hours, rest = divmod(rest, _HOUR_S)
    minutes = rest // _MINUTE_S
    if days:
        return text("span.days_hours", d=number(days), h=hours) if hours else text("span.days", d=number(days))
    if hours:
        return text("span.hours_minutes", h=hours, m=minutes) if minutes else text("span.hours", h=hours)
    return text("span.minutes", m=minutes)


def duration_left(due_us: int, now: int | None = None) -> str:
    """Write how long until a moment: ``2 h 10 min left``, or ``overdue by 15 min`` when it has passed."""
    left = (due_us - (now_us() if now is None else now)) // _SECOND_US
    return text("time.left", span=span(left)) if left >= 0 else text("time.overdue", span=span(-left))


def age(at_us: int, now: int | None = None) -> str:
    """Write how long ago a moment was: ``just now``, ``3 min ago``."""
    gone = max(0, ((now_us() if now is None else now) - at_us) // _SECOND_US)
    if gone < _MINUTE_S:
        return text("time.just_now")
    if gone >= _DAY_S:
        return text("time.ago", span=text("span.days", d=number(gone // _DAY_S)))
    if gone >= _HOUR_S:
        return text("time.ago", span=text("span.hours", h=gone // _HOUR_S))
    return text("time.ago", span=text("span.minutes", m=gone // _MINUTE_S))
