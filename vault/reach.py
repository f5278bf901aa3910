"""Who may reach the vault's files: their owner alone, or, installed, whoever runs the launcher, by the group it lends (DESIGN §2).

Rules:

- Started by the setgid launcher, the effective group is `casevault` and the real one the officer's; files are made for that group (0660)
  in a folder that nobody else can enter, so that the officer's own programs cannot open them and the next officer's desk can.
- Started from a checkout, files are made for their owner only (0600).

LIMIT: the officer who made a file owns it. What keeps their other programs out is the folder, whose owner is root.
"""

from __future__ import annotations

import os


def is_launched() -> bool:
    """Whether this process runs with the group that the launcher lends. Thread: any."""
    return os.name == "posix" and os.getegid() != os.getgid()


def file_mode() -> int:
    """Permission bits of a new file of the vault."""
    return 0o660 if is_launched() else 0o600


def folder_mode() -> int:
    """Permission bits of a new folder in the vault's."""
    return 0o770 if is_launched() else 0o700


def mask() -> int:
    """The umask of a process that makes files of the vault."""
    return 0o007 if is_launched() else 0o077
