"""An hour of ordinary work, its acts one after the other without the pauses: nothing of it may become a report.

An hour of reading is compressed, not shortened: 60 pages turned, 120 scrolls, 12 zooms, six searches, two locks, a backup of other folders
twice, 20 pieces of text copied in another window and two pictures of the screen's size and a film saved there, 60 files saved, four of the
system's programs opened.
"""

from __future__ import annotations

import os

from PIL import Image

from tests.attacks.suite.rig import OFFICER, Rig, passphrase_of, stopped, wait_until
from tests.screen import SIZE

PAGES, SCROLLS, ZOOMS, SEARCHES, LOCKS, COPIES, SAVES = 60, 120, 12, 6, 2, 20, 60
_COVERED_SECONDS = 6  # a picture that is saved sooner after its page went may be of it


def hour(rig: Rig) -> None:
    """Do it."""
    rig.page()
    with rig.act("hour", "an hour of ordinary work") as act:
        _read(rig)
        _search(rig)
        _other_windows(rig)
        rig.attend()
        rig.page()
        _files(rig)
        rig.page()
        _lock(rig)
        act.check(rig.screen.shows_page(), "the page is on the screen at the end")


def _read(rig: Rig) -> None:
    desk = rig.desk
    turn = ["Next"] * 5 + ["Prior"] * 5
    for number in range(PAGES):
        before = desk.key(turn[number % len(turn)])
        desk.wait("painted *", since=before)
    rig.xdotool("mousemove", 700, 480)
    for number in range(SCROLLS):
        rig.xdotool("click", 5 if number % 4 < 2 else 4)
    for number in range(ZOOMS):
        desk.key("ctrl+plus" if number % 2 == 0 else "ctrl+minus")
    desk.settle()


def _search(rig: Rig) -> None:
    desk = rig.desk
    for number in range(SEARCHES):
        before = desk.key("ctrl+f")
        desk.wait("focus reader_find_field", since=before)
        desk.type(("witness", "address", "nothing like it")[number % 3])
        desk.key("Return")
        desk.settle()
        before = desk.key("Escape")
        desk.wait("focus reader_page_view", since=before)


def _other_windows(rig: Rig) -> None:
    """Another window is opened, worked in and closed: text is typed, marked and copied there, and pictures are saved."""
    for program in ("xterm", "xclock", "xcalc", "xlogo"):
        other = rig.start(program)
        try:
            rig.xdotool("windowfocus", "--sync", rig.window(program))
            wait_until(lambda: not rig.screen.shows_page(), 5.0)  # a page is not shown to whoever works elsewhere
            if program == "xterm":
                rig.xdotool("type", "--delay", "2", "echo the shopping list: bread, milk")
                for number in range(COPIES):
                    which = "clipboard" if number % 2 else "primary"
                    rig.run("sh", "-c", f"echo line {number} | xclip -in -selection {which} >/dev/null 2>&1")
                wait_until(rig.screen.shows_page, _COVERED_SECONDS)  # it stays covered for that long
                _pictures(rig)
                rig.rest()
        finally:
            stopped(other)


def _pictures(rig: Rig) -> None:
    pictures = rig.home / "Pictures"
    pictures.mkdir(exist_ok=True)
    for name in ("holiday.png", "holiday.jpg"):
        Image.new("RGB", SIZE, "olive").save(pictures / name)
    (pictures / "holiday.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isommp41" + bytes(4096))


def _files(rig: Rig) -> None:
    """Small files are saved and other folders backed up."""
    letters = rig.home / "Documents" / "letters"
    letters.mkdir(parents=True, exist_ok=True)
    for number in range(SAVES):
        part = letters / f"letter-{number}.part"
        part.write_text(f"Dear {number},\n" * 20)
        part.replace(letters / f"letter-{number}.txt")
    (rig.home / "Pictures").mkdir(exist_ok=True)
    (rig.home / "Desktop").mkdir(exist_ok=True)
    (rig.home / "Desktop" / "noise.bin").write_bytes(os.urandom(3_000_000))
    for _ in range(2):
        rig.run("tar", "cf", rig.home / "Downloads" / "backup.tar", "-C", rig.home, "Documents", "Desktop", "Pictures")
        rig.run("rsync", "-a", f"{rig.home / 'Documents'}/", f"{rig.home / 'Downloads' / 'mirror'}/")
        rig.run("sh", "-c", f"ls -laR {rig.home} > /dev/null; du -s {rig.home} > /dev/null; stat {rig.station.directory}/* > /dev/null")
    rig.rest()


def _lock(rig: Rig) -> None:
    for _ in range(LOCKS):
        before = rig.desk.key("ctrl+l")
        rig.desk.wait("show lock*", since=before)
        rig.desk.wait("focus lock_passphrase", since=before, seconds=60)
        rig.desk.settle()
        rig.desk.type(passphrase_of(OFFICER))
        before = rig.desk.key("Return")
        rig.desk.wait("show shell", since=before, seconds=60)
        rig.desk.settle()
        rig.page()
