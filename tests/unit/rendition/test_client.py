"""The worker as [V] sees it: pages, find, limits, and what a crash, a hang or a lying worker costs."""

from __future__ import annotations

import io
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image, ImageCms

from tests.unit.rendition.samples import MemorySource, image, mail, pdf, pdf_with_more, scanned_pdf, stream
from tests.unit.rendition.samples import pdf_of as raw_pdf
from vault.domain.casefile import NOTHING_UNSHOWN, DocumentKind, Unshown
from vault.errors import DefectError, RefusedError, TamperError, UnavailableError
from vault.rendition import client, messages
from vault.rendition.client import Limits, Picture, RenditionWorker, Rotation, Watermark
from vault.rendition.tracing import FLOOR
from vault.services.page_memory import SLOT_BYTES, PageMemory
from vault.services.rendition import Searched

MARK = Watermark(("A. Okafor · 4711", "WS-07", "CO-2026-0012", "2026-11-22 02:10"))
LATER = Watermark(("A. Okafor · 4711", "WS-07", "CO-2026-0012", "2026-11-22 02:11"))


def pixels_of(memory: PageMemory, picture: Picture) -> Image.Image:
    with memory.view(picture.slot) as slot:
        data = bytes(slot[: picture.stride_bytes * picture.height_px])
    assert set(data[3::4]) == {255}
    return Image.frombytes("RGB", (picture.width_px, picture.height_px), data, "raw", "BGRX")


def disclosed(worker: RenditionWorker, memory: PageMemory, data: bytes, kind: DocumentKind, **how: object) -> Image.Image:
    opened = worker.open(MemorySource(data), kind)
    rotation = how.get("rotation", Rotation.NONE)
    assert isinstance(rotation, Rotation)
    picture = worker.disclose(opened.handle, 1, 72, rotation, MARK, 0)
    worker.close(opened.handle)
    return pixels_of(memory, picture)


# -- pages -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ground", "level"), [("1 1 1", 255), ("0 0 0", FLOOR), ("0.5 0.5 0.5", 127)])
def test_the_mark_is_seen_on_light_dark_and_grey_and_never_above_its_opacity(
    worker: RenditionWorker, page_memory: PageMemory, ground: str, level: int
) -> None:
    page = disclosed(worker, page_memory, pdf([""], ground=ground), DocumentKind.PDF).convert("L")
    differences = [abs(value - level) for value in page.tobytes()]
    assert 15 <= max(differences) <= 0.16 * 255
    assert 0.02 < sum(difference > 4 for difference in differences) / len(differences) < 0.4


def test_a_prepared_page_is_the_same_picture_as_a_cold_one_and_marks_do_not_pile_up(
    worker: RenditionWorker, page_memory: PageMemory
) -> None:
    opened = worker.open(MemorySource(pdf(["One", "Two"])), DocumentKind.PDF)
    cold = pixels_of(page_memory, worker.disclose(opened.handle, 2, 100, Rotation.NONE, MARK, 0))
    for _ in range(3):
        other = pixels_of(page_memory, worker.disclose(opened.handle, 2, 100, Rotation.NONE, LATER, 1))
    worker.prepare(opened.handle, 2, 100, mark=LATER)
    again = pixels_of(page_memory, worker.disclose(opened.handle, 2, 100, Rotation.NONE, MARK, 1))
    worker.close(opened.handle)
    assert again.tobytes() == cold.tobytes() != other.tobytes()


def test_preparing_discloses_nothing(worker: RenditionWorker, page_memory: PageMemory) -> None:
    page_memory.wipe()
    opened = worker.open(MemorySource(pdf(["One"])), DocumentKind.PDF)
    worker.prepare(opened.handle, 1, 150, mark=MARK)
    with page_memory.view(0) as first, page_memory.view(1) as second:
        assert not any(first[: 1 << 20])
        assert not any(second[: 1 << 20])
    worker.close(opened.handle)


@pytest.mark.parametrize("rotation", list(Rotation))
def test_a_page_turns(worker: RenditionWorker, page_memory: PageMemory, rotation: Rotation) -> None:
    page = disclosed(worker, page_memory, image("PNG", (60, 40)), DocumentKind.PNG, rotation=rotation)
    red_corner = {Rotation.NONE: (2, 10), Rotation.RIGHT: (10, 2), Rotation.HALF: (27, 10), Rotation.LEFT: (10, 27)}[rotation]
    assert page.size == ((29, 20) if rotation in (Rotation.NONE, Rotation.HALF) else (20, 29))
    red, _, blue = page.getpixel(red_corner)  # type: ignore[misc]
    assert red > blue


def test_exif_orientation_turns_a_photograph_upright(worker: RenditionWorker, page_memory: PageMemory) -> None:
    page = disclosed(worker, page_memory, image("JPEG", (600, 400), orientation=6), DocumentKind.JPEG)
    assert page.size == (192, 288)
    red, _, blue = page.getpixel((96, 20))  # type: ignore[misc]
    assert red > blue  # the left half has come to the top


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK"])
def test_every_colour_mode_is_shown(worker: RenditionWorker, page_memory: PageMemory, mode: str) -> None:
    page = disclosed(worker, page_memory, image("TIFF", (200, 100), mode=mode), DocumentKind.TIFF)
    assert page.getpixel((10, 25)) != page.getpixel((90, 25)) or mode == "1"


@pytest.mark.parametrize("white", [0xFFFF, 0x0FFF])
@pytest.mark.parametrize(("mode", "order"), [("I;16", "little"), ("I;16B", "big")])
def test_sixteen_bits_a_pixel_of_which_twelve_are_used_are_not_black(
    worker: RenditionWorker, page_memory: PageMemory, white: int, mode: str, order: Literal["little", "big"], tmp_path: Path
) -> None:
    row = bytes(40 * 2) + white.to_bytes(2, order) * 40
    Image.frombytes(mode, (80, 40), row * 40).save(tmp_path / "scan.tiff")
    levels = disclosed(worker, page_memory, (tmp_path / "scan.tiff").read_bytes(), DocumentKind.TIFF).convert("L").tobytes()
    assert (min(levels) < 40, max(levels) > 215) == (True, True)


def test_a_picture_in_lab_has_its_colours(worker: RenditionWorker, page_memory: PageMemory, tmp_path: Path) -> None:
    """As scanners of print shops write them."""
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    to_lab.apply(Image.new("RGB", (200, 100), (200, 30, 60))).save(tmp_path / "scan.tiff")
    shown = disclosed(worker, page_memory, (tmp_path / "scan.tiff").read_bytes(), DocumentKind.TIFF).resize((1, 1)).getpixel((0, 0))
    assert shown == pytest.approx((200, 30, 60), abs=20)


def test_the_frames_of_a_tiff_are_its_pages(worker: RenditionWorker) -> None:
    assert worker.probe(MemorySource(image("TIFF", frames=3))).page_count == 3


@pytest.mark.parametrize(
    ("dpi", "orientation", "height"),
    [((204, 98), 1, 833), ((98, 204), 1, 192), ((204, 98), 6, 192), ((200, 200), 1, 400), ((1, 100), 1, 400), ((0, 98), 1, 400)],
)
def test_a_fax_is_as_high_as_its_paper(
    worker: RenditionWorker, page_memory: PageMemory, dpi: tuple[int, int], orientation: int, height: int
) -> None:
    size = (400, 432) if orientation == 6 else (432, 400)
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    Image.new("1", size, 1).save(out, "TIFF", compression="group3", dpi=dpi, exif=exif)
    opened = worker.open(MemorySource(out.getvalue()), DocumentKind.TIFF)
    shown = (picture := worker.disclose(opened.handle, 1, 150, Rotation.NONE, MARK, 0)).width_px, picture.height_px
    worker.close(opened.handle)
    assert shown == pytest.approx((432, height), abs=1)


def test_what_a_pdf_carries_beside_its_pages_is_counted(worker: RenditionWorker) -> None:
    assert worker.probe(MemorySource(pdf_with_more())).unshown == Unshown(attached_files=2, notes=2)
    assert worker.probe(MemorySource(pdf(["plain"]))).unshown == NOTHING_UNSHOWN


def test_scans_are_not_read_whole_to_count_their_notes(worker: RenditionWorker) -> None:
    scans = scanned_pdf(pages=5, scan_bytes=8 * 1024 * 1024)
    source = MemorySource(scans)
    assert worker.probe(source).unshown == Unshown(attached_files=0, notes=2), "those on the first two pages"
    assert source.bytes_read < 22 * 1024 * 1024


def test_a_pdf_whose_notes_cannot_be_counted_is_taken_in_all_the_same(worker: RenditionWorker) -> None:
    source = MemorySource(pdf(["one"]))
    converse, calls = worker._converse, []

    def fell(request: messages.Request, deadline: float, source: client.ChunkSource) -> messages.Reply:
        calls.append(type(request))
        if isinstance(request, messages.CountUnshown):
            os.kill(worker.process_id or 0, signal.SIGKILL)
        return converse(request, deadline, source)

    worker._converse = fell  # type: ignore[method-assign]
    try:
        assert worker.probe(source).page_count == 1
    finally:
        del worker._converse
    assert calls == [messages.ProbeDocument, messages.CountUnshown]
    assert worker.probe(source).page_count == 1, "and the next file finds a new worker"


def test_resolution_is_lowered_where_a_page_would_pass_the_pixel_limit(worker: RenditionWorker) -> None:
    huge = raw_pdf(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 14400 9000]>>"]
    )
    opened = worker.open(MemorySource(huge), DocumentKind.PDF)
    picture = worker.disclose(opened.handle, 1, 600, Rotation.NONE, MARK, 0)
    worker.close(opened.handle)
    assert picture.width_px * picture.height_px <= 16 * 1024 * 1024
    assert picture.stride_bytes * picture.height_px <= SLOT_BYTES
    assert picture.width_px / picture.height_px == pytest.approx(1.6, rel=0.01)


def test_the_first_page_of_a_large_pdf_needs_less_than_a_mebibyte(worker: RenditionWorker) -> None:
    source = MemorySource(pdf([f"Page {number}" for number in range(50)], ballast_bytes=24 * 1024 * 1024))
    opened = worker.open(source, DocumentKind.PDF)
    worker.disclose(opened.handle, 1, 150, Rotation.NONE, MARK, 0)
    worker.close(opened.handle)
    assert source.bytes_read < 1024 * 1024 < source.size_bytes / 20


def test_a_mark_without_a_word_is_a_defect(worker: RenditionWorker) -> None:
    opened = worker.open(MemorySource(pdf()), DocumentKind.PDF)
    for lines in ((), ("",), ("x",) * 7):
        with pytest.raises(DefectError, match="disclose-arguments"):
            worker.disclose(opened.handle, 1, 72, Rotation.NONE, Watermark(lines), 0)
    worker.close(opened.handle)


# -- find --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_find_gives_the_place_on_the_page_as_it_is_shown(worker: RenditionWorker, rotate: int) -> None:
    opened = worker.open(MemorySource(pdf(["nothing", "The Needle here"], rotate=rotate)), DocumentKind.PDF)
    (hit,) = worker.find(opened.handle, "nEEDLE", 1, 2).hits
    worker.close(opened.handle)
    x, y = (hit.left + hit.right) / 2, (hit.top + hit.bottom) / 2
    upright = {0: (x, y), 90: (y, 1 - x), 180: (1 - x, 1 - y), 270: (1 - y, x)}[rotate]
    assert hit.page_no == 2
    assert upright == pytest.approx((95 / 300, 96 / 400), abs=0.05)


@pytest.mark.parametrize(
    ("data", "kind", "wanted", "page_no"),
    [
        (b"first\fsecond\nthe needle, plain", DocumentKind.TEXT, "Needle", 2),
        ("Ärger mit der Straße".encode("cp1252"), DocumentKind.TEXT, "ärger", 1),
        ("\ufeffпривет, мир".encode("utf-16"), DocumentKind.TEXT, "привет", 1),
        ("住所不定".encode(), DocumentKind.TEXT, "不定", 1),
        (mail("the needle"), DocumentKind.MAIL, "needle", 1),
        (mail(subject="=?utf-8?B?TmVlZGxlIMOcYmVy?="), DocumentKind.MAIL, "needle über", 1),
        (mail("<p>nee<b>dle</b></p><script>hay</script>", extra="Content-Type: text/html\r\n"), DocumentKind.MAIL, "needle", 1),
    ],
    ids=["text", "cp1252", "utf-16", "cjk", "mail", "subject", "html"],
)
def test_text_and_mail_are_searched_like_any_page(
    worker: RenditionWorker, data: bytes, kind: DocumentKind, wanted: str, page_no: int
) -> None:
    opened = worker.open(MemorySource(data), kind)
    hits = worker.find(opened.handle, wanted, 1, opened.page_count)
    absent = worker.find(opened.handle, "hay", 1, opened.page_count)
    worker.close(opened.handle)
    assert [hit.page_no for hit in hits.hits] == [page_no]
    assert absent == Searched((), opened.page_count, ())


_WRITTEN = (
    "Jose\u0301 Mu\u0308ller, Stra\u00dfe; of\ufb01ce, Unter\u00adsuchung \U0001f600\n"
    "O\u2019Brien \u201cno\u201d ABC\u2011123, 10\u00a0000\u202fEUR\n"
    "\u03a3\u039f\u03a6\u039f\u03a3 \u0130stanbul \u0623\u062d\u0645\u062f a.b*c (d\n"
    "Smith-\nJones was seen by the investi-\ngation\n"
    f"https://x.example/{'abcdefghij' * 12}\n"
)


@pytest.mark.parametrize(
    "typed",
    [
        "José", "jose", "MÜLLER", "Muller", "STRASSE", "straße", "office", "of\ufb01ce", "Untersuchung", "O'Brien", "O’Brien", '"no"',
        "ABC-123", "10 000 EUR", "σοφός", "istanbul", "احمد", "😀", "a.b*c", "(d", "Smith-Jones", "investigation", "investi-",
        "was seen  by", "abcdefghij" * 11,
    ],
)  # fmt: skip
def test_what_is_written_in_several_ways_is_found_as_it_is_typed(worker: RenditionWorker, typed: str) -> None:
    opened = worker.open(MemorySource(_WRITTEN.encode()), DocumentKind.TEXT)
    assert worker.find(opened.handle, typed, 1, 1).hits
    assert "\ufffe" not in worker.text(opened.handle, 1), "a hyphen at a line's end is read aloud"
    worker.close(opened.handle)


@pytest.mark.parametrize("typed", ["a.c", "abc*", "\u00ad", "\u0301", "bar", "JoseMuller"])
def test_what_is_not_written_is_not_found(worker: RenditionWorker, typed: str) -> None:
    opened = worker.open(MemorySource(_WRITTEN.encode()), DocumentKind.TEXT)
    assert worker.find(opened.handle, typed, 1, 1) == Searched((), 1, ())
    worker.close(opened.handle)


@pytest.mark.parametrize("words", ["שלום עולם", "12,345", "(כן)", "مرحبا", "needle"])
def test_right_to_left_words_are_found_as_they_are_typed(worker: RenditionWorker, words: str) -> None:
    text = "שלום עולם\nהמספר הוא 12,345 ועוד needle סוף (כן)\nمرحبا بالعالم\n"
    opened = worker.open(MemorySource(text.encode()), DocumentKind.TEXT)
    assert worker.find(opened.handle, words, 1, 1).hits
    assert worker.text(opened.handle, 1).split("\n") == text.split("\n")[:3], "as it is read aloud"
    worker.close(opened.handle)


def test_a_find_that_found_much_ends_early_and_nothing_is_lost_to_who_goes_on(
    worker: RenditionWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIND_HITS_MAX", 25)
    opened = worker.open(MemorySource(b"\f".join([b"a " * 10] * 7)), DocumentKind.TEXT)
    found: list[int] = []
    last_page = 0
    while last_page < opened.page_count:
        searched = worker.find(opened.handle, "a", last_page + 1, opened.page_count)
        assert searched.unsearched == ()
        assert len(searched.hits) < 2 * client.FIND_HITS_MAX
        found += [one.page_no for one in searched.hits]
        last_page = searched.last_page
    worker.close(opened.handle)
    assert found == [page_no for page_no in range(1, 8) for _ in range(10)]


def test_a_page_with_more_hits_than_are_given_is_named(worker: RenditionWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIND_HITS_MAX", 25)
    opened = worker.open(MemorySource(b"a\f" + b"a " * 30 + b"\fa"), DocumentKind.TEXT)
    searched = worker.find(opened.handle, "a", 1, 3)
    worker.close(opened.handle)
    assert (len(searched.hits), searched.last_page, searched.unsearched) == (26, 2, (2,))


# -- what a bad worker costs -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def hasty(page_memory: PageMemory) -> Iterator[RenditionWorker]:
    """A worker of the test's own, with little patience."""
    made = RenditionWorker(page_memory, Limits(open_seconds=1.5, page_seconds=1.5, find_page_seconds=1.5))
    made.start()
    yield made
    made.end()


def stop(worker: RenditionWorker, how: signal.Signals) -> None:
    assert worker.process_id is not None
    os.kill(worker.process_id, how)


def test_a_worker_killed_in_the_middle_of_a_page_costs_that_call_only(hasty: RenditionWorker) -> None:
    source = MemorySource(pdf(["One", "Two"], ballast_bytes=1024 * 1024))
    opened = hasty.open(source, DocumentKind.PDF)
    source.on_read = lambda: stop(hasty, signal.SIGKILL)
    stop(hasty, signal.SIGKILL)  # the page is read again by a fresh worker, and that one is killed while it reads
    with pytest.raises(RefusedError, match=r"document\.worker-crashed"):
        hasty.disclose(opened.handle, 2, 72, Rotation.NONE, MARK, 0)
    source.on_read = lambda: None
    assert hasty.disclose(opened.handle, 2, 72, Rotation.NONE, MARK, 0).page_no == 2


def test_a_worker_that_hangs_is_ended_at_the_deadline(hasty: RenditionWorker) -> None:
    opened = hasty.open(MemorySource(pdf()), DocumentKind.PDF)
    hung = hasty.process_id
    stop(hasty, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(RefusedError, match=r"document\.worker-timeout"):
        hasty.disclose(opened.handle, 1, 72, Rotation.NONE, MARK, 0)
    assert time.monotonic() - began < 10
    assert not hasty.is_alive
    assert hasty.disclose(opened.handle, 1, 72, Rotation.NONE, MARK, 0).page_no == 1
    assert hasty.process_id != hung


def test_a_source_that_blocks_past_the_deadline_is_a_timeout(hasty: RenditionWorker) -> None:
    source = MemorySource(pdf())
    release = threading.Event()
    source.on_read = lambda: release.wait(30) and None
    timer = threading.Timer(3.5, release.set)
    timer.start()
    with pytest.raises(RefusedError, match=r"document\.worker-timeout"):
        hasty.open(source, DocumentKind.PDF)
    timer.join()


def test_who_reads_waits_for_a_document_as_long_as_the_intake_did(worker: RenditionWorker, monkeypatch: pytest.MonkeyPatch) -> None:
    source = MemorySource(b"a text")
    waited: list[float] = []
    call = worker._call

    def timed(request: messages.Request, expected: type[messages.Reply], seconds: float, of: MemorySource) -> messages.Reply:
        waited.append(seconds)
        return call(request, expected, seconds, of)

    monkeypatch.setattr(worker, "_call", timed)
    worker.probe(source)
    worker.close(worker.open(source, DocumentKind.TEXT).handle)
    assert waited[0] <= waited[1], "what was taken in could never be read"


def test_what_the_source_raises_reaches_the_caller_unchanged(hasty: RenditionWorker) -> None:
    source = MemorySource(pdf())

    def refuse() -> None:
        raise TamperError("storage.chunk-missing")

    source.on_read = refuse
    with pytest.raises(TamperError, match=r"storage\.chunk-missing"):
        hasty.open(source, DocumentKind.PDF)
    assert hasty.open(MemorySource(pdf()), DocumentKind.PDF).page_count == 1


def test_a_page_that_kills_the_worker_is_passed_over_by_find_and_not_prepared_again(hasty: RenditionWorker) -> None:
    opened = hasty.open(MemorySource(pdf(["needle", "needle", "needle"])), DocumentKind.PDF)
    stop(hasty, signal.SIGSTOP)
    searched = hasty.find(opened.handle, "needle", 1, 3)
    assert [hit.page_no for hit in searched.hits] == [2, 3]
    assert (searched.last_page, searched.unsearched) == (3, (1,))
    survivor = hasty.process_id
    hasty.prepare(opened.handle, 1, 72)
    assert hasty.process_id == survivor


@pytest.mark.parametrize(
    "answer",
    [
        "channel.send(m.Want(-1, 10))",
        "channel.send(m.Want(0, 10**9))",
        "channel.send(m.Want(10**9, 1))",
        "channel.send(m.Probed(DocumentKind.PDF, 0))",
        "channel.send(m.Probed(DocumentKind.PDF, 10**12))",
        "channel.send(m.Opened(1))",
        "channel.send(m.Refused('access.granted'))",
        "channel._socket.sendall(b'\\xff\\xff\\xff\\xff')",
        "channel._socket.sendall(b'\\x04\\0\\0\\0junk')",
        "sys.exit()",
    ],
)
def test_a_worker_taken_over_by_its_document_is_believed_nothing(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    script = (
        "import socket, sys; sys.path += sys.argv.pop(1).split('\\n'); from vault.rendition import messages as m;"
        "from vault.domain.casefile import DocumentKind; channel = m.Channel(socket.socket(fileno=int(sys.argv[1])));"
        f"channel.send(m.Ready(())); channel.receive_request(); {answer}; channel.receive_request()"
    )
    monkeypatch.setattr(client, "_LAUNCH", script)
    lying = RenditionWorker(None)
    with pytest.raises(RefusedError, match=r"document\.worker-crashed"):
        lying.probe(MemorySource(b"text"))
    assert not lying.is_alive


def test_a_worker_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_LAUNCH", "raise SystemExit(1)")
    with pytest.raises(UnavailableError, match=r"rendition\.worker-start"):
        RenditionWorker(None).start()


def test_a_page_that_needs_too_much_memory_is_refused_and_the_next_is_not(page_memory: PageMemory) -> None:
    worker = RenditionWorker(page_memory, Limits(memory_bytes=320 * 1024 * 1024))
    opened = worker.open(MemorySource(image("PNG", (9000, 6000))), DocumentKind.PNG)
    with pytest.raises(RefusedError, match=r"document\.(too-large|worker-crashed)"):
        worker.disclose(opened.handle, 1, 150, Rotation.NONE, MARK, 0)
    small = worker.open(MemorySource(pdf()), DocumentKind.PDF)
    assert worker.disclose(small.handle, 1, 72, Rotation.NONE, MARK, 0).page_no == 1
    worker.end()


def test_pages_outside_the_document_and_unknown_handles_are_defects(worker: RenditionWorker) -> None:
    opened = worker.open(MemorySource(pdf()), DocumentKind.PDF)
    with pytest.raises(DefectError, match="unknown-page"):
        worker.page_size(opened.handle, 2)
    worker.close(opened.handle)
    with pytest.raises(DefectError, match="unknown-handle"):
        worker.page_size(opened.handle, 1)


def test_a_page_pdfium_cannot_load_is_refused_by_itself(worker: RenditionWorker) -> None:
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]>>",
        b"(not a page)",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 90 90]/Contents 5 0 R>>",
        stream(b"0 0 10 10 re f"),
    ]
    source = MemorySource(raw_pdf(objects))
    assert worker.probe(source).page_count == 2
    opened = worker.open(source, DocumentKind.PDF)
    with pytest.raises(RefusedError, match=r"document\.page-refused"):
        worker.disclose(opened.handle, 1, 72, Rotation.NONE, MARK, 0)
    assert worker.disclose(opened.handle, 2, 72, Rotation.NONE, MARK, 0).page_no == 2
    worker.close(opened.handle)
