"""Numbers, the limits they are held to, and the table.

Rules:

- A number is the median of its repeats unless its name says p99; the table says how many repeats there were.
- A comparison is made inside one run: `interleaved` runs A B A B …, and a ratio is the median of one over the median of the other.
- A limit is met or missed; nothing is rounded in its favour.
"""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

LEAST_REPEATS = 20
LEAST_SLOW_REPEATS = 5  # where one repeat takes more than three seconds


@dataclass(frozen=True, slots=True)
class Limit:
    """What a number is held to; `at_most` or `at_least`."""

    bound: float
    at_most: bool = True

    def met_by(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"


def at_most(bound: float) -> Limit:
    """A number that must not be greater."""
    return Limit(bound)


def at_least(bound: float) -> Limit:
    """A number that must not be less."""
    return Limit(bound, at_most=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    item: str
    name: str
    value: float
    unit: str
    repeats: int
    limit: Limit | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.limit is None or self.limit.met_by(self.value)


@dataclass
class Report:
    """Everything measured in a run."""

    rows: list[Row] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, item: str, name: str, value: float, unit: str, repeats: int, limit: Limit | None = None, note: str = "") -> None:
        """Add a number and print its line."""
        row = Row(item, name, value, unit, repeats, limit, note)
        self.rows.append(row)
        print(_line(row), flush=True)

    def failed(self, item: str, why: str) -> None:
        """An item that could not be measured is a miss."""
        self.failures.append(f"{item}: {why}")
        print(f"{item:8} COULD NOT BE MEASURED: {why}", flush=True)

    def missed(self) -> list[Row]:
        """The numbers that miss their limit."""
        return [row for row in self.rows if not row.met]

    def write(self, path: Path, items: Sequence[str]) -> None:
        """Write `build/bench.json`."""
        rows = [{**asdict(row), "limit": str(row.limit) if row.limit else None, "met": row.met} for row in self.rows]
        record = {"machine": machine(), "items": list(items), "rows": rows, "failures": self.failures}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _line(row: Row) -> str:
    limit = f"{row.limit}" if row.limit else ""
    verdict = ("ok" if row.met else "MISSED") if row.limit else ""
    return f"{row.item:8} {row.name:64} {row.value:10.2f} {row.unit:5} {limit:>8} {verdict:6} n={row.repeats:<5} {row.note}"


def heading() -> str:
    """The table's first line."""
    return f"{'item':8} {'what':64} {'median':>10} {'':5} {'limit':>8}"


def machine() -> dict[str, object]:
    """The machine class, and what else it was doing."""
    model = next((line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory_kib = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    versions = {name: _version(name) for name in ("PySide6_Essentials", "sqlcipher3", "pypdfium2", "cryptography")}
    return {
        "cores": os.cpu_count(),
        "processor": model,
        "memory_gib": round(memory_kib / 2**20, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": versions,
        "load_average": [round(one, 1) for one in os.getloadavg()],
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _version(name: str) -> str:
    from importlib import metadata

    return metadata.version(name)


def median(samples: Sequence[float]) -> float:
    """The middle."""
    return statistics.median(samples)


def percentile(samples: Sequence[float], percent: float) -> float:
    """Nearest rank: of 200 samples the p99 is the 198th."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def interleaved(repeats: int, *works: Callable[[], float]) -> list[list[float]]:
    """Run A B A B … and give each one's samples."""
    samples: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for place, work in enumerate(works):
            gc.collect()
            samples[place].append(work())
    return samples


def seconds(work: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def peak_kib(process_id: int) -> int:
    """The most memory a process had resident so far (VmHWM)."""
    return next(int(line.split()[1]) for line in _lines(f"/proc/{process_id}/status") if line.startswith("VmHWM"))


def forget_peak(process_id: int) -> None:
    """Let the peak start again from what is resident now."""
    Path(f"/proc/{process_id}/clear_refs").write_text("5")


def settle_disk() -> None:
    """Write out what the work before left behind, so that it is not billed to the work after."""
    subprocess.run(["sync"], check=True)
