"""Which format a file is, by its content, and the module that opens it.

Rules:

- The name a file had counts for nothing, except to tell a bare-bones e-mail from plain text (`kind_hint`).
- PDF first: what pdfium opens is a PDF, even with leading garbage. Then picture signatures, then mail headers, then text.
- A file that begins as a PDF and cannot be opened is damaged or encrypted, not "text".
"""

from __future__ import annotations

from typing import Final

from vault.domain.casefile import DocumentKind
from vault.errors import RefusedError
from vault.rendition.blocks import BlockReader
from vault.rendition.canvas import Canvas, Document, fit
from vault.rendition.fonts import FontSet
from vault.rendition.image import ImageDocument
from vault.rendition.mail import MailDocument, looks_like_mail
from vault.rendition.pdf import PdfDocument
from vault.rendition.text import TextDocument, looks_like_text
from vault.services.rendition import Rotation

_HEAD_BYTES: Final = 64 * 1024
_PDF_SEARCH_BYTES: Final = 1024 + 16  # pdfium looks for its header in the first KiB
_TRIAL_DPI: Final = 18
_TRIAL_PIXEL_MAX: Final = 1_000_000
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", DocumentKind.JPEG),
    (b"\x89PNG\r\n\x1a\n", DocumentKind.PNG),
    (b"II*\0", DocumentKind.TIFF),
    (b"MM\0*", DocumentKind.TIFF),
    (b"II+\0", DocumentKind.TIFF),
    (b"MM\0+", DocumentKind.TIFF),
)


def open_document(kind: DocumentKind, reader: BlockReader, fonts: FontSet) -> Document:
    """Open a document of a known kind.

    Raises:
        RefusedError: document.empty, document.damaged, document.encrypted, document.too-large.
    """
    if reader.size_bytes == 0:
        raise RefusedError("document.empty")
    if kind is DocumentKind.PDF:
        return PdfDocument(reader)
    if kind is DocumentKind.TEXT:
        return TextDocument(reader, fonts)
    if kind is DocumentKind.MAIL:
        return MailDocument(reader, fonts)
    return ImageDocument(reader, kind)


def probe(reader: BlockReader, kind_hint: DocumentKind | None, fonts: FontSet) -> tuple[DocumentKind, int]:
    """Tell kind and page count; pictures are decoded once, so that a truncated one is refused at intake.

    Raises:
        RefusedError: as `open_document`, and document.kind-unsupported.
    """
    if reader.size_bytes == 0:
        raise RefusedError("document.empty")
    head = reader.read(0, _HEAD_BYTES)
    kind, document = _recognise(head, reader, kind_hint, fonts)
    try:
        if isinstance(document, ImageDocument):
            _try_first_frame(document)
        return kind, document.page_count
    finally:
        document.close()


def _try_first_frame(document: ImageDocument) -> None:
    """Decode a picture's first frame: without it there is nothing to show, so the whole document is damaged."""
    try:
        size = fit(document.page_size(1), _TRIAL_DPI, Rotation.NONE, _TRIAL_PIXEL_MAX)
        document.render(1, Canvas(size, bytearray(size.size_bytes)), Rotation.NONE)
    except RefusedError as refusal:
        raise RefusedError("document.damaged" if refusal.code == "document.page-refused" else refusal.code) from refusal


def _recognise(head: bytes, reader: BlockReader, kind_hint: DocumentKind | None, fonts: FontSet) -> tuple[DocumentKind, Document]:
    if b"%PDF" in head[:_PDF_SEARCH_BYTES]:
        try:
            return DocumentKind.PDF, PdfDocument(reader)
        except RefusedError:
            if head.lstrip(b"\xef\xbb\xbf\0\t\n\f\r ").startswith(b"%PDF"):
                raise
    if kind_hint is DocumentKind.PDF and b"endobj" in head:  # its header line is gone; readable, but not what its name promises
        raise RefusedError("document.damaged")
    kind = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
    if kind is None and looks_like_text(head):
        kind = DocumentKind.MAIL if looks_like_mail(head, hinted=kind_hint is DocumentKind.MAIL) else DocumentKind.TEXT
    if kind is None:
        if kind_hint is DocumentKind.MAIL and looks_like_mail(head, hinted=False):  # raw 8-bit or binary parts
            kind = DocumentKind.MAIL
        else:
            raise RefusedError("document.kind-unsupported")
    return kind, open_document(kind, reader, fonts)
