"""What is written in several ways and typed in one."""

from __future__ import annotations

import pytest

from vault.domain.folding import folded


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("José", "jose\u0301"),
        ("Müller", "MULLER"),
        ("Straße", "STRASSE"),
        ("of\ufb01ce", "OFFICE"),
        ("ΣΟΦΌΣ", "σοφος"),
        ("İzmir", "izmir"),
        ("Королёв", "королев"),
        ("أَحْمَد", "احمد"),
        ("שָׁלוֹם", "שלום"),
        ("ＡＢＣ１２３", "abc123"),
        ("O\u2019Brien \u2014 \u201ex\u201d", 'o\'brien - "x"'),
        ("Unter\u00adsu\u200bchung", "untersuchung"),
        ("10\u00a0000", "10 000"),
        ("\u210c", "h"),
    ],
)
def test_both_are_looked_for_alike(written: str, typed: str) -> None:
    assert folded(written) == folded(typed)


@pytest.mark.parametrize(("one", "other"), [("か", "が"), ("กา", "กิ"), ("각", "간"), ("a", "ä b"), ("कि", "की"), ("ß", "s")])
def test_what_is_another_word_stays_one(one: str, other: str) -> None:
    assert folded(one) != folded(other)
