"""Make the demo station's documents: `python -m resources.demo.make_documents [folder]`.

Rules:

- Deterministic: the same libraries make the same bytes. The made files are committed; run this after changing what they say.
- Everybody in them is invented. File names differ across the case folders, so that all can be delivered in one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from resources.demo.make import others, reports

DOCUMENTS: dict[str, Callable[[], bytes]] = {
    "canal-wharf/A01 Incident report.pdf": reports.incident_report,
    "canal-wharf/A02 Witness statement Dunmore.pdf": reports.witness_statement,
    "canal-wharf/A05 Tool mark comparison.pdf": reports.laboratory_report,
    "canal-wharf/A06 Plan of Canal Wharf.pdf": reports.site_plan,
    "canal-wharf/A07 Dispatch log.txt": others.dispatch_log,
    "canal-wharf/A08 Loading bay.jpg": lambda: others.photograph(117, "Canal Wharf 7, loading bay"),
    "canal-wharf/A09 Serial numbers.eml": others.message_with_attachment,
    "saturday-market/B01 Interview Brandvold.pdf": others.interview,
    "saturday-market/B02 Custody record Varga.pdf": others.custody_record,
    "saturday-market/B03 Notebook.tiff": others.notebook,
    "saturday-market/B04 Messages.png": others.telephone,
    "saturday-market/B05 Notes.txt": others.officer_notes,
    "saturday-market/B06 Green book.eml": others.simple_message,
    "missing-person/C01 Search log.pdf": others.search_log,
    "missing-person/C02 Harbour steps.jpg": lambda: others.photograph(402, "Harbour steps, 23:55"),
    "missing-person/C03 Sketch.png": others.sketch,
}


def make_documents(folder: Path) -> None:
    """Write every document under `folder`, in the folder of its case."""
    for name, make in DOCUMENTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())


if __name__ == "__main__":
    make_documents(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
