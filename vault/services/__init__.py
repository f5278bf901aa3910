"""Use cases. Each public method does the same six steps: require session → load → ask the domain → write → audit → commit.

Only after the commit are events published and values returned. Rooms: `session` · `desk` (register, need-to-know) · `custody` ·
`reading` · `intake` · `breach` · `supervision` · `administration`; `ports` (what adapters must offer), `events` (what is told after a
commit), `operation` (how a method is served over the pipe). May import `vault.domain`, `vault.errors`, `vault.secret`; never an adapter.
Runs on the vault process's control thread unless a method says otherwise. Raises the four kinds of `vault.errors`.
"""
