# A method of one's own in C: examples/method.c against the installed header and library, the interface's symbols and
# sizes.
. "$top/tests/tap.sh"
[ -z "${XFV_SANITIZED:-}" ] || { skip "libxfv" "the example is built without the sanitizers"; done_testing; exit 0; }
[ -e "$B/lib/libxfv.so.1" ] || { skip "libxfv" "this build has none"; done_testing; exit 0; }
make -s -C "$top" B="$B" install DESTDIR="$work/root" PREFIX=/usr libdir=/usr/lib >log 2>&1;
is $? 0 "make install" || tail -n 3 log
is "$(sed -n 's/^Libs: //p' root/usr/lib/pkgconfig/xfv.pc)" "-L/usr/lib -lxfv" "pkg-config's file"
flags=$(PKG_CONFIG_PATH=root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$work/root pkg-config \
    --define-variable=prefix="$work/root/usr" --cflags --libs xfv)
build() {
    ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror "$@" -I"$work/root/usr/include" \
        -L"$work/root/usr/lib" -lxfv -lm; }
export LD_LIBRARY_PATH="$work/root/usr/lib"
like "$flags" "-lxfv" "pkg-config names the library"
runs 0 "the template compiles without warnings" build -o mine "$top/examples/method.c"
facecrop "$top"/tests/photos/*.jpg | embed | verify --all | cosine-grad -o pairs.xfv
runs 0 "it runs" ./mine -j 2 -o out.xfv pairs.xfv
xfv-check out.xfv; ok $? "its stream is sound"
cat >same.py <<'PY'
import numpy as np, xfv
pairs = xfv.read("out.xfv").pairs
both = [(p.map("mine")[s][k], p.map("cosine-gradient")[s][k]) for p in pairs for s in "ab" for k in ("similarity", "dissimilarity")]
print(len(pairs), all(np.abs(x - y).max() < 1e-6 * y.max() for x, y in both), pairs[0].map("mine")["params"]["version"])
PY
is "$("$PYTHON" same.py)" "6 True 1" "its maps are those of cosine-grad"
./mine <pairs.xfv | cmp - out.xfv; ok $? "the same bytes for one worker and two, from a file and from a pipe"
head -c 5000 pairs.xfv | ./mine >cut.xfv 2>err; is $? 3 "a cut stream"
like "$(./mine --help)" "^Usage: mine" "--help names it"
cat >gives-up.c <<'C'
#include <xfv.h>
static int explain(void *ctx, struct xfv_call *c, float *s, float *d)
{
    float zero[4096] = {0};
    (void)ctx, (void)d;
    if (c->side == 1) return xfv_call_gradient(c, c->x, zero, s);
    return c->score > 0.5 ? xfv_call_fail(c, "too alike") : xfv_call_vjp(c, c->x, c->partner, (float[112 * 112 * 3]){0}) || xfv_call_embed(c, c->x, zero);
}
int main(int argc, char **argv)
{
    static const struct xfv_method m = {XFV_ABI + LATER, "gives-up", "1", "Fail.", explain, 0};
    return xfv_method_main(&m, argc, argv);
}
C
build -DLATER=0 -o gives-up gives-up.c && ./gives-up pairs.xfv >fails.xfv 2>err;
is $? 1 "a method that gives pairs up: status 1"
is "$(xfv-json fails.xfv | jq -r 'select(._ == "err").message' | sort | uniq -c | tr -s ' ')" " 5 the vector to compare with is zero or not finite
 1 too alike" "... and the sentences are in err records"
build -DLATER=1 -o later gives-up.c && ./later pairs.xfv >/dev/null 2>err;
is "$? $(grep -c 'XFV_ABI is' err)" "4 1" "a program of a later interface is refused"
is "$(nm -D --defined-only "$B/lib/libxfv.so.1" | sed -n 's/.* T \([a-z_]*\)@@XFV_1/\1/p' | tr '\n' ' ')" \
    "xfv_call_embed xfv_call_fail xfv_call_gradient xfv_call_vjp xfv_method_main " \
        "the library exports the interface, and nothing else"
cat >abi.c <<'C'
#include <stddef.h>
#include <xfv.h>
#define AT(t, m, n) _Static_assert(offsetof(struct t, m) == (n), #m)
AT(xfv_call, height, 0); AT(xfv_call, n, 12); AT(xfv_call, x, 16); AT(xfv_call, partner, 40); AT(xfv_call, score, 48); AT(xfv_call, side, 64); AT(xfv_call, room, 72);
AT(xfv_method, name, 8); AT(xfv_method, explain, 32); AT(xfv_method, ctx, 40);
int main(void) { return XFV_ABI == 1 ? 0 : 1; }
C
build -o abi abi.c && ./abi; ok $? "interface 1: every member is where programs built for it look"
printf '#include <xfv.h>\nint main() { return sizeof(struct xfv_call) ? 0 : 1; }\n' >plus.cc
if command -v g++ >/dev/null; then g++ -Wall -Werror -I"$work/root/usr/include" -o plus plus.cc && ./plus;
ok $? "the header in C++"; else skip "the header in C++" "no g++"; fi
done_testing
