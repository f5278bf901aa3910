"""Capture exclusion at the call boundary: what is asked of each system, and that only its own answer counts. Neither call was ever run."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from vault.platform import capture_exclusion
from vault.platform.capture_exclusion import exclude_from_capture


class User32:
    """Windows' library: keeps what it was asked, answers as told."""

    def __init__(self, *, accepts: bool = True, answers: int | None = None) -> None:
        self.accepts, self.answers = accepts, answers
        self.asked: list[tuple[int | None, int]] = []

    def SetWindowDisplayAffinity(self, window: ctypes.c_void_p, affinity: ctypes.c_uint32) -> int:
        self.asked.append((window.value, affinity.value))
        return int(self.accepts)

    def GetWindowDisplayAffinity(self, window: ctypes.c_void_p, affinity: Any) -> int:
        affinity._obj.value = self.asked[-1][1] if self.answers is None else self.answers
        return 1


# the library · what is true afterwards
WINDOWS: list[tuple[Callable[[], User32], bool]] = [
    (User32, True),
    (lambda: User32(accepts=False), False),  # before Windows 10 2004, and over some remote sessions
    (lambda: User32(answers=0), False),
    (lambda: User32(answers=1), False),  # WDA_MONITOR: black in captures, and not what was asked
]


@pytest.mark.parametrize(("make", "excluded"), WINDOWS)
def test_windows_is_asked_and_its_answer_read_back(make: Callable[[], User32], excluded: bool) -> None:
    library = make()
    assert exclude_from_capture(0x1234, system="win32", library=library) is excluded
    assert library.asked == [(0x1234, 0x11)]


class Send:
    """objc_msgSend: a window of a view, and the sharing type it was given."""

    restype: Any = None
    argtypes: Any = None

    def __init__(self, *, obeys: bool) -> None:
        self.obeys, self.sharing = obeys, 1
        self.asked: list[bytes] = []

    def __call__(self, receiver: int, selector: bytes, *arguments: int) -> int | None:
        self.asked.append(selector)
        if selector == b"window":
            return 77 if receiver == 5 else None
        if selector == b"setSharingType:" and self.obeys:
            self.sharing = arguments[0]
        return self.sharing if selector == b"sharingType" else None


class Name:
    restype: Any = None

    def __call__(self, name: bytes) -> bytes:
        return name


class Objc:
    """The Objective-C runtime."""

    def __init__(self, *, obeys: bool) -> None:
        self.objc_msgSend, self.sel_registerName = Send(obeys=obeys), Name()


# macOS · whether it obeys · the view · what is true afterwards
MACOS = [("14.5", True, 5, True), ("14.5", False, 5, False), ("14.5", True, 6, False), ("15.1", True, 5, False), ("", True, 5, False)]


@pytest.mark.parametrize(("version", "obeys", "view", "excluded"), MACOS)
def test_macos_is_asked_and_its_answer_read_back(
    monkeypatch: pytest.MonkeyPatch, version: str, obeys: bool, view: int, excluded: bool
) -> None:
    monkeypatch.setattr(capture_exclusion.platform, "mac_ver", lambda: (version, ("", "", ""), ""))
    library = Objc(obeys=obeys)
    assert exclude_from_capture(view, system="darwin", library=library) is excluded
    assert library.objc_msgSend.asked[0] == b"window"


def test_linux_says_no() -> None:
    assert exclude_from_capture(1, system="linux") is False
