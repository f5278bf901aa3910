"""Texts of before Unicode: what they are read as, and that the page says it is a guess."""

from __future__ import annotations

import codecs
import os
import sys
import time
from pathlib import Path

import pytest

from tests.unit.rendition.samples import MemorySource
from vault.domain.casefile import DocumentKind
from vault.rendition import legacy_encoding
from vault.rendition.blocks import BlockReader
from vault.rendition.client import RenditionWorker
from vault.rendition.fonts import FontSet
from vault.rendition.mail import decoded_header, parsed, shown_texts
from vault.rendition.text import TextDocument, decoded, looks_like_text


@pytest.fixture(scope="module")
def fonts() -> FontSet:
    return FontSet.load(Path(__file__).parents[3] / "resources" / "fonts")


TEXTS = [
    ("cp932", "平成三十年四月十二日、被疑者は東京都港区のコンビニエンスストアにおいて商品を窃取した。"),
    ("euc-jp", "目撃者の供述によれば、黒い上着を着ていたという。"),
    ("gbk", "二零二六年三月五日晚上十点左右，嫌疑人在火车站附近的超市门口与被害人发生争执。"),
    ("big5", "目擊者稱嫌疑人隨後駕車離開現場，車牌號碼沒有看清楚。"),
    ("euc-kr", "목격자는 검은 옷을 입은 남자를 보았다고 진술하였다."),
    ("koi8-r", "Свидетель показал, что видел подозреваемого около магазина."),
    ("cp1251", "Свидетель показал, что видел подозреваемого около магазина."),
    ("cp866", "Свидетель показал, что видел подозреваемого около магазина."),
    ("iso8859-2", "Świadek zeznał, że widział podejrzanego w pobliżu sklepu około godziny dziesiątej."),
    ("cp1250", "Świadek zeznał: „Widziałem podejrzanego w pobliżu sklepu około godziny dziesiątej”."),
    ("cp1253", "Ο μάρτυρας κατέθεσε ότι είδε τον ύποπτο κοντά στο κατάστημα."),
    ("cp1254", "Tanık, şüpheliyi akşam saat on sıralarında mağazanın yakınında gördüğünü söyledi."),
    ("cp1255", "העד מסר כי ראה את החשוד ליד החנות בסביבות השעה עשר בערב."),
    ("cp1256", "أفاد الشاهد بأنه رأى المشتبه به قرب المتجر حوالي الساعة العاشرة مساء."),
    ("mac-roman", "Le témoin a déclaré avoir vu le suspect près du magasin. Il n’a pas retenu le numéro."),
    ("cp1252", "Le témoin a déclaré avoir vu le suspect près du magasin. Il n’a pas retenu le numéro."),
    ("cp1252", "Der Zeuge gab an, den Verdächtigen gegen 22 Uhr gesehen zu haben."),
    ("cp1252", "A testemunha declarou que não se lembra da placa; João não saiu."),
    ("cp1252", "Grüße"),
    ("cp1252", "£"),
]


@pytest.mark.parametrize(("encoding", "text"), TEXTS, ids=[f"{encoding} {text[:8]}" for encoding, text in TEXTS])
def test_it_is_read_as_it_was_written_and_said_to_be_a_guess(encoding: str, text: str) -> None:
    data = ("name;date;remark\n" * 5000 + text).encode(encoding)  # plain letters for longer than is looked at
    assert looks_like_text(data[:65536])
    said: list[str] = []
    pieces = decoded(BlockReader(len(data), lambda offset, length: data[offset : offset + length]), said.append)
    assert "".join(pieces).splitlines()[-1] == text
    assert [one for one in said if one] == [legacy_encoding.note(legacy_encoding.guess(text.encode(encoding)))]
    assert "which is a guess" in "".join(said)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "ascii", "iso2022-jp"])
def test_what_is_told_is_no_guess(encoding: str) -> None:
    data = ("Plain" if encoding == "ascii" else "被疑者は東京都").encode(encoding)
    said: list[str] = []
    list(decoded(BlockReader(len(data), lambda offset, length: data[offset : offset + length]), said.append))
    assert "".join(said) == ""


def test_utf_8_with_a_damaged_byte_is_still_utf_8() -> None:
    words = "Der Zeuge gab an, den Verdächtigen gegen 22 Uhr in der Nähe des Geschäfts gesehen zu haben. "
    data = bytearray((words * 9).encode())
    data[data.index("ä".encode())] = 0x20
    said: list[str] = []
    text = "".join(decoded(BlockReader(len(data), lambda offset, length: bytes(data[offset : offset + length])), said.append))
    assert text == (words * 9).replace("ä", " \ufffd", 1)
    assert "".join(said) == ""


def test_the_guess_stands_on_the_page(fonts: FontSet) -> None:
    data = "Свидетель показал, что видел подозреваемого.\n".encode("koi8-r")
    document = TextDocument(BlockReader(len(data), lambda offset, length: data[offset : offset + length]), fonts)
    first, empty, line = (one.text for one in document._pages[0])
    assert first == "[ The encoding of this text is not told. It is read as KOI8-R, which is a guess. ]"
    assert (empty, line) == ("", "Свидетель показал, что видел подозреваемого.")


def test_the_guess_stands_in_a_mail_before_what_it_is_about() -> None:
    words = "Свидетель показал, что видел подозреваемого около магазина."
    head = b"From: a@x.example\nTo: b@x.example\nSubject: s\nContent-Transfer-Encoding: 8bit\n"
    [text], _ = shown_texts(parsed(head + b"\n" + words.encode("cp1251")))
    assert text == f"{legacy_encoding.note('cp1251')}\n\n{words}"
    [text], _ = shown_texts(parsed(head + b"Content-Type: text/plain; charset=windows-1251\n\n" + words.encode("cp1251")))
    assert text == words, "it says what it is in"
    [(_, subject)] = parsed(b"Subject: " + words.encode("cp1251") + b"\n\n").raw_items()
    assert decoded_header(subject) == words


def test_hostile_bytes_cost_little_and_load_nothing_that_the_sandbox_would_not_let_in() -> None:
    legacy_encoding.load()
    before = set(sys.modules)
    hostile = [os.urandom(65536), b"\x81\x40" * 30000, b"\x81\x30" * 30000, b"<a " * 20000 + b"\xff"]
    hostile += [f'<?xml version="1.0" encoding="{name}"?>'.encode(name) + b"\xff" for name in ("cp037", "cp500", "cp1140")]
    hostile += [bytes([code]) * 20000 for code in range(0x80, 0x100, 7)] + [os.urandom(300) for _ in range(300)]
    spent = time.process_time()
    for data in hostile:
        codecs.lookup(legacy_encoding.guess(data))
    assert time.process_time() - spent < 0.05 * len(hostile)
    assert set(sys.modules) == before


def test_the_sandboxed_worker_reads_them_all(worker: RenditionWorker) -> None:
    worker.start()
    pid = worker.process_id
    for encoding, text in TEXTS:
        if encoding in {"euc-kr", "cp1255", "cp1256"} or len(text) == 1:  # no glyphs, another order on paper, no word
            continue
        opened = worker.open(MemorySource(f"{text}\n".encode(encoding)), DocumentKind.TEXT)
        assert worker.find(opened.handle, text[:5], 1, 1).hits, (encoding, text)
        assert worker.find(opened.handle, "which is a guess", 1, 1).hits
        worker.close(opened.handle)
    for name in ("idna", "cp037", "rot13", "no-such-thing"):  # a codec that is not loaded, one of other letters, none
        data = f'<?xml version="1.0" encoding="{name}"?>'.encode("cp037" if name == "cp037" else "ascii") + b"\xe9\xff caf\xe9\n"
        worker.close(worker.open(MemorySource(data), DocumentKind.TEXT).handle)
    assert worker.process_id == pid, "none cost the worker its life"
