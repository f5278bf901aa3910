"""Copy the locked run-time packages of this virtual environment to a folder: ``python packaging/copy_packages.py LOCK TARGET``.

Nothing but what the lock file names is copied, and of Qt only the platform plugins a desk may use: one that serves the window over the
network is not on an installed workstation (VECTORS V27).
"""

import re
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

PLATFORMS = {"libqxcb.so", "libqwayland.so"}


def wanted(file: PurePosixPath) -> bool:
    """Tell whether a file of a package is installed."""
    if ".." in file.parts or file.suffix in {".pyc", ".pth"}:
        return False
    return file.parent.name != "platforms" or file.name in PLATFORMS


def main(lock: Path, target: Path) -> None:
    """Copy every package of the lock file that is here; one that is not belongs to another version of Python."""
    for name in re.findall(r"^([a-z0-9-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE):
        try:
            files = distribution(name).files or []
        except PackageNotFoundError:
            continue
        for file in filter(wanted, files):
            source, goal = Path(str(file.locate())), target / file
            if source.is_file():
                goal.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, goal)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
