/* Faces taken from the reader's buffer without their records are those that records would give, and what is damaged
 * ends the stream with the same words; the checksum is zlib's. The generator is seeded. */
#include "stream/internal.h"
#include "base/crc.h"
#include "streambytes.h"
#include "../tap.h"

static uint64_t state = 88172645463325252u;
static uint32_t rnd(uint32_t n) /* xorshift64 */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % n;
}

static void test_crc(void)
{
    unsigned char p[700];
    int wrong = 0;
    for (size_t i = 0; i < sizeof p; i++) p[i] = (unsigned char)rnd(256);
    for (size_t n = 0; n < 600; n++)
        for (size_t at = 0; at < 17; at += 4) {
            uint32_t from = n % 3 ? rnd(UINT32_MAX) : 0;
            wrong += xfv_crc32(from, p + at, n) != crc32(from, p + at, (unsigned)n);
        }
    OK(!wrong, "the checksum is zlib's for every length and alignment (%d wrong)", wrong);
}

/* All that a stream says: each record's id and embedding as text, "other" for what has none, then the error. */
static char *told(const struct bytes *b, const struct xfv_limits *lim, int templates, int *taken)
{
    static char out[2][1 << 16];
    char *s = out[templates], *end = s + sizeof out[0] - 512;
    struct xfv_reader *r;
    struct xfv_err e = {0};
    struct xfv_rec *rec;
    struct xfv_template t;
    if (xfv_reader_open(&r, fd_of(b->p, b->n), 1, "x", lim, &e)) abort();
    for (*taken = 0; s < end;) {
        if (templates && xfv_reader_template(r, &t)) {
            float v[256];
            if (t.n > 256) abort();
            xfv_template_floats(&t, v);
            s += sprintf(s, "%.*s %.*s %zu %08x\n", (int)t.id_n, t.id, (int)t.model_n, t.model, t.n,
                         xfv_crc32(0, v, t.n * 4));
            ++*taken;
            continue;
        }
        if (xfv_reader_next(r, &rec, &e)) break;
        const msgpack_object *m = xfv_rec_map(rec);
        struct xfv_tensor v = {0};
        const char *id;
        size_t n;
        char model[65] = "";
        int plain = xfv_rec_kind(rec) == XFV_FACE && !xfv_get_str(m, "id", &id, &n, NULL) && n && !memchr(id, 0, n) &&
                    !xfv_get_embedding(m, 0, &v, NULL) && v.shape[0] &&
                    (!xfv_map_get(m, "model") || !xfv_get_text(m, "model", model, sizeof model, NULL));
        if (plain) s += sprintf(s, "%.*s %s %zu %08x\n", (int)n, id, model, v.shape[0],
                                xfv_crc32(0, v.data, v.shape[0] * 4));
        else s += sprintf(s, "other %s\n", xfv_rec_kind_name(rec));
        xfv_tensor_clear(&v);
        xfv_rec_free(rec);
    }
    sprintf(s, "%d %s\n", e.status, e.msg);
    xfv_reader_close(r);
    return out[templates];
}

static void add_face(struct bytes *b, int i, unsigned n)
{
    unsigned char v[32];
    for (size_t k = 0; k < sizeof v; k++) v[k] = (unsigned char)rnd(256);
    unsigned char id = (unsigned char)('a' + i), shape = (unsigned char)n, half = rnd(2) != 0;
    unsigned char size = (unsigned char)((half ? 2 : 4) * n);
    ADD(b, "\x87\xa1_\xa4" "face\xa2id\xa1");
    add(b, &id, 1);
    ADD(b, "\xa3" "box\x92\xcb\x40\x00\x00\x00\x00\x00\x00\x00\x05");
    ADD(b, "\xa7quality\x82\xa4roll\xca\x00\x00\x00\x00\xa3yaw\xff");
    ADD(b, "\xa1z\xc0\xa9" "embedding\x83\xa5" "dtype\xa3<f");
    add(b, half ? "2" : "4", 1);
    ADD(b, "\xa5shape\x91");
    add(b, &shape, 1);
    ADD(b, "\xa4" "data\xc4");
    add(b, &size, 1);
    add(b, v, size);
    ADD(b, "\xa5model\xa3xyz");
}

static struct bytes faces(int n)
{
    struct bytes b = {0};
    ADD(&b, HEAD);
    for (int i = 0; i < n; i++) add_face(&b, i, 1 + rnd(8));
    add_end(&b, 0, (uint32_t)n, 0);
    return b;
}

static void test_same(void)
{
    struct xfv_limits lim = xfv_limits_default();
    struct bytes whole = faces(9), b = {0};
    int taken, none, wrong = 0, many = 0;
    char *as = told(&whole, &lim, 1, &taken);
    OK(!strcmp(as, told(&whole, &lim, 0, &none)) && taken == 9, "9 faces are taken, and are those of records");
    lim = (struct xfv_limits){.max_record = 4096, .max_depth = 4, .max_items = 64, .max_records = 7};
    for (int i = 0; i < 8000; i++) {
        b.n = 0;
        add(&b, whole.p, whole.n);
        lim.max_records = rnd(9) ? 0 : 7;
        lim.max_record = rnd(5) ? 4096 : 100 + rnd(60);
        lim.max_items = rnd(5) ? 64 : 10 + rnd(20);
        lim.max_depth = rnd(5) ? 4 : 1 + rnd(3);
        for (uint32_t k = rnd(4); k > 0; k--)
            b.p[rnd((uint32_t)b.n)] = (unsigned char)(rnd(2) ? rnd(256) : 0x80 + rnd(128));
        if (!rnd(4)) b.n = rnd((uint32_t)b.n);
        as = told(&b, &lim, 1, &taken);
        many += taken;
        wrong += strcmp(as, told(&b, &lim, 0, &none)) != 0;
    }
    OK(!wrong && many > 8000, "8000 damaged and limited streams give the same faces and words (%d taken)", many);
    free(b.p);
    free(whole.p);
}

int main(void)
{
    test_crc();
    test_same();
    return tap_done();
}
