"""Stand-ins for the world, each held to the contract suite of what it stands in for."""

from __future__ import annotations

from vault.errors import UnavailableError
from vault.secret import Secret


class MemorySecretKeeper:
    """A `SecretKeeper` that lives as long as the test. Set `unavailable` to a code and it refuses, as a missing keyring does."""

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        self.unavailable: str | None = None

    def read(self, name: str) -> Secret | None:
        self._require_available()
        value = self._values.get(name)
        return None if value is None else Secret(value)

    def write(self, name: str, value: Secret) -> None:
        self._require_available()
        self._values[name] = value.reveal()

    def erase(self, name: str) -> None:
        self._require_available()
        self._values.pop(name, None)

    def copy(self) -> MemorySecretKeeper:
        """Another keyring that holds the same."""
        other = MemorySecretKeeper()
        other._values = dict(self._values)
        return other

    def describe(self) -> str:
        return "memory"

    def _require_available(self) -> None:
        if self.unavailable is not None:
            raise UnavailableError(self.unavailable)


class FixedClock:
    """`services.ports.Clock` at a moment that does not pass, for what only stamps with it."""

    def now_us(self) -> int:
        return 7

    def boot_us(self) -> int:
        return 3
