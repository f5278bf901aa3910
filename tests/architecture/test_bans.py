"""Dangerous calls stand only behind their safe door, and every ban is proven to fire."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.bans import BANS, broken_bans, broken_in

ROOT = Path(__file__).resolve().parents[2]

# ban · module · what is written there
DANGERS = [
    ("ambient keyring", "vault/platform/linux.py", "import keyring\nkeyring.get_password('a', 'b')"),
    ("ambient keyring", "vault/platform/linux.py", "from keyring import set_password as keep\nkeep('a', 'b', 'c')"),
    ("pickle", "vault/runtime.py", "import pickle"),
    ("pickle", "ui/bridge.py", "from pickle import loads as read\nread(b'')"),
    ("pickle", "vault/runtime.py", "import marshal"),
    ("code from text", "vault/domain/policy.py", "eval('1')"),
    ("code from text", "ui/app.py", "exec('x = 1')"),
    ("shell", "vault/sensors/processes.py", "import subprocess\nsubprocess.run('ps | grep x', shell=True)"),
    ("shell", "vault/sensors/processes.py", "import subprocess\nflag = 1\nsubprocess.Popen('ps', shell=flag)"),
    ("shell", "vault/sensors/processes.py", "import os\nos.system('ps')"),
    ("temporary file", "vault/rendition/text.py", "import tempfile"),
    ("temporary file", "vault/rendition/text.py", "from tempfile import NamedTemporaryFile"),
    ("stdlib sqlite3", "vault/storage/engine.py", "import sqlite3"),
    ("random", "vault/crypto/slots.py", "import random"),
    ("random", "ui/widgets/chip.py", "from random import choice"),
    ("sleep", "vault/sensors/hub.py", "import time\ntime.sleep(1)"),
    ("sleep", "ui/bridge.py", "from time import sleep\nsleep(1)"),
    ("wall clock", "vault/services/custody.py", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
    ("wall clock", "ui/windows/desk.py", "from datetime import datetime\ndatetime.utcnow()"),
    ("print", "vault/services/intake.py", "print('x')"),
    ("print", "ui/app.py", "print('x')"),
    ("AES-GCM outside crypto", "vault/storage/spool.py", "from cryptography.hazmat.primitives.ciphers.aead import AESGCM"),
    ("AES-GCM outside crypto", "vault/storage/spool.py", "from cryptography.hazmat.primitives.ciphers import aead\naead.AESGCM(b'')"),
    ("network client", "vault/services/intake.py", "import urllib.request"),
    ("network client", "vault/sensors/hub.py", "from http.client import HTTPSConnection"),
    ("network client", "vault/services/breach.py", "import smtplib"),
    ("file written", "vault/services/reading.py", "open('/tmp/x', 'wb')"),
    ("file written", "vault/services/reading.py", "from pathlib import Path\nPath('x').open(mode='a')"),
    ("file written", "vault/rendition/pdf.py", "from pathlib import Path\nPath('x').write_bytes(b'')"),
    ("file written", "ui/windows/reader.py", "import os\nos.fdopen(3, 'w')"),
    ("stock text widget", "ui/windows/reader.py", "from PySide6.QtWidgets import QTextEdit"),
    ("stock text widget", "ui/windows/reader.py", "from PySide6 import QtWidgets\nQtWidgets.QPlainTextEdit()"),
    ("save dialog", "ui/windows/reader.py", "from PySide6.QtWidgets import QFileDialog\nQFileDialog.getSaveFileName()"),
    ("save dialog", "ui/windows/reader.py", "from PySide6.QtGui import QPdfWriter"),
    ("desktop services", "ui/windows/reader.py", "from PySide6.QtGui import QDesktopServices"),
    ("clipboard filled", "ui/windows/reader.py", "from PySide6.QtGui import QGuiApplication\nQGuiApplication.clipboard().setText('x')"),
    ("clipboard filled", "ui/windows/reader.py", "def f(clipboard):\n    clipboard.setMimeData(None)"),
    ("drag started", "ui/windows/reader.py", "from PySide6.QtGui import QDrag"),
    ("stock menu of a text field", "ui/widgets/field.py", "def f(line):\n    line.createStandardContextMenu()"),
    ("Qt module with a way out", "ui/windows/reader.py", "from PySide6.QtPdf import QPdfDocument"),
    ("Qt module with a way out", "ui/windows/reader.py", "from PySide6 import QtPrintSupport"),
    ("native call", "vault/services/session.py", "import ctypes"),
]

# What looks alike and is the door itself.
DOORS = [
    ("vault/commands.py", "print('said to the person at the terminal')"),
    ("vault/crypto/sealing.py", "from cryptography.hazmat.primitives.ciphers.aead import AESGCM\nAESGCM(b'')"),
    ("vault/platform/linux.py", "from keyring.backends.SecretService import Keyring\nKeyring().get_password('a', 'b')"),
    ("vault/platform/linux.py", "import ctypes"),
    ("vault/storage/header.py", "open('header', 'wb')"),
    ("vault/services/intake.py", "open('evidence.pdf', 'rb')"),
    ("vault/services/intake.py", "from pathlib import Path\nPath('evidence.pdf').open('rb')"),
    ("vault/sensors/hub.py", "import subprocess\nsubprocess.run(['ps'], shell=False)"),
    ("vault/sensors/hub.py", "# time.sleep(1), eval, pickle: words in a comment\nWORDS = 'print(1)'"),
    ("ui/guard/interceptor.py", "def f(clipboard):\n    clipboard.clear()"),
    ("ui/windows/desk.py", "def f(label):\n    label.setText('x')"),
    ("vault/services/clock.py", "import time\ntime.time_ns()"),
]


@pytest.mark.parametrize(("title", "place", "source"), DANGERS)
def test_ban_fires(title: str, place: str, source: str) -> None:
    broken = broken_bans(source, place)
    assert any(f" {title} (" in line for line in broken), broken


@pytest.mark.parametrize(("place", "source"), DOORS)
def test_door_stays_open(place: str, source: str) -> None:
    assert broken_bans(source, place) == []


def test_every_ban_is_proven_to_fire() -> None:
    assert {title for title, _, _ in DANGERS} == {ban.title for ban in BANS}


def test_no_danger_in_the_tree() -> None:
    assert broken_in(ROOT) == []


def test_planted_module_is_found_in_a_tree(tmp_path: Path) -> None:
    planted = tmp_path / "vault" / "services" / "planted.py"
    planted.parent.mkdir(parents=True)
    planted.write_text("import pickle\n", encoding="utf-8")
    assert len(broken_in(tmp_path)) == 1
