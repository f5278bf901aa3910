"""The four kinds of failure, and nothing else, cross a room's border.

Rules of this module:

- An error is a code and facts. The code is ``room.reason``; `ui.messages` turns it into a title, a sentence and a next step.
- Facts are opaque ids, counts and times: never a name, a title, a path of a person's, a key or content.
- Adapters translate native errors at their edge with ``raise ... from``.
"""

from __future__ import annotations

Fact = str | int


class VaultError(Exception):
    """A failure with a code that a person can be told about. Raise one of the four subclasses."""

    def __init__(self, code: str, **facts: Fact) -> None:
        super().__init__(code)
        self.code = code
        self.facts: dict[str, Fact] = facts

    def __str__(self) -> str:
        """Give the code and its facts, which by rule carry no content."""
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.facts.items())])

    def __reduce__(self) -> tuple[object, ...]:
        """Refuse to pickle: nothing in Casevault is pickled."""
        raise TypeError("vault errors are not pickled")


class RefusedError(VaultError):
    """A rule said no: say so calmly, give the next step. The refusal is in the audit trail."""


class UnavailableError(VaultError):
    """The world failed (disk full, busy, keyring absent): say what to do. Trying again is the person's choice."""


class TamperError(VaultError):
    """Evidence of interference: lock, record a breach report, do not try again."""


class DefectError(VaultError):
    """Casevault is wrong: an incident number is shown; the log has ids and a stack, the screen has neither."""
