"""``make bench``: measure what the product promises, print a table, write ``build/bench.json``, exit 1 if a limit is missed.

    python -m tests.bench [ITEM ...]       inside packaging/session.sh headless

Each item runs in a process of its own, so that none inherits the other's memory. docs/performance.md says what is measured and how.
`WORK` is the run's alone, which the lock sees to: it is emptied before, for a run that was killed leaves it, and removed after. What takes
minutes to make lies beside it and is kept (`stations`).
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import json
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

from tests.bench.measures import Limit, Report, Row, heading
from tests.bench.stations import FOLDER, WORK

ROOT = Path(__file__).resolve().parents[2]
ITEMS = (
    *("audit", "cold", "turn", "window", "first", "copies", "scale", "signin", "intake", "trace", "sensors", "search", "unlock", "cuts"),
    "sentinel",
)
_SAID = "bench-rows: "


def run_item(item: str) -> None:
    """Be the child: measure one item and hand its rows over."""
    report = Report()
    try:
        importlib.import_module(f"tests.bench.{item}").run(report)
    except Exception:  # an item that fails is a miss, and the others are measured all the same
        traceback.print_exc()
        report.failed(item, traceback.format_exc().strip().splitlines()[-1])
    rows = [
        [row.item, row.name, row.value, row.unit, row.repeats, row.limit and [row.limit.bound, row.limit.at_most], row.note]
        for row in report.rows
    ]
    print(_SAID + json.dumps([rows, report.failures]), flush=True)


def measure(items: list[str]) -> Report:
    """Measure items one after the other, each in its own process."""
    report = Report()
    for item in items:
        child = subprocess.Popen([sys.executable, "-m", "tests.bench", "--child", item], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert child.stdout is not None
        said = False
        for line in child.stdout:
            if line.startswith(_SAID):
                rows, failures = json.loads(line.removeprefix(_SAID))
                report.rows += [Row(*row[:5], Limit(*row[5]) if row[5] else None, row[6]) for row in rows]
                report.failures += failures
                said = True
            else:
                print(line, end="", flush=True)
        if child.wait() != 0 or not said:
            report.failed(item, f"the process ended with status {child.returncode}")
    return report


def main() -> int:
    """Measure; the exit status says whether every limit was met."""
    parser = argparse.ArgumentParser()
    parser.add_argument("items", nargs="*", metavar="ITEM", help=", ".join(ITEMS))
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        run_item(options.child)
        return 0
    items = options.items or list(ITEMS)
    if unknown := set(items) - set(ITEMS):
        parser.error(f"no such item: {', '.join(sorted(unknown))}; there are {', '.join(ITEMS)}")
    FOLDER.mkdir(mode=0o700, parents=True, exist_ok=True)
    alone = (FOLDER / "lock").open("w")
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        parser.error("another run is measuring on this machine")
    shutil.rmtree(WORK, ignore_errors=True)
    print(heading(), flush=True)
    try:
        report = measure(items)
    finally:
        shutil.rmtree(WORK, ignore_errors=True)
    report.write(options.out, items)
    missed = report.missed()
    print()
    for row in missed:
        print(f"MISSED {row.item}: {row.name}: {row.value:.2f} {row.unit}, limit {row.limit}")
    for failure in report.failures:
        print(f"NOT MEASURED {failure}")
    held = sum(row.limit is not None for row in report.rows)
    print(f"{held - len(missed)} of {held} limits met · {options.out}")
    return 1 if missed or report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
