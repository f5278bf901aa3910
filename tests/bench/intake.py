"""Intake of 1 GiB: throughput, memory, and what breach commits and readers notice of it.

Rules:

- The services as they are: the worker looks at the file first, chunks are hashed, sealed and committed, the register row and its audit
  entry make the document visible. The clock runs until that is durable.
- The peers read the same chunks of the same file and store them unsealed, a group of as many a transaction, until the file is closed.
- Breaches are recorded on the control thread of a process with its real threads, by priority, while its intake lane works.
- A chunk is read as a page's bytes are: sealed, by a connection that only reads, another one each time.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import stations
from tests.bench.bare_store import open_with_defaults, open_with_defaults_in_wal, open_with_settings, write_chunks
from tests.bench.measures import (
    LEAST_SLOW_REPEATS,
    Report,
    at_least,
    at_most,
    forget_peak,
    interleaved,
    median,
    peak_kib,
    percentile,
    seconds,
    settle_disk,
)
from tests.station import RealEntropy, Station, passphrase_of
from vault.assembly import Vault, open_vault
from vault.domain.breach import Signal, SignalKind
from vault.domain.identity import CaseId
from vault.domain.policy import Policy
from vault.services.events import Event, IntakeMoved
from vault.services.operation import Priority
from vault.services.page_memory import PageMemory
from vault.services.reading import CHUNK_BYTES
from vault.storage.connection import CONTENT_FORMAT
from vault.threads import Lanes

_BREACH_ROUNDS = 3
_EVERY_SECONDS = 0.04
_IDLE_BREACHES = 60
_SEED = 2
_APART_SECONDS = 660.0  # further apart than reports join
_READ_P99_MS = 150.0  # a page that takes longer than that is felt as a hitch


def run(report: Report) -> None:
    """Measure item 1."""
    source = stations.papers() / stations.ONE_GIB
    station = stations.inline("few")
    station.sign_in(stations.OFFICER)
    _throughput(report, station, source)
    station.close()
    settle_disk()
    _breaches(report, station, source)


def _throughput(report: Report, station: Station, source: Path) -> None:
    vault = station.vault
    case_id = vault.desk.cases("", "", 1).lines[0].case_id
    bare, defaults = stations.WORK / "bare.db", stations.WORK / "defaults.db"
    size_mib = source.stat().st_size / 2**20
    grown: list[float] = []
    worker_peaks: list[float] = []

    def vault_intake() -> float:
        forget_peak(os.getpid())
        before = peak_kib(os.getpid())
        settle_disk()
        with _under_another_name(source) as path:
            took = seconds(lambda: stations.take_in(station, case_id, path))
        grown.append((peak_kib(os.getpid()) - before) / 1024)
        worker_id = vault.renderers[1].process_id
        worker_peaks.append(peak_kib(worker_id) / 1024 if worker_id else 0.0)
        station.events.clear()
        return took

    def peer(path: Path, opened: Callable[[Path], object]) -> Callable[[], float]:
        def work() -> float:
            settle_disk()
            took = seconds(lambda: write_chunks(opened(path), _chunks(source)))
            path.unlink()
            return took

        return work

    list(_chunks(source))  # the file is in the page cache for all three
    ours, ideal, in_wal, plain = interleaved(
        LEAST_SLOW_REPEATS,
        vault_intake,
        peer(bare, lambda path: open_with_settings(path, CONTENT_FORMAT)),
        peer(defaults, open_with_defaults_in_wal),
        peer(defaults, open_with_defaults),
    )
    count, slow = len(ours), "one repeat takes more than 3 s"
    report.add("intake", "intake of 1 GiB through the services", size_mib / median(ours), "MiB/s", count, note=slow)
    report.add("intake", "same chunks unsealed, bare SQLCipher, settings of DESIGN §8", size_mib / median(ideal), "MiB/s", count)
    report.add("intake", "same chunks unsealed, SQLCipher defaults, WAL", size_mib / median(in_wal), "MiB/s", count)
    report.add("intake", "same chunks unsealed, SQLCipher defaults, rollback journal", size_mib / median(plain), "MiB/s", count)
    report.add("intake", "intake: throughput over bare with our settings", median(ideal) / median(ours), "x", count, at_least(0.8))
    report.add("intake", "intake: throughput over SQLCipher defaults, WAL", median(in_wal) / median(ours), "x", count, at_least(1.5))
    report.add("intake", "intake: throughput over SQLCipher defaults, rollback journal", median(plain) / median(ours), "x", count)
    report.add(
        "intake", "growth of the vault process's peak memory during it", max(grown), "MiB", count, at_most(64), "largest; 1 GiB file"
    )
    report.add("intake", "peak memory of the worker that looks at the file", max(worker_peaks), "MiB", count, note="largest")


_names = itertools.count(1)


@contextlib.contextmanager
def _under_another_name(source: Path) -> Iterator[Path]:
    """The same bytes under a name that no case has yet: what a case has already is not taken in again."""
    path = source.with_name(f"{next(_names)}-of-{os.getpid()}-{source.name}")
    path.hardlink_to(source)
    try:
        yield path
    finally:
        path.unlink()


def _chunks(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


class _Process:
    """A vault with the threads of a vault process, without the pipe."""

    def __init__(self, station: Station) -> None:
        self.finished = threading.Event()
        self.lanes = Lanes()
        self.lanes.start()
        self._loop = threading.Thread(target=self.lanes.control.run, name="control", daemon=True)
        self._loop.start()
        self._pages = PageMemory.create()
        self.clock = station.clock
        policy = Policy(session_hours=10**6)
        self.vault: Vault = self.lanes.on_control(
            lambda: open_vault(
                station.directory,
                lambda _id: station.keeper,
                station.clock,
                RealEntropy(),
                policy,
                self.lanes,
                self._published,
                self._pages,
            ),
            Priority.CHANGE,
        )
        self.vault.session.sign_in(stations.OFFICER, passphrase_of(stations.OFFICER), station.code(stations.OFFICER))

    def _published(self, event: Event) -> None:
        if isinstance(event, IntakeMoved) and event.intake.finished:
            self.finished.set()

    def start_intake(self, case_id: CaseId, source: Path) -> None:
        self.finished.clear()
        self.lanes.on_control(lambda: self.vault.intake.start(case_id, (str(source),)), Priority.CHANGE)

    def breach(self) -> float:
        """Seconds from the observation to the commit, as a report of its own."""
        self.clock.step(_APART_SECONDS)
        signal = Signal(SignalKind.COPY_KEY, self.clock.now_us(), (("key", "Ctrl+C"),))
        return seconds(lambda: self.lanes.on_control(lambda: self.vault.breaches.record(signal), Priority.BREACH))

    def close(self) -> None:
        self.lanes.on_control(self.vault.close, Priority.CHANGE)
        self.lanes.end()
        self._loop.join()
        self._pages.close()


def _breaches(report: Report, station: Station, source: Path) -> None:
    process = _Process(station)
    case_id = process.lanes.on_control(lambda: process.vault.desk._listed("", 1), Priority.QUERY).lines[0].case_id
    rows = process.lanes.on_control(lambda: process.vault.world.store.documents_of(case_id), Priority.QUERY)
    largest = max(rows, key=lambda row: row.size_bytes)
    reader = process.vault.content.open_reader()
    chunks = itertools.cycle(random.Random(_SEED).sample(range(largest.chunk_count), largest.chunk_count))
    idle: list[float] = []
    busy: list[float] = []
    idle_reads: list[float] = []
    busy_reads: list[float] = []

    def read() -> float:
        return seconds(lambda: reader.read_chunk(largest.document_id, next(chunks)))

    def idle_round() -> float:
        for _ in range(_IDLE_BREACHES):
            idle.append(process.breach())
            idle_reads.append(read())
            time.sleep(_EVERY_SECONDS)
        return 0.0

    def busy_round() -> float:
        settle_disk()
        with _under_another_name(source) as path:
            process.start_intake(case_id, path)
            while not process.finished.wait(_EVERY_SECONDS):
                busy.append(process.breach())
                busy_reads.append(read())
        return 0.0

    for _, act in itertools.product(range(_BREACH_ROUNDS), (idle_round, busy_round)):
        act()
    reader.close()
    process.close()
    report.add(
        "intake",
        "breach: observed to committed, idle",
        1000 * median(idle),
        "ms",
        len(idle),
        note=f"p99 {1000 * percentile(idle, 99):.1f} ms",
    )
    report.add(
        "intake",
        "breach: observed to committed, during intake",
        1000 * median(busy),
        "ms",
        len(busy),
        note=f"p99 {1000 * percentile(busy, 99):.1f} ms",
    )
    report.add("intake", "breach commits during intake over idle", median(busy) / median(idle), "x", len(busy), at_most(2.0))
    for name, reads in (("idle", idle_reads), ("during intake", busy_reads)):
        report.add("intake", f"a chunk of another document read, {name}", 1000 * median(reads), "ms", len(reads))
    p99_ms = 1000 * percentile(busy_reads, 99)
    report.add("intake", "a chunk of another document read during intake, p99", p99_ms, "ms", len(busy_reads), at_most(_READ_P99_MS))
