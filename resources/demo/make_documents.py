"""Make the demo station's documents: `python -m resources.demo.make_documents [folder]`.

Rules:

- Deterministic: the same libraries make the same bytes. The made files are committed; run this after changing what they say.
- Everybody in them is invented. File names differ across the case folders, so that all can be delivered in one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from resources.demo.make import reports

DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "canal-wharf/A01 Incident report.pdf": reports.incident_report,
    "canal-wharf/A02 Witness statement Dunmore.pdf": reports.witness_statement,
    "canal-wharf/A05 Tool mark comparison.pdf": reports.laboratory_report,
    "canal-wharf/A06 Plan of Canal Wharf.pdf": reports.site_plan,
}


def make_documents(folder: Path) -> None:
    """Write every document under `folder`, in the folder of its case."""
    for name, make in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())


if __name__ == "__main__":
    make_documents(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
