"""Protections and their honest states: what is shown on the strip, recorded at sign-in and proven by self-test (law 6)."""

from __future__ import annotations

import enum
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
