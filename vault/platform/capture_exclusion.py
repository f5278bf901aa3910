"""Asking the system to leave a window out of captures (V30, V31).

Rules:

- The answer is what the system says of the window afterwards, never that it was asked.
- Called in the process that owns the window: Windows refuses it to every other.
- Windows: `SetWindowDisplayAffinity(WDA_EXCLUDEFROMCAPTURE)`, read back by `GetWindowDisplayAffinity`. Its maker promises nothing against
  determined programs. macOS: `NSWindow.sharingType = NSWindowSharingNone`, read back.
- Linux has no such request: X11 knows none, Wayland leaves it to each compositor's own settings. The answer is no; the sensors stand in.

LIMIT: not verified on this system: the Windows and macOS calls were never run, only their arguments and answers are tested.
LIMIT: ScreenCaptureKit on macOS 15 and later ignores `sharingType`: there the answer is no, whatever the window says.

Thread: the interface's main thread. Source: Microsoft Learn, SetWindowDisplayAffinity; Apple, NSWindow.sharingType.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from typing import Any

_WDA_EXCLUDEFROMCAPTURE = 0x11
_NS_WINDOW_SHARING_NONE = 0
_LAST_MACOS_THAT_OBEYS = 14


def exclude_from_capture(window_id: int, *, system: str = sys.platform, library: Any = None) -> bool:  # noqa: ANN401 - a foreign library
    """Ask the system to leave a window out of captures; whether it says that it does.

    Args:
        window_id: Qt's `winId`: an HWND on Windows, an NSView on macOS.
        system: `sys.platform`.
        library: user32 or the Objective-C runtime; loaded when None.
    """
    if system == "win32":
        return _windows(window_id, library or ctypes.CDLL("user32"))
    if system == "darwin":
        return _macos(window_id, library or ctypes.CDLL("/usr/lib/libobjc.dylib"))
    return False


def _windows(window_id: int, user32: Any) -> bool:  # noqa: ANN401
    window = ctypes.c_void_p(window_id)
    if not user32.SetWindowDisplayAffinity(window, ctypes.c_uint32(_WDA_EXCLUDEFROMCAPTURE)):
        return False
    affinity = ctypes.c_uint32(0)
    return bool(user32.GetWindowDisplayAffinity(window, ctypes.byref(affinity))) and affinity.value == _WDA_EXCLUDEFROMCAPTURE


def _macos(view_id: int, objc: Any) -> bool:  # noqa: ANN401
    objc.sel_registerName.restype = ctypes.c_void_p
    objc.objc_msgSend.restype = ctypes.c_void_p
    objc.objc_msgSend.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    window = objc.objc_msgSend(view_id, objc.sel_registerName(b"window"))
    if not window:
        return False
    objc.objc_msgSend.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ulong]
    objc.objc_msgSend(window, objc.sel_registerName(b"setSharingType:"), _NS_WINDOW_SHARING_NONE)
    objc.objc_msgSend.restype = ctypes.c_ulong
    objc.objc_msgSend.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    told = objc.objc_msgSend(window, objc.sel_registerName(b"sharingType"))
    version = platform.mac_ver()[0].partition(".")[0]
    return told == _NS_WINDOW_SHARING_NONE and version.isdecimal() and int(version) <= _LAST_MACOS_THAT_OBEYS
