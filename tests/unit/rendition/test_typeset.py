"""Line breaking and encodings, without pdfium or a process."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vault.rendition.blocks import BlockReader
from vault.rendition.fonts import FontSet
from vault.rendition.text import decoded, guess_encoding, looks_like_text, paragraphs
from vault.rendition.typeset import LETTER, PAGE_WIDTH_PT, TYPEWRITER, Style, Typesetter


@pytest.fixture(scope="module")
def fonts() -> FontSet:
    return FontSet.load(Path(__file__).parents[3] / "resources" / "fonts")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@pytest.mark.parametrize("style", [TYPEWRITER, LETTER])
@given(text=st.text(st.characters(categories=["L", "N", "P", "Zs", "So"]), max_size=600))
def test_lines_fit_the_page_and_no_character_is_lost(fonts: FontSet, style: Style, text: str) -> None:
    typesetter = Typesetter(fonts, style)
    lines = [line.text for line in typesetter.wrap(text)]
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert sum(typesetter.glyph_width(character) for character in line) <= PAGE_WIDTH_PT - 2 * 48 + 0.01


def test_lines_break_between_words(fonts: FontSet) -> None:
    lines = [line.text for line in Typesetter(fonts, LETTER).wrap("alpha beta gamma " * 40)]
    assert len(lines) > 5
    assert {word for line in lines for word in line.split(" ")} == {"alpha", "beta", "gamma"}


@given(st.lists(st.text(st.characters(exclude_characters="\r\n", categories=["L"]), max_size=5)), st.integers(1, 7))
def test_paragraphs_do_not_depend_on_where_the_pieces_are_cut(lines: list[str], step: int) -> None:
    text = "\r\n".join(lines)
    pieces = (text[start : start + step] for start in range(0, len(text), step))
    assert list(paragraphs(pieces)) == (lines[:-1] if lines and not lines[-1] else lines)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("Grüße".encode(), "utf-8"),
        ("Grüße".encode()[:3], "utf-8"),  # cut inside a character, as a sample is
        ("Grüße".encode("cp1252"), "cp1252"),
        ("\ufeffGrüße".encode(), "utf-8-sig"),
        ("Grüße aus Berlin".encode("utf-16-le"), "utf-16-le"),
        ("Grüße aus Berlin".encode("utf-16-be"), "utf-16-be"),
        ("Grüße".encode("utf-16"), "utf-16"),
        ("Grüße".encode("utf-32"), "utf-32"),
        ("日本".encode("iso2022-jp"), "iso2022-jp"),
    ],
)
def test_the_encoding_is_told(data: bytes, encoding: str) -> None:
    assert guess_encoding(data, whole=False) == encoding
    assert looks_like_text(data)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
@pytest.mark.parametrize("before", [70_000, 256 * 1024 - 3, 600_000])
def test_the_encoding_is_told_where_plain_letters_end_however_far_down(before: int, encoding: str) -> None:
    text = "a" * before + "Grüße an José\n"
    data = text.encode(encoding)
    assert "".join(decoded(BlockReader(len(data), lambda offset, length: data[offset : offset + length]))) == text
