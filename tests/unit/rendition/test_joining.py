"""Arabic letters in the shapes their neighbours ask for, and found as they are typed."""

from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from tests.unit.rendition.samples import MemorySource
from tests.unit.rendition.test_client import disclosed
from vault.domain.casefile import DocumentKind
from vault.rendition.client import RenditionWorker
from vault.rendition.joining import joined
from vault.services.page_memory import PageMemory


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("plain (line) 12", "plain (line) 12"),
        ("ب", "ب"),  # alone
        ("بب", "\ufe91\ufe90"),  # initial, final
        ("ببب", "\ufe91\ufe92\ufe90"),  # initial, medial, final
        ("دب", "دب"),  # dal goes on to nothing
        ("بد", "\ufe91\ufeaa"),
        ("ب ب", "ب ب"),
        ("سلام", "\ufeb3\ufefcم"),  # lam and alef are one sign, joined to what is before
        ("لا", "\ufefb"),
        ("ب\u064eب", "\ufe91\u064e\ufe90"),  # a mark is looked over
        ("ء", "ء"),
        ("بء", "بء"),  # hamza joins to nothing
        ("ب\u200cب", "ب\u200cب"),  # kept apart
        ("ب\u200d", "\ufe91\u200d"),  # as if something followed
        ("بـ", "\ufe91ـ"),
        ("پنجاه", "\ufb58\ufee8\ufea0\ufe8eه"),  # Persian
    ],
)
def test_letters_take_the_shapes_of_their_places(spoken: str, written: str) -> None:
    assert joined(spoken) == written


@given(st.text(st.characters(min_codepoint=0x600, max_codepoint=0x6FF) | st.sampled_from(" a1\u200d\u0301"), max_size=40))
def test_no_letter_is_lost_or_changed(text: str) -> None:
    assert unicodedata.normalize("NFKC", joined(text)) == unicodedata.normalize("NFKC", text)


@pytest.mark.parametrize("word", ["السلام", "الشاهد", "پنجاه", "لا"])
def test_a_joined_word_is_found_as_it_is_typed_and_read_as_it_is_spoken(worker: RenditionWorker, word: str) -> None:
    for data, kind in (
        (f"Line: {word} 12\n".encode(), DocumentKind.TEXT),
        (f"From: a@x.example\nTo: b@x.example\nContent-Type: text/plain; charset=utf-8\n\n{word}\n".encode(), DocumentKind.MAIL),
    ):
        opened = worker.open(MemorySource(data), kind)
        assert worker.find(opened.handle, word, 1, 1).hits
        assert word in worker.text(opened.handle, 1)
        worker.close(opened.handle)


def test_joined_letters_meet_on_the_page(worker: RenditionWorker, page_memory: PageMemory) -> None:
    """Letters that join are one stroke; the same ones kept apart leave gaps."""

    def gaps(text: str) -> int:
        page = disclosed(worker, page_memory, f"{text}\n".encode(), DocumentKind.TEXT).convert("L")
        blank = disclosed(worker, page_memory, b"\n", DocumentKind.TEXT).convert("L")
        ink = ImageChops.difference(page, blank).point(lambda level: 255 if level > 60 else 0)
        box = ink.getbbox()
        assert box is not None
        columns = ink.crop(box).resize((box[2] - box[0], 1), Image.Resampling.BOX).tobytes()
        return sum(before > 0 and now == 0 for before, now in itertools.pairwise(columns))

    letter = "\u0647"  # heh
    assert gaps(5 * letter) == 0
    assert gaps("\u200c".join(5 * letter)) >= 3
