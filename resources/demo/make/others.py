"""The papers of the two smaller cases, and what is not a form: notes, messages, a scan, photographs, sketches."""

from __future__ import annotations

import io
import random
from email.message import EmailMessage
from email.policy import SMTP

from PIL import Image, ImageDraw, ImageFilter

from resources.demo.make.form import Form, scrawl
from resources.demo.make.paper import Face
from resources.demo.make.pictures import font, with_grain

_PEN = (38, 52, 96)
_QUESTIONS = (
    ("How did the circle begin?", "At the stall, in spring. Everybody put in forty a week and one of us took the pot. It was never written down."),
    ("Who kept the money?", "Varga did. He said a tin was safer than a bank, and for a year it was."),
    ("When did the payments stop?", "In the last week of September. He said the Northgate branch had closed his account."),
    ("Did you see any papers?", "A green book, ruled by hand. Names on the left and strokes on the right, one for every week."),
    ("What happened to the book?", "He showed it once in October and the strokes did not add up. After that nobody saw it."),
    ("Were you promised interest?", "Not at first. In the summer he said the later ones would get a tenth on top if they kept quiet about the turn."),
    ("Who else heard that?", "Brandvold and the man with the cheese van. I would not swear to the name."),
    ("What did you do then?", "I asked for mine back. He gave me sixty and said the rest would come after the Saturday market."),
)  # fmt: skip


def interview() -> bytes:
    """Twelve pages of question and answer."""
    form = Form("Record of interview", "Form NP 44", "2026-000388", "RESTRICTED", Face.SERIF, 11.5)
    form.fields(
        [
            ("Person interviewed", "Ottilie Brandvold"),
            ("Place", "Northgate Police, interview room 2"),
            ("Begun", "14:05"),
            ("Ended", "15:31"),
        ]
    )
    form.paragraph(
        "Present: PC 2002 P. Novak and DC 2001 O. Brandt. The caution was given and understood. A solicitor was offered and declined."
    )
    dice = random.Random(388)
    for round_no in range(1, 9):
        form.heading(f"Part {round_no}")
        for question, answer in dice.sample(_QUESTIONS, len(_QUESTIONS)):
            form.paragraph(question, 30, "PN")
            form.paragraph(f"{answer} {dice.choice(_QUESTIONS)[1]}", 30, "OB")
            form.space(3)
    form.signature("O. Brandvold", "person interviewed", "11 March 2026", scrawl(21, 140))
    return form.data()


def custody_record() -> bytes:
    """One person's time in custody, as a table."""
    form = Form("Custody record", "Form NP 57", "2026-000388", "RESTRICTED")
    form.fields(
        [
            ("Detained person", "Leopold Varga"),
            ("Arrested", "10 March 2026, 07:12"),
            ("Offence", "Fraud by abuse of position"),
            ("Cell", "M4"),
        ]
    )
    rows = [
        ("07:40", "Arrival; rights read and a copy given; no injury seen", "Sgt 4003"),
        ("08:05", "Interpreter asked for and not needed; solicitor called", "Sgt 4003"),
        ("09:30", "Visited; tea; says he slept badly", "PC 2003"),
        ("10:15", "Consultation with solicitor, 25 minutes, in private", "Sgt 4003"),
        ("11:02", "To interview room 2", "PC 2002"),
        ("12:20", "Back in cell; meal taken", "PC 2003"),
        ("13:45", "Review: detention needed to secure the green book", "Insp 4001"),
        ("16:30", "Bailed to return on 2 April; property signed for", "Sgt 4003"),
    ]
    form.table(("Time", "Entry", "By"), (12, 68, 20), rows)
    form.signature("L. Varga", "received all property", "10 March 2026", scrawl(33, 130))
    return form.data()


def search_log() -> bytes:
    """The search for a missing person, area by area."""
    form = Form("Search log", "Form NP 63", "2026-000402", "OFFICIAL")
    form.fields(
        [
            ("Missing person", "Emrys Halloway, 67"),
            ("Last seen", "Northgate station, platform 3, 21:50"),
            ("Grade", "High"),
            ("Coordinator", "PC 2003"),
        ]
    )
    form.heading("Areas")
    rows = [(f"{chr(65 + area)}", place, state) for area, (place, state) in enumerate(
        (("Northgate station and goods yard", "Searched 22:40, nothing found"), ("Harbour steps to the lifeboat house", "Searched 23:55, cap found"),
         ("Breakwater, both sides", "Searched 00:50 by boat"), ("Canal towpath to Northgate lock", "Searched 02:10, nothing found"),
         ("Allotments", "To be searched at first light")))]  # fmt: skip
    form.table(("Area", "Place", "State"), (10, 50, 40), rows)
    form.paragraph("The cap was recognised by his daughter at 00:20. The harbour master keeps the basin lit until he is found.")
    return form.data()


def notebook() -> bytes:
    """Three pages of an officer's notebook, scanned askew on a tired machine."""
    lines = (
        "Sat 7 March  09.10  Market, N side.", "Stall 14 Varga: closed, tarpaulin tied.", "Brandvold says he packed at 8.", "Van LX?? 4 - white, rust at the",
        "back door. Cheese man 'Anselm'.", "09.40  Green book: last seen on", "the counter of the Lamb, Tues.", "Barmaid will make a statement.",
        "10.25  Spoke to M. Dunmore again:", "not in the circle, knows two who are.", "10.50  Varga's sister: he is 'at", "Northgate station or on a boat'.", "11.15  Back. Called the harbour.",
    )  # fmt: skip
    pages = []
    for number in range(3):
        page = Image.new("L", (1000, 1414), 243)
        draw = ImageDraw.Draw(page)
        for y in range(150, 1380, 74):
            draw.line((40, y, 960, y), 205, 2)
        draw.line((130, 0, 130, 1414), 190, 2)
        dice = random.Random(700 + number)
        for row, text in enumerate(lines[number * 4 : number * 4 + 5]):
            for turn, words in enumerate((text, "")):
                draw.text((150 + dice.randint(0, 14), 96 + row * 222 + turn * 74), words, 60, font("Inter-Regular.otf", 44))
        draw.text((860, 40), f"p. {31 + number}", 120, font("Inter-Regular.otf", 30))
        page = page.rotate(dice.uniform(-1.6, 1.6), Image.Resampling.BICUBIC, fillcolor=228).filter(ImageFilter.GaussianBlur(0.8))
        pages.append(with_grain(page, 40 + number, 26, 2).point([0 if value < 128 else 255 for value in range(256)]).convert("1"))
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=(120, 120))
    return out.getvalue()


def photograph(seed: int, place: str) -> bytes:
    """A quay at night by flash, with the evidence marker in front."""
    dice = random.Random(seed)
    width, height = 1500, 1000
    image = Image.new("RGB", (width, height), (16, 19, 26))
    draw = ImageDraw.Draw(image)
    for row in range(520, height):
        light = int(30 + (row - 520) * 0.23)
        draw.line((0, row, width, row), (light + 14, light + 12, light + 6))
    for column in range(-600, width + 600, 130):
        draw.line((width // 2 + (column - width // 2) // 3, 520, column, height), (36, 34, 30), 4)
    for index in range(7):
        left = 80 + index * 200 + dice.randint(-20, 20)
        top = 220 + dice.randint(-30, 60)
        shade = 44 + dice.randint(0, 22)
        draw.rectangle((left, top, left + 170, 520), (shade, shade + 2, shade + 6))
        draw.rectangle((left + 40, top + 90, left + 120, 520), (shade // 2, shade // 2, shade // 2 + 6))
    draw.polygon(((690, 900), (810, 900), (780, 740), (720, 740)), (226, 188, 40))
    draw.text((733, 790), str(seed % 9 + 1), (20, 20, 20), font("Inter-SemiBold.otf", 72))
    flash = (
        Image.radial_gradient("L")
        .resize((2200, 1700))
        .crop((350, 200, 1850, 1200))
        .point([255 - int(value * 0.82) for value in range(256)])
    )
    image = Image.composite(image, Image.new("RGB", image.size, (4, 5, 9)), flash).filter(ImageFilter.GaussianBlur(1.1))
    image = with_grain(image, seed, 20, 2)
    ImageDraw.Draw(image).text((40, height - 60), f"{place}   NGP-{seed:04d}", (232, 160, 60), font("Inter-Medium.otf", 30))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def sketch() -> bytes:
    """A plan drawn by hand on squared paper."""
    image = Image.new("RGB", (1200, 900), (250, 250, 246))
    draw = ImageDraw.Draw(image)
    for at in range(0, 1200, 30):
        draw.line((at, 0, at, 900), (214, 226, 236))
        draw.line((0, at, 1200, at), (214, 226, 236))
    dice = random.Random(402)

    def stroke(*points: tuple[int, int]) -> None:
        for _ in range(2):
            draw.line([(x + dice.randint(-3, 3), y + dice.randint(-3, 3)) for x, y in points], _PEN, 4, joint="curve")

    stroke((120, 160), (780, 160), (780, 420), (120, 420), (120, 160))
    stroke((120, 520), (1080, 520))
    stroke((120, 600), (1080, 600))
    for x in range(150, 1080, 60):
        stroke((x, 520), (x, 600))
    stroke((900, 180), (1060, 240), (1040, 420))
    for (x, y), words in (
        ((300, 270), "Northgate station"), ((420, 640), "goods yard, 4 tracks"), ((880, 120), "to the harbour"), ((150, 720), "cap found here  x"),
        ((640, 830), "not to scale   PC 2003   8.3.26"),
    ):  # fmt: skip
        draw.text((x, y), words, _PEN, font("Inter-Medium.otf", 34))
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def telephone() -> bytes:
    """A telephone's screen with messages."""
    image = Image.new("RGB", (720, 1280), (238, 240, 244))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 720, 120), (38, 52, 92))
    draw.text((40, 46), "Varga (Saturday)", (255, 255, 255), font("Inter-SemiBold.otf", 38))
    y = 170
    for mine, words in (
        (False, "you will have it after\nthe market, all of it"), (True, "you said that in October"), (False, "the bank closed me. ask\nanyone at Northgate"),
        (True, "bring the green book"), (False, "it is with my sister"), (True, "which sister"), (False, "Saturday. 9. behind the\ncheese van"),
    ):  # fmt: skip
        rows = words.count("\n") + 1
        left = 250 if mine else 40
        draw.rounded_rectangle((left, y, left + 430, y + 40 + rows * 44), 26, (205, 224, 250) if mine else (255, 255, 255))
        draw.multiline_text((left + 26, y + 18), words, (24, 28, 40), font("Inter-Regular.otf", 32), spacing=10)
        y += 72 + rows * 44
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def dispatch_log() -> bytes:
    """The control room's log as plain text."""
    rows = ["NORTHGATE POLICE  -  CONTROL ROOM  -  INCIDENT NGP-0303-0117", "", "TIME   UNIT  ENTRY", "-----  ----  " + "-" * 58]
    entries = (
        ("06:42", "CR", "Keyholder Marguerite Dunmore reports break-in, Canal Wharf 7"), ("06:44", "R12", "Lindqvist attending from Northgate lock"),
        ("06:51", "R12", "On scene. Pedestrian door forced, alarm siren foamed"), ("06:58", "R12", "Premises searched, nobody inside"),
        ("07:05", "CR", "Scenes examiner asked for; Jørgen Ærlig on call"), ("07:49", "SX", "Examiner on scene"), ("09:10", "CR", "Unit 2 and unit 5 warned; same method in January"),
        ("11:30", "SX", "Exhibits JÆ/1 to JÆ/6 sealed"), ("11:42", "R12", "Resuming"),
    )  # fmt: skip
    rows += [f"{at}  {unit:<4}  {text}" for at, unit, text in entries]
    return ("\n".join(rows) + "\n").encode()


def officer_notes() -> bytes:
    """Notes with names in several scripts."""
    return (
        "Notes, PC 2002 Petra Šimková, 9 March 2026\n\n"
        "Spoke to Дарья Лебедева (stall 9) and to Søren Åkesson at the Northgate scale.\n"
        "يوسف الخطيب sells olives at stall 11 and saw Varga count money twice on 28 February.\n"
        "Łukasz Żółw from the café remembers the green book: cloth cover, red thread.\n\n"
        "To do: statement from the barmaid of the Lamb; bank's letter about the closed account.\n"
    ).encode()


def message_with_attachment() -> bytes:
    """A message in two forms with a small list attached."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Marguerite Dunmore <m.dunmore@dunmore-pell.example>"
    message["To"] = "Records <records@northgate-police.example>"
    message["Subject"] = "Serial numbers of the missing instruments"
    message["Date"] = "Wed, 04 Mar 2026 10:17:00 +0000"
    message["Message-ID"] = "<20260304101700.17@dunmore-pell.example>"
    message.set_content(
        "Dear officers,\n\nthe list you asked for is attached. Two sextants were sold in Northgate in February and are not on it.\n\nM. Dunmore\n"
    )
    message.add_alternative(
        "<p>Dear officers,</p><p>the list you asked for is attached. <b>Two sextants</b> were sold in Northgate in February.</p>",
        subtype="html",
    )
    message.add_attachment(b"item;serial\nsextant;PL-2281\nchronometer;K-117\n", maintype="text", subtype="csv", filename="serials.csv")
    message.set_boundary("northgate-1")
    for number, part in enumerate(message.walk()):
        if part.is_multipart():
            part.set_boundary(f"northgate-{number}")  # the library would draw one by lot
    return message.as_bytes()


def simple_message() -> bytes:
    """A message from a name in another script."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Дарья Лебедева <d.lebedeva@market.example>"
    message["To"] = "p.simkova@northgate-police.example"
    message["Subject"] = "Зелёная книга / the green book"
    message["Date"] = "Mon, 09 Mar 2026 18:02:00 +0000"
    message["Message-ID"] = "<20260309180200.9@market.example>"
    message.set_content("I found a page of it under the stall. I will bring it to Northgate on Tuesday.\n\nДарья\n", cte="8bit")
    return message.as_bytes()
