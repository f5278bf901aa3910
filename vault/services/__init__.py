"""Use cases. Each public method does the same six steps: require session → load → ask the domain → write → audit → commit.

Only after the commit are events published and values returned.

Served: `founding` · `session` · `desk` (lists, search, need-to-know) · `custody` · `reading` · `register` (cases, grants) · `intake` ·
`breach` · `supervision` · `administration` · `credentials` (another phone, another passphrase) · `accommodation` · `unusual_reading` ·
`tracing` · `premises` · `guard` (what the interface proves) · `recovery` (the holders of a vault that did not open). Behind them:
`attempts` (who was not recognised), `cases` (cards opened for a person), `looking` (which looks are entered), `standing` (a supervisor's
acts that last), `trust` (the workstation's level), `witness` (the audit head outside), `together` (what a report holds),
`page_memory`, `world` (what all share). Shapes: `ports`, `locksmith`, `rendition` (what adapters must offer), `views`, `events` (what is
told after a commit), `operation` and `wire` (how a method is served over the pipe).
May import `vault.domain`, `vault.errors`, `vault.secret`, msgspec; never an adapter. Runs on the vault process's control thread unless a
method says otherwise. Raises the four kinds of `vault.errors`.
"""
