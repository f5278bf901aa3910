"""The reports of the burglary: the incident report, a witness statement, the laboratory's report and the plan of the wharf."""

from __future__ import annotations

from resources.demo.make import words_burglary as words
from resources.demo.make.form import Form, scrawl
from resources.demo.make.paper import GREY, Colour, Face, Page, Paper
from resources.demo.make.pictures import tool_mark

CASE = "2026-000417"
MARKING = "OFFICIAL-SENSITIVE"


def incident_report() -> bytes:
    """Four pages with tables: what happened at Canal Wharf."""
    form = Form("Incident report", "Form NP 12 (rev. 3)", CASE, MARKING)
    form.fields(
        [
            ("Offence", "Burglary, non-dwelling"),
            ("Reported", "Tue 3 March 2026, 06:42, by telephone"),
            ("Place", "Unit 7, Canal Wharf, Northgate"),
            ("Between", "Mon 2 March 19:10 and Tue 3 March 06:30"),
            ("Reporting officer", "PC 2003 T. Lindqvist, Response"),
            ("Officer in charge", "DC 2001 O. Brandt, Investigations"),
            ("Reported by", "Marguerite Dunmore, keyholder"),
            ("Dispatch reference", "NGP-0303-0117"),
        ]
    )
    form.heading("1  Summary")
    for text in words.SUMMARY:
        form.paragraph(text)
    form.heading("2  The premises")
    for text in words.PREMISES:
        form.paragraph(text)
    form.heading("3  Sequence of events")
    form.table(("Time", "Event", "Source"), (11, 62, 27), words.EVENTS)
    form.heading("4  Property taken")
    form.table(("Item", "Description", "Serial or mark", "Value"), (8, 50, 27, 15), words.PROPERTY)
    form.heading("5  Exhibits")
    form.table(("Exhibit", "Description", "Seized by", "Sealed as"), (12, 50, 20, 18), words.EXHIBITS)
    form.heading("6  Enquiries made")
    for number, text in enumerate(words.ENQUIRIES, 1):
        form.paragraph(text, 26, f"6.{number}")
    form.heading("7  Lines open")
    for number, text in enumerate(words.OPEN, 1):
        form.paragraph(text, 26, f"7.{number}")
    form.signature("O. Brandt", "DC 2001, Investigations", "5 March 2026", scrawl(4, 120))
    return form.data()


def witness_statement() -> bytes:
    """Two pages in the first person."""
    form = Form("Witness statement", "Form NP 31", CASE, MARKING, Face.SERIF, 11.5)
    form.fields(
        [
            ("Statement of", "Marguerite Dunmore"),
            ("Age", "Over 18"),
            ("Occupation", "Operations manager"),
            ("Taken by", "PC 2003 T. Lindqvist"),
        ]
    )
    form.paragraph(
        "This statement, consisting of two pages each signed by me, is true to the best of my knowledge and belief, and I make it knowing"
        " that I may be prosecuted if I have wilfully stated in it anything which I know to be false or do not believe to be true."
    )
    form.space(6)
    for text in words.STATEMENT:
        form.paragraph(text)
    form.signature("M. Dunmore", "witness", "3 March 2026", scrawl(11, 150))
    form.signature("T. Lindqvist", "PC 2003, statement taken and read over", "3 March 2026", scrawl(7, 110))
    return form.data()


def laboratory_report() -> bytes:
    """Three pages with a comparison photograph and a table of measurements."""
    form = Form("Forensic report: tool mark comparison", "Lab ref. NGL 26/0192", CASE, MARKING, Face.SERIF, 11)
    form.fields(
        [
            ("Submitted by", "DC 2001 O. Brandt"),
            ("Received", "4 March 2026, 10:15"),
            ("Examiner", "Dr Solveig Amadi"),
            ("Issued", "12 March 2026"),
        ]
    )
    form.heading("Purpose")
    form.paragraph(
        "To establish whether the pry marks on the door frame of unit 7 (OB/2, silicone cast) were made by the bar recovered from the towpath (TL/4)."
    )
    form.heading("Method")
    for text in words.LAB_METHOD:
        form.paragraph(text)
    form.heading("Observations")
    form.paragraph(words.LAB_SEEN)
    form.figure(tool_mark(), 360, "Figure 1. Left: cast OB/2, mark 3. Right: test mark from TL/4, edge A, at 15 degrees. Both at 40 ×.")
    form.table(("Line pair", "Cast OB/2 (mm)", "Test mark TL/4 (mm)", "Difference (mm)"), (20, 26, 28, 26), words.LAB_LINES)
    form.heading("Opinion")
    for text in words.LAB_OPINION:
        form.paragraph(text)
    form.heading("Limits of this report")
    form.paragraph(words.LAB_LIMITS)
    form.signature("Dr S. Amadi", "forensic examiner, Northgate Laboratory", "12 March 2026", scrawl(2, 140))
    return form.data()


def site_plan() -> bytes:
    """One page across: the wharf, its gates, its cameras and the way the van took."""
    paper = Paper("Plan of Canal Wharf")
    page = paper.add_page(842, 595)
    water, land, building, road = (0.80, 0.88, 0.94), (0.95, 0.95, 0.92), (0.82, 0.80, 0.76), (0.99, 0.99, 0.99)
    page.box(40, 40, 762, 440, land, None)
    page.polygon([(40, 380), (300, 368), (520, 384), (802, 360), (802, 452), (520, 470), (300, 452), (40, 464)], water)
    page.text(356, 424, "N O R T H G A T E   C A N A L", Face.SERIF_ITALIC, 12, (0.30, 0.45, 0.60))
    page.polygon([(40, 92), (802, 70), (802, 112), (40, 136)], road)
    page.text(600, 99, "Lockkeeper's Road", Face.SERIF_ITALIC, 10, GREY)
    page.polygon([(398, 124), (446, 122), (446, 330), (398, 330)], road)
    page.polygon([(70, 326), (780, 316), (780, 352), (70, 362)], road)
    for number in range(9):
        _unit(
            page,
            82 + 104 * (number % 3) if number < 3 else 470 + 104 * ((number - 3) % 3),
            168 if number in {0, 1, 2, 3, 4, 5} else 246,
            number,
            building,
        )
    for x, y, name in ((392, 140, "C1"), (452, 318, "C2"), (774, 322, "C4")):
        page.polygon([(x, y), (x + 30, y + 8), (x + 24, y + 26)], (0.97, 0.86, 0.55))
        page.box(x - 4, y - 4, 8, 8, (0.70, 0.18, 0.16), None)
        page.text(x - 6, y - 8, name, Face.SANS_BOLD, 8)
    red: Colour = (0.78, 0.16, 0.14)
    page.line([(802, 92), (424, 106), (422, 338), (524, 338), (524, 322)], 1.8, red, "6 4")
    page.polygon([(519, 326), (529, 326), (524, 314)], red)
    page.text(534, 345, "tyre marks OB/5", Face.SANS, 8, red)
    page.line([(498, 320), (300, 392), (120, 396)], 1.2, red, "2 3")
    page.text(130, 388, "bar TL/4 found here", Face.SANS, 8, red)
    _legend(page)
    return paper.data()


def _unit(page: Page, x: float, y: float, number: int, fill: Colour) -> None:
    highlighted = number == 6
    page.box(x, y, 96, 66, (0.93, 0.72, 0.68) if highlighted else fill)
    page.text_centred(x + 48, y + 38, f"Unit {number + 1}", Face.SANS_BOLD if highlighted else Face.SANS, 10)
    page.line([(x + 38, y + 66), (x + 58, y + 66)], 2.4, (1, 1, 1))


def _legend(page: Page) -> None:
    page.box(40, 40, 762, 440)
    page.box(40, 488, 762, 66, (1, 1, 1))
    page.text(54, 512, "Northgate Police", Face.SANS_BOLD, 13)
    page.text(54, 529, "Plan of Canal Wharf at 3 March 2026", Face.SANS, 10)
    page.text(54, 544, f"Case {CASE}  ·  exhibit TL/7  ·  not to survey accuracy", Face.SANS, 8, GREY)
    page.line([(330, 510), (362, 510)], 1.8, (0.78, 0.16, 0.14), "6 4")
    page.text(370, 513, "van, by camera C1 and tyre marks", Face.SANS, 8.5)
    page.line([(330, 527), (362, 527)], 1.2, (0.78, 0.16, 0.14), "2 3")
    page.text(370, 530, "way on foot, by the dog handler", Face.SANS, 8.5)
    page.box(342, 537, 8, 8, (0.70, 0.18, 0.16), None)
    page.text(370, 545, "camera and what it sees (C3 was out of order)", Face.SANS, 8.5)
    page.line([(610, 534), (730, 534)], 1.2)
    for tick, metres in enumerate(("0", "20", "40 m")):
        page.line([(610 + 60 * tick, 530), (610 + 60 * tick, 538)], 1.0)
        page.text_centred(610 + 60 * tick, 526, metres, Face.SANS, 8)
    page.polygon([(770, 498), (763, 530), (770, 524), (777, 530)], (0.08, 0.08, 0.10))
    page.text_centred(770, 545, "N", Face.SANS_BOLD, 11)
    page.text_right(796, 472, "OFFICIAL-SENSITIVE", Face.SANS_BOLD, 8.5)
