"""``make premises-drill``: make the namespaces, play the drill in them, take them away, print the table. Exit status 1 if a step is not ok.

python -m tests.premises_drill [--out build/premises.json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.journeys.desk_driver import ROOT
from tests.premises_drill.network import WORKSTATION, Network
from tests.premises_drill.record import Line, table, write

_MOST_SECONDS = 480
_ENDING_SECONDS = 30


def main() -> int:
    """Play the drill in namespaces that are gone afterwards, whatever happens."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "premises.json")
    out = parser.parse_args().out.absolute()
    if os.geteuid() != 0:
        print("premises: network namespaces need root", file=sys.stderr)
        return 1
    out.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = f"casevault-{os.getpid()}"
    network = Network(run)
    session: subprocess.Popen[bytes] | None = None
    scratch = Path(tempfile.mkdtemp(prefix="casevault-drill.", dir="/var/tmp"))  # not below /tmp, which every desk watches
    try:
        network.create()
        program = (ROOT / "packaging" / "session.sh", "headless", sys.executable, "-m", "tests.premises_drill.drill", run, scratch, out)
        session = subprocess.Popen(network.command(WORKSTATION, *program), cwd=ROOT)
        status = session.wait(_MOST_SECONDS)
    finally:
        if session is not None and session.poll() is None:  # interrupted: the session takes its own things away
            session.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                session.wait(_ENDING_SECONDS)
        network.remove()
        shutil.rmtree(scratch, ignore_errors=True)
    if not out.exists():
        write([Line("found", "a station and its key server", f"could not be made: status {status}", False, 0.0)], out)
    lines = [Line(**one) for one in json.loads(out.read_text(encoding="utf-8"))]
    print(table(lines))
    print(out)
    return 0 if status == 0 and lines and all(one.ok for one in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
