"""Each import contract of pyproject.toml is able to fail.

A contract that cannot go red protects nothing, and one typing error in a module name is enough. So a skeleton of the house is built, one
forbidden import at a time is planted in it, and the contract must be the one that breaks.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
}
ROOMS = ("domain", "services", "storage", "crypto", "rendition", "sensors", "alerts", "platform", "trace")
MODULES = ("errors", "secret", "assembly", "runtime", "commands")

# contract · where the line is planted · the line
VIOLATIONS = [
    ("layers", "vault/services/planted.py", "import vault.storage"),
    ("layers", "vault/services/planted.py", "import vault.assembly"),
    ("layers", "vault/domain/planted.py", "import vault.services"),
    ("layers", "vault/storage/planted.py", "import vault.crypto"),
    ("layers", "vault/crypto/planted.py", "import vault.storage"),
    ("layers", "vault/rendition/planted.py", "import vault.crypto"),
    ("layers", "vault/sensors/planted.py", "import vault.storage"),
    ("layers", "vault/platform/planted.py", "import vault.sensors"),
    ("layers", "vault/alerts/planted.py", "import vault.storage"),
    ("layers", "vault/crypto/planted.py", "import vault.assembly"),
    ("layers", "vault/assembly.py", "import vault.runtime"),
    ("layers", "vault/errors.py", "import vault.domain"),
    ("no-qt-in-vault", "vault/services/planted.py", "from PySide6.QtCore import QObject"),
    ("no-qt-in-vault", "vault/platform/planted.py", "import PySide6"),
    ("no-qt-in-vault", "vault/runtime.py", "import ui.planted"),
    ("ui-holds-nothing", "ui/planted.py", "import sqlcipher3"),
    ("ui-holds-nothing", "ui/planted.py", "from cryptography.hazmat.primitives.ciphers.aead import AESGCM"),
    ("ui-holds-nothing", "ui/planted.py", "import vault.crypto"),
    ("ui-holds-nothing", "ui/planted.py", "import vault.rendition"),
    ("ui-holds-nothing", "ui/planted.py", "import pypdfium2"),
    ("ui-holds-nothing", "ui/planted.py", "import ctypes"),
    ("pure-domain", "vault/domain/planted.py", "import time"),
    ("pure-domain", "vault/domain/planted.py", "from pathlib import Path"),
    ("pure-domain", "vault/domain/planted.py", "import threading"),
    ("pure-domain", "vault/domain/planted.py", "import logging"),
    ("pure-domain", "vault/domain/planted.py", "import secrets"),
    ("services-use-ports", "vault/services/planted.py", "import sqlcipher3"),
    ("services-use-ports", "vault/services/planted.py", "from cryptography.hazmat.primitives import hashes"),
    ("services-use-ports", "vault/services/planted.py", "import keyring"),
    ("parsers-stay-in-rendition", "vault/services/planted.py", "from PIL import Image"),
    ("parsers-stay-in-rendition", "vault/crypto/planted.py", "import email"),
    ("parsers-stay-in-rendition", "vault/services/planted.py", "import chardet"),
    ("keys-stay-in-crypto", "vault/rendition/planted.py", "import cryptography"),
    ("layers", "vault/trace/planted.py", "import vault.crypto"),
    ("parsers-stay-in-rendition", "vault/trace/planted.py", "from PIL import Image"),
    ("numbers-stay-in-trace", "vault/rendition/planted.py", "import numpy"),
    ("numbers-stay-in-trace", "ui/planted.py", "import numpy"),
]


def house(folder: Path) -> None:
    """Build every room, empty, with the project's own contracts."""
    for room in ROOMS:
        (folder / "vault" / room).mkdir(parents=True)
        (folder / "vault" / room / "__init__.py").touch()
    for module in ("__init__", *MODULES):
        (folder / "vault" / f"{module}.py").touch()
    (folder / "ui").mkdir()
    for module in ("__init__", "planted"):
        (folder / "ui" / f"{module}.py").touch()
    shutil.copy(ROOT / "pyproject.toml", folder)


_LINT = "from importlinter.cli import lint_imports_command as lint; lint()"


def lint(folder: Path, contract_id: str) -> subprocess.CompletedProcess[str]:
    """Ask import-linter about one contract of the house in `folder`."""
    return subprocess.run(
        [sys.executable, "-c", _LINT, "--config", "pyproject.toml", "--no-cache", "--contract", contract_id],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "LC_ALL": "C.UTF-8", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("contract_id", CONTRACTS)
def test_empty_house_keeps_every_contract(tmp_path: Path, contract_id: str) -> None:
    house(tmp_path)
    answer = lint(tmp_path, contract_id)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert f"{CONTRACTS[contract_id]['name']} KEPT" in answer.stdout.replace("\n", " ")


@pytest.mark.parametrize(("contract_id", "place", "line"), VIOLATIONS)
def test_planted_import_breaks_its_contract(tmp_path: Path, contract_id: str, place: str, line: str) -> None:
    house(tmp_path)
    (tmp_path / place).write_text(line + "\n", encoding="utf-8")
    answer = lint(tmp_path, contract_id)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert f"{CONTRACTS[contract_id]['name']} BROKEN" in answer.stdout.replace("\n", " ")


def test_every_contract_is_proven_able_to_fail() -> None:
    assert {contract_id for contract_id, _, _ in VIOLATIONS} == set(CONTRACTS)
