"""Page turn, check-out and report do not grow with the register or the document.

Rules: two vault processes at once, one with 10 cases and one with 100,000, asked in turns; and one document of 1 MiB and one of 1 GiB with
the same first pages, in the same vault. What is timed is the interface's wait for the vault's answer, the copy of the picture included.
The limit is on more over less: to be faster with more is noise, and no miss.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.bench import stations
from tests.bench.desk import DPI, Asking, rest
from tests.bench.measures import Report, at_most, interleaved, median
from vault.domain.breach import SignalKind
from vault.domain.identity import CaseId, CheckOutId, DocumentId
from vault.services.breach import Breaches
from vault.services.custody import Custody
from vault.services.desk import Desk
from vault.services.reading import Reading
from vault.services.session import Session

_REPEATS = 40
_DWELL_SECONDS = 0.12
_ALIKE = 1.2


class Officer:
    """One officer at one vault: a case to check out and two documents to read."""

    def __init__(self, name: str) -> None:
        made = stations.ready(name)
        self.asking = Asking(made)
        self.asking.ask(Session.sign_in, *made.credentials(stations.OFFICER))
        self.lines = self.asking.ask(Desk.cases, "", "", 5).lines

    def document(self, case_id: CaseId, title: str) -> tuple[CheckOutId, DocumentId]:
        check_out_id = self.asking.check_out(case_id)
        documents = self.asking.ask(Reading.open_file, check_out_id).documents
        return check_out_id, next(one.document_id for one in documents if one.title == title)

    def turning(self, check_out_id: CheckOutId, document_id: DocumentId) -> Callable[[], float]:
        """Turn a page on, and look at it for a moment before the next."""
        page_no = 0

        def turn() -> float:
            nonlocal page_no
            page_no = page_no % stations.PAGES_ALIKE + 1
            image = self.asking.ask(Reading.view_page, check_out_id, document_id, page_no, DPI, 0, 0)
            began = time.perf_counter()
            self.asking.bridge.picture(image)
            took = self.asking.seconds + time.perf_counter() - began
            rest(_DWELL_SECONDS)
            return took

        return turn

    def check_out(self) -> float:
        """Check a case out and in again; the check-out's time."""
        check_out_id = self.asking.check_out(self.lines[3].case_id)
        took = self.asking.seconds
        self.asking.ask(Custody.check_in, check_out_id, True)
        return took

    def report(self) -> float:
        """Report a copy key."""
        self.asking.ask(Breaches.report, SignalKind.COPY_KEY, (("key", "Ctrl+C"),), None, 0, time.time_ns() // 1000)
        return self.asking.seconds


def run(report: Report) -> None:
    """Measure item 5."""
    few, many = Officer("few"), Officer("many")
    rest(3.0)  # the sensors have looked around
    turns = [one.turning(*one.document(one.lines[2].case_id, stations.ONE_MB)) for one in (few, many)]
    _compare(report, "page turn", "10 cases", "100,000 cases", *turns)
    _compare(report, "check-out", "10 cases", "100,000 cases", few.check_out, many.check_out)
    _compare(report, "report", "10 cases", "100,000 cases", few.report, many.report)
    many.asking.close()
    small = few.turning(*few.document(few.lines[4].case_id, stations.ONE_MB))
    large = few.turning(*few.document(few.lines[1].case_id, stations.ONE_GIB))
    _compare(report, "page turn", "1 MiB document", "1 GiB document", small, large)
    few.asking.close()


def _compare(report: Report, what: str, less: str, more: str, one: Callable[[], float], other: Callable[[], float]) -> None:
    interleaved(4, one, other)  # warm
    a, b = interleaved(_REPEATS, one, other)
    report.add("scale", f"{what}, {less}", 1000 * median(a), "ms", len(a))
    report.add("scale", f"{what}, {more}", 1000 * median(b), "ms", len(b))
    report.add("scale", f"{what}: {more} over {less}", median(b) / median(a), "x", len(b), at_most(_ALIKE))
