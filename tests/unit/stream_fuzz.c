/* Damaged and random input: the scanner agrees with msgpack-c about where an object ends, and the reader takes whatever
 * comes without a crash, a loop or a wrong "all well". The generator is seeded: every run is the same. */
#include "../tap.h"
#include "stream/internal.h"
#include "streambytes.h"

static uint64_t state = 88172645463325252u;
static uint32_t rnd(uint32_t n) /* xorshift64 */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % n;
}

/* A random object of at most `depth` levels. */
static void random_object(struct bytes *b, unsigned depth)
{
    static const unsigned char heads[] = {0x00, 0x7f, 0x80, 0x83, 0x8f, 0x90, 0x92, 0x9f, 0xa0, 0xa5, 0xbf,
                                          0xc0, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb,
                                          0xcc, 0xcd, 0xce, 0xcf, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6,
                                          0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xff};
    static const unsigned char fixed[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17}; /* 0xca .. 0xd8 */
    unsigned char h = heads[rnd(sizeof heads)], zero[32] = {0};
    int map = (h & 0xf0) == 0x80 || h == 0xde || h == 0xdf, array = (h & 0xf0) == 0x90 || h == 0xdc || h == 0xdd;
    if (depth == 0 && (map || array)) h = 0xc0, map = array = 0;
    unsigned wide = h == 0xc4 || h == 0xc7 || h == 0xd9                             ? 1
                    : h == 0xc5 || h == 0xc8 || h == 0xda || h == 0xdc || h == 0xde ? 2
                    : h == 0xc6 || h == 0xc9 || h == 0xdb || h == 0xdd || h == 0xdf ? 4
                                                                                    : 0;
    unsigned n = wide ? rnd(6) : map || array ? h & 0xfu : (h & 0xe0) == 0xa0 ? h & 0x1fu : 0;
    add(b, &h, 1);
    if (wide) add(b, zero, wide - 1);
    unsigned char low = (unsigned char)n;
    if (wide) add(b, &low, 1);
    if (h >= 0xca && h <= 0xd8) add(b, zero, fixed[h - 0xca]);
    if (h >= 0xc7 && h <= 0xc9) add(b, zero, 1);
    if (map || array)
        for (unsigned i = 0; i < (map ? 2 * n : n); i++) random_object(b, depth - 1);
    else
        add(b, zero, n);
}

/* Where the first object of b ends by msgpack-c; 0 when it does not. */
static size_t oracle(const struct bytes *b)
{
    msgpack_unpacked u;
    size_t off = 0;
    msgpack_unpacked_init(&u);
    msgpack_unpack_return r = msgpack_unpack_next(&u, (const char *)b->p, b->n, &off);
    msgpack_unpacked_destroy(&u);
    return r == MSGPACK_UNPACK_SUCCESS ? off : 0;
}

/* The same by the scanner, given the bytes in pieces of `piece`. */
static size_t scanned(const struct bytes *b, size_t piece, const struct xfv_limits *lim)
{
    struct xfv_scan s = {.lim = lim};
    for (size_t at = 0, used; at < b->n; at += used) {
        int r = xfv_scan(&s, b->p + at, b->n - at < piece ? b->n - at : piece, &used, NULL);
        if (r < 0) return 0;
        if (r > 0) return at + used == s.total ? at + used : 0;
    }
    return 0;
}

static void test_oracle(void)
{
    struct xfv_limits lim = xfv_limits_default();
    lim.max_depth = 30;
    lim.max_items = 4096;
    int wrong = 0, whole = 0;
    for (int i = 0; i < 20000; i++) {
        struct bytes b = {0};
        random_object(&b, rnd(4));
        size_t real = b.n;
        ADD(&b, "\x01\xc0"); /* more follows */
        wrong += scanned(&b, 1, &lim) != real || scanned(&b, 3, &lim) != real || scanned(&b, b.n, &lim) != real ||
                 oracle(&b) != real;
        b.n = rnd((uint32_t)real);
        wrong += scanned(&b, 2, &lim) != 0; /* cut */
        free(b.p);
    }
    OK(!wrong, "the scanner finds the end of 20000 random objects, in any pieces, where msgpack-c does");
    wrong = 0;
    for (int i = 0; i < 200000; i++) {
        unsigned char raw[24];
        for (size_t k = 0; k < sizeof raw; k++) raw[k] = (unsigned char)(rnd(3) ? rnd(256) : 0x80 + rnd(96));
        struct bytes b = {raw, sizeof raw};
        size_t end = scanned(&b, 5, &lim);
        if (end) whole++, wrong += oracle(&b) != end;
    }
    OK(!wrong && whole > 10000, "and so it does for random bytes (%d of 200000 hold an object)", whole);
}

static void test_damage(void)
{
    struct bytes s = sample(), b = {0};
    struct xfv_limits lim = {.max_record = 4096, .max_depth = 8, .max_items = 256};
    int well = 0, odd = 0;
    add(&b, s.p, s.n);
    for (int i = 0; i < 40000; i++) {
        b.n = 0;
        add(&b, s.p, s.n);
        for (uint32_t k = 1 + rnd(4); k > 0; k--)
            b.p[rnd((uint32_t)b.n)] = (unsigned char)(rnd(2) ? rnd(256) : 0xc0 + rnd(32));
        size_t from = rnd((uint32_t)b.n), drop = rnd(3) ? 0 : rnd((uint32_t)(b.n - from));
        memmove(b.p + from, b.p + from + drop, b.n - from - drop);
        b.n -= drop;
        int same = b.n == s.n && !memcmp(b.p, s.p, s.n),
            status = read_bytes(b.p, b.n, &lim, NULL, &(struct xfv_err){0});
        well += status == XFV_EOF && !same;
        odd += status != XFV_EOF && status != XFV_EFORMAT && status != XFV_ETRUNC && status != XFV_ELIMIT &&
               status != XFV_EVERSION;
    }
    OK(!well && !odd, "40000 damaged streams are all refused, as format, cut, limit or version");
    free(b.p);
    free(s.p);
}

int main(void)
{
    test_oracle();
    test_damage();
    return tap_done();
}
