"""The front's identities, made by the shipped program with a real openssl: renewed, told of in time, and no key left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[3] / "packaging" / "station" / "front" / "identities.sh"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")


def identities(folder: Path, *words: str) -> tuple[int, str]:
    environment = {**os.environ, "CASEVAULT_FRONT": str(folder)}
    done = subprocess.run([PROGRAM, *words], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def front(tmp_path: Path) -> Path:
    assert identities(tmp_path, "authority")[0] == 0
    return tmp_path


def test_a_fronts_certificate_is_renewed_in_place_and_not_by_anothers(front: Path) -> None:
    assert identities(front, "front", "keys.example")[0] == 0
    first = (front / "front.pem").read_bytes()
    assert identities(front, "front", "keys.example")[0] == 0
    assert (front / "front.pem").read_bytes() != first
    status, said = identities(front, "front", "other.example")
    assert status == 1
    assert "not of other.example" in said


def test_what_ends_soon_is_marked(front: Path) -> None:
    for name in ("ws-01", "ws-02", "ws-03"):
        assert identities(front, "workstation", name)[0] == 0
    now, book = datetime.now(UTC), front / "book"
    lines = [line.split("\t") for line in book.read_text().splitlines()]
    for line, days in zip(lines, (-1, 29, 31), strict=True):
        line[1] = f"{now + timedelta(days):%y%m%d%H%M%SZ}"
    book.write_text("".join("\t".join(line) + "\n" for line in lines))
    told = [line.split(None, 3)[3] for line in identities(front, "list")[1].splitlines()]
    assert told == ["expired", "valid, ends soon: renew it", "valid"]


def test_no_private_key_is_left_behind_when_nothing_could_be_signed(front: Path) -> None:
    before = {one.name for one in front.iterdir()}
    (front / "authority.key").write_text("")
    status, said = identities(front, "workstation", "ws-07")
    assert status == 1
    assert "could not be signed" in said
    assert {one.name for one in front.iterdir()} == before
