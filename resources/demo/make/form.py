"""The agency's forms: letterhead, running head and foot, headings, paragraphs, fields and tables, flowing over as many pages as it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image

from resources.demo.make.paper import BLUE, GREY, HEIGHT_PT, WIDTH_PT, Colour, Face, Page, Paper, wrap

LEFT, RIGHT, TOP, BOTTOM = 62.0, WIDTH_PT - 62.0, 84.0, HEIGHT_PT - 78.0
PALE: Colour = (0.93, 0.94, 0.96)
RULE: Colour = (0.72, 0.74, 0.78)


class Form:
    """A form or report being written from top to bottom."""

    def __init__(self, title: str, form_no: str, case_no: str, marking: str, face: Face = Face.SERIF, size_pt: float = 10.5) -> None:
        self.paper = Paper(title)
        self._title, self._form_no, self._case_no, self._marking = title, form_no, case_no, marking
        self.face, self.size_pt = face, size_pt
        self.bold = {Face.SERIF: Face.SERIF_BOLD, Face.MONO: Face.MONO_BOLD}.get(face, Face.SANS_BOLD)
        self.page = self._letterhead()

    def _letterhead(self) -> Page:
        page = self.page = self.paper.add_page()
        _crest(page, LEFT + 19, 70)
        page.text(LEFT + 50, 64, "Northgate Police", Face.SANS_BOLD, 17, BLUE)
        page.text(LEFT + 50, 79, "Castle Street 4, Northgate  ·  Records and disclosure", Face.SANS, 8, GREY)
        page.text_right(RIGHT, 58, self._form_no, Face.SANS, 8, GREY)
        page.text_right(RIGHT, 70, "Case " + self._case_no, Face.SANS_BOLD, 9.5)
        page.line([(LEFT, 98), (RIGHT, 98)], 1.2, BLUE)
        page.text(LEFT, 126, self._title, Face.SANS_BOLD, 15)
        self.y = 146.0
        return page

    def new_page(self) -> None:
        """Begin a page with the running head."""
        self.page = self.paper.add_page()
        self.page.text(LEFT, 54, f"Northgate Police  ·  {self._title}", Face.SANS, 8, GREY)
        self.page.text_right(RIGHT, 54, "Case " + self._case_no, Face.SANS, 8, GREY)
        self.page.line([(LEFT, 61), (RIGHT, 61)], 0.5, RULE)
        self.y = TOP

    def need(self, height: float) -> None:
        """Go to a new page if `height` points are not left."""
        if self.y + height > BOTTOM:
            self.new_page()

    def space(self, height: float) -> None:
        """Leave room."""
        self.y += height

    def heading(self, text: str) -> None:
        """Write a section's heading; at least three lines of it follow on the same page."""
        self.need(66)
        self.y += 15
        self.page.text(LEFT, self.y, text, Face.SANS_BOLD, 11, BLUE)
        self.y += 8

    def paragraph(self, text: str, indent: float = 0, label: str = "") -> None:
        """Write a paragraph, with a label in the indent if there is one."""
        leading = self.size_pt * 1.38
        lines = wrap(text, self.face, self.size_pt, RIGHT - LEFT - indent)
        self.need(min(len(lines), 2) * leading)
        for number, line in enumerate(lines):
            if self.y + leading > BOTTOM:
                self.new_page()
            self.y += leading
            if number == 0 and label:
                self.page.text(LEFT, self.y, label, self.bold, self.size_pt)
            self.page.text(LEFT + indent, self.y, line, self.face, self.size_pt)
        self.y += self.size_pt * 0.5

    def fields(self, pairs: Sequence[tuple[str, str]], columns: int = 2) -> None:
        """Write boxed fields with small labels, in columns."""
        width, height = (RIGHT - LEFT) / columns, 33.0
        for start in range(0, len(pairs), columns):
            self.need(height)
            row = pairs[start : start + columns]
            for column, (label, value) in enumerate(row):
                x = LEFT + column * width
                self.page.box(x, self.y, width if len(row) == columns else RIGHT - x, height, None, RULE)
                self.page.text(x + 6, self.y + 11, label.upper(), Face.SANS, 6.3, GREY)
                self.page.text(x + 6, self.y + 25, value, Face.SANS, 9.5)
            self.y += height
        self.y += 6

    def table(self, head: Sequence[str], widths: Sequence[float], rows: Sequence[Sequence[str]]) -> None:
        """Write a table; its head is repeated on each page. Widths are shares of the line."""
        total = sum(widths)
        spans = [(RIGHT - LEFT) * width / total for width in widths]
        self.need(70)
        self.y += 4
        self._row(head, spans, Face.SANS_BOLD, PALE)
        for row in rows:
            if self.y + self._row_height(row, spans) > BOTTOM:
                self.new_page()
                self._row(head, spans, Face.SANS_BOLD, PALE)
            self._row(row, spans, Face.SANS, None)
        self.y += 8

    def _row_height(self, cells: Sequence[str], spans: Sequence[float]) -> float:
        return 9 + 11 * max(len(wrap(cell, Face.SANS, 8.5, span - 10)) for cell, span in zip(cells, spans, strict=True))

    def _row(self, cells: Sequence[str], spans: Sequence[float], face: Face, fill: Colour | None) -> None:
        height, x = self._row_height(cells, spans), LEFT
        if fill:
            self.page.box(LEFT, self.y, RIGHT - LEFT, height, fill, None)
        for cell, span in zip(cells, spans, strict=True):
            for number, line in enumerate(wrap(cell, face, 8.5, span - 10)):
                self.page.text(x + 5, self.y + 13 + 11 * number, line, face, 8.5)
            x += span
        self.page.line([(LEFT, self.y + height), (RIGHT, self.y + height)], 0.5, RULE)
        self.y += height

    def figure(self, image: Image.Image, width: float, caption: str) -> None:
        """Place a photograph with its caption under it."""
        height = width * image.height / image.width
        self.need(height + 34)
        x = (WIDTH_PT - width) / 2
        self.paper.place(self.page, image, x, self.y + 8, width)
        self.page.box(x, self.y + 8, width, height, None, GREY)
        self.y += height + 22
        self.page.text_centred(WIDTH_PT / 2, self.y, caption, Face.SERIF_ITALIC, 9)
        self.y += 10

    def signature(self, name: str, role: str, day: str, strokes: Sequence[tuple[float, float]]) -> None:
        """Write a signature block; `strokes` is the pen's path over the line, in points from its left end."""
        self.need(76)
        self.y += 52
        self.page.line([(LEFT, self.y), (LEFT + 210, self.y)], 0.6)
        self.page.line([(LEFT + 270, self.y), (LEFT + 400, self.y)], 0.6)
        self.page.line([(LEFT + 8 + x, self.y - 6 - y) for x, y in strokes], 1.1, (0.10, 0.16, 0.45))
        self.page.text(LEFT + 274, self.y - 5, day, Face.SERIF_ITALIC, 12, (0.10, 0.16, 0.45))
        self.page.text(LEFT, self.y + 12, f"{name}, {role}", Face.SANS, 8, GREY)
        self.page.text(LEFT + 270, self.y + 12, "Date", Face.SANS, 8, GREY)
        self.y += 20

    def data(self) -> bytes:
        """Number the pages, mark them, and give the file."""
        for number, page in enumerate(self.paper.pages, 1):
            foot = page.height_pt - 44
            page.line([(LEFT, foot - 13), (page.width_pt - LEFT, foot - 13)], 0.5, RULE)
            page.text(LEFT, foot, self._form_no, Face.SANS, 8, GREY)
            page.text_centred(page.width_pt / 2, foot, self._marking, Face.SANS_BOLD, 8.5)
            page.text_right(page.width_pt - LEFT, foot, f"Page {number} of {len(self.paper.pages)}", Face.SANS, 8, GREY)
        return self.paper.data()


_BATTLEMENTS = ((-10, 4), (-10, -13), (-6, -13), (-6, -9), (-2, -9), (-2, -13), (2, -13), (2, -9), (6, -9), (6, -13), (10, -13), (10, 4))


def _crest(page: Page, x: float, y: float) -> None:
    shield = [(x - 16, y - 20), (x + 16, y - 20), (x + 16, y + 2), (x + 11, y + 11), (x, y + 19), (x - 11, y + 11), (x - 16, y + 2)]
    page.polygon(shield, BLUE)
    white: Colour = (1, 1, 1)
    page.polygon(
        [(x + right, y + up) for right, up in _BATTLEMENTS],
        white,
    )
    page.polygon([(x - 3.5, y + 4), (x - 3.5, y - 2), (x, y - 5), (x + 3.5, y - 2), (x + 3.5, y + 4)], BLUE)
    page.text_centred(x, y + 12, "N", Face.SANS_BOLD, 7, white)


def scrawl(seed: int, width: float) -> list[tuple[float, float]]:
    """Give the path of an illegible signature."""
    points = []
    for step in range(120):
        t = step / 119
        wave = math.sin(t * (23 + seed % 7) + seed) * (9 * (1 - t) + 3) + math.sin(t * 9 + seed * 2) * 5
        points.append((t * width + math.cos(t * (19 + seed % 5)) * 9 * (1 - t * 0.5) + 4, wave + 8))
    return points
