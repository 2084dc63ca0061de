# The pictures that the pages hold are those that their commands draw today.
. "$top/tests/tap.sh"
command -v pnmquant >/dev/null || { skip "the pictures" "there are no programs of Netpbm"; done_testing; exit; }
(cd "$top" && sh docs/pictures.sh "$work/new") 2>err; is $? 0 "docs/pictures.sh draws them" || sed 's/^/#   /' err
cat >stale.py <<'PY'
# Strips of 8 rows: words that differ change a strip, colours that were rounded (the pictures have 256) or last bits of maps do not.
import sys
import numpy as np
from PIL import Image
a, b = (np.asarray(Image.open(n).convert("RGB")).astype(float) for n in sys.argv[1:])
if a.shape != b.shape: sys.exit(print("another size:", a.shape, b.shape))
soft = lambda x: sum(np.roll(x, (i, k), (0, 1)) for i in (-1, 0, 1) for k in (-1, 0, 1)) / 9
d = np.abs(soft(a) - soft(b)).mean((1, 2))
rows = [y for y in range(0, len(d) - 8, 8) if d[y : y + 8].mean() > 1.5]
print("the same" if not rows else "rows that differ: %s; sh docs/pictures.sh docs draws anew" % rows)
PY
for name in why why-not forehead; do
    is "$("$PYTHON" stale.py "$top/docs/$name.png" "$work/new/$name.png")" "the same" "docs/$name.png"
done
cp "$work/new/why.png" other.png
[ "$("$PYTHON" stale.py "$work/new/why-not.png" other.png)" != "the same" ];
ok $? "the comparison tells two pictures apart"
done_testing
