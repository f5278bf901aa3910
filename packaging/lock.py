"""Write the lock files: exact versions and SHA-256 of every wheel that setup may install.

Rules of this script:

- What is wanted stands in `pyproject.toml` and nowhere else; the lock files are derived and never edited by hand.
- One resolution per Python version, by that interpreter, because pip reads environment markers from the interpreter it runs in.
- Both processor kinds are asked for, so that one lock serves every machine. Where versions differ between Pythons, a marker says so.
- Wheels only. No address of a package index is written: which index is used is the machine's own affair.

Usage: python packaging/lock.py 3.11=/path/to/python3.11 3.12=/path/to/python3.12 3.13=/path/to/python3.13
A Python whose interpreter is not at hand can borrow one whose markers read the same: 3.14=/path/to/python3.13
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
MACHINES = ("x86_64", "aarch64")
NEWEST_GLIBC_MINOR = 39  # manylinux_2_39: PySide6's aarch64 wheels
HEADER = "# Written by packaging/lock.py from pyproject.toml; do not edit.\n"

# canonical name -> version -> hashes, and canonical name -> version -> Python versions that resolved to it
Hashes = dict[str, dict[str, set[str]]]
Pythons = dict[str, dict[str, set[str]]]


def platforms(machine: str) -> list[str]:
    """Name every wheel platform that a current Debian or Ubuntu on `machine` accepts."""
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC_MINOR, 16, -1)]
    return [*tags, f"manylinux2014_{machine}"]


def resolve(wanted: list[str], python_version: str, interpreter: str, machine: str) -> list[tuple[str, str, str]]:
    """Ask pip which (name, version, sha256) it would install for one Python and one processor."""
    with tempfile.TemporaryDirectory() as scratch:
        report, wishes = Path(scratch, "report.json"), Path(scratch, "wanted.txt")
        wishes.write_text("\n".join(wanted), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--python", interpreter, "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--only-binary", ":all:", "--target", scratch, "--report", str(report)]
        command += ["--implementation", "cp", "--python-version", python_version]
        for platform in platforms(machine):
            command += ["--platform", platform]
        subprocess.run([*command, "-r", str(wishes)], check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        (
            item["metadata"]["name"].lower().replace("_", "-").replace(".", "-"),
            item["metadata"]["version"],
            item["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for item in found
    ]


def marker(versions: set[str], everywhere: set[str]) -> str:
    """Say for which Pythons a line holds; nothing when for all of them."""
    if versions == everywhere:
        return ""
    return " ; " + " or ".join(f"python_version == '{version}'" for version in sorted(versions))


def write(path: Path, names: list[str], hashes: Hashes, pythons: Pythons, everywhere: set[str]) -> None:
    """Write one lock file with the given packages."""
    lines = [HEADER]
    for name in names:
        for version in sorted(hashes[name]):
            pins = [f"{name}=={version}{marker(pythons[name][version], everywhere)}"]
            pins += [f"    --hash=sha256:{digest}" for digest in sorted(hashes[name][version])]
            lines.append(" \\\n".join(pins) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Resolve for every Python named on the command line and write both lock files."""
    interpreters = dict(argument.split("=", 1) for argument in arguments)
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    run, dev = project["dependencies"], project["optional-dependencies"]["dev"]
    hashes: Hashes = defaultdict(lambda: defaultdict(set))
    pythons: Pythons = defaultdict(lambda: defaultdict(set))
    needed_to_run: set[str] = set()
    for python_version, interpreter in interpreters.items():
        for machine in MACHINES:
            print(f"resolving for Python {python_version} on {machine}")
            needed_to_run |= {name for name, _, _ in resolve(run, python_version, interpreter, machine)}
            for name, version, digest in resolve(run + dev, python_version, interpreter, machine):
                hashes[name][version].add(digest)
                pythons[name][version].add(python_version)
    everywhere = set(interpreters)
    write(HERE / "requirements.lock", sorted(needed_to_run), hashes, pythons, everywhere)
    write(HERE / "requirements-dev.lock", sorted(set(hashes) - needed_to_run), hashes, pythons, everywhere)


if __name__ == "__main__":
    main(sys.argv[1:])
