"""Programs that capture the screen while a page is on it: noticed, the page blanked at once, and reported (V18, V20–V24, V28, V29).

Rules:

1. Nothing is looked at while no page is on screen, except once before a page is shown (`require_private`): a program that nobody vouches
   for (`programs`) and that is connected already is refused and reported, and no page is shown until it is gone (V23).
2. The shutter: a capture tool that is executed blanks the page before anything else is known of it (V21): a black curtain, drawn by the
   display's own server, until the interface has painted the page over. Neither waits for an answer of the display's, and a display that
   gives none keeps nothing from being reported. Then the tool is named: a tool of many uses that turns out to do something else brings the
   page back. One that was gone before it could be named is reported too, unless a tool was seen that ran for another display or for
   another account, which keeps from us whom it runs for.
3. A program that loads a library of the display's protocol is looked at before it can connect; one that nobody vouches for blanks the page.
   New clients are asked for every `_CALM_MS`, every `_HOT_MS` while something is starting (V22).
4. `blank` comes before the report, because a report is a commit and a picture is taken in milliseconds. It carries no fact.
5. A program is one signal, whatever saw it. Facts are those of `programs.Program`; never a window's title, an argument or a path.
6. A screen that is added while somebody is signed in is a signal (V18).
7. On X11 no page is shown while nobody watches although the sensor was started, and one that is on screen is to be covered once its thread
   has not come round for `_LATE_SECONDS` (`is_late`): whoever keeps the display from it, or holds it up, gains nothing.

LIMIT: X11 has no event for a picture being taken. A program that connects without a known library, starts faster than one question, or is
vouched for, takes its picture; a vouched-for program is not even noticed. While a client keeps the server for itself a question may wait,
up to five seconds, and a tool that starts meanwhile blanks the page only then; a question before a page, which is asked on the vault's
control thread, waits `_ASKING_SECONDS`. On Wayland, where an X server of the compositor's may show the desk too, known tools that start are
noticed and nothing else is: any program may ask the compositor for the screen. The self-test says UNAVAILABLE there.

Thread: one, ``captures``; `require_private` and `selection_owner` from any. Source: experiments E9, E10; `exec_watch`, `x11_wire`.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vault.domain.breach import Signal, SignalKind
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.errors import Fact, RefusedError
from vault.sensors import capture_tools, inotify, programs, screen
from vault.sensors.capture_tools import Use
from vault.sensors.contract import Emit, wall_clock_us
from vault.sensors.exec_watch import ExecWatch
from vault.sensors.officers_view import looking_at_programs
from vault.sensors.programs import Program, Standing, Vouching
from vault.sensors.x11_clients import ClientLedger
from vault.sensors.x11_wire import Connection, X11Error, names_local_display

if TYPE_CHECKING:
    from vault.sensors.casts import CastMonitor

_log = logging.getLogger(__name__)

_HOT_MS, _CALM_MS, _IDLE_MS = 2, 10, 500
_HOT_SECONDS = 1.0
_SUSPICION_SECONDS = 1.5
_STARTING_SECONDS = 0.12  # how long a program that loaded a library of the display's is looked for
_ABOUT_TO_SHOW_SECONDS = 2.0
_SLOW_SECONDS = 2.0
_JUST_NOW_SECONDS = 5.0
_NEWEST = 16
_CURTAIN_SECONDS = 0.25  # the interface paints its page over in 1 to 15 ms
_MANAGERS_PICTURE_SECONDS = 0.06  # a compositing manager that was at a picture when the curtain fell has shown it by then
_PROBE_SECONDS = 1.5
_ASKING_SECONDS = 2.0
_LATE_SECONDS = 2.0  # it comes round every half a second at the least
_PROTOCOL_LIBRARIES = ("libxcb.so.1", "libX11.so.6")
_LIBRARY_FOLDERS = ("/usr/lib", "/lib", "/usr/lib64", "/lib64", "/usr/local/lib")


@dataclass(slots=True)
class _Suspicion:
    """Something started while a page was shown. It is named by then, or the page comes back."""

    until: float
    certain: bool = False  # a program that does nothing but capture was executed
    suspect: Program | None = None  # nobody vouches for it and it speaks to the display, but was not seen connecting
    facts: tuple[tuple[str, Fact], ...] = ()
    is_told: bool = False


class CapturesSensor:
    """Watches for captures of the screen.

    Args:
        on_screen: whether a page is on screen, by what the vault disclosed last.
        signed_in: whether somebody is signed in.
        blank: tell the interface to take the page away (True) or to bring it back (False), now; thread-safe, never blocks long.
        allowed: programs the station's policy vouches for.
        own_pids: our own processes.
        environment: where DISPLAY and XAUTHORITY are read.
    """

    def __init__(
        self,
        on_screen: Callable[[], bool],
        signed_in: Callable[[], bool],
        blank: Callable[[bool], None],
        *,
        allowed: Sequence[str] = (),
        own_pids: Sequence[int] = (),
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._on_screen = on_screen
        self._signed_in = signed_in
        self._blank = blank
        self._environment = environment
        self._own_pids = frozenset(own_pids)
        self._vouching = Vouching(allowed, own_pids)
        self._ledger = ClientLedger(self._vouching)
        self._casts: CastMonitor | None = None
        if sys.platform == "linux":
            from vault.sensors.casts import CastMonitor  # noqa: PLC0415 - its library exists on Linux only

            self._casts = CastMonitor(signed_in, self._vouching)
        self._has_no_server = self._is_wayland = screen.is_on_wayland(environment)
        self._has_display = names_local_display(environment)
        self._display = environment.get("DISPLAY", "").rpartition(":")[2].partition(".")[0]
        self._emit: Emit = _drop
        self._thread: threading.Thread | None = None
        self._is_started = False  # whether or not it then runs
        self._ending = threading.Event()
        self._wake = -1
        self._told: set[int] = set()  # pids that are in a report
        self._asking = threading.Lock()
        self._asker: Connection | None = None
        self._soon = 0.0
        self._shown_at = float("-inf")
        self._turned_at = float("inf")  # when the thread came round last; not yet
        self._probe_base = 0
        self._probe_seen = threading.Event()
        self._library_seen = threading.Event()
        self._begun = threading.Event()
        self._exec_watches: tuple[ExecWatch, ...] = ()
        # the watching thread's own
        self._connection: Connection | None = None
        self._suspicion: _Suspicion | None = None
        self._is_blank = False  # by this run of the thread
        self._is_interface_blank = False  # by whichever run
        self._curtain_until = 0.0  # 0: it is up
        self._screen_px = 0, 0
        self._hot_until = self._starting_until = self._slow_at = 0.0
        self._monitors: frozenset[int] = frozenset()
        self._judged_starting: set[tuple[int, str]] = set()  # and which program it was

    @property
    def protection(self) -> Protection:
        """SCREEN_CAPTURE."""
        return Protection.SCREEN_CAPTURE

    def start(self, emit: Emit) -> None:
        """Watch; the display is asked for on the sensor's own thread."""
        if sys.platform != "linux" or self._thread is not None:
            return
        self._emit = emit
        self._is_started = True
        if self._casts is not None:
            self._casts.start(emit)
        if not self._has_no_server:
            try:
                self._connection = Connection(self._environment)
                self._screen_px = self._connection.screen_size_px()
                self._is_wayland = screen.is_waylands(self._connection.server_pid())
            except X11Error:
                return
        self._ending.clear()
        self._begun.clear()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._monitors = frozenset()
        self._suspicion, self._is_blank, self._curtain_until = None, False, 0.0  # the curtain went with its connection
        self._thread = threading.Thread(target=self._run, name="captures", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; a page that was blanked stays so until its reader ends."""
        thread, self._thread = self._thread, None
        self._is_started = False
        if thread is not None:
            self._ending.set()
            os.eventfd_write(self._wake, 1)
            thread.join()
            os.close(self._wake)
        with self._asking:
            self._hang_up()
        if self._casts is not None:
            self._casts.stop()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def self_test(self) -> ProtectionStatus:
        """Connect as one more client and load a library of the display's protocol; both must be seen by the watching thread.

        The kernel must still have every tool on its list, and a session bus that was listened to must still be heard.
        """
        unavailable = ProtectionState.UNAVAILABLE
        if sys.platform != "linux":
            return ProtectionStatus(self.protection, unavailable, "not-on-this-system")
        if self._is_wayland:  # what goes through the desktop's portal is noticed at best: any program may ask the compositor itself
            return ProtectionStatus(self.protection, unavailable, "casts-only" if self._sees_casts() else "wayland")
        thread = self._thread
        if thread is not None and thread.is_alive():
            self._begun.wait(_PROBE_SECONDS)  # or it ends at once: there was nothing to be had to watch with
        if thread is None or not thread.is_alive():
            return ProtectionStatus(self.protection, unavailable, "not-watching" if self._has_display else "no-display")
        try:
            probe = Connection(self._environment)
        except X11Error:
            return ProtectionStatus(self.protection, unavailable, "blind")
        self._probe_seen.clear()
        self._library_seen.clear()
        self._probe_base = probe.base
        libraries = _libraries()
        for one in libraries[:1]:
            os.close(os.open(one, os.O_RDONLY | os.O_CLOEXEC))
        os.eventfd_write(self._wake, 1)
        seen = self._probe_seen.wait(_PROBE_SECONDS) and (not libraries or self._library_seen.wait(_PROBE_SECONDS))
        self._probe_base = 0
        probe.close()
        had_casts = self._casts is not None and self._casts.has_begun
        sees_casts = self._sees_casts()
        if not seen or (had_casts and not sees_casts) or not all(one.works() for one in self._exec_watches):
            return ProtectionStatus(self.protection, unavailable, "blind")
        return ProtectionStatus(self.protection, ProtectionState.DETECTED, "shutter" if sees_casts else "shutter-alone")

    def _sees_casts(self) -> bool:
        if self._casts is None:
            return False
        if self._is_started and not self._casts.has_begun:
            self._casts.start(self._emit)  # a bus that refused may have been kept from answering
        return self._casts.works() or self._casts.works()  # twice: a busy machine is no report

    # ---- asked by the vault ----------------------------------------------------------------------------------------------------------

    def require_private(self) -> None:
        """Refuse while a program that nobody vouches for is connected to the display; it is reported once. From any thread, 0.2 ms.

        Raises:
            RefusedError: screen.unknown-client, with the program's process name and number; screen.capture-tool likewise;
                screen.not-answering when the display cannot be asked, or when nobody watches it.
        """
        thread = self._thread
        if self._has_no_server or (thread is None and (not self._has_display or sys.platform != "linux")):
            return
        if thread is not None and thread.is_alive():
            self._soon = time.monotonic() + _ABOUT_TO_SHOW_SECONDS
            with suppress(OSError):
                os.eventfd_write(self._wake, 1)
        elif self._is_started:
            raise RefusedError("screen.not-answering")
        with self._asking:
            try:
                sights = self._ledger.look(self._ask())
            except X11Error as error:
                self._hang_up()  # the next page asks anew
                raise RefusedError("screen.not-answering") from error
        strangers = [one.program for one in sights if one.program.standing is not Standing.GONE]
        for program in strangers if self._is_started else ():  # until it is there is nobody to tell
            self._tell(program, program.facts, when="before-the-page")
        if strangers:
            first = strangers[0]
            code = "screen.capture-tool" if first.standing is Standing.CAPTURES else "screen.unknown-client"
            raise RefusedError(code, process=first.process or "?", pid=first.pid)

    @property
    def is_late(self) -> bool:
        """Whether a page is on screen and its watching thread, which ran, has stopped or hangs. From any thread; asks nobody."""
        return not self._has_no_server and self._on_screen() and time.monotonic() - self._turned_at > _LATE_SECONDS

    def selection_owner(self, *, primary: bool) -> tuple[tuple[str, Fact], ...]:
        """Which program owns the selection now, as facts; none if it cannot be told. From any thread.

        Where none does ``owner`` is ``nobody``. That is a fact, and no reason to say nothing: a program can give up what it took before
        anybody asks.
        """
        if self._thread is None or self._has_no_server:
            return ()
        with self._asking:
            try:
                pid = self._ask().selection_owner_pid("PRIMARY" if primary else "CLIPBOARD")
            except X11Error:
                self._hang_up()
                return ()
        if pid is None:
            return (("owner", "nobody"),)
        if not pid:
            return ()
        program = self._vouching.look(pid)
        return () if program.standing is Standing.GONE else program.facts()

    def page_was_shown(self) -> bool:
        """Whether a page is on screen or was within `_JUST_NOW_SECONDS`: a picture is written after its page went."""
        return self._on_screen() or time.monotonic() - self._shown_at < _JUST_NOW_SECONDS

    def screen_size_px(self) -> tuple[int, int]:
        """The screen's size in pixels, (0, 0) if it cannot be told. From any thread."""
        if self._thread is None or self._has_no_server:
            return 0, 0
        with self._asking:
            try:
                return self._ask().screen_size_px()
            except X11Error:
                self._hang_up()
                return 0, 0

    def _ask(self) -> Connection:
        """The connection for questions; hold `_asking`.

        Raises:
            X11Error: there is none to be had.
        """
        if self._asker is None:
            self._asker = Connection(self._environment, _ASKING_SECONDS)
        return self._asker

    def _hang_up(self) -> None:
        asker, self._asker = self._asker, None
        if asker is not None:
            asker.close()

    # ---- the watching thread ---------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with looking_at_programs(), ExitStack() as opened:  # the hub starts a sensor again: nothing stays open of one that did not
            try:
                tools = {path: tool for path, tool in capture_tools.installed().items() if not self._vouching.allows(path)}
                always = ExecWatch(path for path, tool in tools.items() if tool.use is Use.ALWAYS)
                opened.callback(always.close)
                others = ExecWatch(path for path, tool in tools.items() if tool.use is not Use.ALWAYS)
                opened.callback(others.close)
                libraries = inotify.Inotify()
                opened.callback(libraries.close)
            except OSError as error:
                _log.warning("captures cannot be watched: errno %s", error.errno)
                return
            self._watch(always, others, libraries)

    def _watch(self, always: ExecWatch, others: ExecWatch, libraries: inotify.Inotify) -> None:
        for path in _libraries():
            with suppress(OSError):
                libraries.add(path, inotify.OPEN)
        poll = select.poll()
        for one in (self._wake, always, others, libraries):
            poll.register(one, select.POLLIN)
        self._exec_watches = (always, others)
        self._begun.set()
        try:
            while not self._ending.is_set():
                poll.poll(self._wait_ms())
                with suppress(BlockingIOError):
                    os.eventfd_read(self._wake)
                self._turned_at = time.monotonic()
                tool, other, library = always.happened(), others.happened(), bool(libraries.read())
                if library:
                    self._library_seen.set()
                now = time.monotonic()
                if tool or other:
                    self._tool_started(now, certain=tool and always.sure)
                if library and not self._has_no_server:
                    self._hot_until, self._starting_until = now + _HOT_SECONDS, now + _STARTING_SECONDS
                self._turn(now)
        except X11Error as error:
            _log.warning("the display is gone: %s", error)
            tool, other = always.happened(), others.happened()  # while it was waited for
            with suppress(X11Error):
                if tool or other:
                    self._tool_started(time.monotonic(), certain=tool and always.sure)
            self._give_up()
        finally:
            if self._connection is not None:
                self._connection.close()  # the curtain goes with it: nobody would take it away

    def _wait_ms(self) -> int:
        now = time.monotonic()
        if self._curtain_until:
            return _HOT_MS if self._has_just_fallen(now) else _CALM_MS
        if not (self._on_screen() or now < self._soon):
            return _IDLE_MS
        return _HOT_MS if now < self._hot_until or self._suspicion is not None else _CALM_MS

    def _turn(self, now: float) -> None:
        if self._probe_base:
            self._probe()
        if self._curtain_until:
            self._hold_curtain(now)
        if now >= self._slow_at and self._suspicion is None:  # it takes longer than a tool may live
            self._slow_at = now + _SLOW_SECONDS
            self._slowly()
        if not self._on_screen():
            self._suspicion = None
            self._show()  # nothing is on screen: the next page begins uncovered
            return
        self._shown_at = now
        if now < self._starting_until:
            self._look_at_starting(now)
        self._look_at_clients()
        if self._suspicion is not None:
            self._clear_up(now, self._suspicion)

    def _probe(self) -> None:
        assert self._connection is not None
        if any(one.base == self._probe_base for one in self._connection.clients()):
            self._probe_seen.set()

    def _tool_started(self, now: float, *, certain: bool) -> None:
        """The shutter: first the page, then the questions."""
        if not self._on_screen():
            return
        try:
            self._hide()
        finally:
            certain = certain or (self._suspicion is not None and self._suspicion.certain)
            self._suspicion = _Suspicion(now + _SUSPICION_SECONDS, certain)
            self._judged_starting.clear()
            self._name_tools(self._suspicion)

    def _look_at_starting(self, now: float) -> None:
        """Who has just loaded a library of the display's? A program that nobody vouches for blanks the page before it can connect."""
        for pid in programs.recent(_NEWEST):
            seen = pid, programs.executable(pid)
            if seen in self._judged_starting or programs.age_seconds(pid) > _HOT_SECONDS or not programs.speaks_x11(pid):
                continue
            if programs.for_another_display(pid, self._display):
                continue  # should it come to this one after all, it is a client that is seen then
            program = self._vouching.look(pid)
            now_is = programs.executable(pid)
            if self._vouching.is_ours(pid) or (now_is and ((pid, now_is) != seen or not programs.speaks_x11(pid))):
                continue  # a child that had its parent's libraries until it became a shell, say; what it is now is looked at next
            self._judged_starting.add(seen)
            if program.standing is Standing.STRANGER and pid not in self._told:
                self._hide()
                certain = self._suspicion is not None and self._suspicion.certain
                self._suspicion = _Suspicion(now + _SUSPICION_SECONDS, certain, program, program.facts())

    def _look_at_clients(self) -> None:
        if self._connection is None:  # on Wayland there is nobody to ask who is at the screen
            return
        for sight in self._ledger.look(self._connection):
            program = sight.program
            suspect = self._suspicion.suspect if self._suspicion is not None else None
            if program.standing is Standing.GONE:
                if sight.is_new and suspect is not None and suspect.pid == program.pid:
                    self._found(suspect)
            elif program.pid not in self._told:
                self._found(program)

    def _clear_up(self, now: float, suspicion: _Suspicion) -> None:
        """Name what started; give the page back when nothing came of it."""
        self._name_tools(suspicion)
        suspect = suspicion.suspect
        if suspect is not None and suspect.pid not in self._told and not Path(f"/proc/{suspect.pid}").exists():
            self._found(suspect)  # it came and went between two questions
        if now < suspicion.until:
            return
        self._suspicion = None
        self._tell_unnamed(suspicion)
        if not suspicion.is_told:
            self._show()

    def _give_up(self) -> None:
        """The display does not answer: tell what is known without it. A covered page stays so until its reader ends."""
        if self._suspicion is not None:
            self._name_tools(self._suspicion)
            self._tell_unnamed(self._suspicion)

    def _tell_unnamed(self, suspicion: _Suspicion) -> None:
        if suspicion.certain and not suspicion.is_told:  # executed, and gone before it could be named
            suspicion.is_told = True
            self._emit(Signal(SignalKind.CAPTURE_TOOL, wall_clock_us(), (("process", "?"), ("seen", "executed"))))

    def _name_tools(self, suspicion: _Suspicion) -> None:
        for pid in programs.recent(_NEWEST):
            name = programs.executable(pid)
            if not name and capture_tools.is_name_of_one(programs.anothers_name(pid)):  # at our display it is a client, which is seen then
                suspicion.certain = False
                continue
            tool = capture_tools.known(name)
            if tool is None or pid in self._told:
                continue
            if self._is_for_another_display(pid):
                suspicion.certain = False
                continue
            if tool.use is Use.ALWAYS or capture_tools.names_a_screen(programs.arguments(pid)):
                program = self._vouching.look(pid)
                if program.standing is Standing.CAPTURES:
                    self._found(program)

    def _is_for_another_display(self, pid: int) -> bool:
        """Whether a capture tool is none of ours. On Wayland it may ask the compositor, whatever display it was started for."""
        return not self._is_wayland and programs.for_another_display(pid, self._display)

    def _hide(self) -> None:
        """Cover the page, whatever the display does about it.

        Raises:
            X11Error: the connection is gone, or another client has kept the server for itself too long. The interface was told.
        """
        if self._is_blank:
            return
        self._is_blank = self._is_interface_blank = True
        if self._connection is None:
            self._blank(True)
            return
        try:
            self._connection.draw_curtain(*self._screen_px)
        finally:
            self._blank(True)
        self._curtain_until = time.monotonic() + _CURTAIN_SECONDS
        if not self._is_wayland:  # its compositor shows the curtain; a tool that asks that is not kept back by the server, and soon gone
            self._connection.settle_curtain(self._own_pids)

    def _show(self) -> None:
        self._is_blank = False
        if self._is_interface_blank:
            self._is_interface_blank = False
            self._blank(False)

    def _hold_curtain(self, now: float) -> None:
        assert self._connection is not None
        if now >= self._curtain_until:
            self._curtain_until = 0.0
            self._connection.lift_curtain()
        elif self._has_just_fallen(now):
            self._connection.draw_over()

    def _has_just_fallen(self, now: float) -> bool:
        return now < self._curtain_until - _CURTAIN_SECONDS + _MANAGERS_PICTURE_SECONDS

    def _found(self, program: Program) -> None:
        suspicion = self._suspicion
        known: tuple[tuple[str, Fact], ...] = ()
        if suspicion is not None:
            suspicion.is_told = True
            known = suspicion.facts if suspicion.suspect is program else ()
        try:
            self._hide()
        finally:
            self._tell(program, (lambda: known) if known else program.facts)

    def _tell(self, program: Program, facts: Callable[[], tuple[tuple[str, Fact], ...]], when: str = "") -> None:
        if program.pid in self._told:
            return
        self._told.add(program.pid)
        kind = SignalKind.CAPTURE_TOOL if program.standing is Standing.CAPTURES else SignalKind.UNKNOWN_SCREEN_CLIENT
        observed_us = wall_clock_us()
        more: tuple[tuple[str, Fact], ...] = (("when", when),) if when else ()
        self._emit(Signal(kind, observed_us, (*facts(), *more)))

    def _slowly(self) -> None:
        """What need not be known at once: programs that record without a client, new screens, pids that are free again."""
        self._told = {pid for pid in self._told if pid and Path(f"/proc/{pid}").exists()}
        self._judged_starting = {seen for seen in self._judged_starting if Path(f"/proc/{seen[0]}").exists()}
        if self._on_screen():
            for pid in programs.recent(1 << 20):
                tool = capture_tools.known(programs.executable(pid))
                if tool is not None and tool.use is Use.ALWAYS and not self._is_for_another_display(pid):
                    program = self._vouching.look(pid)
                    if program.standing is Standing.CAPTURES:
                        self._found(program)
        if self._connection is None:
            return
        self._screen_px = self._connection.screen_size_px()
        self._connection.look_for_windows(self._own_pids)
        before, self._monitors = self._monitors, frozenset(one.name for one in self._connection.monitors())
        if before and self._monitors - before and self._signed_in():
            width_px, height_px = self._screen_px
            facts: tuple[tuple[str, Fact], ...] = (("screens", len(self._monitors)), ("width_px", width_px), ("height_px", height_px))
            self._emit(Signal(SignalKind.DISPLAY_ADDED, wall_clock_us(), facts))


def _libraries() -> list[Path]:
    """The files of the libraries that speak the display's protocol, links resolved."""
    found: dict[Path, None] = {}
    for folder in _LIBRARY_FOLDERS:
        for name in _PROTOCOL_LIBRARIES:
            for path in (*Path(folder).glob(name), *Path(folder).glob(f"*/{name}")):
                found[path.resolve()] = None
    return list(found)


def _drop(_signal: Signal) -> None:
    return None
