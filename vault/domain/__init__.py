"""Pure rules of the vault. No clock, entropy, file, thread or log; values in, decisions out.

Rooms: `identity` (ids, people, units, roles) · `casefile` (cards, documents, kinds, markings) · `access` (grants, need-to-know,
explanations) · `custody` (check-outs) · `breach` (signals, severity, triage) · `reading_rules` (what counts as unusual reading) ·
`reason` (what counts as one) · `duration` (lengths of time) · `protection` (honest states, trust level) · `trace` (the invisible mark) ·
`audit` (entries, chain, Merkle tree) · `policy` · `place` (evidence of where a workstation stands, approved places) · `place_file`
(what another place file than ours means) · `folding` (which spellings are found as one).
May import: the standard library and `vault.errors`. Raises `RefusedError` where a rule says no.
"""
