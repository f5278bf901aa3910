"""The premises lock of a workstation: a random premises secret, wrapped under every t of its key servers.

Rules of this module:

- The premises secret is drawn once a binding. For each subset of `threshold` servers it is sealed under a key derived from all their
  exchanges: no sharing scheme, only nested use of what is there (n servers of which t must answer: n over t wraps).
- Servers are asked at the same time; the first subset that opens decides. A wrong answer is a wrap that does not open, and the next subset
  is tried. Who has not answered at the deadline is not waited for, whatever holds it up: a name may take longer to be resolved.
- The lock is not secret and stands in the header, where whoever owns the file may alter it: then it does not open, and no server learns
  anything from being asked. What it gives is only believed once the workstation slot behind it opened.

Source: DESIGN §3 and §6; the exchange is `vault.crypto.tang`. Thread: any; blocks up to `tang.DEADLINE_SECONDS`.
"""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeVar

import msgspec

from vault.crypto import tang
from vault.crypto.sealing import bind, derive, new_key, seal, unseal
from vault.crypto.tang import Binding, Jwk, KeyServer
from vault.domain.identity import VaultId, WorkstationId
from vault.errors import RefusedError, TamperError, UnavailableError, VaultError
from vault.secret import Secret

MOST_SERVERS: Final = 8

_CONTEXT: Final = "premises-lock 1"
_LATE_SECONDS: Final = 0.1  # after the deadline of each request, which tells more of what is wrong
_T = TypeVar("_T")
_Found = TypeVar("_Found")


class LockMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key server of a lock."""

    name: str  # what the station calls it
    url: str
    certificate: str
    authority: str
    pinned: tuple[Jwk, ...]  # whole signing keys
    server_key: Jwk
    client_point: Jwk

    @property
    def server(self) -> KeyServer:
        """Where it is asked."""
        return KeyServer(self.url, self.certificate, self.authority)

    @property
    def binding(self) -> Binding:
        """What is asked."""
        return Binding(self.server_key, self.client_point)


class _Wrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    members: tuple[int, ...]
    sealed: bytes


class PremisesLock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the header for one workstation."""

    threshold: int
    members: tuple[LockMember, ...]
    wraps: tuple[_Wrap, ...]

    def encode(self) -> str:
        """Write it for the header."""
        return msgspec.json.encode(self).decode()

    @staticmethod
    def decode(text: str) -> PremisesLock:
        """Read it back. Raises UnavailableError header.damaged."""
        try:
            lock = msgspec.json.decode(text, type=PremisesLock)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise UnavailableError("header.damaged") from error
        if not 1 <= lock.threshold <= len(lock.members) <= MOST_SERVERS:
            raise UnavailableError("header.damaged")
        return lock


@dataclass(frozen=True, slots=True)
class PremisesServer:
    """A key server that was met: its address, and the advertisement that was verified."""

    name: str
    server: KeyServer
    pinned: tuple[Jwk, ...]
    exchange_key: Jwk


def make_lock(
    threshold: int, servers: Sequence[PremisesServer], vault_id: VaultId, workstation_id: WorkstationId
) -> tuple[PremisesLock, Secret]:
    """Bind a workstation to key servers; nothing is sent.

    Args:
        threshold: how many of the servers must answer, 1 to all.
        servers: 1 to MOST_SERVERS, of different names.
        vault_id: the vault.
        workstation_id: the workstation.

    Returns:
        the lock for the header, and the premises secret (32 bytes) for the workstation slot.

    Raises:
        RefusedError: premises.threshold, premises.name-taken.
    """
    if len({one.name for one in servers}) != len(servers):
        raise RefusedError("premises.name-taken")
    if not 1 <= threshold <= len(servers) <= MOST_SERVERS:
        raise RefusedError("premises.threshold", servers=len(servers))
    secret = new_key()
    met = [tang.provision(one.exchange_key, _CONTEXT, vault_id, workstation_id) for one in servers]
    members = tuple(
        LockMember(one.name, one.server.url, one.server.certificate, one.server.authority, one.pinned, kept.server_key, kept.client_point)
        for one, (kept, _) in zip(servers, met, strict=True)
    )
    wraps = tuple(
        _Wrap(subset, seal(_key([met[number][1] for number in subset]), secret.reveal(), _place(subset, vault_id, workstation_id)))
        for subset in itertools.combinations(range(len(servers)), threshold)
    )
    return PremisesLock(threshold, members, wraps), secret


def open_lock(lock: PremisesLock, vault_id: VaultId, workstation_id: WorkstationId) -> Secret:
    """Ask the key servers for the premises secret.

    Raises:
        UnavailableError: premises.unreachable, premises.refused, premises.malformed, premises.certificate: too few answered, and this is
            what the last of the others said.
        TamperError: premises.wrong-answer, enough answered and nothing opens: somebody stands in a server's place, or altered the lock.
    """
    answers: dict[int, Secret] = {}

    def enough(number: int, answer: Secret) -> Secret | None:
        answers[number] = answer
        return _unwrapped(lock, answers, number, vault_id, workstation_id)

    return _ask(lock, lambda one: tang.recover(one.server, one.binding, _CONTEXT, vault_id, workstation_id), enough)


def prove_lock(lock: PremisesLock) -> int | None:
    """Have `threshold` servers prove that they are there; no stored secret takes part.

    Returns:
        the time at the last one of them, as `tang.prove`.

    Raises:
        as `open_lock`.
    """
    proven: set[int] = set()

    def enough(number: int, seconds: int | None) -> tuple[int | None] | None:
        proven.add(number)
        return (seconds,) if len(proven) >= lock.threshold else None

    (seconds,) = _ask(lock, lambda one: tang.prove(one.server, one.binding), enough)
    return seconds


def _ask(lock: PremisesLock, question: Callable[[LockMember], _T], enough: Callable[[int, _T], _Found | None]) -> _Found:
    """Ask all at once, until `enough` gives something. Whoever is still asked then keeps no process from ending."""
    answers: queue.SimpleQueue[tuple[int, _T | Exception]] = queue.SimpleQueue()

    def ask(number: int, one: LockMember) -> None:
        try:
            answers.put((number, question(one)))
        except Exception as error:  # raised below, for whoever waits
            answers.put((number, error))

    for number, one in enumerate(lock.members):
        threading.Thread(target=ask, args=(number, one), name="premises", daemon=True).start()
    until = time.monotonic() + tang.DEADLINE_SECONDS + _LATE_SECONDS
    failures: list[VaultError] = []
    silent = len(lock.members)
    with suppress(queue.Empty):
        while silent:
            number, answer = answers.get(timeout=max(0.0, until - time.monotonic()))
            silent -= 1
            if isinstance(answer, VaultError):
                failures.append(answer)
            elif isinstance(answer, Exception):
                raise answer
            elif (found := enough(number, answer)) is not None:
                return found
    # Who answered after the time was over did not answer, whatever it was: a late silence must not pass for a wrong answer.
    failures += [UnavailableError("premises.unreachable")] * silent
    if len(lock.members) - len(failures) >= lock.threshold:
        raise TamperError("premises.wrong-answer")
    raise next((error for error in failures if isinstance(error, TamperError)), failures[-1])


def _unwrapped(
    lock: PremisesLock, answers: Mapping[int, Secret], newest: int, vault_id: VaultId, workstation_id: WorkstationId
) -> Secret | None:
    for wrap in lock.wraps:
        if newest in wrap.members and all(number in answers for number in wrap.members):
            try:
                key = _key([answers[number] for number in wrap.members])
                return Secret(unseal(key, wrap.sealed, _place(wrap.members, vault_id, workstation_id)))
            except TamperError:
                continue
    return None


def _key(answers: Sequence[Secret]) -> Secret:
    return derive(Secret(bind(*(one.reveal() for one in answers))), "premises-wrap")


def _place(subset: Sequence[int], vault_id: VaultId, workstation_id: WorkstationId) -> bytes:
    return bind(_CONTEXT, vault_id, workstation_id, *subset)
