#!/usr/bin/env bash
# Bring the guides' pictures up to date from a played shift: `make shift`, look at build/shift, then this.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
shift_pictures=${1:-$root/build/shift}
target=$root/docs/pictures
declare -A wanted=(
    [desk]=sign-in [reader]=reading [find]=find-highlights [notice]=copy-key [blanked]=print-screen-notice
    [containment]=containment [breaches]=supervisor [check-in]=check-in-statement [audit]=audit
    [intake]=intake [people]=second-signature [lock]=lock
)
mkdir -p "$target"
for name in "${!wanted[@]}"; do
    "$root/.venv/bin/python" -c 'import sys; from PIL import Image
Image.open(sys.argv[1]).convert("RGB").quantize(256, Image.Quantize.FASTOCTREE).save(sys.argv[2], optimize=True)' "$shift_pictures"/[0-9][0-9]-"${wanted[$name]}.png" "$target/$name.png"
done
