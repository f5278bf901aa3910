from __future__ import annotations

from collections.abc import Iterator

import pytest

from vault.rendition.client import RenditionWorker
from vault.services.page_memory import PageMemory


@pytest.fixture(scope="module")
def page_memory() -> Iterator[PageMemory]:
    memory = PageMemory.create()
    yield memory
    memory.wipe()
    memory.close()


@pytest.fixture(scope="module")
def worker(page_memory: PageMemory) -> Iterator[RenditionWorker]:
    """One worker for a module's tests: each opens its own documents."""
    made = RenditionWorker(page_memory)
    made.start()
    yield made
    made.end()
