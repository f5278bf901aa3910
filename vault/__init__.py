"""The vault: everything that holds, seals, renders or guards case files. There is no Qt in it.

Rooms: `domain` (pure rules) · `services` (use cases) · `storage`, `crypto`, `rendition`, `sensors`, `platform` (adapters behind
`services.ports`) · `assembly` (the only place that joins them; `watching` joins the sensors, `spooling` the sealed spool) · `runtime` (the
vault process) · `reach` (whose group may open the vault's files).
"""
