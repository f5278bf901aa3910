"""The order of letters on paper, against what UAX #9 gives."""

from __future__ import annotations

import pytest

from vault.rendition.direction import on_paper


@pytest.mark.parametrize(
    ("line", "paper"),
    [
        ("plain (line) 12", "plain (line) 12"),
        ("אבג", "גבא"),
        ("אבג 123", "123 גבא"),
        ("אבג (דה)", "(הד) גבא"),
        ("abc אבג דה 12 xyz", "abc 12 הד גבא xyz"),
        ("אבג abc 12,345 xyz דה", "הד abc 12,345 xyz גבא"),
        ("אבג 12,345.60 דה", "הד 12,345.60 גבא"),
        ("אבג $12 דה", "הד $12 גבא"),
        ("\u0639\u0631\u0628 12-34", "34-12 \u0628\u0631\u0639"),
        ("ab\u05d0\u05b8\u05d1cd", "ab\u05d1\u05d0\u05b8cd"),  # a point stays after its letter
        ("From: דוד <a@b.example>", "From: דוד <a@b.example>".replace("דוד", "דוד"[::-1])),
    ],
)
def test_letters_stand_where_they_are_read(line: str, paper: str) -> None:
    assert on_paper(line) == paper
