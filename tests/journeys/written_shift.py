"""Trace every file written while a page is read, looked through, flagged and locked away; search all of them for what was on the screen.

    packaging/session.sh headless python -m tests.journeys.written_shift --out build/written.json

The whole session is traced, not only the desk: the keyring, the bus and the X server write for it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.journeys.desk_driver import children_of
from tests.journeys.memory import forms
from tests.journeys.memory_shift import CASE_TITLE, PAGE_WORDS, MemoryShift
from tests.journeys.shift import OFFICER, passphrase_of
from tests.journeys.written import Written, WrittenFiles

LOOKED_FOR = "QUILLWORT"  # typed into the find line
PICTURES = {
    "png": b"\x89PNG\r\n",
    "jpeg": b"\xff\xd8\xff",
    "bmp": b"BM",
    "ppm": b"P6\n",
    "webp": b"RIFF",
    "pdf": b"%PDF",
}
MARKERS = {
    **{word: forms(word) for word in PAGE_WORDS},
    "what was looked for": forms(LOOKED_FOR),
    "case title": forms(CASE_TITLE),
    "passphrase": forms(passphrase_of(OFFICER)),
}


class WrittenShift(MemoryShift):
    """Read, look something up, try to copy, lock, unlock, leave."""

    def play_all(self) -> list[str]:
        """Play; give what any of the desk's processes had on its command line or said on standard error."""
        said: list[str] = []
        try:
            for act in (
                self.first_run,
                self.founding,
                self.add_unit,
                self.enrol,
                self.cosign,
                self.one_case,
                self.sign_in_officer,
                self.check_out,
                self.look_up,
                self.copy_key,
            ):
                act()
            for pid in (self.desk.process.pid, *children_of(self.desk.process.pid)):
                said.append(Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace"))
            self.lock()
            self.desk.wait("focus lock_passphrase", since=0)
            self.desk.settle(1.0)
        finally:
            self.desk.close()
        return [*said, *self.desk.stray]

    def look_up(self) -> None:
        """Find a word of the page."""
        before = self.desk.key("ctrl+f")
        self.desk.wait("focus reader_find_field", since=before)
        self.desk.type(LOOKED_FOR)
        self.desk.key("Return")
        self.desk.settle(1.0)
        before = self.desk.key("Escape")
        self.desk.wait("focus reader_page_view", since=before)
        self.desk.settle()


def found_in(content: bytes) -> list[str]:
    """Name the markers in a file."""
    return [name for name, shapes in MARKERS.items() if any(shape in content for shape in shapes)]


def kind_of(content: bytes) -> str:
    """Name the kind of picture or document a file is; empty for anything else."""
    return next((name for name, magic in PICTURES.items() if content.startswith(magic)), "")


def main() -> int:
    """Play, search, write what was written by whom, and what was in it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out.absolute()
    scratch = Path(os.environ["HOME"]) / "pictures"
    scratch.mkdir()
    session = os.getppid()
    trace = WrittenFiles([session])
    try:
        shift = WrittenShift(scratch)
        desk = shift.desk.process.pid
        said = shift.play_all()
        # A control: a file that is written, closed and deleted at once is found by the trace, with its marker.
        control = f"printf '%s' {PAGE_WORDS[0]} > {scratch}/control && rm {scratch}/control"
        subprocess.run(["sh", "-c", control], check=True)
    finally:
        trace.stop()
        shutil.rmtree(scratch)
    driven = [one for one in trace.seen if _is_the_products(one, desk)]
    report = {
        "control_found": any(found_in(one.content) for one in trace.seen if one.path.startswith(str(scratch / "control"))),
        "mounts": trace.mounts,
        "files": sorted({(one.path.removeprefix(os.environ["HOME"]), one.writer) for one in driven}),
        "closings": len(driven),
        "hits": [(one.path, one.writer, found_in(one.content)) for one in driven if found_in(one.content)],
        "pictures": [(one.path, one.writer, kind_of(one.content)) for one in driven if kind_of(one.content)],
        "said": found_in("\n".join(said).encode()),
    }
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))
    return 0


def _is_the_products(one: Written, desk: int) -> bool:
    """Whether the desk or the session's services wrote it, and not the driver of the test."""
    return desk in one.ancestors or os.getpid() not in one.ancestors


if __name__ == "__main__":
    sys.exit(main())
