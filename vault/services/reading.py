"""Reading: pages as marked pictures, one at a time, each recorded before it is shown (laws 1 and 2).

Rules:

- A page needs an active check-out held by the signed-in person, and need-to-know now, not only when the file was taken.
- The audit entry of the view is durable before the worker is told to disclose. The view before ends with its dwell time in the same commit.
- The next page, and the page a held file would open at (`prepare_page`), is rendered ahead inside the worker, unmarked and undisclosed:
  no pixel of it reaches the page memory, so there is nothing to record. Only `view_page` discloses.
- Calls are numbered by who looks: a view that was left before it was recorded is not recorded, one left while it was rendered is not
  disclosed, and a leave never ends a view asked for after it. So what the vault takes to be on screen is what the reader shows.
- The interface says when it covers the page, because another window has the keyboard (`cover_page`). Its word is taken for two things only:
  how long the page was read (the time away stands beside it in the trail), and that a picture saved elsewhere meanwhile shows no page. Who
  has the interface gains nothing by the lie: the page's picture is in its own memory, and the whole time is in the trail. Capture tools and
  strangers at the display are noticed as ever. A page that is disclosed counts as seen until the interface says otherwise.
- The page memory is wiped whenever the page on screen is left, and so at every end of custody.
- Every disclosed page bears its view's trace: the chips of the number of its audit entry, which exists by then.
- Where policy or the marking asks for a fence, the page memory gets a veil and one band of the page at a time; the page stays in the
  worker.
- Text leaves for the page on screen and under an accommodation only (`page_text`). Find returns rectangles, never text; the words asked
  for are recorded as a keyed hash (CJIS AU-3(3)).

Lanes: methods run on the reading lane; what touches the register runs on the control thread.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from vault.domain.audit import AuditDraft, AuditEntry, AuditKind, Outcome
from vault.domain.casefile import DocumentCard, DocumentKind, Marking
from vault.domain.custody import CheckOut, require_held
from vault.domain.identity import CheckOutId, DocumentId
from vault.domain.policy import fenced, least_trust
from vault.errors import DefectError, RefusedError, UnavailableError, VaultError
from vault.services.cases import Cases
from vault.services.locksmith import CaseCipher, ChunkSealer
from vault.services.operation import Lane, Priority, operation, query
from vault.services.ports import AuditFilter, ContentReader, ContentStore, DocumentRow, PersonRow
from vault.services.rendition import Picture, Renderer, Rotation, Watermark
from vault.services.views import BandImage, FindHit, FindResult, OpenFile, PageImage, PageText, PreparedPage
from vault.services.world import World

CHUNK_BYTES = 256 * 1024
_DOCUMENTS_KEPT_OPEN = 4
_CHUNKS_KEPT = 16
_FIND_PAGES_A_CALL = 12
_DPI = range(24, 601)
_BAND_MOST = 0.25  # of the page's area
_VIEWED_LOOKED_AT = 5000
_ID_CHARACTERS = 32
_PICTURES = frozenset({DocumentKind.JPEG, DocumentKind.PNG, DocumentKind.TIFF})  # nothing in them can be searched


@dataclass(frozen=True, slots=True)
class OnScreen:
    """The page that is disclosed now: recorded, and on screen as soon as it is rendered."""

    check_out: CheckOut
    document_id: DocumentId
    document_title: str
    case_label: str
    page_no: int
    since_boot_us: int
    request_no: int  # of the `view_page` that disclosed it
    marking: Marking = Marking.OFFICIAL  # of the case


@dataclass(frozen=True, slots=True)
class _Permit:
    """What the control thread hands the reading lane once the view is recorded."""

    document: DocumentRow
    card: DocumentCard
    cipher: CaseCipher
    mark: Watermark
    audit_seq: int
    seen: OnScreen | None = None  # None: nothing is disclosed under it


@dataclass(frozen=True, slots=True)
class _Fenced:
    """The page that is shown band by band, and how it was asked for."""

    permit: _Permit
    seen: OnScreen
    dpi: int
    turn: Rotation


class Reading:
    """Discloses pages."""

    def __init__(
        self, world: World, cases: Cases, renderer: Renderer, content: ContentStore, wipe_pictures: Callable[[int | None], None]
    ) -> None:
        self._world = world
        self._cases = cases
        self._renderer = renderer
        self._content = content
        self._wipe_pictures = wipe_pictures  # the page memory's, which any thread may call
        self._reader: ContentReader | None = None  # opened on the reading lane: a connection belongs to one thread
        self._open: OrderedDict[DocumentId, int] = OrderedDict()
        self._sources: dict[DocumentId, _SealedSource] = {}
        self._slot = 0
        self._fenced: _Fenced | None = None  # reading lane
        self._last_find: tuple[CheckOutId, DocumentId, str] | None = None
        self.on_screen: OnScreen | None = None  # control thread
        self._covered_since_us = 0  # control thread, read by any: boot clock, 0 while the page is not covered
        self._covered_us = 0  # control thread: of the page on screen, before that
        # Control thread: told of every page that is no longer on screen, with the milliseconds it was seen, and of every page view once it
        # is committed.
        self.page_left: Callable[[OnScreen, int], None] = lambda _seen, _dwell_ms: None
        self.viewed: Callable[[CheckOut], None] = lambda _check_out: None
        self._left_no = 0  # control thread: what was asked before this is not looked at any more

    @query
    def open_file(self, check_out_id: CheckOutId) -> OpenFile:
        """Open a held case file for reading. Raises RefusedError custody.not-held, custody.expired, access.no-need-to-know."""
        world = self._world
        check_out = self._held(check_out_id)
        cipher = world.require_case(check_out.case_id)
        viewed: dict[DocumentId, set[int]] = {}
        entries = self._views_of(check_out, _VIEWED_LOOKED_AT)
        for entry in entries:
            viewed.setdefault(DocumentId(entry.document_id), set()).add(entry.page_no)
        documents = self._cases.documents(check_out.case_id, cipher)
        last = DocumentId(entries[0].document_id) if entries else None
        title = next((one.title for one in documents if one.document_id == last), "")
        line = self._cases.current_line(check_out.case_id)
        return OpenFile(
            holding=self._cases.holding(check_out, line, title, entries[0].page_no if entries else 0),
            documents=documents,
            last_document_id=last,
            pages_viewed=tuple((one, tuple(sorted(pages))) for one, pages in viewed.items()),
            fence_percent=world.policy.fence_band_percent if fenced(world.policy, line.marking) else 0,
            least_trust=least_trust(world.policy, line.marking),
        )

    @operation(Priority.CHANGE, Lane.READING)
    def view_page(
        self, check_out_id: CheckOutId, document_id: DocumentId, page_no: int, dpi: int, rotation: int, request_no: int = 0
    ) -> PageImage:
        """Disclose one page to the officer who holds the check-out.

        The audit entry commits first; if it cannot, nothing is disclosed.

        Args:
            check_out_id: an active check-out of this session's officer.
            document_id: a document of that case file.
            page_no: 1-based, at most the document's page count.
            dpi: 24…600; less where the picture would not fit its slot.
            rotation: 0, 90, 180 or 270 degrees clockwise.
            request_no: counted upwards over `view_page` and `leave_page` by a caller whose calls may overtake one another; 0 where they
                cannot (one thread).
        Returns:
            PageImage: where in the page memory the marked picture is. It is overwritten by the call after next.
        Raises:
            RefusedError: session.locked, custody.not-held, custody.expired, access.no-need-to-know, document.unknown,
                document.no-such-page, document.page-refused, document.worker-crashed, document.worker-timeout,
                reading.left (the page was left before it was there).
            TamperError: sealing.not-authentic, storage.chunk-missing.
        Audit: page.left (the page before, with its dwell time) and page.viewed; page.refused if the file is not held, or if the page
            could not be rendered.
        Thread: reading; the audit on the control thread.
        Source: DESIGN laws 1 and 2.
        """
        world = self._world
        began = time.perf_counter_ns()
        turn = Rotation(rotation)
        dpi = min(max(dpi, _DPI.start), _DPI.stop - 1)
        permit = world.on_control(lambda: self._permit(check_out_id, document_id, page_no, request_no))
        recorded = time.perf_counter_ns()
        try:
            handle = self._handle(permit)
            self._slot = 1 - self._slot
            picture, veil_of_px = self._disclose(permit, handle, page_no, dpi, turn)
            width_pt, height_pt = self._renderer.page_size(handle, page_no)
        except VaultError as error:
            code = error.code
            world.on_control(lambda: self._refused(permit, code))
            raise
        rendered = time.perf_counter_ns()
        if self.on_screen is not permit.seen:  # the file was returned, or the page left, while it was rendered
            self._wipe_pictures(None)
            world.on_control(lambda: self._held(check_out_id))
            raise RefusedError("reading.left")
        if page_no < permit.card.page_count:
            world.later(Lane.READING, lambda: self._prepare(document_id, page_no + 1, dpi, turn))
        return PageImage(
            document_id=document_id,
            page_no=page_no,
            slot=picture.slot,
            width_px=picture.width_px,
            height_px=picture.height_px,
            stride_bytes=picture.stride_bytes,
            width_pt=width_pt,
            height_pt=height_pt,
            rotation=rotation,
            audit_seq=permit.audit_seq,
            timings_us=(("audit", (recorded - began) // 1000), ("render", (rendered - recorded) // 1000)),
            veil_of_px=veil_of_px,
        )

    @operation(Priority.QUERY, Lane.READING)
    def prepare_page(self, check_out_id: CheckOutId, document_id: DocumentId | None, dpi: int) -> PreparedPage:
        """Render the page that a person is about to ask for inside the worker. Nothing is disclosed: `view_page` does that, and records it.

        Args:
            check_out_id: an active check-out of this session's officer: without one nothing is prepared.
            document_id: a document of that case file, prepared at its first page; None for where the file was left.
            dpi: as for `view_page`; another resolution there renders again.
        Returns:
            PreparedPage: which page that is; whether it could be rendered is told when it is asked for.
        Raises:
            RefusedError: session.locked, custody.not-held, custody.expired, access.no-need-to-know, document.unknown.
        Audit: none, for nothing leaves the worker.
        Thread: reading; the check-out is looked at on the control thread.
        """
        permit, page_no = self._world.on_control(lambda: self._preparing(check_out_id, document_id), Priority.QUERY)
        try:
            self._handle(permit)
        except (RefusedError, UnavailableError):
            # As with a page that fails: refused, recorded and explained when somebody asks for it. Tampering is told now.
            return PreparedPage(permit.document.document_id, page_no)
        dpi = min(max(dpi, _DPI.start), _DPI.stop - 1)
        self._prepare(permit.document.document_id, page_no, dpi, Rotation.NONE, permit.mark)
        return PreparedPage(permit.document.document_id, page_no)

    @operation(Priority.CHANGE)
    def leave_page(self, request_no: int = 0) -> None:
        """Record that no page asked for before is visible any more: neither the one on screen nor one under way.

        Args:
            request_no: as for `view_page`; 0 leaves whatever there is.
        Audit: page.left, with the dwell time.
        """
        self._left_no = max(self._left_no, request_no)
        if request_no and self.on_screen is not None and self.on_screen.request_no > request_no:
            return  # overtaken by the next view, which has recorded it
        if (left := self._left()) is not None:
            self._world.store.append_audit(left)

    @operation(Priority.BREACH)  # what a saved picture is taken for hangs on it: it waits behind nothing
    def cover_page(self, is_covered: bool) -> None:
        """Take note that the interface covers the page, because another window has the keyboard, or shows it again.

        Args:
            is_covered: what holds from now until the next call or the next page.
        Audit: none of its own; page.left says for how long (``covered_ms``).
        """
        if is_covered is bool(self._covered_since_us):
            return
        self._covered_us = self._covered_so_far_us()
        self._covered_since_us = self._world.clock.boot_us() if is_covered else 0

    def covered_seconds(self) -> float:
        """How long no page has been seen for its being covered, 0 while none is covered (any thread)."""
        since_us = self._covered_since_us
        return (self._world.clock.boot_us() - since_us) / 1_000_000 if since_us else 0.0

    def _covered_so_far_us(self) -> int:
        since_us = self._covered_since_us
        return self._covered_us + (self._world.clock.boot_us() - since_us if since_us else 0)

    @operation(Priority.QUERY, Lane.READING)
    def show_band(
        self, check_out_id: CheckOutId, document_id: DocumentId, page_no: int, left: float, top: float, right: float, bottom: float
    ) -> BandImage:
        """Disclose one band of the fenced page on screen; the rest of the page stays in the worker.

        Args:
            check_out_id: of the page on screen.
            document_id: of it.
            page_no: of it.
            left, top, right, bottom: the band as fractions 0..1 of the unrotated page, left < right and top < bottom; a band of more than
                a quarter of the page is cut to that, from its bottom.
        Raises:
            as `view_page`; reading.left: another page, or none, is on screen.
        Audit: none of its own: the view of the page is recorded, and a band shows no more than it.
        """
        world = self._world
        shown = self._fenced
        if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
            raise DefectError("reading.band")
        world.on_control(lambda: self._held(check_out_id), Priority.QUERY)
        if shown is None or self.on_screen is not shown.seen or (shown.seen.document_id, shown.seen.page_no) != (document_id, page_no):
            raise RefusedError("reading.left")
        bottom = min(bottom, top + _BAND_MOST / (right - left))
        self._slot = 1 - self._slot
        picture = self._renderer.fence(
            self._handle(shown.permit), page_no, shown.dpi, shown.turn, shown.permit.mark, self._slot, (left, top, right, bottom)
        )
        if self.on_screen is not shown.seen:
            self._wipe_pictures(None)
            raise RefusedError("reading.left")
        return BandImage(
            document_id, page_no, picture.slot, picture.width_px, picture.height_px, picture.width_px * 4, picture.left_px, picture.top_px
        )

    @operation(Priority.QUERY, Lane.READING)
    def page_text(self, check_out_id: CheckOutId, document_id: DocumentId, page_no: int) -> PageText:
        """Send the text of the page on screen to the assistive technology of an officer who was granted that.

        The one answer that carries a document's text (docs/adr/0015). The audit entry commits first.

        Args:
            check_out_id, document_id, page_no: of the page on screen.
        Returns:
            PageText: at most TEXT_CHARACTERS_MAX characters; empty for a page that is a picture.
        Raises:
            RefusedError: session.locked, custody.not-held, custody.expired, reading.left (another page, or none, is on screen),
                accommodation.none, document.page-refused, document.worker-crashed, document.worker-timeout.
        Audit: page.text-sent; access.refused without an accommodation in force.
        """
        permit = self._world.on_control(lambda: self._text_permit(check_out_id, document_id, page_no), Priority.QUERY)
        text = self._renderer.text(self._handle(permit), page_no)
        if self.on_screen is not permit.seen:
            raise RefusedError("reading.left")
        return PageText(document_id, page_no, text)

    def _disclose(self, permit: _Permit, handle: int, page_no: int, dpi: int, turn: Rotation) -> tuple[Picture, tuple[int, int] | None]:
        """Have a page written into the page memory: the whole, or its veil where the case's marking asks for a fence."""
        seen = permit.seen
        self._fenced = None
        if seen is None or not fenced(self._world.policy, seen.marking):
            return self._renderer.disclose(handle, page_no, dpi, turn, permit.mark, self._slot), None
        veil = self._renderer.fence(handle, page_no, dpi, turn, permit.mark, self._slot, None)
        self._fenced = _Fenced(permit, seen, dpi, turn)
        picture = Picture(veil.slot, page_no, veil.width_px, veil.height_px, veil.width_px * 4)
        return picture, (veil.page_width_px, veil.page_height_px)

    @operation(Priority.QUERY, Lane.READING)
    def find(self, check_out_id: CheckOutId, document_id: DocumentId, text: str, first_page: int) -> FindResult:
        """Find words in a document, a stretch of pages a call. What could not be searched is named: it is not said to lack the words.

        LIMIT: a page of a PDF that is a picture of a page has no words to look at, and is not told from one that lacks them.

        Args:
            check_out_id: an active check-out of this session's officer.
            document_id: a document of that case file.
            text: at least one character.
            first_page: 1-based; `next_page` of the result before.
        Raises:
            as `view_page`; RefusedError find.empty.
        Audit: document.searched, with a keyed hash of the words, once for the same words in the same document running.
        """
        if not text.strip():
            raise RefusedError("find.empty")
        permit = self._world.on_control(lambda: self._find_permit(check_out_id, document_id, text, first_page), Priority.QUERY)
        handle = self._handle(permit)
        last_page = min(first_page + _FIND_PAGES_A_CALL - 1, permit.card.page_count)
        found = self._renderer.find(handle, text, first_page, last_page)
        return FindResult(
            tuple(FindHit(one.page_no, one.left, one.top, one.right, one.bottom) for one in found.hits),
            found.last_page + 1 if found.last_page < permit.card.page_count else 0,
            tuple(range(first_page, found.last_page + 1)) if permit.card.kind in _PICTURES else found.unsearched,
        )

    def dwell_ms(self, check_out_id: CheckOutId) -> int:
        """How long the page on screen has been there uncovered, 0 if none of this check-out is (control thread)."""
        seen = self.on_screen
        if seen is None or seen.check_out.check_out_id != check_out_id:
            return 0
        return (self._world.clock.boot_us() - seen.since_boot_us - self._covered_so_far_us()) // 1000

    def custody_ended(self, check_out_id: CheckOutId) -> None:
        """Forget the documents of a check-out that ended (control thread)."""
        world = self._world
        shown = self.on_screen is not None and self.on_screen.check_out.check_out_id == check_out_id
        if shown and (left := self._left()) is not None:
            world.store.append_audit(left)
        world.later(Lane.READING, self._forget)

    def _forget(self) -> None:
        for handle in self._open.values():
            self._renderer.close(handle)
        for source in self._sources.values():
            source.wipe()
        self._open.clear()
        self._sources.clear()
        self._wipe_pictures(None if self.on_screen is None else 1 - self._slot)  # once more: a picture may have been under way

    # -- control thread --------------------------------------------------------------------------------------------------------------

    def _held(self, check_out_id: CheckOutId) -> CheckOut:
        world = self._world
        return require_held(world.store.check_out(check_out_id), world.require().person.person_id, world.clock.now_us())

    def _held_or_recorded(self, check_out_id: CheckOutId, document_id: DocumentId, page_no: int) -> CheckOut:
        """The check-out, if the signed-in person holds it; whoever asks for a page without holding the file is in the trail."""
        world = self._world
        try:
            return self._held(check_out_id)
        except RefusedError as error:
            if world.session is not None:
                known = world.store.check_out(check_out_id)
                bare = world.draft(AuditKind.PAGE_REFUSED, known.case_id if known else None, Outcome.REFUSED, reason=error.code)
                facts = (("check_out_id", check_out_id if known else ""), ("document_id", document_id[:_ID_CHARACTERS]), *bare.facts)
                world.store.append_audit(replace(bare, page_no=max(0, page_no), facts=facts))
            raise

    def _document(self, check_out: CheckOut, document_id: DocumentId) -> tuple[DocumentRow, DocumentCard, CaseCipher]:
        world = self._world
        cipher = world.require_case(check_out.case_id)
        row = world.store.document(document_id)
        if row is None or row.case_id != check_out.case_id:
            raise RefusedError("document.unknown")
        return row, self._cases.open_document(row, cipher), cipher

    def _permit(self, check_out_id: CheckOutId, document_id: DocumentId, page_no: int, request_no: int = 0) -> _Permit:
        world = self._world
        session = world.require()
        check_out = self._held_or_recorded(check_out_id, document_id, page_no)
        row, card, cipher = self._document(check_out, document_id)
        if not 1 <= page_no <= card.page_count:
            raise RefusedError("document.no-such-page", page_no=page_no, page_count=card.page_count)
        if request_no and request_no < self._left_no:
            raise RefusedError("reading.left")
        self._require_private(check_out, document_id, page_no)
        case = self._cases.open_card(self._cases.row(check_out.case_id), cipher)
        try:
            world.require_trust(case.marking)
        except RefusedError as error:
            refused = self._draft(AuditKind.PAGE_REFUSED, check_out, document_id, page_no, Outcome.REFUSED)
            world.store.append_audit(_with_fact(refused, "reason", error.code))
            raise
        viewed = self._draft(AuditKind.PAGE_VIEWED, check_out, document_id, page_no)
        left = self._left_draft()
        # Until this commits, the page before is the one on screen: a signal meanwhile belongs to it.
        seq = world.store.append_audit(*([left] if left else []), viewed)
        now_us = world.clock.now_us()
        before, dwell_ms = self.on_screen, self._seen_ms()
        seen = OnScreen(check_out, document_id, card.title, case.rms_number, page_no, world.clock.boot_us(), request_no, case.marking)
        self.on_screen, self._covered_since_us, self._covered_us = seen, 0, 0
        try:
            if before is not None:
                self.page_left(before, dwell_ms)
            self.viewed(check_out)
        except VaultError:  # a flag that cannot be recorded: nothing is disclosed
            self._gone()
            raise
        mark = replace(self._mark(session.person, check_out, now_us), chips=world.locksmith.trace_chips(seq))
        return _Permit(row, card, cipher, mark, seq, seen)

    def _mark(self, person: PersonRow, check_out: CheckOut, now_us: int) -> Watermark:
        minute = time.strftime("%Y-%m-%d %H:%M", time.localtime(now_us // 1_000_000))
        station = self._world.station.workstation_name
        return Watermark((f"{person.name} · {person.badge_no}", f"{station} · no. {check_out.check_out_no}", minute))

    def _require_private(self, check_out: CheckOut, document_id: DocumentId, page_no: int) -> None:
        """No page while somebody nobody vouches for is at the screen; the refusal is in the trail, its report is the sensor's."""
        try:
            self._world.screen.require_private()
            if not self._world.premises_hold():
                raise RefusedError("premises.lost")
        except RefusedError as error:
            refused = self._draft(AuditKind.PAGE_REFUSED, check_out, document_id, page_no, Outcome.REFUSED)
            self._world.store.append_audit(_with_fact(refused, "reason", error.code))
            raise

    def _views_of(self, check_out: CheckOut, limit: int) -> Sequence[AuditEntry]:
        """What its holder saw in this check-out, newest first."""
        wanted = AuditFilter(
            kinds=(AuditKind.PAGE_VIEWED.value,), actor_id=check_out.holder_id, case_id=check_out.case_id, from_us=check_out.taken_us
        )
        return self._world.store.audit_entries(wanted, 0, limit)

    def _preparing(self, check_out_id: CheckOutId, document_id: DocumentId | None) -> tuple[_Permit, int]:
        """The document to prepare and the page of it; None is where the reader will open the file (`open_file`)."""
        check_out, page_no = self._held(check_out_id), 1
        if document_id is None:
            cipher = self._world.require_case(check_out.case_id)
            known = [one.document_id for one in self._cases.documents(check_out.case_id, cipher)]
            last = next(iter(self._views_of(check_out, 1)), None)
            if last is not None and last.document_id in known:
                document_id, page_no = DocumentId(last.document_id), last.page_no
            elif known:
                document_id = known[0]
            else:
                raise RefusedError("document.unknown")
        row, card, cipher = self._document(check_out, document_id)
        mark = self._mark(self._world.require().person, check_out, self._world.clock.now_us())
        return _Permit(row, card, cipher, mark, 0), max(1, min(page_no, card.page_count))

    def _find_permit(self, check_out_id: CheckOutId, document_id: DocumentId, text: str, first_page: int) -> _Permit:
        world = self._world
        check_out = self._held_or_recorded(check_out_id, document_id, 0)
        row, card, cipher = self._document(check_out, document_id)
        if not 1 <= first_page <= max(1, card.page_count):
            raise RefusedError("document.no-such-page", page_no=first_page, page_count=card.page_count)
        this = (check_out_id, document_id, text.casefold())
        if this != self._last_find:
            words = world.locksmith.blind("find:" + text.casefold()).hex()[:16]
            draft = self._draft(AuditKind.FIND_RAN, check_out, document_id, 0)
            world.store.append_audit(_with_fact(draft, "words", words))
            self._last_find = this
        return _Permit(row, card, cipher, Watermark(("",)), 0)

    def _text_permit(self, check_out_id: CheckOutId, document_id: DocumentId, page_no: int) -> _Permit:
        world = self._world
        check_out = self._held_or_recorded(check_out_id, document_id, page_no)
        row, card, cipher = self._document(check_out, document_id)
        seen = self.on_screen
        if seen is None or (seen.check_out.check_out_id, seen.document_id, seen.page_no) != (check_out_id, document_id, page_no):
            raise RefusedError("reading.left")
        if not world.accommodated_until_us(world.require().person.person_id):
            refused = world.draft(AuditKind.ACCESS_REFUSED, check_out.case_id, Outcome.REFUSED, reason="accommodation.none")
            world.store.append_audit(refused)
            raise RefusedError("accommodation.none")
        seq = world.store.append_audit(self._draft(AuditKind.PAGE_TEXT_SENT, check_out, document_id, page_no))
        return _Permit(row, card, cipher, Watermark(("",)), seq, seen)

    def _refused(self, permit: _Permit, code: str) -> None:
        """A page that was recorded as viewed could not be rendered: the entry after it says so."""
        seen = permit.seen
        if seen is None:
            return
        if self.on_screen is seen:
            self._gone()
        draft = self._draft(AuditKind.PAGE_REFUSED, seen.check_out, seen.document_id, seen.page_no, Outcome.FAILED)
        self._world.store.append_audit(_with_fact(draft, "reason", code))

    def _left(self) -> AuditDraft | None:
        draft = self._left_draft()
        if self.on_screen is not None:
            self.page_left(self.on_screen, self._seen_ms())
        self._gone()
        return draft

    def _gone(self) -> None:
        self.on_screen = None
        self._wipe_pictures(None)

    def _left_draft(self) -> AuditDraft | None:
        seen = self.on_screen
        if seen is None:
            return None
        draft = self._draft(AuditKind.PAGE_LEFT, seen.check_out, seen.document_id, seen.page_no)
        left = _with_fact(draft, "dwell_ms", self._seen_ms())
        covered_ms = self._covered_so_far_us() // 1000
        return _with_fact(left, "covered_ms", covered_ms) if covered_ms else left

    def _seen_ms(self) -> int:
        return self.dwell_ms(self.on_screen.check_out.check_out_id) if self.on_screen is not None else 0

    def _draft(
        self, kind: AuditKind, check_out: CheckOut, document_id: DocumentId, page_no: int, outcome: Outcome = Outcome.DONE
    ) -> AuditDraft:
        session = self._world.session
        return AuditDraft(
            kind,
            actor_id=check_out.holder_id,
            session_id=session.row.session_id if session else None,
            case_id=check_out.case_id,
            document_id=document_id,
            page_no=page_no,
            outcome=outcome,
            facts=(("check_out_id", check_out.check_out_id),),
        )

    # -- reading lane ----------------------------------------------------------------------------------------------------------------

    def _handle(self, permit: _Permit) -> int:
        document_id = permit.document.document_id
        if (handle := self._open.get(document_id)) is not None:
            self._open.move_to_end(document_id)
            return handle
        while len(self._open) >= _DOCUMENTS_KEPT_OPEN:
            oldest, handle = self._open.popitem(last=False)
            self._renderer.close(handle)
            self._sources.pop(oldest).wipe()
        row = permit.document
        sealer = permit.cipher.chunks(document_id, row.chunk_count, row.chunk_salt)
        if self._reader is None:
            self._reader = self._content.open_reader()
        source = _SealedSource(self._reader, sealer, row)
        handle = self._renderer.open(source, permit.card.kind).handle
        self._open[document_id] = handle
        self._sources[document_id] = source
        return handle

    def _prepare(self, document_id: DocumentId, page_no: int, dpi: int, rotation: Rotation, mark: Watermark | None = None) -> None:
        handle = self._open.get(document_id)
        if handle is None:
            return
        try:
            self._renderer.prepare(handle, page_no, dpi, rotation, mark)
        except VaultError:
            # A page that cannot be rendered is refused, recorded and explained when somebody asks for it.
            return


class _SealedSource:
    """The decrypted bytes of one document by random access, a few chunks at a time."""

    def __init__(self, content: ContentReader, sealer: ChunkSealer, row: DocumentRow) -> None:
        self._content = content
        self._sealer = sealer
        self._row = row
        self._chunks: OrderedDict[int, bytearray] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        """Length of the document."""
        return self._row.size_bytes

    def read(self, offset_bytes: int, length_bytes: int) -> bytes:
        """Return exactly that range."""
        end = offset_bytes + length_bytes
        parts = []
        for chunk_no in range(offset_bytes // CHUNK_BYTES, (end + CHUNK_BYTES - 1) // CHUNK_BYTES):
            start = chunk_no * CHUNK_BYTES
            parts.append(self._chunk(chunk_no)[max(0, offset_bytes - start) : end - start])
        return b"".join(parts)

    def wipe(self) -> None:
        """Overwrite what is kept."""
        for chunk in self._chunks.values():
            chunk[:] = bytes(len(chunk))
        self._chunks.clear()
        self._sealer.wipe()

    def _chunk(self, chunk_no: int) -> bytearray:
        if (chunk := self._chunks.get(chunk_no)) is not None:
            self._chunks.move_to_end(chunk_no)
            return chunk
        chunk = bytearray(self._sealer.open_chunk(chunk_no, self._content.read_chunk(self._row.document_id, chunk_no)))
        self._chunks[chunk_no] = chunk
        if len(self._chunks) > _CHUNKS_KEPT:
            _, old = self._chunks.popitem(last=False)
            old[:] = bytes(len(old))
        return chunk


def _with_fact(draft: AuditDraft, name: str, value: str | int) -> AuditDraft:
    return AuditDraft(
        draft.kind,
        draft.actor_id,
        draft.session_id,
        draft.case_id,
        draft.document_id,
        draft.page_no,
        draft.outcome,
        (*draft.facts, (name, value)),
    )
