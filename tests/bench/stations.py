"""The vaults that are measured, made through the services and kept from run to run in ``/var/tmp``.

Rules:

- `few` has 10 cases, all granted to the reading officers; `many` has 100,000, of which 10,000 are. Both hold the same documents; the
  1 GiB one is in `few`, in a case of its own.
- Every row is a real one: its own case key, its own sealed card, its own signed grants. `Register.prepare` makes them; only the commit is
  for a thousand at a time (`Store.register_cases`).
- A run works on copies. What a vault is made of is in the name of its cache folder: when the code that makes it changes, it is made again.
- The workstation secrets lie beside the vaults: synthetic, and worth nothing.

Founding happens two hours ago, so that nothing in the vault is later than now.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pyotp

from tests.bench.papers import MIB, write_alike, write_case_file
from tests.driven import DRIVEN_POLICY
from tests.station import ADMINISTRATOR, CUSTODIAN, SUPERVISOR, Station, passphrase_of
from vault.domain.casefile import Marking
from vault.domain.identity import CaseId, Role
from vault.platform.secret_service import open_secret_keeper
from vault.secret import Secret
from vault.services.register import NewCase
from vault.services.views import FileState

ROOT = Path(__file__).resolve().parents[2]
# Not below a folder that stations watch: their sensors would open what is measured, and report what is kept as a copy of it (rightly).
FOLDER = Path("/var/tmp") / f"casevault-bench-{os.getuid()}"
CACHE, WORK = FOLDER / "kept", FOLDER / "work"
OFFICER, COLLEAGUE = "2001", "2002"
OFFICERS = tuple(str(number) for number in range(2101, 2113))  # each signs in with a code or two; a code is good once
FEW, MANY, GRANTED = 10, 100_000, 10_000
ONE_MB, CASE_FILE, ONE_GIB = "one-mb.pdf", "case-file.pdf", "one-gib.pdf"
PAGES_ALIKE = 20
_TOGETHER = 1000
_AGO_US = 7200 * 1_000_000
_STEP_SECONDS = 30
_RECIPE = b"1"  # counted up when `_make` changes
_MADE_OF = (
    "tests/bench/papers.py",
    "vault/storage/schema.py",
    "vault/storage/connection.py",
    "vault/storage/migrations",
    "vault/crypto",
    "vault/domain/casefile.py",
)


@dataclass(frozen=True, slots=True)
class Made:
    """A vault ready to be opened by a real vault process: a copy of the kept one, its secrets in this session's keyring."""

    directory: Path
    second_factors: dict[str, str]
    used: dict[str, int]  # badge -> the last step whose code was handed out

    def code(self, badge_no: str) -> str:
        """A code that was not used yet; waits where the vault would not accept one yet."""
        step = max(int(time.time()) // _STEP_SECONDS, self.used.get(badge_no, 0) + 1)
        while step > int(time.time()) // _STEP_SECONDS + 1:
            time.sleep(0.2)
        self.used[badge_no] = step
        return pyotp.TOTP(self.second_factors[badge_no]).generate_otp(step)

    def credentials(self, badge_no: str) -> tuple[str, str, str]:
        return badge_no, passphrase_of(badge_no), self.code(badge_no)


def papers() -> Path:
    """The folder with the documents; made if missing."""
    folder = CACHE / f"papers-{_digest('tests/bench/papers.py')}"
    if not folder.exists():
        building = folder.with_name(folder.name + ".building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        write_case_file(building / CASE_FILE, 500, 47_000_000)
        write_alike(building / ONE_MB, PAGES_ALIKE, MIB)
        write_alike(building / ONE_GIB, PAGES_ALIKE, 1024 * MIB)
        building.rename(folder)
    return folder


def kept(name: str) -> Path:
    """The kept vault of a name (`few`, `many`); made if missing, which takes minutes for `many`."""
    folder = CACHE / f"{name}-{_digest(*_MADE_OF)}"
    if not folder.exists():
        building = folder.with_name(folder.name + ".building")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        print(f"bench: making the vault with {name} cases (kept for the next run)", file=sys.stderr, flush=True)
        _make(building, FEW if name == "few" else MANY, with_large=name == "few")
        building.rename(folder)
    return folder


def ready(name: str) -> Made:
    """A fresh copy of a kept vault, its secrets in the session's keyring."""
    source = kept(name)
    directory = WORK / name
    shutil.rmtree(directory, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-r", "--reflink=auto", str(source / "vault"), str(directory)], check=True)
    record = json.loads((source / "secrets.json").read_text())
    keeper = open_secret_keeper(record["vault_id"])
    for key, value in record["keyring"].items():
        keeper.write(key, Secret(bytes.fromhex(value)))
    return Made(directory, record["second_factors"], {})


def inline(name: str) -> Station:
    """A fresh copy of a kept vault for the services called without a pipe, with a keyring in memory."""
    source = kept(name)
    directory = WORK / f"{name}-inline"
    shutil.rmtree(directory, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-r", "--reflink=auto", str(source / "vault"), str(directory)], check=True)
    record = json.loads((source / "secrets.json").read_text())
    station = Station(directory, secrets=record["second_factors"])
    for key, value in record["keyring"].items():
        station.keeper.write(key, Secret(bytes.fromhex(value)))
    return station


def _make(folder: Path, cases: int, *, with_large: bool) -> None:
    station = Station(folder / "vault")
    station.clock.added_us = -_AGO_US
    station.found(DRIVEN_POLICY)
    _enrol(station)
    _register(station, cases)
    _take_in(station, with_large=with_large)
    station.vault.session.sign_out()
    vault_id = station.vault.world.station.vault_id
    station.close()
    keyring = {key: value.hex() for key, value in station.keeper._values.items()}
    record = {"vault_id": vault_id, "keyring": keyring, "second_factors": station.secrets}
    (folder / "secrets.json").write_text(json.dumps(record))


def _enrol(station: Station) -> None:
    """Everybody at once: three sign-ins instead of three a person."""
    station.sign_in(SUPERVISOR)
    administration = station.vault.administration
    team_a, team_b = administration.add_unit("Team A").unit_id, administration.add_unit("Team B").unit_id
    station.sign_in(ADMINISTRATOR)
    enrolled = []
    for badge_no in (OFFICER, *OFFICERS, COLLEAGUE):
        unit_id = team_b if badge_no == COLLEAGUE else team_a
        made = administration.enrol(badge_no, f"Officer {badge_no}", Role.OFFICER, unit_id, passphrase_of(badge_no))
        station.remember(made)
        enrolled.append(made.person_id)
    station.sign_in(SUPERVISOR)
    for person_id in enrolled:
        administration.cosign(person_id)


def _register(station: Station, count: int) -> None:
    """The officers' cases are the newest: registered last."""
    station.sign_in(CUSTODIAN)
    vault = station.vault
    units = {one.name: one.unit_id for one in vault.register.units()}
    people = {one.badge_no: one.person_id for one in vault.register.people()}
    granted = min(count, GRANTED)
    rows = []
    for number in range(1, count + 1):
        theirs = number > count - granted
        new = NewCase(
            f"2026-{number:06d}",
            f"Burglary at {number % 997} Harbour Row, statement and photographs",
            "burglary",
            people[OFFICER if number > count - 5 else COLLEAGUE],
            units["Team A" if theirs else "Team B"],
            Marking.OFFICIAL_SENSITIVE,
            ("Maja Lindqvist", f"Witness {number % 311}"),
            ("night", "series"),
        )
        row, grants, _, _ = vault.register.prepare(new)
        rows.append((row, grants))
        if len(rows) == _TOGETHER or number == count:
            vault.store.register_cases(rows, [])
            rows.clear()


def _take_in(station: Station, *, with_large: bool) -> None:
    station.sign_in(OFFICER)
    vault = station.vault
    lines = vault.desk.cases("", "", 5).lines  # the officer's own, newest first
    wanted = [(lines[0].case_id, (CASE_FILE, ONE_MB)), *((line.case_id, (ONE_MB,)) for line in lines[2:5])]
    if with_large:
        wanted.append((lines[1].case_id, (ONE_GIB,)))
    for case_id, names in wanted:
        for name in names:
            take_in(station, case_id, papers() / name)


def take_in(station: Station, case_id: CaseId, path: Path) -> None:
    """Take one file in, now."""
    view = station.vault.intake.start(case_id, (str(path),))
    (file,) = station.vault.intake.status(view.intake_no).files
    assert file.state is FileState.DONE, file


def _digest(*names: str) -> str:
    digest = hashlib.sha256(_RECIPE)
    for name in names:
        path = ROOT / name
        for one in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(one.read_bytes())
    return digest.hexdigest()[:12]
