"""V1-V19: out of the application itself, by keys, pointer, clipboard, accessibility, links and what it leaves in files."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.attacks.suite.papers import MARKS, WORDS
from tests.attacks.suite.rig import PROGRAMS, Rig, stopped, wait_until
from tests.attacks.suite.strip import let_assistive_technology_in
from tests.journeys.desk_driver import ROOT, DeskDriver, children_of
from vault.domain.breach import SignalKind

_ON_PAGE = (700, 480)  # a point of the page's coloured part


def copy_keys(rig: Rig) -> None:
    """V1: every key that copies or cuts."""
    for keys, kind in (
        ("ctrl+c", SignalKind.COPY_KEY),
        ("ctrl+Insert", SignalKind.COPY_KEY),
        ("ctrl+shift+c", SignalKind.COPY_KEY),
        ("super+c", SignalKind.COPY_KEY),
        ("ctrl+x", SignalKind.CUT_KEY),
        ("shift+Delete", SignalKind.CUT_KEY),
    ):
        rig.page()
        with rig.act("V1", keys, kind) as act:
            rig.xdotool("key", keys)
            act.check(not _holds_words(rig.selection("clipboard")), "the clipboard holds nothing of the page")


def drag_selects(rig: Rig) -> None:
    """V2: a drag over the words would fill PRIMARY."""
    rig.page()
    with rig.act("V2", "drag over the page", SignalKind.DRAG) as act:
        _drag(rig, (330, 180), (800, 300))
        act.check(not _holds_words(rig.selection("primary")), "PRIMARY holds nothing of the page")


def select_all(rig: Rig) -> None:
    """V3: select all, then paste what PRIMARY holds with the middle button."""
    rig.page()
    with rig.act("V3", "ctrl+a and middle button", SignalKind.SELECT_ALL_KEY) as act:
        rig.xdotool("key", "ctrl+a")
        rig.xdotool("mousemove", *_ON_PAGE, "click", 2)
        act.check(not _holds_words(rig.selection("primary")), "PRIMARY holds nothing of the page")


def context_menu(rig: Rig) -> None:
    """V4: the menu by button and by key."""
    for name, keys in (
        ("right button", ("mousemove", *_ON_PAGE, "click", 3)),
        ("menu key", ("key", "Menu")),
        ("shift+F10", ("key", "shift+F10")),
    ):
        rig.page()
        before = len(rig.windows())
        with rig.act("V4", name, SignalKind.CONTEXT_MENU) as act:
            rig.xdotool(*keys)
            act.check(len(rig.windows()) == before, "no menu opened")


def drag_out(rig: Rig) -> None:
    """V5: drag the page into another program's window."""
    rig.page()
    caught = rig.home / "dropped.json"
    target = rig.start(sys.executable, PROGRAMS / "drop_target.py", caught)
    try:
        wait_until(caught.exists, 20.0)
        rig.page()
        with rig.act("V5", "drag into another window", SignalKind.DRAG) as act:
            _drag(rig, _ON_PAGE, (1200, 60))
            act.check(json.loads(caught.read_text()) == [], "the other program was given nothing")
    finally:
        stopped(target)


def print_keys(rig: Rig) -> None:
    """V6: print, and no printing code in the process."""
    for keys in ("ctrl+p", "ctrl+shift+p"):
        rig.page()
        with rig.act("V6", keys, SignalKind.PRINT_KEY) as act:
            rig.xdotool("key", keys)
            maps = Path(f"/proc/{rig.desk.process.pid}/maps").read_text()
            act.check("PrintSupport" not in maps and "libcups" not in maps, "no printing library is loaded")


def save_keys(rig: Rig) -> None:
    """V7: save, save as."""
    for keys in ("ctrl+s", "ctrl+shift+s"):
        rig.page()
        before, windows = rig.files(), len(rig.windows())
        with rig.act("V7", keys, SignalKind.SAVE_KEY) as act:
            rig.xdotool("key", keys)
            act.check(len(rig.windows()) == windows, "no dialog opened")
            act.check(not rig.files() - before, "no file was written")


def sql_route(rig: Rig) -> None:
    """V8: with the workstation's own keys, on the product's own connection: copy the register out in the clear."""
    out = rig.home / "exported"
    out.mkdir()
    with rig.act("V8", "ATTACH, sqlcipher_export, VACUUM INTO, rekey, load_extension") as act:
        done = rig.run(
            sys.executable, "-m", "tests.attacks.suite.programs.sql_route", rig.station.directory, out, seconds=90, PYTHONPATH=str(ROOT)
        )
        said = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {}
        for statement, outcome in said.items():
            act.check(outcome == "refused", f"{statement} refused")
        act.check(len(said) >= 6, "the program ran to its end" if said else done.stderr.decode()[-300:])
        act.check(not list(out.iterdir()), "no file was written")


def accessibility(rig: Rig) -> None:
    """V9: read every accessible object of every program, as a screen reader would."""
    let_assistive_technology_in(rig)
    rig.page()
    with rig.act("V9", "AT-SPI scrape") as act:
        done = rig.run("/usr/bin/python3", PROGRAMS / "atspi_scrape.py", seconds=60)
        said = json.loads(done.stdout) if done.returncode == 0 else {"objects": 0, "texts": [done.stderr.decode()[-300:]]}
        act.check(said["objects"] > 10, f"the scraper reads the window ({said['objects']} objects)")
        act.check(not _holds_words(" ".join(said["texts"]).encode()), "no object holds a word of the page")


def link(rig: Rig) -> None:
    """V11: click where the document has a link."""
    rig.page()
    processes, windows, visits = set(children_of(rig.desk.process.pid)), len(rig.windows()), rig.visits()
    with rig.act("V11", "click on a link") as act:
        rig.xdotool("mousemove", *_ON_PAGE, "click", 1)
        rig.rest()
        act.check(rig.visits() == visits, "nobody followed it")
        act.check(set(children_of(rig.desk.process.pid)) <= processes, "no program was started")
        act.check(len(rig.windows()) == windows, "no window opened")


def remote_resources(rig: Rig) -> None:
    """V12: show a mail that wants to load pictures, styles and frames."""
    rig.page()
    visits = rig.visits()
    with rig.act("V12", "show a mail with remote pictures") as act:
        before = rig.desk.key("bracketright")
        rig.desk.wait("painted *", since=before)
        rig.rest()
        act.check(rig.visits() == visits, "nothing was loaded")
    before = rig.desk.key("bracketleft")
    rig.desk.wait("painted *", since=before)


def titles(rig: Rig) -> None:
    """V14: every property of every window."""
    rig.page()
    with rig.act("V14", "xprop of every window") as act:
        windows = rig.windows()
        said = b"".join(rig.run("xprop", "-id", one).stdout for one in windows) + rig.run("xwininfo", "-root", "-tree").stdout
        act.check(b"Casevault" in said, f"{len(windows)} windows were read")
        act.check(not _holds_words(said), "none holds a word of the case")


def search_words(rig: Rig) -> None:
    """V15: look for a word in the document; nothing may keep it."""
    rig.page()
    with rig.act("V15", "find, then search the home for the word") as act:
        before = rig.desk.key("ctrl+f")
        rig.desk.wait("focus reader_find_field", since=before)
        rig.desk.type(WORDS[0])
        rig.desk.key("Return")
        rig.desk.settle(0.8)
        before = rig.desk.key("Escape")
        rig.desk.wait("focus reader_page_view", since=before)
        found = rig.marked_files()
        act.check(not found, f"no file holds it {found[:3]}")


def crash_words(rig: Rig) -> None:
    """V16: make every process of the desk fail, and read what they leave."""
    rig.page()
    with rig.act("V16", "kill the worker and the vault process") as act:
        vault = rig.desk.vault_pid()
        for pid in children_of(vault):
            rig.run("kill", "-SEGV", str(pid))
        before = rig.desk.key("Next")
        rig.desk.settle()
        rig.run("kill", "-ABRT", str(vault))
        rig.desk.wait("show sign_in", "show cannot_open", since=before, seconds=30)
        act.check(wait_until(lambda: not rig.screen.shows_page(), 5.0), "the page is gone")
        rig.rest()
        logs = b"".join(one.read_bytes() for one in rig.home.rglob("*.log"))
        said = "\n".join([*rig.said, *rig.desk.stray]).encode()
        act.check(not _holds_words(logs + said), "no log and no line of standard error holds a word of the page")
        found = rig.marked_files()
        act.check(not found, f"no file holds one {found[:3]}")


def second_screen(rig: Rig) -> None:
    """V18: a second desk on the same vault, and a second monitor."""
    rig.page()
    with rig.act("V18", "a second desk") as act:
        second = DeskDriver(rig.station.directory, environment=rig.screen.environment)
        try:
            second.wait("show cannot_open", since=0, seconds=60)
            second.settle(1.0)
            shown = [step.name for step in second.steps if step.verb == "show"]
            faces = [name for name in shown if name in ("sign_in", "lock", "shell", "cannot_open")]
            act.check(faces[-1] == "cannot_open" and "shell" not in faces, f"it says that it cannot open {faces}")
        finally:
            second.close()
    rig.attend()
    rig.page()
    with rig.act("V18", "a monitor is added", SignalKind.DISPLAY_ADDED):
        rig.run("xrandr", "--setmonitor", "attacker", "640/170x800/210+640+0", "none")
    rig.run("xrandr", "--delmonitor", "attacker")


def _drag(rig: Rig, begin: tuple[int, int], end: tuple[int, int]) -> None:
    rig.xdotool("mousemove", *begin, "mousedown", 1)
    for step in range(1, 11):
        rig.xdotool("mousemove", begin[0] + (end[0] - begin[0]) * step // 10, begin[1] + (end[1] - begin[1]) * step // 10)
    rig.xdotool("mouseup", 1)


def _holds_words(said: bytes) -> bool:
    return any(mark.encode() in said for mark in MARKS)
