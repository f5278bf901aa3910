"""The keyring of Linux desktops: the Secret Service (GNOME Keyring, KWallet, KeePassXC) over the session's D-Bus.

Rules of this module:

- The backend is ``keyring.backends.SecretService.Keyring`` and no other; see `named_keyring` for why.
- Secrets go into the default collection, which outlives the session. If it is locked, its owner is asked to unlock it; if nobody answers,
  or nothing on this desktop can ask, that is ``keyring.locked``.
- No session bus, no service on it or no answer is ``keyring.missing``.

Measured (gnome-keyring 42, private bus, 2 shared cores, medians of 30): read 29 ms, write 35 ms, a name that is not there 4 ms. The
difference is the key agreement of the transfer. Not for the path of a page turn or a breach commit.

LIMIT: which bus is asked is told by ``DBUS_SESSION_BUS_ADDRESS``; a false service there can withhold a secret or hand out another (the slot
then does not open) and sees what is written to it. Nothing here prevents that; fixing the address is the launcher's part (VECTORS, V47).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

import secretstorage
from keyring.backends import SecretService
from keyring.errors import KeyringLocked
from secretstorage.exceptions import (
    LockedException,
    PromptDismissedException,
    SecretStorageException,
)

from vault.errors import UnavailableError
from vault.platform.named_keyring import PROMPT_SECONDS, NamedKeyringKeeper, without_environment
from vault.services.ports import SecretKeeper


class _Backend(without_environment(SecretService.Keyring)):  # type: ignore[misc]  # keyring's backends are untyped
    """The named backend, with a deadline on the question whether the owner unlocks the keyring."""

    def __init__(self) -> None:
        super().__init__()
        self.before_prompt: Callable[[], None] = lambda: None

    def get_preferred_collection(self) -> secretstorage.Collection:
        """Connect and give the default collection, unlocked. The caller closes its connection.

        Replaces the backend's own, which asks without a deadline and leaks its connection on errors.
        """
        connection = secretstorage.dbus_init()
        try:
            if not secretstorage.check_service_availability(connection):
                raise UnavailableError("keyring.missing")
            try:
                collection = secretstorage.Collection(connection)
            except secretstorage.ItemNotFoundException:
                self.before_prompt()  # a new desktop has no default collection: its owner chooses a passphrase
                collection = secretstorage.get_default_collection(connection)
            if collection.is_locked():
                self.before_prompt()
                if collection.unlock(timeout=PROMPT_SECONDS) or collection.is_locked():
                    raise KeyringLocked
        except BaseException:
            connection.close()
            raise
        return collection


class SecretServiceKeeper(NamedKeyringKeeper[SecretService.Keyring]):
    """The Secret Service as a `SecretKeeper`. Nothing is asked before the first call. Thread: one at a time."""

    _NAME = "Secret Service"

    def __init__(self, vault_label: str) -> None:
        """Prepare.

        Args:
            vault_label: tells the vaults of one account apart; the vault id.
        """
        backend = _Backend()
        super().__init__(backend, vault_label)
        backend.before_prompt = self._prompting.set

    def _translated(self, error: Exception) -> UnavailableError:
        if isinstance(error, UnavailableError):
            return error
        if isinstance(error, LockedException | PromptDismissedException | TimeoutError):
            return UnavailableError("keyring.locked" if self._prompting.is_set() else "keyring.missing")
        if isinstance(error, SecretStorageException):
            return UnavailableError("keyring.missing")
        return super()._translated(error)


def open_secret_keeper(vault_label: str) -> SecretKeeper:
    """Give this system's keyring as a `SecretKeeper`; nothing is asked of it yet.

    Args:
        vault_label: tells the vaults of one account apart; the vault id.

    Raises:
        UnavailableError: keyring.missing, this system has no keyring we know.
    """
    opener = _OPENERS.get(sys.platform)
    if opener is None:
        raise UnavailableError("keyring.missing")
    return opener(vault_label)


def _open_windows(vault_label: str) -> SecretKeeper:
    from vault.platform.windows_vault import WindowsVaultKeeper  # noqa: PLC0415 -- its libraries exist on Windows only

    return WindowsVaultKeeper(vault_label)


def _open_macos(vault_label: str) -> SecretKeeper:
    from vault.platform.macos_keychain import MacKeychainKeeper  # noqa: PLC0415 -- its libraries exist on macOS only

    return MacKeychainKeeper(vault_label)


_OPENERS: Final[dict[str, Callable[[str], SecretKeeper]]] = {
    "linux": SecretServiceKeeper,
    "win32": _open_windows,
    "darwin": _open_macos,
}
