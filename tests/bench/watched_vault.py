"""The vault process as the bridge starts it, with less of the sensors: what a desk that is watched is compared with.

Not a thing the product can do: nothing of it is reachable but from the benches, which put it in the place of the bridge's own start.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vault.runtime import main
from vault.sensors.copies import CopiesSensor
from vault.sensors.hub import SensorHub

_SHARED = Path("/tmp")
_made = CopiesSensor.__init__


def unwatched() -> None:
    """No sensor is started."""
    SensorHub.start = lambda _hub: None  # type: ignore[method-assign]
    main()


def watched() -> None:
    """All are, and the home's folders are searched."""
    CopiesSensor.__init__ = _in_the_home  # type: ignore[method-assign]
    main()


def _in_the_home(sensor: CopiesSensor, fingerprint: Any, folders: Sequence[Path], *more: Any, **named: Any) -> None:
    _made(sensor, fingerprint, [one for one in folders if one != _SHARED], *more, **named)
