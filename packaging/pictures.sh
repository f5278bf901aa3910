#!/usr/bin/env bash
# Bring the guides' pictures up to date from a played shift: `make shift`, look at build/shift, then this.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
shift_pictures=${1:-$root/build/shift}
target=$root/docs/pictures
declare -A wanted=(
    [desk]=08-sign-in [reader]=10-reading [find]=11-find-highlights [notice]=12-copy-key [blanked]=13-print-screen-notice
    [containment]=14-containment [breaches]=15-supervisor [check-in]=18-check-in-statement [audit]=19-audit
    [intake]=07-intake [people]=05-second-signature [lock]=20-lock
)
mkdir -p "$target"
for name in "${!wanted[@]}"; do
    "$root/.venv/bin/python" -c 'import sys; from PIL import Image
Image.open(sys.argv[1]).convert("RGB").quantize(256, Image.Quantize.FASTOCTREE).save(sys.argv[2], optimize=True)' "$shift_pictures/${wanted[$name]}.png" "$target/$name.png"
done
