"""The policy of stations whose window is driven by programs: tests, benches and the scripted shift."""

from __future__ import annotations

import json
import os
import shutil
import sys

# xdotool's keys are this test's own, and pictures of the screen are taken by a Python beside it. The capture tools are there because other
# tests of the same run start them, for displays of their own. Attack tests found stations without this.
_BESIDE = [sys.executable, *(path for name in ("scrot", "import", "xwd", "ffmpeg", "x11vnc") if (path := shutil.which(name)))]
DRIVEN_POLICY = f"""\
synthetic_input_reported = false
capture_allowed_programs = {json.dumps([os.path.realpath(one) for one in _BESIDE])}
"""
