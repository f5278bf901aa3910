"""The order in which the letters of a line stand on paper: right-to-left words, the numbers in them, brackets that face the other way.

Rules:

- The Unicode bidirectional algorithm (UAX #9) without its explicit marks, which are invisible here and turn nothing around: rules W1 to W7,
  N1, N2, L2, L4. A line's own direction is that of its first letter that has one (P2).
- A letter and the marks upon it keep their order.
- pdfium undoes this when it is asked for text, so that a find is typed as it is spoken.
- LIMIT: each line by itself: the later lines of a paragraph go by their own first letter.
"""

from __future__ import annotations

import unicodedata
from itertools import groupby
from typing import Final

_TURNED: Final = frozenset({"R", "AL", "AN"})
_MIRRORED: Final = {ord(one): other for one, other in zip("()[]{}<>«»", ")(][}{><»«", strict=True)}


def on_paper(line: str) -> str:
    """Give the characters of a line from left to right."""
    if line.isascii() or not any(unicodedata.bidirectional(one) in _TURNED for one in line):
        return line
    letters = _with_their_marks(line)
    kinds = [unicodedata.bidirectional(one[0]) for one in letters]
    base = 0 if next((kind for kind in kinds if kind in {"L", "R", "AL"}), "L") == "L" else 1
    levels = [base if kind == "LR"[base] else 1 if kind == "R" else 2 for kind in _resolved(kinds, "LR"[base])]
    placed = [one.translate(_MIRRORED) if level % 2 else one for one, level in zip(letters, levels, strict=True)]
    order = list(range(len(placed)))
    for level in range(max(levels), 0, -1):
        runs = [(turned, list(run)) for turned, run in groupby(order, lambda at, level=level: levels[at] >= level)]  # type: ignore[misc]
        order = [at for turned, run in runs for at in (reversed(run) if turned else run)]
    return "".join(placed[at] for at in order)


def _with_their_marks(line: str) -> list[str]:
    letters: list[str] = []
    for one in line:
        if letters and unicodedata.bidirectional(one) == "NSM":
            letters[-1] += one
        else:
            letters.append(one)
    return letters


def _resolved(kinds: list[str], own: str) -> list[str]:
    """L, R, EN or AN for each letter."""
    strong, found = own, list(kinds)
    for at, kind in enumerate(kinds):  # W2, W3
        if kind == "EN" and strong == "AL":
            found[at] = "AN"
        strong = kind if kind in {"L", "R", "AL"} else strong
    found = ["R" if kind == "AL" else kind for kind in found]
    for at in range(1, len(found) - 1):  # W4
        before, kind, after = found[at - 1 : at + 2]
        if before == after and (before, kind) in {("EN", "ES"), ("EN", "CS"), ("AN", "CS")}:
            found[at] = before
    for start, end in _runs(found, {"ET"}):  # W5
        if "EN" in {*found[start - 1 : start], *found[end : end + 1]}:
            found[start:end] = ["EN"] * (end - start)
    strong = own
    for at, kind in enumerate(found):  # W6, W7
        strong = kind if kind in {"L", "R"} else strong
        if kind == "EN" and strong == "L":
            found[at] = "L"
        elif kind not in {"L", "R", "EN", "AN"}:
            found[at] = "ON"
    for start, end in _runs(found, {"ON"}):  # N1, N2
        before = own if start == 0 else "L" if found[start - 1] == "L" else "R"
        after = own if end == len(found) else "L" if found[end] == "L" else "R"
        found[start:end] = [before if before == after else own] * (end - start)
    return found


def _runs(kinds: list[str], wanted: set[str]) -> list[tuple[int, int]]:
    runs, start = [], 0
    for kind, run in groupby(kinds):
        end = start + len(list(run))
        if kind in wanted:
            runs.append((start, end))
        start = end
    return runs
