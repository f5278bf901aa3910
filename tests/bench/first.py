"""The first page of a 47 MB, 500-page PDF: from the click on the file that is held to the painted page.

Rules: each repeat checks the file out anew, so that the document is closed when it is clicked: the click makes the reader, opens the file,
records the view, opens the document in the worker, renders and paints. Custody is not timed. The window is as in the page turn.
"""

from __future__ import annotations

from tests.bench import stations
from tests.bench.desk import Desk, rest, screen
from tests.bench.measures import Report, at_most, median, percentile
from vault.services.custody import Custody
from vault.services.desk import Desk as DeskService

_REPEATS = 30


def run(report: Report) -> None:
    """Measure the first page of item 4."""
    made = stations.ready("few")
    with screen():
        desk = Desk(made)
        desk.sign_in(stations.OFFICER)
        line = desk.ask(DeskService.cases, "", "", 5).lines[0]
        check_out_id = desk.check_out(line.case_id)
        desk.open_reader(check_out_id)
        desk.fit_page_to_dpi()
        samples = []
        for _ in range(_REPEATS):
            desk.reader.leave()
            desk.ask(Custody.check_in, check_out_id, True)
            rest(0.2)
            check_out_id = desk.check_out(line.case_id)
            rest(0.3)
            samples.append(desk.open_reader(check_out_id))
            rest(0.2)
        desk.close()
    report.add("first", "first page of a 47 MB PDF, click to painted page", 1000 * median(samples), "ms", len(samples), at_most(50))
    report.add("first", "first page of a 47 MB PDF, p95", 1000 * percentile(samples, 95), "ms", len(samples))
