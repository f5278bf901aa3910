"""The premises lock against real key servers: which of them must answer, and what a thief of everything else gets."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tests.outcome import outcome
from tests.tang import TangServer
from vault.crypto import premises
from vault.crypto.premises import PremisesLock, PremisesServer, make_lock, open_lock, prove_lock
from vault.crypto.tang import DEADLINE_SECONDS, KeyServer, fetch_advertisement, first_advertisement
from vault.domain.identity import VaultId, WorkstationId
from vault.errors import RefusedError

VAULT, WORKSTATION = VaultId("vault"), WorkstationId("workstation")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[TangServer]]:
    made = [TangServer(tmp_path / str(number)) for number in range(3)]
    yield made
    for one in made:
        one.close()


def met(*servers: TangServer) -> list[PremisesServer]:
    found = []
    for number, one in enumerate(servers):
        place = KeyServer(one.url)
        said = first_advertisement(place, one.thumbprint())
        found.append(PremisesServer(f"room {number}", place, said.signing_keys, said.exchange_keys[0]))
    return found


@pytest.mark.parametrize("threshold", [1, 2, 3])
def test_exactly_enough_servers_open_and_prove(servers: list[TangServer], threshold: int) -> None:
    lock, secret = make_lock(threshold, met(*servers), VAULT, WORKSTATION)
    lock = PremisesLock.decode(lock.encode())
    assert open_lock(lock, VAULT, WORKSTATION).reveal() == secret.reveal()
    prove_lock(lock)
    for gone in itertools.chain.from_iterable(itertools.combinations(range(3), count) for count in (1, 2, 3)):
        members = tuple(
            msgspec.structs.replace(one, url="http://127.0.0.1:9") if number in gone else one for number, one in enumerate(lock.members)
        )
        cut = msgspec.structs.replace(lock, members=members)
        if 3 - len(gone) >= threshold:
            assert open_lock(cut, VAULT, WORKSTATION).reveal() == secret.reveal()
            prove_lock(cut)
        else:
            assert outcome(lambda: open_lock(cut, VAULT, WORKSTATION)) == "UnavailableError premises.unreachable"  # noqa: B023
            assert outcome(lambda: prove_lock(cut)) == "UnavailableError premises.unreachable"  # noqa: B023


def test_each_binding_has_a_secret_of_its_own(servers: list[TangServer]) -> None:
    found = met(servers[0])
    (first, one), (_, other) = (make_lock(1, found, VAULT, WORKSTATION) for _ in range(2))
    assert one.reveal() != other.reveal()
    assert outcome(lambda: open_lock(first, VaultId("another"), WORKSTATION)) == "TamperError premises.wrong-answer"
    assert outcome(lambda: open_lock(first, VAULT, WorkstationId("another"))) == "TamperError premises.wrong-answer"


def test_a_server_in_anothers_place_is_noticed_and_one_beside_it_is_enough(servers: list[TangServer]) -> None:
    lock, secret = make_lock(1, met(*servers[:2]), VAULT, WORKSTATION)
    liar = met(servers[2])[0].exchange_key
    [real, other] = lock.members
    pretends = msgspec.structs.replace(other, url=servers[2].url, server_key=liar)
    assert open_lock(msgspec.structs.replace(lock, members=(real, pretends)), VAULT, WORKSTATION).reveal() == secret.reveal()
    alone = msgspec.structs.replace(lock, members=(msgspec.structs.replace(real, url="http://127.0.0.1:9"), pretends))
    assert outcome(lambda: open_lock(alone, VAULT, WORKSTATION)) == "TamperError premises.wrong-answer"


def test_servers_that_fall_silent_as_the_time_is_over_are_no_wrong_answer(
    servers: list[TangServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All fail, but none is heard in time: a busy machine."""
    lock, _ = make_lock(1, met(*servers), VAULT, WORKSTATION)
    silent = [msgspec.structs.replace(one, url="http://127.0.0.1:9") for one in lock.members]

    monkeypatch.setattr(premises, "_LATE_SECONDS", -DEADLINE_SECONDS)  # it is too late as soon as it has asked
    cut = msgspec.structs.replace(lock, members=tuple(silent))
    assert outcome(lambda: open_lock(cut, VAULT, WORKSTATION)) == "UnavailableError premises.unreachable"
    assert outcome(lambda: prove_lock(cut)) == "UnavailableError premises.unreachable"


def test_a_name_that_nobody_resolves_keeps_no_process_from_ending(servers: list[TangServer], monkeypatch: pytest.MonkeyPatch) -> None:
    """Away from the station a resolver that is silent holds a question up for longer than its deadline, and the system cannot be told."""
    lock, _ = make_lock(1, met(servers[0]), VAULT, WORKSTATION)
    answers = threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        answers.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert outcome(lambda: prove_lock(lock)) == "UnavailableError premises.unreachable"
    asking = [one for one in threading.enumerate() if one.name.startswith("premises")]
    assert asking, "the question is still under way"
    assert all(one.daemon for one in asking), "the interpreter waits for none of them at its end"
    answers.set()


def test_rotated_keys_are_bound_again_and_the_old_lock_dies_with_them(servers: list[TangServer]) -> None:
    [before] = met(servers[0])
    lock, secret = make_lock(1, [before], VAULT, WORKSTATION)
    servers[0].rotate()
    assert open_lock(lock, VAULT, WORKSTATION).reveal() == secret.reveal()
    said = fetch_advertisement(before.server, before.pinned)
    after = replace(before, pinned=said.signing_keys, exchange_key=said.exchange_keys[0])
    new, new_secret = make_lock(1, [after], VAULT, WORKSTATION)
    servers[0].forget_old_keys()
    assert outcome(lambda: open_lock(lock, VAULT, WORKSTATION)) == "UnavailableError premises.refused"
    assert outcome(lambda: prove_lock(lock)) == "UnavailableError premises.refused"
    assert open_lock(new, VAULT, WORKSTATION).reveal() == new_secret.reveal()


def _alone(lock: PremisesLock) -> PremisesLock:
    return msgspec.structs.replace(lock, threshold=1, wraps=tuple(msgspec.structs.replace(one, members=(0,)) for one in lock.wraps))


ALTERED: list[tuple[str, Callable[[PremisesLock], PremisesLock]]] = [
    ("the threshold lowered", lambda lock: msgspec.structs.replace(lock, threshold=1)),
    ("a server taken out", lambda lock: msgspec.structs.replace(lock, members=lock.members[:1], threshold=1)),
    ("a wrap said to need one server only", _alone),
    ("no wraps", lambda lock: msgspec.structs.replace(lock, wraps=())),
]


@pytest.mark.parametrize("change", [one[1] for one in ALTERED], ids=[one[0] for one in ALTERED])
def test_an_altered_lock_does_not_open_with_fewer_servers(
    servers: list[TangServer], change: Callable[[PremisesLock], PremisesLock]
) -> None:
    lock, _ = make_lock(2, met(*servers[:2]), VAULT, WORKSTATION)
    altered = change(lock)
    members = (altered.members[0], *(msgspec.structs.replace(one, url="http://127.0.0.1:9") for one in altered.members[1:]))
    assert outcome(lambda: open_lock(msgspec.structs.replace(altered, members=members), VAULT, WORKSTATION)) != "opens"


@pytest.mark.parametrize("threshold", [-1, 0, 2])
def test_a_threshold_that_cannot_be_met_is_refused(servers: list[TangServer], threshold: int) -> None:
    with pytest.raises(RefusedError, match=r"^premises\.threshold"):
        make_lock(threshold, met(servers[0]), VAULT, WORKSTATION)
