"""The spool's file format and counters against crashes and against somebody with write access to its folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.fakes import MemorySecretKeeper
from vault.domain.breach import SignalKind
from vault.domain.identity import BreachId
from vault.errors import UnavailableError
from vault.secret import Secret
from vault.storage.spool import FOLDER_NAME, MOST_FILES, Spool, Waiting

KIND = SignalKind.STORE_TAMPERED
PUBLIC = b"supervisors"


@pytest.fixture
def keeper() -> MemorySecretKeeper:
    return MemorySecretKeeper()


@pytest.fixture
def spool(tmp_path: Path, keeper: MemorySecretKeeper) -> Spool:
    made = Spool(tmp_path, keeper)
    made.enrol(PUBLIC)
    return made


def add(spool: Spool, *names: str) -> None:
    for at_us, name in enumerate(names):
        spool.append(BreachId(name), KIND, at_us, name.encode())


def ids(waiting: Waiting) -> list[str]:
    return [str(one.breach_id) for one in waiting.reports]


def test_what_was_written_is_read_in_order_by_another_process_and_once(spool: Spool, tmp_path: Path, keeper: MemorySecretKeeper) -> None:
    add(spool, "a", "b", "c")
    later = Spool(tmp_path, keeper)
    waiting = later.waiting()
    assert ids(waiting) == ["a", "b", "c"]
    assert [(one.number, one.observed_us, one.facts_sealed) for one in waiting.reports] == [(1, 0, b"a"), (2, 1, b"b"), (3, 2, b"c")]
    assert later.supervisors_public_kem() == PUBLIC
    for one in waiting.reports:
        later.taken(one.number)
    assert later.waiting() == Waiting((), (), (), 3)
    assert later.append(BreachId("d"), KIND, 9, b"") == 4
    assert ids(Spool(tmp_path, keeper).waiting()) == ["d"]


def test_nothing_there_is_nothing_waiting(tmp_path: Path, keeper: MemorySecretKeeper) -> None:
    assert Spool(tmp_path, keeper).waiting() == Waiting((), (), (), 0)
    assert Spool(tmp_path, keeper).supervisors_public_kem() is None


def _forge(folder: Path) -> None:
    (folder / "00000004.report").write_bytes(b'{"breach_id":"x"}')


def _rewritten(field: str, value: object) -> Callable[[Path], object]:
    def rewrite(folder: Path) -> None:
        path = folder / "00000002.report"
        path.write_bytes(msgspec.json.encode({**msgspec.json.decode(path.read_bytes()), field: value}))

    return rewrite


def _copied(stem: str) -> Callable[[Path], object]:
    return lambda folder: shutil.copy(folder / "00000001.report", folder / f"{stem}.report")


def _huge(folder: Path) -> None:
    (folder / "00000002.report").write_bytes(b" " * 10_000_000)


def _link(folder: Path) -> None:
    (folder / "00000002.report").unlink()
    (folder / "00000002.report").symlink_to(folder / "00000001.report")


def _pipe(folder: Path) -> None:
    (folder / "00000002.report").unlink()
    os.mkfifo(folder / "00000002.report")


def _later_ones_replaced(folder: Path) -> None:
    (folder / "00000001.report").replace(folder / "00000003.report")


ATTACKS: list[tuple[str, Callable[[Path], object], list[str], tuple[int, ...], tuple[int, ...]]] = [
    # what is done -> reports that are still read, numbers missing, numbers damaged
    ("nothing", lambda _: None, ["a", "b", "c"], (), ()),
    ("the first is deleted", lambda d: (d / "00000001.report").unlink(), ["b", "c"], (1,), ()),
    ("the last is deleted", lambda d: (d / "00000003.report").unlink(), ["a", "b"], (3,), ()),
    ("all are deleted", lambda d: [one.unlink() for one in d.iterdir()], [], (1, 2, 3), ()),
    ("one is put over another", _later_ones_replaced, ["b"], (1,), (3,)),
    ("one gets a lesser kind", _rewritten("kind", "copy-key"), ["a", "c"], (), (2,)),
    ("one gets another time", _rewritten("observed_us", 7), ["a", "c"], (), (2,)),
    ("one gets other facts", _rewritten("facts_sealed", "eA=="), ["a", "c"], (), (2,)),
    ("one gets another id", _rewritten("breach_id", "c"), ["a", "c"], (), (2,)),
    ("one gets another cause", _rewritten("code", "x"), ["a", "c"], (), (2,)),
    ("one loses its tag", _rewritten("tag", ""), ["a", "c"], (), (2,)),
    ("one is copied to the last number", _copied("99999999"), ["a", "b", "c"], (), (99_999_999,)),
    ("one is copied to the next number", _copied("00000004"), ["a", "b", "c"], (), (4,)),
    ("one is emptied", lambda d: (d / "00000002.report").write_bytes(b""), ["a", "c"], (), (2,)),
    ("one is altered in the middle", lambda d: (d / "00000002.report").write_bytes(b'{"kind":"copy'), ["a", "c"], (), (2,)),
    ("one is dated beyond the calendar", _rewritten("observed_us", 300_000_000_000_000_000), ["a", "c"], (), (2,)),
    ("one is dated before it", _rewritten("observed_us", -1), ["a", "c"], (), (2,)),
    ("one gets an id that is none", _rewritten("breach_id", "b\n"), ["a", "c"], (), (2,)),
    ("one gets a long id", _rewritten("breach_id", "b" * 65), ["a", "c"], (), (2,)),
    ("one is made huge", _huge, ["a", "c"], (), (2,)),
    ("one becomes a link", _link, ["a", "c"], (), (2,)),
    ("one becomes a pipe", _pipe, ["a", "c"], (), (2,)),
    ("one is added that is none", _forge, ["a", "b", "c"], (), (4,)),
    ("a file of another name is added", lambda d: (d / "1.report").write_bytes(b"{}"), ["a", "b", "c"], (), ()),
]


@pytest.mark.parametrize(("attack", "read", "missing", "damaged"), [one[1:] for one in ATTACKS], ids=[one[0] for one in ATTACKS])
def test_attacks_on_the_folder_show(
    spool: Spool,
    tmp_path: Path,
    attack: Callable[[Path], object],
    read: list[str],
    missing: tuple[int, ...],
    damaged: tuple[int, ...],
) -> None:
    add(spool, "a", "b", "c")
    attack(tmp_path / FOLDER_NAME)
    waiting = spool.waiting()
    assert (ids(waiting), waiting.missing, waiting.damaged) == (read, missing, damaged)
    for one in waiting.reports:
        spool.taken(one.number)
    spool.put_aside(waiting.damaged)
    spool.past(waiting.last)
    after = spool.waiting()
    assert (after.reports, after.missing, after.damaged) == ((), (), ()), "each is told once"
    assert spool.append(BreachId("d"), KIND, 9, b"") == 4, "no file but ours moves the counter"
    assert ids(spool.waiting()) == ["d"]


def test_a_number_is_never_given_twice(spool: Spool, tmp_path: Path) -> None:
    add(spool, "a", "b")
    (tmp_path / FOLDER_NAME / "00000002.report").unlink()
    assert spool.append(BreachId("c"), KIND, 3, b"") == 3
    assert spool.waiting().missing == (2,)


def test_without_a_keyring_reports_are_written_and_read_all_the_same(spool: Spool, tmp_path: Path, keeper: MemorySecretKeeper) -> None:
    add(spool, "a")
    (tmp_path / FOLDER_NAME / "00000001.report").rename(tmp_path / FOLDER_NAME / "00000005.report")
    forgotten = Spool(tmp_path, MemorySecretKeeper())
    assert forgotten.append(BreachId("b"), KIND, 3, b"") == 6
    assert ids(forgotten.waiting()) == ["a", "b"]


def test_a_crash_between_the_file_and_the_counter_loses_nothing(spool: Spool, tmp_path: Path, keeper: MemorySecretKeeper) -> None:
    add(spool, "a")
    before = keeper.copy()
    add(spool, "b")
    assert ids(Spool(tmp_path, before).waiting()) == ["a", "b"]


def test_a_crash_between_taking_and_forgetting_only_reads_it_again(spool: Spool, tmp_path: Path) -> None:
    add(spool, "a")
    kept = (tmp_path / FOLDER_NAME / "00000001.report").read_bytes()
    spool.taken(1)
    (tmp_path / FOLDER_NAME / "00000001.report").write_bytes(kept)
    assert ids(spool.waiting()) == ["a"], "the vault knows it by its id"


def _as_before(folder: Path, keeper: MemorySecretKeeper, *numbers: int) -> None:
    """Make the reports what they were before there were tags, with a keyring that has no key for them."""
    keeper.erase("spool-key")
    for number in numbers:
        path = folder / f"{number:08}.report"
        told = msgspec.json.decode(path.read_bytes())
        path.write_bytes(msgspec.json.encode({name: value for name, value in told.items() if name != "tag"}))


def test_what_waited_before_there_were_tags_is_read_and_nothing_else_without_one(
    spool: Spool, tmp_path: Path, keeper: MemorySecretKeeper
) -> None:
    add(spool, "a", "b")
    folder = tmp_path / FOLDER_NAME
    _as_before(folder, keeper, 1, 2)
    later = Spool(tmp_path, keeper)
    later.enrol(PUBLIC)
    add(later, "c")
    kept = (folder / "00000001.report").read_bytes()
    (folder / "00000004.report").write_bytes(kept)
    waiting = later.waiting()
    assert (ids(waiting), waiting.damaged) == (["a", "b", "c"], (4,))
    for one in waiting.reports:
        later.taken(one.number)
    (folder / "00000001.report").write_bytes(kept)
    assert later.waiting().damaged == (1, 4), "it does not come again"


def test_files_that_nobody_sealed_stand_for_no_report_and_close_the_spool_to_none(spool: Spool, tmp_path: Path) -> None:
    add(spool, "a")
    forged = msgspec.json.encode({"breach_id": "f", "kind": KIND, "observed_us": 5, "facts_sealed": b"", "code": "x"})
    for number in range(2, MOST_FILES + 2):
        (tmp_path / FOLDER_NAME / f"{number:08}.report").write_bytes(forged)
    latest = spool.latest()
    assert latest is not None
    assert latest.breach_id == "a"
    assert spool.append(BreachId("b"), KIND, 6, b"") == MOST_FILES + 2
    assert ids(spool.waiting()) == ["a", "b"]


@pytest.mark.parametrize("first", [2, 4], ids=["over the place of later ones", "beyond what was counted"])
def test_whoever_fills_the_folder_does_not_make_each_report_slow(
    spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """Of 100,000 such files each took 0.1 ms, at every report."""
    add(spool, "a", *(("b", "c") if first == 4 else ()))
    folder, read = tmp_path / FOLDER_NAME, Spool._read
    for number in range(first, 10_000):
        os.link(folder / "00000001.report", folder / f"{number:08}.report")
    reads: list[int] = []
    monkeypatch.setattr(Spool, "_read", lambda self, number: reads.append(number) or read(self, number))  # type: ignore[func-returns-value]
    for name in ("d", "e"):
        add(spool, name)
        latest = spool.latest()
        assert latest is not None
        assert latest.breach_id == name
    assert len(reads) < 10 * MOST_FILES
    assert ids(spool.waiting()) == ["a", *(("b", "c") if first == 4 else ()), "d", "e"]


@pytest.mark.parametrize("put", [Path.touch, lambda path: path.symlink_to("nowhere")], ids=["a file", "a link to nothing"])
def test_what_stands_in_the_folders_place_keeps_no_report_from_being_written(
    spool: Spool, tmp_path: Path, put: Callable[[Path], object]
) -> None:
    add(spool, "a")
    shutil.rmtree(tmp_path / FOLDER_NAME)
    put(tmp_path / FOLDER_NAME)
    add(spool, "b")
    waiting = spool.waiting()
    assert (ids(waiting), waiting.missing) == (["b"], (1,))
    assert len(list(tmp_path.glob(f"{FOLDER_NAME}.*.damaged"))) == 1


def test_a_keyring_that_takes_no_key_is_no_reason_to_lose_a_report(tmp_path: Path, keeper: MemorySecretKeeper) -> None:
    class ReadOnly(MemorySecretKeeper):
        def write(self, name: str, value: Secret) -> None:
            raise UnavailableError("keyring.locked")

    add(Spool(tmp_path, ReadOnly()), "a")
    add(Spool(tmp_path, ReadOnly()), "b")
    later = Spool(tmp_path, keeper)
    later.enrol(PUBLIC)
    assert ids(later.waiting()) == ["a", "b"]


def test_a_keyring_that_falls_silent_is_no_reason_to_lose_a_report(tmp_path: Path, keeper: MemorySecretKeeper) -> None:
    silent = Spool(tmp_path, keeper)
    assert silent.supervisors_public_kem() is None, "it answers until here"
    keeper.unavailable = "keyring.locked"
    add(silent, "a", "b")
    assert silent.latest() is not None
    keeper.unavailable = None
    add(silent, "c")
    later = Spool(tmp_path, keeper)
    later.enrol(PUBLIC)
    assert ids(later.waiting()) == ["a", "b", "c"]


def test_a_keyring_that_falls_silent_does_not_lose_its_key(spool: Spool, tmp_path: Path, keeper: MemorySecretKeeper) -> None:
    add(spool, "a")
    later = Spool(tmp_path, keeper)
    assert later.is_witnessed()
    keeper.unavailable = "keyring.locked"
    add(later, "b")
    keeper.unavailable = None
    add(later, "c")
    waiting = Spool(tmp_path, keeper).waiting()
    assert (ids(waiting), waiting.damaged) == (["a", "c"], (2,)), "one without a tag is told of"


def test_a_full_spool_keeps_what_it_has(spool: Spool) -> None:
    for number in range(MOST_FILES):
        spool.append(BreachId(str(number)), KIND, number, b"")
    with pytest.raises(UnavailableError, match=r"^spool\.full"):
        add(spool, "one more")
    assert len(spool.waiting().reports) == MOST_FILES
