"""What differs from system to system: hardening, the parent's end, lock and suspend signals, the keyring, clock and entropy.

Rooms: `system` (clock, entropy) · `linux`, `windows`, `macos` (process hardening, one instance; only Linux does anything) ·
`session_signals` (D-Bus) · `secret_service`, `named_keyring`, `windows_vault`, `macos_keychain` (the keyring). May import: the standard
library, `keyring`, `secretstorage`, `jeepney`, `vault.services.ports`, `vault.domain`, `vault.errors`, `vault.secret`; never another
adapter room. Runs in the vault process, `SessionSignals` on threads of its own; each keyring adapter states its thread. Raises
`UnavailableError` when the system does not have or does not give what is asked, `TamperError` when what it gives is not ours.
"""

from __future__ import annotations

import sys

from vault.platform.session_signals import SessionSignals
from vault.platform.system import SystemClock, SystemEntropy, boot_us

if sys.platform == "linux":
    from vault.platform.linux import die_with_parent, harden_process, single_instance
elif sys.platform == "win32":
    from vault.platform.windows import die_with_parent, harden_process, single_instance
else:
    from vault.platform.macos import die_with_parent, harden_process, single_instance

__all__ = [
    "SessionSignals",
    "SystemClock",
    "SystemEntropy",
    "boot_us",
    "die_with_parent",
    "harden_process",
    "single_instance",
]
