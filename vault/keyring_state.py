"""The keyring's honest state: the workstation's secret is read back, not taken to be there.

Rules:

- A published passphrase protects nothing: where the session says that its keyring is the demo's (`DEMO_KEYRING`, set by
  `packaging/session.sh`), the state is UNAVAILABLE, whatever answers. LIMIT: taking the variable away hides it from the strip.
- Otherwise the secret is asked for again every minute, on the lane the keyring is used on. What is read back is wiped at once.
- Opening the vault has read the secret a moment before this is made: until the first look the state is what that found.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from vault.domain.duration import MINUTE_US
from vault.domain.protection import Protection, ProtectionState, ProtectionStatus
from vault.errors import VaultError
from vault.services.ports import Clock, SecretKeeper

DEMO_KEYRING: Final = "CASEVAULT_DEMO_KEYRING"


class KeyringState:
    """What the keyring really does here, now."""

    def __init__(
        self, keeper: SecretKeeper, secret_name: str, clock: Clock, later: Callable[[Callable[[], None]], None], *, published: bool
    ) -> None:
        """Make the state of an open vault.

        Args:
            keeper: the keyring.
            secret_name: of the workstation's secret in it.
            clock: time.
            later: runs work on the lane the keyring is used on.
            published: the keyring's passphrase is published.
        """
        self._keeper = keeper
        self._name = secret_name
        self._clock = clock
        self._later = later
        self._published = published
        self._found = (ProtectionState.UNAVAILABLE, "demo-keyring") if published else (ProtectionState.ENFORCED, "os-keyring")
        self._looked_us = clock.boot_us()

    def status(self) -> ProtectionStatus:
        """Say what was found last (control thread); a minute later it is looked for again."""
        now_us = self._clock.boot_us()
        if not self._published and now_us - self._looked_us >= MINUTE_US:
            self._looked_us = now_us
            self._later(self._look)
        return ProtectionStatus(Protection.KEYRING, *self._found)

    def _look(self) -> None:
        try:
            secret = self._keeper.read(self._name)
        except VaultError:
            self._found = (ProtectionState.UNAVAILABLE, "keyring-silent")
            return
        if secret is None:
            self._found = (ProtectionState.UNAVAILABLE, "secret-gone")
            return
        secret.wipe()
        self._found = (ProtectionState.ENFORCED, "os-keyring")
