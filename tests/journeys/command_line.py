"""The command line, run as a person runs it: questions are answered on standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class CommandLine:
    """``casevault`` on a vault, in an environment of its own: `environment` is laid over the test's."""

    def __init__(self, environment: Mapping[str, str], vault: Path) -> None:
        self.vault = vault
        self._environment = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}

    def run(self, *arguments: str, answers: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "vault.commands", *arguments],
            env=self._environment,
            cwd=ROOT,
            input=answers,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            start_new_session=True,  # no terminal: questions are asked on standard input
        )

    def code(self, badge_no: str) -> str:
        done = self.run("code", "--vault", str(self.vault), badge_no)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()
