"""The kit every window is built from. One widget, one module, one thing.

Rooms: `protected_page` (the only place a page is shown) with `page_speech` (its words, under an accommodation) · `record_table` with
`cells` and `row_window`, `inspector`, `painted_text` (the places case text is painted) · `rail`, `top_bar`, `protection_strip`, `frame`
(the frame) · `overlay`, `sheet`, `palette`, `notice_bar`, `empty_state` · `field`, `chosen_field`, `text_field`, `buttons`, `choices`,
`chip`, `label`, `progress_bar`, `qr`, `scroll_column` · `painting` (strokes all share), `early` (properties before the first paint) ·
`gallery` (everything, in pictures). Two rules hold for all of them: case content is painted, never given to a stock text widget or to
accessibility; colours, sizes and fonts come from `ui.theme`, words from `ui.strings`.
May import: PySide6.QtCore, QtGui, QtWidgets, `ui.theme`, `ui.icons`, `ui.strings`. Runs in [U], main thread. Raises `DefectError` only.
"""
