"""A real vault process with a plain reader at the other end of its pipe: service calls, and every event with the moment it arrived.

No interface, no Qt. Times are `time.monotonic`. Thread: any; one call at a time.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from vault.errors import VaultError
from vault.services import wire
from vault.services.events import Event
from vault.services.page_memory import PageMemory

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E")

_SERVE = "from vault.runtime import main; main()"
_ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 90.0


class ProcessEndedError(Exception):
    """The vault process ended before it did what it was waited for."""


class VaultProcess:
    """One vault process, from its start to its end."""

    def __init__(self, directory: Path) -> None:
        self._ours, theirs = socket.socketpair()
        self._pages = PageMemory.create()
        self._news = threading.Condition()
        self._events: list[tuple[float, Event]] = []
        self._answers: dict[int, tuple[Any, Any]] = {}
        self._calls = 0
        self.ended_at = 0.0  # when the process was gone, 0 while it runs
        words = ["--vault", str(directory), "--pipe", str(theirs.fileno()), "--pages", str(self._pages.descriptor)]
        handed = (theirs.fileno(), self._pages.descriptor)
        self.process = subprocess.Popen([sys.executable, "-c", _SERVE, *words], pass_fds=handed, cwd=_ROOT, stdin=subprocess.DEVNULL)
        theirs.close()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._await_end)]
        for one in self._threads:
            one.start()

    def ask(self, method: Callable[Concatenate[Any, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a service and wait for its answer.

        Raises:
            ProcessEndedError: before it answered; what the call refuses.
        """
        assert not kwargs, "arguments cross the pipe by position"
        with self._news:
            self._calls += 1
            call_id = self._calls
        try:
            self._ours.sendall(wire.call_frame(call_id, method, args))
        except OSError as error:
            raise ProcessEndedError from error
        failure, value = self._wait(lambda: self._answers.pop(call_id, None), f"an answer to {method.__qualname__}")
        refusal: VaultError | None = wire.decode_failure(failure)
        if refusal is not None:
            raise refusal
        answer: R = wire.signature(method).result.decode(value)
        return answer

    def told(self, kind: type[E], matching: Callable[[E], bool] = lambda _: True) -> float:
        """Wait for an event; give when the first such one arrived. Raises ProcessEndedError if the process ended without it."""
        return self._wait(
            lambda: next((at for at, one in list(self._events) if isinstance(one, kind) and matching(one)), None), kind.__name__
        )

    def events(self, kind: type[E]) -> list[E]:
        """Every event of a kind that arrived so far."""
        return [one for _, one in list(self._events) if isinstance(one, kind)]

    def end(self) -> float:
        """Wait for the process to end by itself; give when it was gone."""
        self._threads[1].join(PATIENCE_SECONDS)
        assert self.ended_at, "the vault process still runs"
        self.close()
        return self.ended_at

    def kill(self) -> None:
        """Kill it as a person without manners does."""
        self.process.kill()
        self.end()

    def close(self) -> None:
        """End the pipe, as an interface that ends; wait for the process, and let everything go."""
        if self._ours.fileno() >= 0:
            with suppress(OSError):
                self._ours.shutdown(socket.SHUT_RDWR)
            for one in self._threads:
                one.join(PATIENCE_SECONDS)
            self._ours.close()
            self._pages.close()

    def _wait(self, look: Callable[[], R | None], what: str) -> R:
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._news:
            while (found := look()) is None:
                if not self._threads[0].is_alive():
                    raise ProcessEndedError(what)
                assert time.monotonic() < deadline, f"waited in vain: {what}"
                self._news.wait(0.5)
        return found

    def _read(self) -> None:
        try:
            while (body := wire.read_frame(self._ours.recv)) is not None:
                now = time.monotonic()
                call_id, failure, value = wire.decode_answer(body)
                with self._news:
                    if call_id:
                        self._answers[call_id] = failure, value
                    else:
                        self._events.append((now, wire.decode_event(failure, value)))
                    self._news.notify_all()
        except (OSError, VaultError):  # it was killed in the middle of a word
            return
        finally:
            with self._news:
                self._news.notify_all()

    def _await_end(self) -> None:
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        self.ended_at = time.monotonic()
        self.process.wait()
