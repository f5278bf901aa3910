"""macOS: places for the same functions as on Linux. Nothing here was verified on that system; nothing claims to protect.

LIMIT: every function refuses with ``platform.not-on-this-system``: the vault does not open here until they exist and are tested.
"""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from vault.errors import UnavailableError

_CODE = "platform.not-on-this-system"


def harden_process(*, private: bool = False) -> NoReturn:  # noqa: ARG001 - the shape of the Linux one
    """Raises UnavailableError platform.not-on-this-system."""
    raise UnavailableError(_CODE)


def no_new_privileges() -> NoReturn:
    """Raises UnavailableError platform.not-on-this-system."""
    raise UnavailableError(_CODE)


def single_instance(path: Path, wait_seconds: float = 0.0) -> NoReturn:  # noqa: ARG001 - the shape of the Linux one
    """Raises UnavailableError platform.not-on-this-system."""
    raise UnavailableError(_CODE)
