"""The vault: everything that holds, seals, renders or guards case files. There is no Qt in it.

Rooms: `domain` (pure rules) · `services` (use cases) · `storage`, `crypto`, `rendition`, `sensors`, `trace`, `platform` (adapters behind
`services.ports`) · `assembly` (the only place that joins them; `watching` joins the sensors, `spooling` the sealed spool, `premises` the
key servers and the lease, `place_witness` the witness at their fronts, `keyring_state` what the keyring is worth) · `runtime` (the vault
process, on `threads`; `observed` is what is in no report yet) · `sentinel` (the keyless process that watches while no desk is open) ·
`commands` (the command line) · `demo` (the demo station) · `reach` (whose group may open the vault's files) · `secret`, `errors` (what all
of them share).
"""
