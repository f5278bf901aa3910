"""docs/licences.md names every package that is installed, and no other; every font has its licence beside it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_locked_package_is_listed_once() -> None:
    locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "packaging" / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
    packages, fonts = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8").split("| Font,")
    listed = re.findall(r"[a-z0-9-]{3,}", " ".join(re.findall(r"^\| ([a-z][^|]*) \|", re.sub(r" \([^)]*\)", "", packages), re.MULTILINE)))
    assert sorted(listed) == sorted(locked)
    named = set(re.findall(r"`(\S+-LICENSE\.txt)`", fonts))
    assert named == {path.name for path in (ROOT / "resources" / "fonts").glob("*-LICENSE.txt")}
