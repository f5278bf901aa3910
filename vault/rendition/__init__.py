"""The rendition room: the only code that parses documents.

Holds: `client` (runs in [V]: starts, feeds, times and ends the worker) and the worker's own modules, which run only in the child process
[R]: `worker` (its main), `sandbox`, `messages` (what crosses the socket pair), `blocks` (ranges of the document), `formats` and one module
per format (`pdf`, `image`, `text`, `mail`), `typeset`, `direction` and `fonts` (plain lines to pages), `canvas` (pixels), `watermark`,
`tracing` (the invisible mark) and `fence` (a veil and one band).
May import: `vault.errors`, `vault.domain`, `vault.services.rendition`, `vault.services.page_memory`, msgspec; in [R] also pypdfium2
and Pillow.
`client` imports no parser. Threads: each `RenditionWorker` belongs to one thread of [V]; [R] has one thread.
Raises: `RefusedError` document.*, `UnavailableError` rendition.worker-start; never a parser's own error.
"""
