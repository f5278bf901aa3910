"""What differs from system to system: hardening, the parent's end, lock and suspend signals, the keyring, clock and entropy.

Rooms: `environment` (variables and libraries a desk starts with) · `system` (clock, entropy) · `linux`, `windows`, `macos` (process
hardening, one instance; only Linux does anything) · `session_signals` (D-Bus) · `session_bus` (whose bus and keyring service they are) ·
`capture_exclusion` (a window left out of captures) · `secret_service`, `named_keyring`, `windows_vault`, `macos_keychain` (the keyring).
May import: the standard library, `keyring`, `secretstorage`, `jeepney`, `vault.services.ports`, `vault.domain`, `vault.errors`,
`vault.reach`, `vault.secret`; never another adapter room. Runs in the vault process, `SessionSignals` on threads of its own; in the
interface's process `environment`, `capture_exclusion` and the hardening; each keyring adapter states its thread. Raises
`UnavailableError` when the system does not have or does not give what is asked, `TamperError` when what it gives is not ours.

Its names are loaded when they are first used: the interface takes the hardening and must not wait for a D-Bus library.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vault.platform.session_signals import SessionSignals
    from vault.platform.system import SystemClock, SystemEntropy, boot_us

    if sys.platform == "linux":
        from vault.platform.linux import harden_process, no_new_privileges, single_instance
    elif sys.platform == "win32":
        from vault.platform.windows import harden_process, no_new_privileges, single_instance
    else:
        from vault.platform.macos import harden_process, no_new_privileges, single_instance

__all__ = [
    "SessionSignals",
    "SystemClock",
    "SystemEntropy",
    "boot_us",
    "harden_process",
    "no_new_privileges",
    "single_instance",
]

_SYSTEM = {"linux": "linux", "win32": "windows"}.get(sys.platform, "macos")
_ROOMS = {"SessionSignals": "session_signals", "SystemClock": "system", "SystemEntropy": "system", "boot_us": "system"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(name)
    found: object = getattr(importlib.import_module(f"vault.platform.{_ROOMS.get(name, _SYSTEM)}"), name)
    globals()[name] = found
    return found
