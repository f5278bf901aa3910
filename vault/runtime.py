"""The vault process [V]: serves the services over a pipe, runs the sensors, and ends at lock.

Rules (DESIGN §2):

- One control thread (the main thread) with a priority queue; lanes for reading, intake, keys and the trail; one thread reads the pipe.
- Only methods marked `operation` are served. An answer goes out after the method's commit; events go out after theirs.
- A lock or sign-out ends the process: a person's keys die with it, and the interface starts a fresh one. From that moment a deadline runs,
  whatever is still queued and whoever does not listen. What could not be sent whole is followed by nothing.
- No traceback leaves: a defect becomes an incident number; the log has the stack, without values.
- When the pipe ends, the interface is gone: the session is locked, files are closed, the process ends.
- What was observed until the sensors stopped is in a report, or sealed into the spool, before the process ends; also where it is ended
  because something hangs (`Observed`).
"""

from __future__ import annotations

import argparse
import inspect
import logging
import os
import signal
import socket
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from vault import platform as system
from vault.assembly import NewGround, Vault, hold_alone, holds_a_vault, load_policy, open_vault
from vault.domain.breach import Signal, SignalKind
from vault.errors import DefectError, RefusedError, TamperError, VaultError
from vault.observed import Observed
from vault.platform.secret_service import open_secret_keeper
from vault.premises import Hours, is_for_holders
from vault.recovery import EnrolmentGround, HoldersGround
from vault.sensors.process_guard import keep_continuations, library_facts
from vault.sensors.remote import RemoteSensor
from vault.services import wire
from vault.services.events import Ending, Event, LockRequired, Opened, Tick
from vault.services.founding import Founding
from vault.services.operation import Lane, Priority
from vault.services.page_memory import PageMemory
from vault.services.recovery import Recovery, RecoveryHolders
from vault.spooling import Spooling
from vault.storage.desk_mark import take_mark_away
from vault.threads import Lanes
from vault.watching import Watching, refused_here

_CLOSING_SECONDS = 10.0
_SENDING_SECONDS = 5
_LOCKING_SECONDS = 3.0
_SEALING_SECONDS = 2.0
_LATE_SECONDS = 0.5
_PREMISES_END_SECONDS = 5.0
_NAMES_MOST = 500
_log = logging.getLogger("vault.runtime")


class Server:
    """One vault process."""

    def __init__(self, directory: Path, pipe: socket.socket, pages: PageMemory, found: Sequence[str] = ()) -> None:
        self._directory = directory
        self._pipe = pipe
        self._pages = pages
        self._sending = threading.Lock()
        self._telling = threading.Lock()
        self._lanes = Lanes()
        self._clock = system.SystemClock()
        self._entropy = system.SystemEntropy()
        self._spooling = Spooling(directory, open_secret_keeper, self._clock, self._entropy)
        self._methods: dict[str, tuple[Callable[..., Any], wire.Signature]] = {}
        self._vault: Vault | None = None
        self._watching: Watching | None = None
        self._cannot_open: VaultError | None = None
        self._answering = threading.Event()
        self._alone: object | None = None  # the instance lock, held until this process ends
        self._recovery: Recovery | None = None  # its holders may open what did not open
        self._found = tuple(found)  # what was wrong with the interface's start
        self._seen = Observed(self._clock.now_us)  # and in no report yet
        self._ending = ""
        self._told_ending = False
        self._unheard = False  # the interface takes nothing any more
        self._last_witness_us = 0
        self._hours: Hours | None = None  # of the holders; None: the key servers opened it

    # -- life ------------------------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Open the vault (or offer founding), serve until the end."""
        self._lanes.start()
        self._lanes.control.put(Priority.BREACH, self._open)
        threading.Thread(target=self._read, name="pipe", daemon=True).start()
        self._lanes.control.run(self._every_second)
        self._close()

    def _open(self) -> None:
        """Open and publish; a failure to open is served as the answer to every call, in its own words."""
        try:
            if holds_a_vault(self._directory):
                self._open_vault()
            else:
                if refused_now := refused_here(load_policy(), RemoteSensor(os.environ, lambda: False)):
                    raise refused_now[0]
                ground = NewGround(self._directory, open_secret_keeper, self._clock, self._entropy, self._founded)
                self._serve(Founding(ground))
                self._methods["Session.station"] = self._methods["Founding.station"]
        except VaultError as error:
            _log.error("cannot open: %s", error)
            self._cannot_open = self._noted(error)
            self._offer_holders(error)
        except Exception:  # the same last net as around a call
            self._cannot_open = self._defect()
        self._answering.set()
        self._publish(Opened())

    def _open_vault(self) -> None:
        self._alone = self._alone or hold_alone(self._directory)
        watching = Watching(self._directory, self._clock, self._observed, self._system_locks, self._publish)
        vault = open_vault(
            self._directory,
            open_secret_keeper,
            self._clock,
            self._entropy,
            load_policy(),
            self._lanes,
            self._publish,
            self._pages,
            watching.own_open,
            self._denied,
        )
        self._vault = vault
        if ends_us := vault.binding.recovery_ends_us:
            self._hours = Hours(ends_us, self._clock)
        vault.world.end = self._end
        vault.world.observed = self._observed  # kept and tried again where it cannot be committed
        self._watching = watching
        killed = self._spooling.seal_killed_desk()
        vault.world.protections = lambda: watching.statuses(vault)
        for service in (*vault.services, RecoveryHolders(vault.world, EnrolmentGround(vault))):
            self._serve(service)
        watching.start(vault, self._premises_over)
        vault.report_opening()
        self._report_start()
        if killed is not None:
            self._observed(killed)
        if refused := watching.refusal(vault):
            self._methods.clear()  # the vault stays open for its report, and answers nothing else
            raise refused
        vault.custody.return_expired()
        self._lanes.later(Lane.KEYS, lambda: self._guarded(lambda: self._spooling.take(vault)))
        for renderer, lane in zip(vault.renderers, (Lane.READING, Lane.INTAKE), strict=True):
            self._lanes.later(lane, renderer.start)
        self._lanes.later(Lane.READING, vault.tracing.self_test)

    def _offer_holders(self, error: VaultError) -> None:
        """Serve the recovery slot's holders where they are for this and there is a slot; the error says how many must come together."""
        if self._vault is not None or not is_for_holders(error):
            return
        ground = HoldersGround(self._directory, open_secret_keeper, self._clock, self._entropy, load_policy(), self._spooling.note)
        try:
            error.facts["recovery_threshold"] = ground.facts().threshold
        except RefusedError:
            return  # nobody was enrolled
        except VaultError as broken:
            _log.error("no recovery: %s", broken)
            self._spooling.note(broken)
            return
        self._recovery = Recovery(ground, self._clock)
        self._serve(self._recovery)

    def _noted(self, error: VaultError) -> VaultError:
        """Have a report sealed about a vault that does not open; the error says whether one stands, and whom the station wants called."""
        if self._spooling.note(error):
            error.facts["recorded"] = 1
        if error.code.startswith("premises.") and (contact := self._spooling.contact()):
            error.facts["contact"] = contact  # the station's own words about itself, of no person and no case
        return error

    def _report_start(self) -> None:
        """What the interface found wrong with its own start: variables by name, libraries by name and a digest of their path."""
        variables = ", ".join(one.partition(":")[2] for one in self._found if one.startswith("variable:"))
        if variables:
            self._observed(Signal(SignalKind.HOSTILE_ENVIRONMENT, self._clock.now_us(), (("names", variables[:_NAMES_MOST]),)))
        for one in self._found:
            if one.startswith("library:"):
                facts = library_facts("interface", one.partition(":")[2])
                self._observed(Signal(SignalKind.FOREIGN_LIBRARY, self._clock.now_us(), facts))
        self._found = ()

    def _founded(self) -> None:
        """Founding is done: open the new vault in this process."""
        self._methods.clear()
        try:
            self._open_vault()
        except VaultError as error:
            _log.error("cannot open what was founded: %s", error)
            self._cannot_open = error

    def _close(self) -> None:
        """Close in order; each step by itself, and all of them within a deadline: keys must not outlive a lock."""
        self._end_within(_CLOSING_SECONDS)
        vault = self._vault
        steps: list[Callable[[], None]] = []
        if vault is not None:
            if vault.world.session is not None:
                steps.append(lambda: vault.session.lock("interface-gone"))
            steps += [vault.reading.leave_page, lambda: self._stop_watching(vault)]
            steps += [vault.close, self._seal_left, lambda: take_mark_away(self._directory)]
        for step in (*steps, self._pages.wipe):
            self._guarded(step)

    def _stop_watching(self, vault: Vault) -> None:
        """Witness the end and stop the sensors, at the same time: until all is done, the keys are in this process's memory.

        What they still saw is recorded, and the end witnessed once more.
        """
        watching = self._watching
        stopping = threading.Thread(target=self._guarded, args=(watching.stop,), name="stopping") if watching is not None else None
        if stopping is not None:
            stopping.start()
        self._witness_end(vault)
        if stopping is not None:
            stopping.join()
        if self._seen.commit_new(self._record) + self._seen.commit_waiting(self._record):
            self._witness_end(vault)

    def _witness_end(self, vault: Vault) -> None:
        self._guarded(vault.witness.seal_now)
        if vault.world.premises_hold():
            self._guarded(lambda: vault.place_witness.last(*vault.store.audit_head()))

    def _seal_left(self) -> None:
        """Have what is in no report wait in the spool for the next opening (any thread)."""
        vault = self._vault
        if vault is not None:
            public = vault.world.station.supervisors_kem_public
            self._seen.seal(lambda signal: self._spooling.seal(signal, public, self._directory))

    def _end_within(self, seconds: float) -> None:
        """Closing takes milliseconds; a process that cannot close must not live on with keys in its memory."""
        # The system's own clock first: a thread may not start, or, where no memory is left, keep waiting whoever starts it.
        left_seconds = signal.getitimer(signal.ITIMER_REAL)[0]
        signal.setitimer(signal.ITIMER_REAL, min(seconds + _LATE_SECONDS, left_seconds or seconds + _LATE_SECONDS))
        for after_seconds, act in (
            (seconds - _SEALING_SECONDS, lambda: self._guarded(self._seal_left)),
            (seconds, lambda: os._exit(1)),
        ):
            with suppress(RuntimeError, MemoryError):  # the account has as many threads as it may
                timer = threading.Timer(after_seconds, act)
                timer.daemon = True
                timer.start()

    def _guarded(self, step: Callable[[], object]) -> bool:
        """Run a step nobody waits for: what smells of tampering becomes a report, anything else a line of the log without values.

        Returns:
            whether it was done.
        """
        try:
            step()
        except TamperError as error:
            self._tampered(error)
        except VaultError as error:
            _log.error("%s", error)
        except Exception:  # the last net, as around a call
            self._defect()
        else:
            return True
        return False

    def _end(self, reason: str) -> None:
        """The session is over (control thread): this process ends with its keys, when it has closed or when its time is up."""
        if not self._ending:
            self._end_within(_CLOSING_SECONDS)
        self._ending = reason

    # -- time ------------------------------------------------------------------------------------------------------------------------

    def _every_second(self) -> None:
        self._guarded(self._end_recovery)
        if self._recovery is not None:
            self._recovery.let_go_overdue()
        if self._seen.waits:
            self._guarded(lambda: self._seen.commit_waiting(self._record))
        if self._seen.waits:
            return  # no tick: the interface blanks the page until what was seen can be recorded
        vault = self._vault
        if vault is None or self._guarded(vault.custody.return_expired):
            self._publish(Tick())  # else likewise: the page may be of a file that is due and could not be returned, on a full disk
        if vault is not None and self._watching is not None:
            self._look_after(vault, self._watching)

    def _look_after(self, vault: Vault, watching: Watching) -> None:
        def witness() -> None:
            now_us = self._clock.boot_us()
            if now_us - self._last_witness_us >= vault.world.policy.witness_seconds * 1_000_000:
                self._last_witness_us = now_us
                vault.witness.checkpoint()

        def session_end() -> None:
            if vault.session.overdue():
                self._publish(LockRequired("session-end"))

        def protections() -> None:
            if changed := watching.changed(vault):
                vault.trust.follow(changed)

        for step in (session_end, witness, protections, vault.witness.verify_in_turn):
            self._guarded(step)

    # -- pipe ------------------------------------------------------------------------------------------------------------------------

    def _serve(self, service: object) -> None:
        for name, method in inspect.getmembers(service, inspect.ismethod):
            if hasattr(method, "__operation__"):
                self._methods[f"{type(service).__name__}.{name}"] = (method, wire.signature(method.__func__))

    def _read(self) -> None:
        self._answering.wait()
        try:
            while (body := wire.read_frame(self._pipe.recv)) is not None:
                self._take(*wire.decode_call(body))
        except (OSError, VaultError, msgspec.MsgspecError) as error:
            _log.error("the pipe broke: %s", type(error).__name__)
        self._end_within(_CLOSING_SECONDS)  # the interface is gone
        self._lanes.end()

    def _take(self, call_id: int, name: str, arguments: msgspec.Raw) -> None:
        found = self._methods.get(name)
        if found is None:
            error = self._cannot_open or DefectError("wire.unknown-operation")
            self._send(wire.encode_failure(call_id, error))
            return
        method, signature = found
        typed = signature.arguments.decode(arguments)
        operation = signature.operation
        self._lanes.put(operation.lane, operation.priority, lambda: self._answer(call_id, method, typed))

    def _answer(self, call_id: int, method: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            body = wire.encode_value(call_id, method(*arguments))
        except TamperError as error:
            self._tampered(error)
            body = wire.encode_failure(call_id, error)
        except VaultError as error:
            body = wire.encode_failure(call_id, error)
        except Exception:  # the last net: nothing but a code may leave
            body = wire.encode_failure(call_id, self._defect())
        self._send(body)
        self._end_if_asked()

    def _end_if_asked(self) -> None:
        """Tell the interface why this process ends, once, and end it (any thread)."""
        if not self._ending:
            return
        with self._telling:
            told, self._told_ending = self._told_ending, True
        if not told:
            self._publish(Ending(self._ending))
        self._lanes.end()

    def _send(self, body: bytes) -> None:
        with self._sending:
            if self._unheard:
                return  # what follows half a frame is no frame; and each would wait for as long again
            try:
                self._pipe.sendall(wire.frame(body))
                return
            except OSError:
                self._unheard = True
        self._end_within(_CLOSING_SECONDS)
        self._lanes.end()

    def _publish(self, event: Event) -> None:
        self._send(wire.encode_event(event))

    # -- signals ---------------------------------------------------------------------------------------------------------------------

    def _observed(self, signal: Signal) -> None:
        """A sensor saw something (any thread): record it before anything else, then let a held opening go."""
        self._seen.put(signal)
        self._lanes.control.put(Priority.BREACH, self._record_seen)  # where it has ended, closing does it

    def _record_seen(self) -> None:
        self._seen.commit_new(self._record)

    def _record(self, signal: Signal) -> bool:
        vault, watching = self._vault, self._watching
        if vault is None or watching is None:
            return True  # nothing to record it in: what kept the vault shut is told of by itself
        try:
            vault.breaches.record(signal)
        except VaultError as error:  # a full disk: kept, tried again every second, and no page is shown meanwhile
            _log.error("a report could not be committed: %s", error)
            return False
        except Exception:  # a defect: kept in the same way, and in the way of no other
            self._defect()
            return False
        finally:
            self._guarded(lambda: watching.let_go(signal))
        self._guarded(lambda: watching.recorded(signal))  # whatever comes of it, the report is made
        return True

    def _denied(self, action: str) -> None:
        self._observed(Signal(SignalKind.STORE_TAMPERED, self._clock.now_us(), (("code", "storage.denied"), ("action", action))))

    def _tampered(self, error: TamperError) -> None:
        self._observed(Signal(SignalKind.STORE_TAMPERED, self._clock.now_us(), (("code", error.code), *error.facts.items())))

    def _system_locks(self, reason: str) -> None:
        """The system locks, suspends or changes user (a listener's thread, which suspend waits for): blank, then end the session here."""
        self._publish(LockRequired(reason))
        done = threading.Event()

        def lock() -> None:
            try:
                if self._vault is not None:
                    self._vault.session.lock_by_system(reason)
            finally:
                done.set()
                self._end_if_asked()

        if self._lanes.control.put(Priority.LOCK, lambda: self._guarded(lock)):
            done.wait(_LOCKING_SECONDS)

    def _premises_over(self) -> None:
        """The premises were not proven for as long as the lease (the lease's thread): report, lock, and end this process with its keys."""
        vault = self._vault
        if vault is None or self._ending:
            return
        self._end_within(_PREMISES_END_SECONDS)  # whatever the control thread is doing: the keys do not outlive the lease
        lease_seconds = vault.world.policy.premises_lease_seconds
        self._seen.put(Signal(SignalKind.PREMISES_LOST, self._clock.now_us(), (("lease_seconds", lease_seconds),)))

        def end() -> None:
            self._guarded(self._record_seen)
            if self._ending:
                return
            self._guarded(lambda: vault.session.lock_by_system("premises-lost"))
            self._end("premises-lost")
            self._end_if_asked()

        self._lanes.control.put(Priority.BREACH, end)  # where it has ended, closing does it

    def _end_recovery(self) -> None:
        """End with the hours for which the recovery slot's holders opened the vault, by whichever clock says so first."""
        vault = self._vault
        if vault is None or self._ending or self._hours is None or not self._hours.are_over:
            return
        if not vault.binding.recovery_ends_us:  # bound anew meanwhile: the key servers keep it
            return
        self._end_within(_PREMISES_END_SECONDS)
        self._guarded(lambda: vault.session.lock_by_system("recovery-ended"))
        self._end("premises-lost")  # the interface says that the station's network does not answer, which is what keeps it shut again
        self._end_if_asked()

    def _defect(self) -> DefectError:
        """Log the stack without a value in it; give the incident number that leads to it."""
        incident = self._entropy.token()[:8]
        kind, _, trace = sys.exc_info()
        frames = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(traceback.extract_tb(trace)))
        _log.error("incident %s: %s in %s", incident, kind.__name__ if kind else "?", frames)
        return DefectError("vault.defect", incident=incident)


def main() -> None:
    """Run the vault process: ``--vault DIR --pipe FD --pages FD [--found WHAT ...]``."""
    parser = argparse.ArgumentParser(prog="casevault-vault")
    parser.add_argument("--vault", type=Path, required=True)
    parser.add_argument("--pipe", type=int, required=True)
    parser.add_argument("--pages", type=int, required=True)
    parser.add_argument("--found", action="append", default=[])
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s", stream=sys.stderr)
    system.harden_process()
    system.no_new_privileges()
    keep_continuations()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # it ends this process, whatever was inherited
    pipe = socket.socket(fileno=options.pipe)
    # An interface that was stopped must not stop the vault: what cannot be told within seconds ends the process.
    pipe.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SENDING_SECONDS, 0))
    Server(options.vault, pipe, PageMemory.from_descriptor(options.pages), options.found).run()
    # Threads of sensors and lanes are daemons; what must be closed is closed.
    os._exit(0)
