"""A watched program that is executed is told, also after an update put another file in its place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from vault.sensors.exec_watch import ExecWatch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


@pytest.mark.parametrize("sure", [True, False])
def test_an_updated_program_is_watched_anew_and_a_silenced_watch_does_not_work(tmp_path: Path, *, sure: bool) -> None:
    tool = tmp_path / "tool"
    shutil.copy("/bin/true", tool)
    with closing(ExecWatch([tool], sure=sure)) as watch:
        subprocess.run([tool], check=True)
        assert watch.happened()
        assert watch.works()
        shutil.copy("/bin/true", tmp_path / "new")
        (tmp_path / "new").rename(tool)
        assert watch.works()
        watch.happened()  # an opening by the copy, where executions are not told from those
        subprocess.run([tool], check=True)
        assert watch.happened()
        tool.unlink()
        assert watch.works(), "it was removed from the workstation"
        assert watch.count == 0
        with open(os.devnull, "rb") as silent:  # noqa: PTH123 - its number is put under the watch's
            os.dup2(silent.fileno(), watch.fileno(), inheritable=False)
        assert not watch.works()


@pytest.mark.parametrize("sure", [True, False])
def test_a_program_that_was_updated_while_it_ran_may_end(tmp_path: Path, *, sure: bool) -> None:
    tool = tmp_path / "tool"
    shutil.copy("/bin/sleep", tool)
    with closing(ExecWatch([tool], sure=sure)) as watch:
        listed = Path(f"/proc/self/fdinfo/{watch.fileno()}")
        with subprocess.Popen([tool, "600"]) as running:
            try:
                shutil.copy("/bin/sleep", tmp_path / "new")
                (tmp_path / "new").rename(tool)
                assert watch.works()
                assert listed.read_text().count(" ino:") == 2, "the kernel keeps the running one's"
            finally:
                running.kill()
        deadline = time.monotonic() + 30
        while listed.read_text().count(" ino:") > 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert watch.works()
