"""A small client of the X11 protocol: the nine questions the screen's sensors ask and the one thing they do, over the local socket.

Rules:

- Local displays only: a display reached over the network is another sensor's report, and is refused here.
- Questions are synchronous and bounded by the connection's patience, and so is making it; a connection that failed once is closed for
  good, and the caller makes another.
- Nothing is captured or changed, no input is grabbed, and no key, button or selection content is ever asked for. What is drawn is black:
  one window over the screen and one in each of our own (`draw_curtain`); the server takes them away when the connection ends, however that
  happens.
- Not thread-safe: one connection belongs to one thread, or to whoever holds the caller's lock.

No library (docs/adr/0014-x11-wire.md): xcffib is published without wheels, python-xlib is no longer maintained, and these questions need
neither Xlib nor a native call.

Source: X Window System Protocol 1.0; X-Resource 1.2; RandR 1.5; X Input 2.2; Xsecurity(7), Xau's file format.
"""

from __future__ import annotations

import os
import re
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PATIENCE_SECONDS = 5.0
_ATTEMPTS, _BETWEEN_ATTEMPTS_SECONDS = 6, 0.05
_COOKIE = b"MIT-MAGIC-COOKIE-1"
_LOCAL_DISPLAY = re.compile(r"(?:unix)?:(\d+)(?:\.(\d+))?")
_HEAD_BYTES = 32
_ERROR, _REPLY, _GENERIC_EVENT = 0, 1, 35
_SENT_MASK = 0x7F
_CLIENT_ID, _CLIENT_PID = 1, 2
_MONITOR = struct.Struct("<IBBHhhHHII")
_DEVICE = struct.Struct("<HHHHHBx")
_PAINTED, _ABOVE = 1, 0
_BLACK: Final = 0xFF000000  # opaque where a window has an alpha channel, and cut off where it has none
_INCLUDE_INFERIORS: Final = 1
_GROUND_AND_MODE = 1 << 2 | 1 << 15  # a graphics context's foreground, and whether it paints over the windows inside
_DEEPEST_FRAME: Final = 3  # how far below the root a window manager puts a program's window
_AS_SAID = 1 << 1 | 1 << 9  # a window's ground, and that no window manager is asked
_SIZE_AND_PLACE = 1 << 2 | 1 << 3 | 1 << 6
_RAW_KEY_PRESS, _RAW_BUTTON_PRESS, _RAW_MOTION = 13, 15, 17


class X11Error(OSError):
    """There is no such display, it refused us, or the connection is gone."""


class X11GoneError(X11Error):
    """Nobody listens, or the connection ended."""


@dataclass(frozen=True, slots=True)
class Client:
    """A connection to the display. `base` tells connections apart; `pid` is 0 for one that came over the network."""

    base: int
    pid: int


@dataclass(frozen=True, slots=True)
class Monitor:
    """A screen area of the display, in pixels."""

    name: int
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Device:
    """An input device."""

    device_id: int
    name: str


@dataclass(frozen=True, slots=True)
class RawInput:
    """That a device was used; which key or button it was is not read."""

    source_id: int


class Connection:
    """An open connection to a local display.

    Args:
        environment: DISPLAY, and XAUTHORITY or HOME; the process's own by default.
        patience_seconds: the longest that a question waits, and that all of the connecting does.
    Raises:
        X11Error: no local display is named, or it does not answer.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ, patience_seconds: float = _PATIENCE_SECONDS) -> None:
        named = _LOCAL_DISPLAY.fullmatch(environment.get("DISPLAY", ""))
        if named is None:
            raise X11Error("no local display")
        number = named.group(1)
        self._sequence = 0
        self._events: deque[bytes] = deque()
        self._extensions: dict[str, int] = {}
        self._curtain = 0  # its window, once it was drawn
        self._size = 0, 0
        self._own: list[int] = []  # the windows of our own processes, where a compositing manager paints the screen
        self._inner: dict[int, int] = {}  # the curtain's windows, by the one of our own that they are in
        self._last_id = 0
        until = time.monotonic() + patience_seconds
        for attempt in range(_ATTEMPTS):
            try:
                self._socket = _connect(number, max(until - time.monotonic(), _BETWEEN_ATTEMPTS_SECONDS))
                try:
                    self._set_up(_cookie(environment, number), int(named.group(2) or 0))
                except BaseException:
                    self._socket.close()
                    raise
            except X11GoneError:  # a server whose last client left starts afresh: some milliseconds later it answers again
                if attempt == _ATTEMPTS - 1 or time.monotonic() >= until:
                    raise
                select.select([], [], [], _BETWEEN_ATTEMPTS_SECONDS)
            except (OSError, struct.error, IndexError) as error:
                raise error if isinstance(error, X11Error) else X11Error("the display did not answer") from error
            else:
                self._socket.settimeout(patience_seconds)
                break

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def fileno(self) -> int:
        """The descriptor to poll for events."""
        return self._socket.fileno()

    # -- questions ---------------------------------------------------------------------------------------------------------------------

    def clients(self) -> tuple[Client, ...]:
        """Every client of the display, our own connections among them; the server's own place is left out."""
        return tuple(Client(base, pid) for base, pid in self._pids().items() if base)

    def server_pid(self) -> int:
        """The process that the server is; 0 where it does not say."""
        return self._pids().get(0, 0)

    def _pids(self) -> dict[int, int]:
        answer = self._ask(self._extension("X-Resource"), 4, struct.pack("<III", 1, 0, _CLIENT_ID | _CLIENT_PID))
        (count,) = struct.unpack_from("<I", answer, 8)
        pids: dict[int, int] = {}
        at = _HEAD_BYTES
        for _ in range(count):
            base, mask, size_bytes = struct.unpack_from("<III", answer, at)
            at += 12
            if mask & _CLIENT_PID and size_bytes >= 4:  # noqa: PLR2004 - a CARD32
                pids[base] = struct.unpack_from("<I", answer, at)[0]
            else:
                pids.setdefault(base, 0)
            at += size_bytes
        return pids

    def selection_owner_pid(self, selection: str) -> int | None:
        """The process that owns CLIPBOARD or PRIMARY; None when nobody does, 0 when it is not a local one."""
        window = self._owner(selection)
        if not window:
            return None
        answer = self._ask(self._extension("X-Resource"), 4, struct.pack("<III", 1, window, _CLIENT_PID))
        if not struct.unpack_from("<I", answer, 8)[0]:
            return 0
        return int(struct.unpack_from("<I", answer, _HEAD_BYTES + 12)[0])

    def screen_size_px(self) -> tuple[int, int]:
        """The whole screen as it is now: width, height."""
        width, height = struct.unpack_from("<HH", self._ask(14, 0, struct.pack("<I", self._root)), 16)
        return width, height

    def monitors(self) -> tuple[Monitor, ...]:
        """The active monitors, virtual ones among them."""
        randr = self._extension("RANDR")
        self._ask(randr, 0, struct.pack("<II", 1, 5))  # a client that does not say its version is answered by an old one
        answer = self._ask(randr, 42, struct.pack("<IBxxx", self._root, 1))
        (count,) = struct.unpack_from("<I", answer, 12)
        found, at = [], _HEAD_BYTES
        for _ in range(count):
            name, _primary, _automatic, outputs, _x, _y, width, height, _mm, _mm_high = _MONITOR.unpack_from(answer, at)
            found.append(Monitor(name, width, height))
            at += _MONITOR.size + 4 * outputs
        return tuple(found)

    def devices(self) -> tuple[Device, ...]:
        """The input devices."""
        xinput = self._extension("XInputExtension")
        self._ask(xinput, 47, struct.pack("<HH", 2, 2))
        answer = self._ask(xinput, 48, struct.pack("<Hxx", 0))
        (count,) = struct.unpack_from("<H", answer, 8)
        found, at = [], _HEAD_BYTES
        for _ in range(count):
            device_id, _use, _attached, classes, name_bytes, _enabled = _DEVICE.unpack_from(answer, at)
            at += _DEVICE.size
            found.append(Device(device_id, answer[at : at + name_bytes].decode("utf-8", "replace")))
            at += _padded(name_bytes)
            for _ in range(classes):
                at += 4 * struct.unpack_from("<H", answer, at + 2)[0]
        return tuple(found)

    def watch_devices(self, device_ids: tuple[int, ...]) -> None:
        """Have `read_events` tell when one of these devices is used; of all others nothing is received."""
        bits = 1 << _RAW_KEY_PRESS | 1 << _RAW_BUTTON_PRESS | 1 << _RAW_MOTION
        masks = b"".join(struct.pack("<HHI", one, 1, bits) for one in device_ids)
        self._send(self._extension("XInputExtension"), 46, struct.pack("<IHxx", self._root, len(device_ids)) + masks)
        self.screen_size_px()  # a round trip: a refusal shows now

    def read_events(self) -> tuple[RawInput, ...]:
        """What arrived since the last call; never waits."""
        while self._is_readable():
            self._take()
        found = tuple(RawInput(struct.unpack_from("<H", event, 20)[0]) for event in self._events if event[0] & _SENT_MASK == _GENERIC_EVENT)
        self._events.clear()
        return found

    # -- the curtain -------------------------------------------------------------------------------------------------------------------

    def look_for_windows(self, own_pids: Collection[int]) -> None:
        """Remember for the curtain which windows are of `own_pids`; none where no compositing manager paints the screen."""
        self._own = self._windows_of(own_pids) if self.is_composited() else []

    def draw_curtain(self, width_px: int, height_px: int) -> None:
        """Have the server paint the screen black, at once and above every window; no window manager is asked and no focus moves.

        Nothing is waited for: it is done as soon as the server serves us. A compositing manager paints the screen from each window's own
        picture, and may fade a new window in: so the windows that were looked for are blackened inside, and what it paints next is black.
        """
        self._size = width_px, height_px
        if not self._curtain:
            self._curtain, self._brush = self._new_id(), self._new_id()
            self._make_black(self._curtain, self._root)
            self._send(55, 0, struct.pack("<IIIII", self._brush, self._root, _GROUND_AND_MODE, _BLACK, _INCLUDE_INFERIORS))
        self._send(36, 0, b"")  # the server serves nobody else from here
        self._send(12, 0, struct.pack("<IHxxIII", self._curtain, _SIZE_AND_PLACE, *self._size, _ABOVE))
        self._send(8, 0, struct.pack("<I", self._curtain))
        self._blacken(self._own)
        self.draw_over()
        self._send(37, 0, b"")

    def draw_over(self) -> None:
        """Paint the screen over once more: a compositing manager that was at a picture when the curtain fell shows that one still."""
        self._send(70, 0, struct.pack("<IIhhHH", self._root, self._brush, 0, 0, *self._size))

    def settle_curtain(self, own_pids: Collection[int] = ()) -> None:
        """Look for windows again and blacken those that were not known when the curtain fell.

        It takes a millisecond or two, and `_PATIENCE_SECONDS` where another client keeps the server for itself.
        """
        self.look_for_windows(own_pids)
        self._blacken(self._own)

    def lift_curtain(self) -> None:
        """Take the curtain away again."""
        self._send(10, 0, struct.pack("<I", self._curtain))
        for one in self._inner.values():
            self._send(4, 0, struct.pack("<I", one))  # it went with its window, maybe: nobody reads the refusal
        self._inner.clear()

    def is_composited(self) -> bool:
        """Whether a compositing manager paints this screen (EWMH: it owns a selection of that name)."""
        return bool(self._owner(f"_NET_WM_CM_S{self._screen_no}"))

    def _windows_of(self, own_pids: Collection[int]) -> list[int]:
        """The outermost windows of these processes, in whatever frame a window manager put them."""
        own = {one.base for one in self.clients() if one.pid in own_pids}
        windows, found = [self._root], []
        for _ in range(_DEEPEST_FRAME):
            inside = self._children(windows)
            found += [one for one in inside if one & ~self._id_mask in own and one & ~self._id_mask != self.base]
            windows = [one for one in inside if one & ~self._id_mask not in own]
        return found

    def _blacken(self, windows: Sequence[int]) -> None:
        for one in windows:
            if one not in self._inner:
                self._inner[one] = self._new_id()
                self._make_black(self._inner[one], one)
                self._send(8, 0, struct.pack("<I", self._inner[one]))

    def _children(self, windows: Sequence[int]) -> list[int]:
        """The windows inside of these, asked for all together: a desktop has a hundred."""
        asked = set()
        for one in windows:
            self._send(15, 0, struct.pack("<I", one))
            asked.add(self._sequence)
        found: list[int] = []
        while asked:
            message = self._take()
            if message is None or (sequence := struct.unpack_from("<H", message, 2)[0]) not in asked:
                continue
            asked.remove(sequence)
            if message[0] == _REPLY:  # else it is gone
                found += struct.unpack_from(f"<{struct.unpack_from('<H', message, 16)[0]}I", message, _HEAD_BYTES)
        return found

    def _make_black(self, window: int, parent: int) -> None:
        values = struct.pack("<II", _BLACK, 1)
        self._send(1, 0, struct.pack("<IIhhHHHHII", window, parent, 0, 0, *self._size, 0, _PAINTED, 0, _AS_SAID) + values)

    def _new_id(self) -> int:
        self._last_id = self._last_id % self._id_mask + 1
        return self.base | self._last_id

    # -- the wire ----------------------------------------------------------------------------------------------------------------------

    def _set_up(self, cookie: bytes, screen_no: int) -> None:
        name = _COOKIE if cookie else b""
        hello = struct.pack("<BxHHHHxx", 0x6C, 11, 0, len(name), len(cookie)) + _pad(name) + _pad(cookie)
        self._socket.sendall(hello)
        status, _length, _major, _minor, words = struct.unpack("<BBHHH", self._exactly(8))
        body = self._exactly(4 * words)
        if status != 1:
            raise X11Error("the display refused us")
        vendor_bytes, _most, _roots, formats = struct.unpack_from("<HHBB", body, 16)
        at = 32 + _padded(vendor_bytes) + 8 * formats
        for _ in range(screen_no):
            at = _after_screen(body, at)
        (self._root,) = struct.unpack_from("<I", body, at)
        self.base: int
        self._id_mask: int
        self.base, self._id_mask = struct.unpack_from("<II", body, 4)  # how `clients` names this connection; what is left for its windows
        self._screen_no = screen_no

    def _extension(self, name: str) -> int:
        if name not in self._extensions:
            encoded = name.encode("ascii")
            answer = self._ask(98, 0, struct.pack("<Hxx", len(encoded)) + _pad(encoded))
            if not answer[8]:
                raise X11Error(f"no {name} here")
            self._extensions[name] = answer[9]
            if name == "X-Resource":
                self._ask(answer[9], 0, struct.pack("<BBxx", 1, 2))
        return self._extensions[name]

    def _owner(self, selection: str) -> int:
        """The window that owns a selection; 0: nobody's."""
        (window,) = struct.unpack_from("<I", self._ask(23, 0, struct.pack("<I", self._atom(selection))), 8)
        return int(window)

    def _atom(self, name: str) -> int:
        encoded = name.encode("ascii")
        return int(struct.unpack_from("<I", self._ask(16, 0, struct.pack("<Hxx", len(encoded)) + _pad(encoded)), 8)[0])

    def _send(self, opcode: int, minor: int, body: bytes) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self._socket.sendall(struct.pack("<BBH", opcode, minor, 1 + len(body) // 4) + body)
        except OSError as error:
            self._gone(error)

    def _ask(self, opcode: int, minor: int, body: bytes) -> bytes:
        self._send(opcode, minor, body)
        wanted = self._sequence
        while True:
            message = self._take()
            if message is None:
                continue
            if struct.unpack_from("<H", message, 2)[0] == wanted:
                if message[0] == _ERROR:
                    raise X11Error(f"the display refused a question (error {message[1]})")
                return message

    def _take(self) -> bytes | None:
        """Read one message; events are kept, answers and errors returned."""
        head = self._exactly(_HEAD_BYTES)
        kind = head[0] & _SENT_MASK
        if kind in (_REPLY, _GENERIC_EVENT):
            head += self._exactly(4 * struct.unpack_from("<I", head, 4)[0])
        if kind in (_ERROR, _REPLY):
            return head
        self._events.append(head)
        return None

    def _exactly(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self._socket.recv(count - len(parts))
            except OSError as error:
                self._gone(error)
            if not part:
                self._gone(None)
            parts += part
        return bytes(parts)

    def _is_readable(self) -> bool:
        return bool(select.select([self._socket], [], [], 0)[0])

    def _gone(self, error: OSError | None) -> None:
        self._socket.close()
        if isinstance(error, TimeoutError):  # somebody is there: who connects anew waits as long again
            raise X11Error("the display did not answer in time") from error
        raise X11GoneError("the connection to the display is gone") from error


def names_local_display(environment: Mapping[str, str]) -> bool:
    """Whether DISPLAY names a display of this machine; that it answers is not said."""
    return _LOCAL_DISPLAY.fullmatch(environment.get("DISPLAY", "")) is not None


def _connect(number: str, patience_seconds: float) -> socket.socket:
    for place in (f"\0/tmp/.X11-unix/X{number}", f"/tmp/.X11-unix/X{number}"):  # noqa: S108 - where X servers listen
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        made.settimeout(patience_seconds)
        try:
            made.connect(place)
        except OSError:
            made.close()
        else:
            return made
    raise X11GoneError("nobody listens at the display")


def _cookie(environment: Mapping[str, str], number: str) -> bytes:
    """The display's cookie from the authority file; empty when there is none, which a server without access control accepts."""
    path = environment.get("XAUTHORITY") or os.path.join(environment.get("HOME", "/"), ".Xauthority")  # noqa: PTH118
    try:
        data = Path(path).read_bytes()
    except OSError:
        return b""
    at = 0
    try:
        while at < len(data):
            fields = []
            at += 2  # the family: the display's number is what tells entries of one machine apart
            for _ in range(4):
                (length,) = struct.unpack_from(">H", data, at)
                fields.append(data[at + 2 : at + 2 + length])
                at += 2 + length
            if fields[2] == _COOKIE and fields[1].decode("ascii", "replace") in ("", number):
                return fields[3]
    except struct.error:
        return b""
    return b""


def _after_screen(body: bytes, at: int) -> int:
    depths = body[at + 39]
    at += 40
    for _ in range(depths):
        (visuals,) = struct.unpack_from("<H", body, at + 2)
        at += 8 + 24 * visuals
    return at


def _padded(count: int) -> int:
    return (count + 3) // 4 * 4


def _pad(data: bytes) -> bytes:
    return data + bytes(_padded(len(data)) - len(data))
