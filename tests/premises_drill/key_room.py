"""A key server in the namespace this is started in: the real `tangd`, on every address, until it is ended.

python -m tests.premises_drill.key_room KEYS PORT     says "ready"
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.tang import TangServer


def main() -> None:
    """Serve."""
    TangServer(Path(sys.argv[1]), "0.0.0.0", int(sys.argv[2]))
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
