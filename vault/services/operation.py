"""How a service method is served: its priority in the queue and the thread it runs on.

A method marked `operation` is what the interface may call over the pipe, and nothing else is. The signature is the contract: arguments
and results are frozen dataclasses, enums, identifiers, strings, integers and tuples of them; the runtime checks every message against it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
S = TypeVar("S")
R = TypeVar("R")


class Priority(enum.IntEnum):
    """Breach before lock before change before query (DESIGN §2)."""

    BREACH = 0
    LOCK = 1
    CHANGE = 2
    QUERY = 3


class Lane(enum.Enum):
    """The thread a method runs on. Only CONTROL touches the register; the others ask it."""

    CONTROL = "control"
    READING = "reading"  # the rendition worker and the content reader
    INTAKE = "intake"  # the content writer
    KEYS = "keys"  # Argon2id: half a second that nobody else waits for
    TRAIL = "trail"  # a verification of the audit trail, which asks CONTROL for one slice after the other


@dataclass(frozen=True, slots=True)
class Operation:
    """What `operation` attaches to a method."""

    priority: Priority
    lane: Lane


def operation(priority: Priority, lane: Lane = Lane.CONTROL) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """Mark a service method as callable by the interface."""

    def mark(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        method.__operation__ = Operation(priority, lane)  # type: ignore[attr-defined]
        return method

    return mark


query = operation(Priority.QUERY)
change = operation(Priority.CHANGE)
