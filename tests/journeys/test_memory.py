"""Goal 0: the interface never holds a key, a word of a document or a passphrase that was sent; after a lock nobody holds the session's.

The counts are published in ``build/memory.json``. What is not zero there is stated in docs/threat-model.md.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.journeys.own_session import play

ROOT = Path(__file__).resolve().parents[2]
SESSION_SECRETS = ("case key", "officer's private keys", "page text", "passphrase")


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(600)
def test_memory_holds_what_the_threat_model_says(tmp_path: Path) -> None:
    out = ROOT / "build" / "memory.json"
    out.parent.mkdir(exist_ok=True)
    play("tests.journeys.memory_shift", tmp_path / "memory.json", 580)
    found = json.loads((tmp_path / "memory.json").read_text())
    out.write_text(json.dumps(found, indent=2) + "\n")
    open_, locked = found["page-open"], found["locked"]
    assert open_["vault"]["page text"] > 0, "the search must be able to find what is there"
    assert open_["vault"]["vault keys"] > 0
    assert open_["vault"]["case key"] > 0
    for name in ("vault keys", "case key", "officer's private keys", "page text"):
        assert open_["interface"][name] == 0, f"{name} in the interface while a page is open"
        assert locked["interface"][name] == 0, f"{name} in the interface after the lock"
    for name in ("vault keys", "case key", "officer's private keys", "case title", "passphrase"):
        assert open_["rendition"][name] == 0, f"{name} in the rendition worker"
    typed, unlocked = found["passphrase-typed"], found["unlocked"]
    assert typed["interface"]["passphrase"] == 1, "typed, and read with the eye held, it is where it is kept and nowhere else"
    assert typed["vault"]["passphrase"] == 0, "nothing was sent yet"
    for state in (open_, unlocked):
        assert state["interface"]["passphrase"] == 0, "it is overwritten once it was sent"
    for process, counts in locked.items():
        for name in SESSION_SECRETS:
            assert counts[name] == 0, f"{name} in {process} after the lock"
