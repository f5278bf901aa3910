"""V50-V66: the vault's files and the devices they could leave on."""

from __future__ import annotations

import gzip
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.attacks.suite.papers import MARKS
from tests.attacks.suite.rig import OFFICER, Rig, passphrase_of, wait_until
from tests.attacks.suite.watch import holds_mark
from tests.journeys.desk_driver import children_of
from vault.assembly import CONTENT_NAME, REGISTER_NAME
from vault.domain.breach import SignalKind
from vault.storage.header import HEADER_NAME

_OPENED, _COPIED, _CHANGED, _MOUNTED = (
    SignalKind.STORE_OPENED,
    SignalKind.STORE_COPIED,
    SignalKind.STORE_CHANGED,
    SignalKind.MEDIA_MOUNTED,
)
_BURST_SECONDS = 2.5  # beyond what `vault.sensors.store_access` joins
_READ = "import sys; open(sys.argv[1], 'rb').read()"


def read_it(rig: Rig) -> None:
    """V50: read the register with the programs every system has, while a page is shown."""
    out, register = rig.home / "out", rig.station.directory / REGISTER_NAME
    out.mkdir(exist_ok=True)
    for name, command in (
        ("cp", ("cp", register, out / "a")),
        ("dd", ("dd", f"if={register}", f"of={out / 'b'}", "status=none")),
        ("cat", ("sh", "-c", f"cat {register} > {out / 'c'}")),
        ("rsync", ("rsync", "-a", f"{rig.station.directory}/", f"{out / 'd'}/")),
        ("tar", ("tar", "cf", out / "e.tar", "-C", rig.station.directory, REGISTER_NAME, CONTENT_NAME, HEADER_NAME)),
        ("python", (sys.executable, "-c", _READ, register)),
    ):
        rig.page()
        with rig.act("V50", name, _OPENED):
            rig.run(*command)


def who_opened(rig: Rig) -> None:
    """V51: the report names the process, its number, its account and its program."""
    rig.page()
    with rig.act("V51", "cp, and who it was", _OPENED, process="cp", uid=str(os.getuid()), executable="*") as act:
        thief = rig.start("cp", rig.station.directory / REGISTER_NAME, rig.home / "who")
        act.facts["pid"] = str(thief.pid)
        thief.wait(20)


def link(rig: Rig) -> None:
    """V52: a hard link, and the link read later."""
    place = rig.home / "link.db"
    for name, command, kinds in (
        ("ln", ("ln", rig.station.directory / REGISTER_NAME, place), (_CHANGED,)),
        ("cat the link", ("sh", "-c", f"cat {place} > /dev/null"), (_OPENED,)),
    ):
        rig.page()
        with rig.act("V52", name, *kinds):
            rig.run(*command)
    place.unlink()


def move(rig: Rig) -> None:
    """V53: out of the folder and back."""
    register, place = rig.station.directory / CONTENT_NAME, rig.home / "moved.db"
    rig.page()
    with rig.act("V53", "mv out and back", _CHANGED):
        rig.run("sh", "-c", f"mv {register} {place}; mv {place} {register}")


def side_files(rig: Rig) -> None:
    """V54: the journals, the header and the other database."""
    for name in (f"{REGISTER_NAME}-wal", f"{CONTENT_NAME}-wal", HEADER_NAME, CONTENT_NAME):
        rig.page()
        path = rig.station.directory / name
        if not path.exists():
            path.touch()  # SQLite made no journal of it yet
            rig.rest()
        wait_until(lambda: False, _BURST_SECONDS)  # openings one after the other are one signal: each is asked for by itself
        with rig.act("V54", f"cp {name}", _OPENED):
            rig.run("cp", path, rig.home / "side")


def disguises(rig: Rig) -> None:
    """V55: an old copy of the vault, put into a watched folder under other names and in other wrappings."""
    source = rig.attic / REGISTER_NAME
    for name, wrap in _WRAPPINGS:
        rig.page()
        target = rig.home / "Downloads" / name
        with rig.act("V55", name, _COPIED, name=name):
            wrap(source, target)
        target.unlink()


def old_copies(rig: Rig) -> None:
    """V56: a copy that was made before anything watched, found when the desk opens."""
    old = rig.home / "Documents" / "old-copy.bin"
    old.parent.mkdir(exist_ok=True)
    shutil.copy(rig.attic / REGISTER_NAME, old)
    with rig.act("V56", "start the desk", _COPIED, name="old-copy.bin", seconds=30.0):
        rig.start_desk()
        rig.open_window()
        wait_until(lambda: False, 2.0)  # the folders are looked through beside the sign-in page
    old.unlink()  # the ordinary work that follows backs these folders up


def backups(rig: Rig) -> None:
    """V57: what backup programs and editors leave: a snapshot folder, a name with a tilde."""
    documents = rig.home / "Documents"
    snapshot = documents / ".snapshots" / "1"
    rig.page()
    with rig.act("V57", "a snapshot of the vault's folder", _COPIED):
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        rig.run("rsync", "-a", f"{rig.attic}/", f"{snapshot}/")
    rig.page()
    with rig.act("V57", "a backup file", _COPIED, name="register.db~"):
        shutil.copy(rig.attic / REGISTER_NAME, documents / "register.db~")
    shutil.rmtree(snapshot.parent)
    (documents / "register.db~").unlink()


def written_files(rig: Rig) -> None:
    """V58: everything anybody wrote since the desk started, searched for the page's words."""
    with rig.act("V58", "search every file written") as act:
        act.check(rig.watch.seen > 0, f"{rig.watch.seen} writings were looked at as they happened")
        act.check(not rig.watch.marked, f"none held a word of the page {rig.watch.marked[:3]}")
        found = rig.marked_files()
        act.check(not found, f"no file holds one now {found[:3]}")


def vaults_own_files(rig: Rig) -> None:
    """V58: the vault's folder, which is left alone while a desk runs: whoever opens its files is reported."""
    with rig.act("V58", "search the vault's own files") as act:
        paths = [path for path in rig.station.directory.rglob("*") if path.is_file()]
        act.check(len(paths) > 1, f"{len(paths)} files were searched")
        found = [path.name for path in paths if holds_mark(path)]
        act.check(not found, f"none holds a word of the page {found[:3]}")


def recent_files(rig: Rig) -> None:
    """V59: lists of recent files."""
    with rig.act("V59", "look for lists of recent files") as act:
        names = ("recently-used.xbel", "QtProject.conf", "recent-files", ".recently-used")
        found = [path.name for path in rig.home.rglob("*") if path.name in names]
        act.check(not found, f"there is none {found}")


def command_lines(rig: Rig) -> None:
    """V60: what ``ps`` and a shell's history show."""
    rig.page()
    with rig.act("V60", "ps") as act:
        pids = (rig.desk.process.pid, *children_of(rig.desk.process.pid))
        said = b" ".join(Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
        act.check(b"--vault" in said, f"{len(pids)} processes were read")
        secret = (*MARKS, passphrase_of(OFFICER), *passphrase_of(OFFICER).split())
        act.check(not any(word.encode() in said for word in secret), "no argument holds a secret or a word of the page")


def stick(rig: Rig) -> None:
    """V61: a stick comes while a page is shown, and a copy of the vault goes onto it."""
    rig.page()
    place = Path("/media") / f"stick-{os.getpid()}"
    with _mounted(rig, place, "mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)) as mount:
        with rig.act("V61", "mount a tmpfs", _MOUNTED) as act:
            act.check(mount(), "it is mounted")
        rig.page()
        with rig.act("V61", "copy the vault onto it", _COPIED, name="films.zip"):
            shutil.copy(rig.attic / REGISTER_NAME, place / "films.zip")


def fuse(rig: Rig) -> None:
    """V62: what telephones, shares and synchronised folders are: a file system of a program."""
    rig.page()
    behind, place = rig.home / "behind", rig.home / "phone"
    behind.mkdir(exist_ok=True)
    with _mounted(rig, place, "bindfs", str(behind), str(place)) as mount:
        with rig.act("V62", "mount a FUSE file system", _MOUNTED) as act:
            act.check(mount(), "it is mounted")
        rig.page()
        with rig.act("V62", "copy the vault onto it", _COPIED, name="films.zip"):
            shutil.copy(rig.attic / REGISTER_NAME, place / "films.zip")


@contextmanager
def _mounted(rig: Rig, place: Path, *command: str) -> Iterator[Callable[[], bool]]:
    place.mkdir(parents=True, exist_ok=True)
    try:
        yield lambda: rig.run(*command).returncode == 0 and os.path.ismount(place)
    finally:
        rig.run("umount", place)
        wait_until(lambda: not os.path.ismount(place), 5.0)
        place.rmdir()


def _tarred(source: Path, target: Path) -> None:
    with tarfile.open(target, "w") as archive:
        archive.add(source, "innocent.txt")


def _appended(source: Path, target: Path) -> None:
    picture = bytes.fromhex("ffd8ffe000104a46494600010100000100010000") + os.urandom(70_000)
    target.write_bytes(picture + source.read_bytes())


def _headless(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as written:
        read.seek(8192)
        shutil.copyfileobj(read, written)


def _half(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes()[: 64 * 1024])


def _zipped(source: Path, target: Path) -> None:
    with gzip.open(target, "wb") as written:
        written.write(source.read_bytes())


_WRAPPINGS: tuple[tuple[str, Callable[[Path, Path], object]], ...] = (
    ("holiday.jpg", shutil.copy),
    ("first-half.bin", _half),
    ("backup.tar", _tarred),
    ("picture-with-tail.jpg", _appended),
    ("without-first-page.bin", _headless),
    ("logs.gz", _zipped),
)
