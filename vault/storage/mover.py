"""The content file's write-ahead log, moved into the file while the writer writes on.

Rules:

- A log writes everything twice. The second time is done here, beside the writer, on one thread with a connection of its own that does
  nothing else: the only one of the content file that checkpoints while a writer has it open.
- It moves what there is every `STEP_BYTES`. A log starts over only when all of it was moved, which it never is while the writer runs ahead;
  so at `TURN_BYTES` the writer waits until it is.
- A log that could not start over (a reader stood in the way) is emptied and cut off at `WAL_BOUND_BYTES`.
- What fails here is tried once more before the writer's next group, and then told to it: what was committed is durable in the log, moved or
  not. What smells of tampering is told at `close` too, for there may be no next group.

Thread: one, ``content-mover``, from the first `STEP_BYTES` to `close`; everything public is called on the writer's. ADR 0021.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from vault.errors import TamperError, UnavailableError, VaultError
from vault.storage.connection import Connection
from vault.storage.failures import translated

MIB = 1 << 20
STEP_BYTES = 16 * MIB
TURN_BYTES = 48 * MIB
WAL_BOUND_BYTES = 64 * MIB
MOVER_PATIENCE_MS = 100  # how long a reader is waited for; a chunk is read in one or two, and the next commit asks again


class Mover:
    """Keeps one file's log short. Costs nothing until `STEP_BYTES` were written."""

    def __init__(self, log: Path, connect: Callable[[], Connection]) -> None:
        """Remember the log's path and how to open a connection `Use.MOVE`; called on the mover's thread, which keeps it."""
        self._log = log
        self._connect = connect
        self._connection: Connection | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._running: Future[bool] | None = None
        self._failure: VaultError | None = None
        self._unmoved_bytes = 0  # at most what the log holds that is not in the file
        self._since_step_bytes = 0

    def require_well(self) -> None:
        """Raise, once, what failed since this was last asked and fails again: UnavailableError storage.*, TamperError storage.damaged."""
        if self._running is not None and self._running.done():
            self._wait()
        if isinstance(self._failure, UnavailableError):  # a disk that was full for a moment: the next document can be stored
            self._failure = None
            self._start(cut_off=False)
            self._wait()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def committed(self, size_bytes: int) -> None:
        """The writer committed so much and holds no transaction. Mostly returns at once; never raises."""
        self._unmoved_bytes += size_bytes
        self._since_step_bytes += size_bytes
        too_long = self._log_bytes() > WAL_BOUND_BYTES
        if too_long or self._unmoved_bytes >= TURN_BYTES:
            self._wait()
            self._start(cut_off=too_long)
            if self._wait():
                self._unmoved_bytes = 0
        elif self._since_step_bytes >= STEP_BYTES and (self._running is None or self._running.done()):
            self._wait()
            self._start(cut_off=False)

    def close(self) -> None:
        """End the thread and its connection; what is unmoved stays in the log, which is as durable. Before the writer's is closed.

        Raises:
            TamperError: storage.damaged, storage.denied; what was not told yet.
        """
        if self._thread is None:
            return
        self._wait()
        thread, self._thread = self._thread, None
        try:
            thread.submit(self._disconnect).result()
        finally:
            thread.shutdown()
        failure, self._failure = self._failure, None
        if isinstance(failure, TamperError):
            raise failure

    def _start(self, *, cut_off: bool) -> None:
        self._since_step_bytes = 0
        try:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="content-mover")
            self._running = self._thread.submit(self._move, cut_off)
        except RuntimeError as error:  # no thread can be started
            self._failure = translated(error)

    def _wait(self) -> bool:
        """Wait for what is under way; whether everything was moved."""
        running, self._running = self._running, None
        if running is None:
            return False
        try:
            return running.result()
        except Exception as error:  # the writer's commit stands; whatever it is, the writer is told before its next
            self._failure = error if isinstance(error, VaultError) else translated(error)
            return False

    def _log_bytes(self) -> int:
        try:
            return self._log.stat().st_size
        except OSError:
            return 0

    # -- the mover's thread

    def _move(self, cut_off: bool) -> bool:
        if self._connection is None:
            self._connection = self._connect()
        return self._connection.checkpoint() if cut_off else self._connection.move_log()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
