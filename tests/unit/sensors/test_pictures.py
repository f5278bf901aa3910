"""Which new files count as a picture of the screen."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from vault.domain.breach import Signal, SignalKind
from vault.sensors.pictures import NewPictures, Picture, recognise

SCREEN = (1280, 800)


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [("png", "PNG"), ("jpg", "JPEG"), ("gif", "GIF"), ("bmp", "BMP"), ("ppm", "PNM"), ("webp", "WebP"), ("tiff", "TIFF")],
)
@pytest.mark.parametrize("size", [(1280, 800), (641, 399)])
def test_pictures_are_known_by_their_first_bytes(tmp_path: Path, suffix: str, kind: str, size: tuple[int, int]) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.new("RGB", size, "red").save(path)
    assert recognise(path.read_bytes()) == Picture(kind, *size)


def test_a_lossless_webp(tmp_path: Path) -> None:
    Image.new("RGB", (640, 400), "red").save(tmp_path / "a.webp", lossless=True)
    assert recognise((tmp_path / "a.webp").read_bytes()) == Picture("WebP", 640, 400)


def test_a_jpeg_with_long_metadata(tmp_path: Path) -> None:
    Image.new("RGB", (640, 400), "red").save(tmp_path / "a.jpg", comment=b"x" * 60_000)
    assert recognise((tmp_path / "a.jpg").read_bytes()) == Picture("JPEG", 640, 400)


@pytest.mark.skipif(shutil.which("convert") is None, reason="needs ImageMagick")
def test_an_xwd(tmp_path: Path) -> None:
    subprocess.run(["convert", "-size", "640x400", "xc:red", f"xwd:{tmp_path / 'a'}"], check=True)
    assert recognise((tmp_path / "a").read_bytes()) == Picture("XWD", 640, 400)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
@pytest.mark.parametrize(("suffix", "kind"), [("mp4", "MP4"), ("mkv", "Matroska"), ("webm", "Matroska"), ("avi", "AVI")])
def test_films(tmp_path: Path, suffix: str, kind: str) -> None:
    path = tmp_path / f"a.{suffix}"
    made = subprocess.run(["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "color=red:s=64x64:d=0.2", str(path)], check=False)
    if made.returncode:
        pytest.skip("this ffmpeg cannot")
    picture = recognise(path.read_bytes())
    assert picture is not None
    assert (picture.kind, picture.is_film) == (kind, True)


@pytest.mark.parametrize(
    "head", [b"", b"P", b"PK\x03\x04", b"BM", b"\0\0\0\0", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0\xff\xff", b"%PDF-1.4", b"P6 x y"]
)
def test_what_is_no_picture_or_too_short(head: bytes) -> None:
    assert recognise(head) is None


# size · counts on a screen of 1280 × 800
SIZES = [
    ((1280, 800), True),
    ((640, 400), True),
    ((480, 270), True),
    ((400, 300), False),  # less than an eighth
    ((1281, 800), False),  # does not fit: a photograph
    ((4000, 3000), False),
    ((64, 64), False),
]


@pytest.mark.parametrize(("size", "counts"), SIZES)
def test_only_pictures_of_the_screens_size_count(tmp_path: Path, size: tuple[int, int], counts: bool) -> None:
    path = tmp_path / "holiday"
    Image.new("RGB", size, "red").save(path, "PNG")
    told: list[Signal] = []
    pictures = NewPictures(lambda: True, lambda: SCREEN, told.append)
    for _ in range(2):
        pictures.look(path, path.read_bytes()[:4096])
    assert [one.kind for one in told] == [SignalKind.NEW_PICTURE] * counts


def test_what_is_put_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    head = b"\x89PNG\r\n\x1a\n"
    os.mkfifo(tmp_path / "pipe.png")
    Image.new("RGB", SCREEN, "red").save(tmp_path / "real.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    pictures = NewPictures(lambda: True, lambda: SCREEN, lambda signal: pytest.fail(str(signal)))
    for name in ("pipe.png", "link.png", "gone.png"):
        pictures.look(tmp_path / name, head)


@pytest.mark.parametrize(("seconds", "counts"), [(0.0, True), (4.9, True), (8.0, False)], ids=["seen", "just covered", "covered"])
def test_what_is_saved_while_the_page_is_covered_is_other_work(tmp_path: Path, seconds: float, counts: bool) -> None:
    Image.new("RGB", SCREEN, "red").save(tmp_path / "a.png")
    told: list[Signal] = []
    pictures = NewPictures(lambda: True, lambda: SCREEN, told.append, lambda: seconds)
    pictures.look(tmp_path / "a.png", (tmp_path / "a.png").read_bytes()[:4096])
    assert [one.kind for one in told] == [SignalKind.NEW_PICTURE] * counts


def test_nothing_counts_while_no_page_is_shown(tmp_path: Path) -> None:
    Image.new("RGB", SCREEN, "red").save(tmp_path / "a.png")
    pictures = NewPictures(lambda: False, lambda: SCREEN, lambda signal: pytest.fail(str(signal)))
    pictures.look(tmp_path / "a.png", (tmp_path / "a.png").read_bytes()[:4096])


# where it lies, whose it is and with which rights · counts. Ours may be made by ours alone, or written by it.
ANOTHERS = [
    ("in a folder that all share", 0o1777, "daemon", 0o644, False),
    ("there, where anybody may write it", 0o1777, "daemon", 0o666, True),
    ("there, of ours", 0o1777, "root", 0o644, True),
    ("in a folder that is ours, as a share has it", 0o777, "daemon", 0o644, True),
]


@pytest.mark.skipif("os.geteuid() != 0", reason="needs two accounts")
@pytest.mark.parametrize(("folder", "account", "rights", "counts"), [row[1:] for row in ANOTHERS], ids=[row[0] for row in ANOTHERS])
def test_a_picture_of_another_account_accuses_nobody(tmp_path: Path, folder: int, account: str, rights: int, counts: bool) -> None:
    place = tmp_path / "shared"
    place.mkdir()
    place.chmod(folder)
    Image.new("RGB", SCREEN, "red").save(place / "a.png")
    shutil.chown(place / "a.png", account)
    (place / "a.png").chmod(rights)
    told: list[Signal] = []
    pictures = NewPictures(lambda: True, lambda: SCREEN, told.append)
    pictures.look(place / "a.png", (place / "a.png").read_bytes()[:4096])
    assert [one.kind for one in told] == [SignalKind.NEW_PICTURE] * counts
