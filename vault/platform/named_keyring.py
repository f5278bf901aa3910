"""What the keyring adapters share: one named backend, values in base64, a deadline for every call, native errors translated.

Rules of this module:

- A backend class is named by the adapter and instantiated here. ``keyring.get_password`` and its kin are never called: they read
  ``keyringrc.cfg``, whose ``keyring-path`` runs foreign code, and ``PYTHON_KEYRING_BACKEND``. The backend's own reading of
  ``KEYRING_PROPERTY_*`` is switched off by `without_environment`.
- Every call has a deadline, because D-Bus calls of the libraries below have none. A person who is being asked to unlock the keyring gets
  longer than a service that does not answer.
- No usable keyring is a refusal that says so. There is no fallback to a file.

LIMIT: a call that outlived its deadline keeps its (daemon) thread until the service answers or the process ends.
LIMIT: while the keyring is unlocked, other programs of the same account may ask it too; the workstation secret alone opens nothing
without the header, and nothing of a person or a case at all.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from keyring.backend import KeyringBackend
from keyring.errors import InitError, KeyringError, KeyringLocked, NoKeyringError

from vault.errors import TamperError, UnavailableError
from vault.secret import Secret

ANSWER_SECONDS: Final = 5.0
PROMPT_SECONDS: Final = 60.0
_MOST_ITEMS_OF_A_NAME: Final = 4

_B = TypeVar("_B", bound=KeyringBackend)
_T = TypeVar("_T")


def without_environment(backend_class: type[_B]) -> type[_B]:
    """Give the same backend class, deaf to ``KEYRING_PROPERTY_*`` variables."""

    def ignore(_: KeyringBackend) -> None:
        """Replace the reading of the environment by nothing."""

    return type(backend_class.__name__, (backend_class,), {"set_properties_from_env": ignore})


class NamedKeyringKeeper(Generic[_B]):
    """A `SecretKeeper` over one named keyring backend. Thread: one at a time; calls block the caller up to their deadline."""

    _NAME = "keyring"

    def __init__(self, backend: _B, vault_label: str) -> None:
        self._backend: Final = backend
        self._service: Final = f"Casevault {vault_label}"
        self._prompting: Final = threading.Event()

    def read(self, name: str) -> Secret | None:
        """Return the secret of that name, None if there is none.

        Raises:
            UnavailableError: keyring.missing, keyring.locked.
            TamperError: keyring.altered, what is there was not written by `write`.
        """
        stored = self._within_deadline(lambda: self._backend.get_password(self._service, name))
        if stored is None:
            return None
        value = _decoded(stored)
        if value is None:
            raise TamperError("keyring.altered")
        return value

    def write(self, name: str, value: Secret) -> None:
        """Store or replace.

        Raises:
            UnavailableError: keyring.missing, keyring.locked.
        """
        encoded = base64.b64encode(value.reveal()).decode()
        self._within_deadline(lambda: self._backend.set_password(self._service, name, encoded))

    def erase(self, name: str) -> None:
        """Forget; nothing happens if there is none.

        Raises:
            UnavailableError: keyring.missing, keyring.locked.
        """

        def erase_all() -> None:
            # Another program may have left a second item of the same name.
            for _ in range(_MOST_ITEMS_OF_A_NAME):
                if self._backend.get_password(self._service, name) is None:
                    return
                self._backend.delete_password(self._service, name)
            raise KeyringError("cannot be erased")

        self._within_deadline(erase_all)

    def describe(self) -> str:
        """Name the keyring for the protection strip."""
        return self._NAME

    def _translated(self, error: Exception) -> UnavailableError:
        """Give the code for a backend's error."""
        if isinstance(error, KeyringLocked):
            return UnavailableError("keyring.locked")
        if isinstance(error, KeyringError | NoKeyringError | InitError | OSError | RuntimeError):
            return UnavailableError("keyring.missing")
        raise error

    def _within_deadline(self, call: Callable[[], _T]) -> _T:
        outcome: list[_T] = []
        failure: list[Exception] = []
        done = threading.Event()
        self._prompting.clear()

        def run() -> None:
            try:
                outcome.append(call())
            except Exception as error:  # handed to the caller below
                failure.append(error)
            done.set()

        threading.Thread(target=run, name="keyring", daemon=True).start()
        if not done.wait(ANSWER_SECONDS) and not (self._prompting.is_set() and done.wait(PROMPT_SECONDS)):
            raise UnavailableError("keyring.locked" if self._prompting.is_set() else "keyring.missing")
        if failure:
            raise self._translated(failure[0]) from failure[0]
        return outcome[0]


def _decoded(stored: str) -> Secret | None:
    """Give the value, None if it is not base64. No exception leaves here, so that none carries what was stored."""
    try:
        return Secret(base64.b64decode(stored, validate=True))
    except (binascii.Error, ValueError):
        return None
