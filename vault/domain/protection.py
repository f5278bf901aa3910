"""Protections and their honest states: what is shown on the strip, recorded at sign-in and proven by self-test (law 6).

The trust level of a workstation says whether it still has what it had. It compares each protection with the best that was seen of it since
the vault process started, and with nothing else: what was never there takes no trust away (a station without a key server is an ordinary
station, and its strip says so), what was there and is gone does.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


class ProtectionState(enum.Enum):
    """What a protection really does here, now."""

    ENFORCED = "enforced"  # it cannot happen
    DETECTED = "detected"  # it can happen and becomes a breach report
    UNAVAILABLE = "unavailable"  # neither, on this workstation


class Protection(enum.Enum):
    """The protections of this version, in the order the strip shows them."""

    COPY_KEYS = "copy-keys"  # copy, cut, select-all, print, save keys; context menu; drag
    PRINT_SCREEN = "print-screen"  # the key, not capture itself
    CLIPBOARD = "clipboard"  # CLIPBOARD and PRIMARY watched while a page is shown
    STORE_ACCESS = "store-access"  # another process opening the vault's files
    COPIES = "copies"  # copies of the vault in watched folders
    CLOCK = "clock"  # steps of the wall clock
    RENDITION = "rendition"  # documents parsed in a sandbox
    SCREEN_CAPTURE = "screen-capture"  # excluded from capture by the system
    SESSION_SIGNALS = "session-signals"  # screen lock, suspend, user switch
    KEYRING = "keyring"
    PROCESS = "process"  # memory, libraries and environment of the application's own processes
    MEMORY = "memory"  # swap and hibernation
    MEDIA = "media"  # removable and network media
    REMOTE_SESSION = "remote-session"  # forwarded or served displays, virtual machines
    SYNTHETIC_INPUT = "synthetic-input"
    TRACE = "trace"  # the mark in every page picture
    PREMISES = "premises"


@dataclass(frozen=True, slots=True)
class ProtectionStatus:
    """One chip of the protection strip. `reason` picks the sentence: ``protection.<name>.<reason>``."""

    protection: Protection
    state: ProtectionState
    reason: str


NOT_KNOWN_YET = frozenset({"starting"})  # reasons of a state that says nothing yet

_RANK = {ProtectionState.UNAVAILABLE: 0, ProtectionState.DETECTED: 1, ProtectionState.ENFORCED: 2}


class TrustLevel(enum.IntEnum):
    """How far a workstation can be trusted to have what it had."""

    LOW = 0  # a protection that was there does nothing now
    REDUCED = 1  # a protection that was enforced only detects now
    FULL = 2


@dataclass(frozen=True, slots=True)
class Trust:
    """The level and what took it down, in the order of the strip."""

    level: TrustLevel
    lost: tuple[Protection, ...] = ()  # does nothing now
    weakened: tuple[Protection, ...] = ()  # does less than it did


Best = Mapping[Protection, ProtectionState]


def is_worse(now: ProtectionState, before: ProtectionState) -> bool:
    """Whether a protection does less now than before: ENFORCED > DETECTED > UNAVAILABLE."""
    return _RANK[now] < _RANK[before]


def best_of(best: Best, statuses: Iterable[ProtectionStatus]) -> Best:
    """The best state seen of each protection, once these statuses are taken in."""
    seen = dict(best)
    for one in statuses:
        if one.reason not in NOT_KNOWN_YET and is_worse(seen.get(one.protection, ProtectionState.UNAVAILABLE), one.state):
            seen[one.protection] = one.state
    return seen


def trust_of(best: Best, statuses: Iterable[ProtectionStatus]) -> Trust:
    """Compare the statuses of now with the best that was seen; a protection that is not among them, or not known yet, says nothing.

    Raises nothing. Statuses of one protection from several sensors count each.
    """
    lost: list[Protection] = []
    weakened: list[Protection] = []
    for one in statuses:
        before = best.get(one.protection, ProtectionState.UNAVAILABLE)
        if one.reason in NOT_KNOWN_YET or not is_worse(one.state, before):
            continue
        (lost if one.state is ProtectionState.UNAVAILABLE else weakened).append(one.protection)
    level = TrustLevel.LOW if lost else TrustLevel.REDUCED if weakened else TrustLevel.FULL
    return Trust(level, tuple(lost), tuple(weakened))
