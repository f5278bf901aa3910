"""The premises drill: a bound workstation is cut off, carried home, copied by a thief and brought back, in network namespaces. Root only.

    make premises-drill     prints the table and writes build/premises.json

Rooms: `network` (namespaces, one cable a machine) · `drill` (the steps) · `key_room` (a real `tangd`, the station's or another) ·
`impostor` (an HTTP server that plays the station's key server with a key of its own) · `thief` (opens a copy with a copied keyring) ·
`record` (the table and the file).

Rules:

- The machine's own network is not touched. Namespaces have names of this run; they and every process in them are gone at the end.
- The product is the shipped one: founded and bound by its commands, read in its window. Only the proof interval and the lease are shorter,
  by the station's policy.
- A search that finds nothing is believed only where the same search has found something: while the page was open, and with the copy of the
  thief, which opens on the station's network.
"""
