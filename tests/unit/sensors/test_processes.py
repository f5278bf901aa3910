"""Who has a file open: a foreign process is found, and a child of ours that is on its way to its own program is nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from vault.sensors import processes
from vault.sensors.processes import Inode, Opener, holders

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc")

# Has the file open, and a child that waits before it begins its own program.
_DESK = """
import os, sys
file = open(sys.argv[1])
child = os.fork()
if child == 0:
    os.read(0, 1)
    os.execv(sys.executable, [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"])
print(child, flush=True)
os.waitpid(child, 0)
"""


@dataclass(frozen=True, slots=True)
class Desk:
    """A process that has `inode` open, and its child between fork and exec."""

    process: subprocess.Popen[bytes]
    child: int
    inode: Inode

    def begin_childs_program(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"!")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == b"\n", "it runs"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    path = tmp_path / "register.db"
    path.touch()
    status = path.stat()
    with subprocess.Popen([sys.executable, "-c", _DESK, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        made = Desk(process, int(process.stdout.readline()), (status.st_dev, status.st_ino))
        yield made
        process.communicate()  # its input ends, and the child with it


def test_a_foreign_process_and_its_child_are_found(desk: Desk) -> None:
    assert {one.pid for one in holders({desk.inode}, {os.getpid()})} == {desk.process.pid, desk.child}


def test_a_child_of_ours_is_nobody_before_it_runs_its_own_program(desk: Desk) -> None:
    assert holders({desk.inode}, {desk.process.pid}) == []


def test_nor_is_one_that_begins_its_program_while_it_is_looked_at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    look, seen = processes._stat_field, list[int]()

    def later(pid: int, name: str, index: int) -> str:
        if pid == desk.child and not seen:
            seen.append(pid)
            desk.begin_childs_program()
        return look(pid, name, index)

    monkeypatch.setattr(processes, "_stat_field", later)
    assert holders({desk.inode}, {desk.process.pid}) == []
    assert seen, "it had the file open when it was looked at first"


@pytest.mark.parametrize(("apart_ticks", "how", "is_one"), [(15, "command-line", True), (15, "", False), (30, "command-line", False)])
def test_a_program_of_several_processes_is_one_though_a_busy_machine_starts_them_apart(apart_ticks: int, how: str, is_one: bool) -> None:
    """Only where one of them is a guess: two that are known are two."""
    held, guessed = Opener(4711, 1000, "rsync", "rsync", 0), Opener(4713, 1000 + apart_ticks, "rsync", "rsync", 0, how)
    assert guessed.is_likely(held) is held.is_likely(guessed) is is_one
