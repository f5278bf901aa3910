"""What the attacked page shows: words, a colour and a link that are found wherever they get to.

The page is mostly one colour, so that a picture tells whether it holds the page without anything having to be read.
"""

from __future__ import annotations

from pathlib import Path

CASE_NUMBER = "2026-000999"
CASE_TITLE = "ZEBRAFISH inquiry"
WORDS = ("PERIWINKLE-STATEMENT", "QUILLWORT-WITNESS", "MERGANSER-ADDRESS")
PAGE_COUNT = 6
MARKS = (*WORDS, "ZEBRAFISH")


def write_papers(folder: Path, listener_port: int) -> None:
    """Write the documents of the case.

    Args:
        folder: made if absent.
        listener_port: on 127.0.0.1; whoever follows a link or loads a remote picture connects there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = f"http://127.0.0.1:{listener_port}/periwinkle"
    (folder / "a-statement.pdf").write_bytes(_pdf(address))
    (folder / "b-mail.eml").write_text(_mail(address), encoding="utf-8")


def _pdf(address: str) -> bytes:
    kids = " ".join(f"{4 + 3 * number} 0 R" for number in range(PAGE_COUNT))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {PAGE_COUNT} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number in range(PAGE_COUNT):
        lines = "".join(f"BT /F 22 Tf 40 {760 - 34 * line} Td ({WORDS[line % 3]} {number + 1}) Tj ET\n" for line in range(3))
        stream = f"1 0 0.8 rg 30 40 535 620 re f\n0 0 0 rg\n{lines}"
        here = 4 + 3 * number
        objects += [
            (
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {here + 1} 0 R "
                f"/Resources << /Font << /F 3 0 R >> >> /Annots [{here + 2} 0 R] >>"
            ),
            f"<< /Length {len(stream)} >>\nstream\n{stream}endstream",
            f"<< /Type /Annot /Subtype /Link /Rect [30 40 565 800] /Border [0 0 0] /A << /S /URI /URI ({address}) >> >>",
        ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, one in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{one}\nendobj\n".encode("ascii")
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode("ascii")
    out += "".join(f"{offset:010} 00000 n \n" for offset in offsets).encode("ascii")
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n".encode("ascii")
    return bytes(out)


def _mail(address: str) -> str:
    return (
        "From: clerk@example.org\nTo: desk@example.org\nSubject: Pictures of the wharf\nDate: Mon, 9 Mar 2026 10:00:00 +0000\n"
        'MIME-Version: 1.0\nContent-Type: text/html; charset="utf-8"\n\n'
        f'<html><body><p>{WORDS[0]}</p><img src="{address}.png"><link rel="stylesheet" href="{address}.css">'
        f'<iframe src="{address}.html"></iframe><a href="{address}">{WORDS[1]}</a></body></html>\n'
    )
