"""V20-V35: the picture on the screen, by keys, capture programs, recorders, remote displays and what a desktop keeps of a window."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

from PIL import Image

from tests.attacks.suite.rig import PROGRAMS, Rig, stopped, wait_until
from tests.journeys.desk_driver import ROOT
from tests.screen import SIZE, holds_page, x_server
from vault.domain.breach import SignalKind

SHOTS, HELD_MOST = 3, 2  # shots of each program, and how many of all may hold the page; 30 of each: tests/attacks/test_captures.py
_CAPTURES = (SignalKind.CAPTURE_TOOL, SignalKind.UNKNOWN_SCREEN_CLIENT)


def print_screen(rig: Rig) -> None:
    """V20: the key, and with Alt."""
    for keys in ("Print", "alt+Print"):
        rig.page()
        with rig.act("V20", keys, SignalKind.PRINT_SCREEN_KEY) as act:
            rig.xdotool("key", keys)
            act.check(wait_until(lambda: not rig.screen.shows_page(), 2.0), "the page is blanked")


def stock_tools(rig: Rig) -> None:
    """V21: the programs every system has."""
    width, height = SIZE
    held = 0
    for number in range(SHOTS):
        out = rig.home / f"shot-{number}"
        tools: tuple[tuple[str, tuple[str | Path, ...]], ...] = (
            ("import", ("import", "-window", "root", f"{out}-import.png")),
            ("scrot", ("scrot", "-o", f"{out}-scrot.png")),
            ("xwd", ("xwd", "-root", "-silent", "-out", f"{out}-xwd.xwd")),
            (
                "ffmpeg",
                (
                    *("ffmpeg", "-loglevel", "error", "-y", "-f", "x11grab", "-video_size", f"{width}x{height}"),
                    *("-i", rig.screen.display, "-frames:v", "1", f"{out}-ffmpeg.png"),
                ),
            ),
        )
        for name, command in tools:
            rig.page()
            with rig.act("V21", name, *_CAPTURES) as act:
                done = rig.run(*command)
                picture = _readable(Path(str(command[-1])))
                act.check(picture is not None, f"it took a picture {done.stderr.decode()[-120:]}")
                leaked = picture is not None and holds_page(picture)
                held += leaked
                act.notes.append("the picture holds the page" if leaked else "the picture does not hold the page")
            _forget(rig)
    with rig.act("V21", "what the pictures hold") as act:
        act.check(held <= HELD_MOST, f"{held} of {SHOTS * 4} pictures hold the page, at most {HELD_MOST} may")


def own_tools(rig: Rig) -> None:
    """V22: a stock program under another name, and one written for the purpose."""
    renamed = rig.home / "holiday"
    shutil.copy(shutil.which("import") or "import", renamed)
    for name, command in (
        ("import, renamed", (renamed, "-window", "root", rig.home / "renamed.png")),
        ("a program of one's own", ("/usr/bin/python3", PROGRAMS / "grab.py", rig.home / "own.ppm")),
    ):
        rig.page()
        with rig.act("V22", name, *_CAPTURES) as act:
            rig.run(*command)
            picture = _readable(Path(str(command[-1])))
            act.notes.append("the picture holds the page" if picture and holds_page(picture) else "the picture does not hold the page")
        _forget(rig)


def recorder_before(rig: Rig) -> None:
    """V23: a recorder that runs before the page is opened."""
    rig.page()
    rig.leave_page()
    width, height = SIZE
    frames = rig.home / "frames"
    frames.mkdir()
    recorder = rig.start(
        *("ffmpeg", "-loglevel", "error", "-f", "x11grab", "-framerate", "5", "-video_size", f"{width}x{height}", "-i", rig.screen.display),
        frames / "%04d.png",
    )
    try:
        wait_until(lambda: len(list(frames.iterdir())) > 2, 15.0)
        with rig.act("V23", "ffmpeg, then open a file", *_CAPTURES) as act:
            rig.try_to_open()
            rig.rest()
            pictures = sorted(frames.iterdir())[:-1]
            held = sum(holds_page(one) for one in pictures)
            act.check(held == 0, f"{held} of {len(pictures)} frames hold the page")
    finally:
        stopped(recorder)
    _forget(rig)


def grab_by_a_known_client(rig: Rig) -> None:
    """V24: XGetImage asks nobody; a client that the station's policy vouches for (this Python) has the page's pixels."""
    rig.page()
    with rig.act("V24", "read the screen by a program that is vouched for") as act:
        picture = rig.home / "vouched.ppm"
        rig.run(sys.executable, "-m", "tests.attacks.screen_grabber", picture, PYTHONPATH=str(ROOT))
        act.check(holds_page(picture), "X11 gives the pixels of any window to any client: declared, not prevented")


def remote_display(rig: Rig) -> None:
    """V25: the display over TCP, as X11 forwarding has it."""
    with x_server(rig.home.parent / "remote", over_network=True) as screen:
        remote = f"127.0.0.1{screen.display}"
        cookie = rig.run("xauth", "-f", screen.authority, "list").stdout.decode().split()[2]
        rig.run("xauth", "-f", screen.authority, "add", remote, ".", cookie)
        with rig.act("V25", "start the desk on a forwarded display", SignalKind.REMOTE_SESSION) as act:
            desk = rig.start_desk(DISPLAY=remote, XAUTHORITY=str(screen.authority))
            desk.wait("show cannot_open", since=0, seconds=60)
            act.check(not rig.shown("lock"), "the vault does not open there")
        rig.end_desk()


def vnc_server(rig: Rig) -> None:
    """V26: serve the screen while a page is shown."""
    rig.page()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with rig.act("V26", "x11vnc", SignalKind.REMOTE_SESSION) as act:
        server = rig.start(
            *("x11vnc", "-display", rig.screen.display, "-auth", rig.screen.authority, "-rfbport", str(port), "-localhost"),
            *("-nopw", "-forever", "-quiet", "-noxdamage"),
        )
        listens = wait_until(lambda: _answers(port), 10.0)
        act.check(listens, "it serves the screen")
    stopped(server)
    _forget(rig)


def qt_vnc(rig: Rig) -> None:
    """V27: Qt's own VNC plugin."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with rig.act("V27", "QT_QPA_PLATFORM=vnc") as act:
        desk = rig.start_desk(QT_QPA_PLATFORM=f"vnc:port={port}", QT_QPA_PLATFORM_PLUGIN_PATH="")
        wait_until(lambda: desk.process.poll() is not None or any(step.name == "casevault" for step in _steps(rig)), 30.0)
        act.check(not wait_until(lambda: _answers(port), 2.0), "nothing serves the screen")
    rig.end_desk()


def screen_cast(rig: Rig) -> None:
    """V28: ask the desktop's portal for the screen."""
    rig.page()
    log = rig.home / "cast.log"
    portal = rig.start(sys.executable, PROGRAMS / "portal.py", log)
    try:
        wait_until(log.exists, 20.0)
        with rig.act("V28", "ScreenCast session at the portal", SignalKind.SCREEN_CAST):
            rig.run(
                *("dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"),
                *("org.freedesktop.portal.ScreenCast.CreateSession", "dict:string:string:"),
            )
    finally:
        stopped(portal)
    _forget(rig)


def other_window(rig: Rig) -> None:
    """V34: what a thumbnail or an overview would show once another window has the keyboard."""
    rig.page()
    other = rig.start("xterm", "-geometry", "40x5-0-0", "-title", "other")
    try:
        window = rig.window("other")
        rig.page()
        with rig.act("V34", "another window takes the keyboard") as act:
            rig.xdotool("windowfocus", window)
            act.check(wait_until(lambda: not rig.screen.shows_page(), 3.0), "the page is blanked")
    finally:
        stopped(other)
        rig.attend()
    rig.rest()


def last_frame(rig: Rig) -> None:
    """V35: kill the interface while it shows the page."""
    rig.page()
    with rig.act("V35", "kill -9 the interface") as act:
        os.kill(rig.desk.process.pid, signal.SIGKILL)
        rig.desk.process.wait()
        act.check(wait_until(lambda: not rig.screen.shows_page(), 2.0), "no frame of it stays on the screen")
    rig.end_desk()


def _forget(rig: Rig) -> None:
    """Let the attacker's program be gone before the page is opened again."""
    rig.rest()


def _steps(rig: Rig) -> list[object]:
    rig.desk.mark()
    return list(rig.desk.steps)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def _readable(path: Path) -> Path | None:
    """The picture as one that can be read; an X window dump is converted first."""
    if not path.exists() or not path.stat().st_size:
        return None
    if path.suffix == ".xwd":
        made = path.with_suffix(".png")
        done = subprocess.run(["convert", f"xwd:{path}", str(made)], check=False, capture_output=True, cwd=ROOT)
        if done.returncode or not made.exists():
            return None
        path = made
    with Image.open(path) as picture:
        return path if picture.size[0] > 1 else None
