"""The command line, run as a person runs it: questions are answered on standard input."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pyotp

from tests.station import Station, passphrase_of
from vault.platform.secret_service import open_secret_keeper
from vault.storage.header import HEADER_NAME, read_unverified_header

ROOT = Path(__file__).resolve().parents[2]
STEP_SECONDS = 30  # of a one-time code


class CommandLine:
    """``casevault`` on a vault, in an environment of its own: `environment` is laid over the test's."""

    def __init__(self, environment: Mapping[str, str], vault: Path) -> None:
        self.vault = vault
        self._used: dict[str, int] = {}  # badge -> the last step
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

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-m", "vault.commands", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env=self._environment, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )

    def at_terminal(self, *arguments: str, answers: str, until: str, then: str | None) -> int:
        """Run at a terminal of its own and answer; at the words `until` type `then`, or close the terminal. Gives the exit code."""
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-W", "ignore", "-m", "vault.commands", *arguments], self._environment)
        lines, seen, deadline = answers.splitlines(keepends=True), b"", time.monotonic() + 120
        while until.encode() not in seen:
            assert time.monotonic() < deadline, seen[-2000:]
            if select.select([terminal], [], [], 1.0)[0]:
                seen += os.read(terminal, 65536)
                if lines and seen.rstrip(b" ").endswith(b":"):  # a question; what is typed before it is asked may be thrown away
                    os.write(terminal, lines.pop(0).encode())
        if then is None:
            os.close(terminal)
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.write(terminal, then.encode())
        with contextlib.suppress(OSError):  # the terminal's other end is gone
            while os.read(terminal, 65536):
                pass
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def station(self) -> Station:
        """Found a station of three people as this line's vault, its secrets in the session's real keyring."""
        founded = Station(self.vault).found()
        keeper = open_secret_keeper(read_unverified_header(self.vault / HEADER_NAME).vault_id)
        founded.into_keyring(keeper)
        return founded

    def signs_in(self, station: Station, badge_no: str) -> str:
        """What a person of the station types; a code is good once, and the one of the next half-minute is accepted."""
        step = max(int(time.time()) // STEP_SECONDS, self._used.get(badge_no, 0) + 1)
        while step > int(time.time()) // STEP_SECONDS + 1:
            time.sleep(0.2)
        self._used[badge_no] = step
        return f"{badge_no}\n{passphrase_of(badge_no)}\n{pyotp.TOTP(station.secrets[badge_no]).at(step * STEP_SECONDS)}\n"
