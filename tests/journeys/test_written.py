"""Nothing of a page reaches a file (V14-V16, V58-V60): traced over a session, and with exceptions forced that quote it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.journeys.own_session import play

ROOT = Path(__file__).resolve().parents[2]
MARKER = "PERIWINKLE-STATEMENT"

# Files the desk and its session may write; a new one is looked at by a person before it is added here.
EXPECTED = (
    "/.local/share/casevault/",  # the vault: sealed, and searched like the rest
    "/.local/share/keyrings/",
    "/.local/state/casevault/desk.log",
    "/.config/Casevault/desk.",  # the window's place, and its lock and replacement
    "/.cache/fontconfig/",
    "/.cache/casevault-watch-probe",
    "/Downloads/",  # the sensors' own probes
    "/Desktop/",
    "/var/lib/xkb/",
    "/var/cache/fontconfig/",
    "/delivery/",
    "/environment",
)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="fanotify over whole file systems: root on Linux")
@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_no_file_of_a_session_holds_a_word_of_it(tmp_path: Path) -> None:
    out = ROOT / "build" / "written.json"
    out.parent.mkdir(exist_ok=True)
    play("tests.journeys.written_shift", tmp_path / "w", 590)
    found = json.loads((tmp_path / "w").read_text())
    out.write_text(json.dumps(found, indent=2) + "\n")
    assert found["control_found"], "the trace must be able to find what is written and gone"
    assert any(path.endswith("desk.log") for path, _ in found["files"])
    assert any("/register.db" in path or "vault.header" in path for path, _ in found["files"])
    assert found["hits"] == []
    assert found["pictures"] == [], "a page is pixels, too"
    assert found["said"] == [], "on a command line or standard error"
    names = {path for path, _ in found["files"]}
    assert not [name for name in names if "recently-used" in name or "thumbnail" in name]
    strange = [name for name in names if not name.startswith(EXPECTED) and not name.endswith(".pyc") and ".pyc." not in name]
    assert strange == []


INTERFACE = """
import logging, sys, threading
sys.path.insert(0, sys.argv[1])
from ui import incident_log
from vault.errors import RefusedError
told = []
incident_log.install(told.append)
marker = sys.stdin.read()
def fail(depth=3):
    text = marker
    if depth:
        return fail(depth - 1)
    try:
        {}[marker]
    except KeyError as error:
        raise ValueError(f"cannot read {marker}") from error
thread = threading.Thread(target=fail); thread.start(); thread.join()
try:
    fail()
except ValueError:
    logging.getLogger("ui.x").exception("a slot failed")
from PySide6.QtCore import QCoreApplication, QTimer
app = QCoreApplication([])
QTimer.singleShot(0, fail)
QTimer.singleShot(50, app.quit)
app.exec()
assert len(told) >= 2, told
fail()
"""
VAULT = """
import logging, socket, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from vault.runtime import Server
from vault.services.page_memory import PageMemory
logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
marker = sys.stdin.read()
mine, theirs = socket.socketpair()
server = Server(Path(sys.argv[2]), theirs, PageMemory.create())
def operation(argument):
    raise ValueError(f"cannot read {argument}") from KeyError(marker)
server._answer(1, operation, (marker,))
mine.settimeout(10)
assert marker.encode() not in mine.recv(65536)
"""


@pytest.mark.parametrize("program", [INTERFACE, VAULT], ids=["interface", "vault"])
def test_a_forced_exception_leaves_no_content(tmp_path: Path, program: str) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", program, ROOT, tmp_path],
        env=environment,
        cwd=tmp_path,
        input=MARKER,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    logs = "".join(path.read_text() for path in tmp_path.rglob("*.log"))
    said = done.stdout + done.stderr + logs
    assert "ValueError" in said, "the failure itself is recorded"
    assert "incident" in said
    assert MARKER not in said
    assert not any(MARKER.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
