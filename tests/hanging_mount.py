"""A file system that a program serves, and that can fall silent: the program reads what it is asked and never answers again.

Run as a program, ``python -m tests.hanging_mount PLACE [PROGRAM]``: mounts a folder with one file in it at PLACE, which holds what PROGRAM
does, says ``mounted``, answers whatever is asked until a line comes on its standard input, says ``silent``, and from there on answers
nothing. When it ends, whoever waits gets an error. `hanging_mount` does that for a test. Needs root, and mounts of one's own
(`tests.mounts`).

Source: fuse(4), linux/fuse.h 7.31.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "page"
_contents = b"x" * 100
_ROOT_NO, _FILE_NO = 1, 2
_IN, _OUT, _ATTRIBUTES = struct.Struct("<IIQQIIIHH"), struct.Struct("<IiQ"), struct.Struct("<6Q10I")
_LOOKUP, _GETATTR, _OPEN, _READ, _RELEASE, _INIT, _OPENDIR, _READDIR, _RELEASEDIR = 1, 3, 14, 15, 18, 26, 27, 28, 29
_FORGETS, _NO_SUCH_CALL, _NO_ENTRY, _DIRECT = frozenset({2, 36, 42}), -38, -2, 1


class Silence:
    """What the program says of its mount, until it says nothing."""

    def __init__(self, program: subprocess.Popen[str]) -> None:
        self._program = program

    def begin(self) -> None:
        """From here on whoever asks waits."""
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write("\n")
        self._program.stdin.flush()
        assert self._program.stdout.readline() == "silent\n"

    def end(self) -> None:
        """End the program: whoever waits gets an error."""
        self._program.kill()
        self._program.wait(20)


@contextmanager
def hanging_mount(place: Path, program: Path | None = None) -> Iterator[Silence]:
    """Mount it, and have it answer until the test wants otherwise. `program`: what its file holds."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hanging_mount", str(place), *([str(program)] if program else [])],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        silence = Silence(server)
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "mounted\n"
            yield silence
        finally:
            silence.end()
            subprocess.run(["umount", "--lazy", place], check=False, timeout=20)


def _attributes(number: int) -> bytes:
    is_root = number == _ROOT_NO
    size, mode = (0, 0o040755) if is_root else (len(_contents), 0o100755)
    return _ATTRIBUTES.pack(number, size, 1, 0, 0, 0, 0, 0, 0, mode, 2 if is_root else 1, os.getuid(), os.getgid(), 0, 4096, 0)


def _entries(offset: int) -> bytes:
    if offset:
        return b""
    name = FILE_NAME.encode()
    return struct.pack("<QQII", _FILE_NO, 1, len(name), 8) + name.ljust(-(-len(name) // 8) * 8, b"\0")


def _lookup(_number: int, body: bytes) -> bytes | int:
    if body.rstrip(b"\0") != FILE_NAME.encode():
        return _NO_ENTRY
    return struct.pack("<QQQQII", _FILE_NO, 0, 0, 0, 0, 0) + _attributes(_FILE_NO)  # valid for no time: asked for every time


def _part(_handle: int, offset: int, size: int) -> bytes:
    return _contents[offset : offset + size]


_ANSWERS: dict[int, Callable[[int, bytes], bytes | int]] = {
    _INIT: lambda _number, _body: struct.pack("<IIIIHHIIHHI7I", 7, 31, 65536, 0, 12, 9, 65536, 1, 0, 0, 0, *[0] * 7),
    _LOOKUP: _lookup,
    _GETATTR: lambda number, _body: struct.pack("<QII", 0, 0, 0) + _attributes(number),
    _OPEN: lambda _number, _body: struct.pack("<QII", 1, _DIRECT, 0),
    _OPENDIR: lambda _number, _body: struct.pack("<QII", 1, 0, 0),
    _READ: lambda _number, body: _part(*struct.unpack_from("<QQI", body)),
    _READDIR: lambda _number, body: _entries(struct.unpack_from("<QQ", body)[1]),
    _RELEASE: lambda _number, _body: b"",
    _RELEASEDIR: lambda _number, _body: b"",
}


def _serve(place: str) -> None:
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"hanging", os.fsencode(place), b"fuse.hanging", 0, options.encode()) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    libc.mount(b"fusectl", b"/sys/fs/fuse/connections", b"fusectl", 0, None)  # as systems have it; refused where it is there
    print("mounted", flush=True)
    is_silent = False
    while True:
        ready, _, _ = select.select([device] if is_silent else [device, 0], [], [])
        if 0 in ready:
            os.read(0, 4096)
            is_silent = True
            print("silent", flush=True)
            continue
        request = os.read(device, 1 << 20)
        _, call, unique, number, *_ = _IN.unpack_from(request)
        if is_silent or call in _FORGETS:
            continue
        answer = _ANSWERS.get(call, lambda _number, _body: _NO_SUCH_CALL)(number, request[_IN.size :])
        body, error = (b"", answer) if isinstance(answer, int) else (answer, 0)
        os.write(device, _OUT.pack(_OUT.size + len(body), error, unique) + body)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _contents = Path(sys.argv[2]).read_bytes()
    _serve(sys.argv[1])
