"""The cage the rendition worker locks itself into before it sees the first byte of a document.

Rules, in the order `enter` applies them:

- Every descriptor but the two it was given (socket pair, page memory) and 0-2 (the null device) is closed.
- It gives back the group that reaches the vault's files.
- It dies with the thread of [V] that started it, cannot gain privileges, and is not dumpable (no ptrace, no /proc/<pid>/mem by its user).
- Landlock with an empty rule set: no path can be opened, made, removed or executed, no TCP port bound or connected.
- Limits: address space, processor time, no file growth, no new descriptor, no core dump, no new process.
- seccomp: a list of system calls that work on memory, time and the descriptors it has. Everything else fails with EPERM: open, socket,
  connect, fork, exec, ptrace, kill. Memory cannot be made executable.
- What the kernel refuses to install is reported as UNAVAILABLE, never as done.

Nothing may be imported, and no font or codec loaded, after `enter`. Linux on x86-64 and arm64; elsewhere only the limits apply.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

NAMES: Final = ("descriptors", "own-group", "no-new-privileges", "not-dumpable", "ends-with-parent", "landlock", "limits", "seccomp")

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SIGKILL: Final = 9

_LANDLOCK_CREATE_RULESET: Final = 444  # the same numbers on every architecture
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_QUERY_VERSION: Final = 1
# Rights to handle, and so to deny, by Landlock version: files, then (version 4) TCP, then (version 6) abstract sockets and signals.
_LANDLOCK_FILES: Final = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF, 6: 0xFFFF}
_LANDLOCK_TCP: Final = 0b11
_LANDLOCK_SCOPES: Final = 0b11

_SECCOMP_MODE_FILTER: Final = 2
_ALLOW: Final = 0x7FFF0000
_EPERM: Final = 0x00050000 | 1
_KILL: Final = 0x80000000
_PROT_EXEC: Final = 4
_LOAD, _JUMP_EQUAL, _JUMP_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_OFFSET_NUMBER, _OFFSET_ARCHITECTURE, _OFFSET_ARGUMENT_2 = 0, 4, 32


@dataclass(frozen=True, slots=True)
class _Architecture:
    """What the filter needs to know of a processor: its audit number and its system call numbers."""

    audit: int
    allowed: tuple[int, ...]
    not_executable: tuple[int, ...]  # mmap, mprotect: allowed unless the third argument asks for PROT_EXEC


_ARCHITECTURES: Final = {
    "x86_64": _Architecture(
        0xC000003E,
        (
            0, 1, 3,  # read write close
            11, 25, 12, 28,  # munmap mremap brk madvise
            13, 14, 15, 131,  # rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack
            24, 35, 96, 201, 228, 229, 230,  # sched_yield nanosleep gettimeofday time clock_gettime clock_getres clock_nanosleep
            39, 186,  # getpid gettid
            44, 45,  # sendto recvfrom: the socket pair
            60, 231, 219,  # exit exit_group restart_syscall
            202, 318, 324,  # futex getrandom membarrier
        ),
        (9, 10),
    ),
    "aarch64": _Architecture(
        0xC00000B7,
        (
            63, 64, 57,
            215, 216, 214, 233,
            134, 135, 139, 132,
            124, 101, 169, 113, 114, 115,
            172, 178,
            206, 207,
            93, 94, 128,
            98, 278, 283,
        ),
        (222, 226),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cage:
    """What `enter` is told."""

    keep_descriptors: tuple[int, ...]
    parent_pid: int
    memory_bytes: int
    processor_seconds: int  # over the worker's whole life; a single call is timed by the client


def enter(cage: Cage) -> tuple[tuple[str, bool], ...]:
    """Lock this process in and return (name, enforced) for each of `NAMES`. There is no way out but to end.

    Thread: the only one of the worker.
    """
    steps: dict[str, Callable[[], None]] = {
        "descriptors": lambda: _close_descriptors(cage.keep_descriptors),
        "own-group": _drop_lent_group,
        "no-new-privileges": lambda: _prctl(_PR_SET_NO_NEW_PRIVS, 1),
        "not-dumpable": lambda: _prctl(_PR_SET_DUMPABLE, 0),
        "ends-with-parent": lambda: _end_with(cage.parent_pid),
        "landlock": _install_landlock,  # needs a descriptor for a moment, so before the limits
        "limits": lambda: _set_limits(cage),
        "seccomp": _install_seccomp,
    }
    return tuple((name, _succeeds(steps[name])) for name in NAMES)


def _succeeds(step: Callable[[], None]) -> bool:
    try:
        step()
    except (OSError, ValueError, ImportError, AttributeError, KeyError):
        return False
    return True


def _close_descriptors(keep: Sequence[int]) -> None:
    start = 3
    for descriptor in sorted(keep):
        os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, max(start, os.sysconf("SC_OPEN_MAX")))
    os.umask(0o777)


def _drop_lent_group() -> None:
    """Give back the group that the launcher lent: it reaches the vault's files, and this process needs none."""
    if hasattr(os, "setresgid"):
        group = os.getgid()
        os.setresgid(group, group, group)


def _set_limits(cage: Cage) -> None:
    for limit, value in (
        (resource.RLIMIT_AS, cage.memory_bytes),
        (resource.RLIMIT_CPU, cage.processor_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(limit, (value, value))


def _linux_libc() -> ctypes.CDLL:
    if not sys.platform.startswith("linux"):
        raise OSError("not Linux")
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, first: int, second: int = 0) -> None:
    result = _linux_libc().prctl(option, ctypes.c_ulong(first), ctypes.c_ulong(second), ctypes.c_ulong(0), ctypes.c_ulong(0))
    if result != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _end_with(parent_pid: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent_pid:  # the parent was gone before the line above
        os._exit(0)


def _install_landlock() -> None:
    syscall = _linux_libc().syscall
    version = syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), _LANDLOCK_QUERY_VERSION)
    if version < 1:
        raise OSError(ctypes.get_errno(), "landlock")
    known = min(version, max(_LANDLOCK_FILES))
    tcp = _LANDLOCK_TCP if known >= 4 else 0  # noqa: PLR2004 -- the kernel's own version numbers
    scopes = _LANDLOCK_SCOPES if known >= 6 else 0  # noqa: PLR2004
    attributes = struct.pack("QQQ", _LANDLOCK_FILES[known], tcp, scopes)[: 24 if scopes else 16 if tcp else 8]
    rule_set = syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rule_set < 0:
        raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
    try:
        if syscall(_LANDLOCK_RESTRICT_SELF, rule_set, 0) != 0:
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
    finally:
        os.close(rule_set)


def _install_seccomp() -> None:
    program = _filter_program(_ARCHITECTURES[os.uname().machine])
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header))


def _filter_program(architecture: _Architecture) -> bytes:
    """Build the BPF program: kill on a foreign architecture, allow the listed numbers, answer EPERM to the rest.

    On x86-64 the x32 numbers (0x40000000 and up) are in no list, so they get EPERM too.
    """

    def instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("HBBI", code, if_true, if_false, value)

    lines = [
        instruction(_LOAD, _OFFSET_ARCHITECTURE),
        instruction(_JUMP_EQUAL, architecture.audit, if_true=1),
        instruction(_RETURN, _KILL),
        instruction(_LOAD, _OFFSET_NUMBER),
    ]
    for number in architecture.allowed:
        lines += [instruction(_JUMP_EQUAL, number, if_false=1), instruction(_RETURN, _ALLOW)]
    for number in architecture.not_executable:
        lines += [
            instruction(_JUMP_EQUAL, number, if_false=4),
            instruction(_LOAD, _OFFSET_ARGUMENT_2),
            instruction(_JUMP_SET, _PROT_EXEC, if_true=1),
            instruction(_RETURN, _ALLOW),
            instruction(_RETURN, _EPERM),
        ]
    lines.append(instruction(_RETURN, _EPERM))
    return b"".join(lines)
