"""The policy of stations whose window is driven by programs: tests, benches and the scripted shift."""

from __future__ import annotations

import os
import sys

# xdotool's keys are this test's own, and pictures of the screen are taken by a Python beside it. Attack tests found stations without this.
DRIVEN_POLICY = f"""\
synthetic_input_reported = false
capture_allowed_programs = ["{os.path.realpath(sys.executable)}"]
"""
