/* Records, tensors and half precision: libcommon/stream/{record,map,value,get,tensor,check,utf8,grow}.c */
#include "base/grow.h"
#include "stream/internal.h"
#include "base/utf8.h"
#include "../tap.h"

static void test_maps(void)
{
    struct xfv_rec *r = xfv_rec_new(XFV_FACE);
    msgpack_object *root = xfv_rec_root(r);
    msgpack_zone *z = xfv_rec_zone(r);
    struct xfv_err e = {0};
    OK(xfv_rec_kind(r) == XFV_FACE && !strcmp(xfv_rec_kind_name(r), "face"), "a new record has its kind");
    int bad = 0;
    char key[32];
    for (int i = 0; i < 3000; i++) { /* two containers grow in turns */
        snprintf(key, sizeof key, "k%d", i);
        bad += xfv_map_put(z, root, key, xfv_val_int(i), &e) != 0;
    }
    for (int i = 0; i < 3000; i++) {
        int64_t v = -1;
        snprintf(key, sizeof key, "k%d", i);
        bad += xfv_get_int(root, key, &v, &e) != 0 || v != i;
    }
    OK(!bad && root->via.map.size == 3001, "3000 keys go in and come out");
    OK(xfv_map_put(z, root, "k5", xfv_val_str(z, "five"), &e) == 0 && root->via.map.size == 3001 &&
           xfv_str_is(xfv_map_get(root, "k5"), "five"),
       "a key that exists is replaced in place");
    OK(xfv_str_is(&root->via.map.ptr[6].key, "k5"), "and keeps its position");
    OK(xfv_map_drop(root, "k5") == 1 && xfv_map_drop(root, "k5") == 0 && !xfv_map_get(root, "k5") &&
           xfv_str_is(&root->via.map.ptr[6].key, "k6"),
       "a key is dropped, once, and the order stays");
    OK(xfv_map_put(z, root, "after", xfv_val_bool(1), &e) == 0 && xfv_str_is(&root->via.map.ptr[3000].key, "after"),
       "a key put after a drop goes last");
    OK(xfv_map_put(z, root, "nil", (msgpack_object){.type = MSGPACK_OBJECT_NIL}, &e) == XFV_ENOMEM,
       "nil is taken for a failed allocation");
    OK(xfv_map_put_nil(z, root, "nil", &e) == 0 && xfv_map_get(root, "nil")->type == MSGPACK_OBJECT_NIL, "a wanted nil "
                                                                                                         "goes in");
    msgpack_object number = xfv_val_int(1);
    OK(xfv_map_put(z, &number, "a", number, &e) == XFV_EARG, "a key is not put into a number");
    xfv_rec_free(r);
}

static void test_growth(void)
{
    msgpack_zone *z = msgpack_zone_new(8192);
    msgpack_object_kv kv[3];
    msgpack_object one = xfv_val_int(1), hand = {.type = MSGPACK_OBJECT_MAP};
    struct xfv_err e = {0};
    for (int i = 0; i < 3; i++) kv[i] = (msgpack_object_kv){.key = xfv_val_strn(z, &"abc"[i], 1), .val = one};
    hand.via.map.ptr = kv;
    hand.via.map.size = 3;
    OK(xfv_map_put(z, &hand, "d", one, &e) == 0 && hand.via.map.ptr != kv && hand.via.map.size == 4,
       "a map laid out by hand is copied, not overrun");
    msgpack_object twin = hand;
    OK(xfv_map_put(z, &hand, "x", xfv_val_int(2), &e) == 0 && xfv_map_put(z, &twin, "y", xfv_val_int(3), &e) == 0 &&
           xfv_map_get(&hand, "x") && !xfv_map_get(&hand, "y") && xfv_map_get(&twin, "y") && !xfv_map_get(&twin, "x"),
       "two copies of one map grow apart");
    msgpack_object a = xfv_val_array(z), b = xfv_val_array(z);
    int bad = 0;
    for (int i = 0; i < 1000; i++)
        bad += xfv_array_push(z, &a, xfv_val_int(i), &e) || xfv_array_push(z, &b, xfv_val_int(-i), &e);
    for (int i = 0; i < 1000; i++)
        bad += a.via.array.ptr[i].via.u64 != (uint64_t)i || (i && b.via.array.ptr[i].via.i64 != -i);
    OK(!bad && a.via.array.size == 1000, "two arrays grow in turns");
    msgpack_object copy = xfv_val_copy(z, &twin);
    OK(msgpack_object_equal(copy, twin) && copy.via.map.ptr != twin.via.map.ptr, "a deep copy is equal and apart");
    msgpack_zone_free(z);
}

static void test_gets(void)
{
    struct xfv_rec *r = xfv_rec_error("caf\xc3\xa9.jpg", 9, "facecrop", "noface", "no face found");
    msgpack_object *m = xfv_rec_root(r);
    msgpack_zone *z = xfv_rec_zone(r);
    struct xfv_err e = {0};
    const char *s;
    size_t n;
    char text[16];
    double d, v[6];
    int64_t i;
    int b;
    OK(xfv_rec_kind(r) == XFV_ERR && xfv_get_str(m, "id", &s, &n, &e) == 0 && n == 9 &&
           !memcmp(s, "caf\xc3\xa9.jpg", 9),
       "an err record has its id");
    OK(xfv_get_text(m, "code", text, sizeof text, &e) == 0 && !strcmp(text, "noface"), "and its code");
    OK(xfv_get_text(m, "message", text, 5, &e) == XFV_EFORMAT && strstr(e.msg, "message"),
       "text that does not fit is refused: %s", e.msg);
    xfv_map_put(z, m, "nul", xfv_val_strn(z, "a\0b", 3), &e);
    OK(xfv_get_text(m, "nul", text, sizeof text, &e) == XFV_EFORMAT, "text with a NUL is refused: %s", e.msg);
    OK(xfv_get_int(m, "code", &i, &e) == XFV_EFORMAT && strstr(e.msg, "expected an integer, found text"),
       "a wrong type: %s", e.msg);
    OK(xfv_get_f64(m, "score", &d, &e) == XFV_EFORMAT && strstr(e.msg, "missing"), "a missing key: %s", e.msg);
    xfv_map_put(z, m, "int", xfv_val_int(-7), &e);
    xfv_map_put(z, m, "real", xfv_val_f64(0.25), &e);
    xfv_map_put(z, m, "yes", xfv_val_bool(1), &e);
    OK(xfv_get_f64(m, "int", &d, &e) == 0 && d == -7 && xfv_get_int(m, "int", &i, &e) == 0 && i == -7, "an integer is "
                                                                                                       "a number, too");
    OK(xfv_get_int(m, "real", &i, &e) == XFV_EFORMAT, "a real number is no integer");
    OK(xfv_get_bool(m, "yes", &b, &e) == 0 && b == 1 && xfv_get_bool(m, "int", &b, &e) == XFV_EFORMAT,
       "xfv_get_bool reads booleans alone");
    msgpack_object big = {.type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via.u64 = UINT64_MAX};
    xfv_map_put(z, m, "big", big, &e);
    OK(xfv_get_int(m, "big", &i, &e) == XFV_EFORMAT, "2^64 - 1 does not become -1");
    xfv_map_put(z, m, "flat", xfv_val_f64s(z, (double[]){1, 2, 3, 4, 5, 6}, 6), &e);
    OK(xfv_get_f64s(m, "flat", v, 6, &e) == 0 && v[5] == 6, "xfv_get_f64s reads six numbers");
    OK(xfv_get_f64s(m, "flat", v, 5, &e) == XFV_EFORMAT && xfv_get_f64s(m, "code", v, 1, &e) == XFV_EFORMAT,
       "not five, not text");
    msgpack_object rows = xfv_val_array(z);
    for (int k = 0; k < 3; k++) xfv_array_push(z, &rows, xfv_val_f64s(z, (double[]){k, k + 0.5}, 2), &e);
    xfv_map_put(z, m, "rows", rows, &e);
    OK(xfv_get_f64s(m, "rows", v, 6, &e) == 0 && v[4] == 2 && v[5] == 2.5, "rows are read in order");
    OK(xfv_map_get(xfv_map_get(m, "int"), "x") == NULL && xfv_get_int(NULL, "x", &i, &e) == XFV_EFORMAT,
       "looking into a number finds nothing");
    xfv_rec_free(r);
}

static void test_tensors(void)
{
    struct xfv_rec *r = xfv_rec_new_named("x-test");
    msgpack_object *m = xfv_rec_root(r);
    msgpack_zone *z = xfv_rec_zone(r);
    struct xfv_err e = {0};
    struct xfv_tensor t, got;
    OK(xfv_rec_kind(r) == XFV_OTHER && !strcmp(xfv_rec_kind_name(r), "x-test"), "a record of an unknown kind keeps its "
                                                                                "name");
    OK(xfv_tensor_alloc(&t, XFV_F32, 2, (size_t[]){3, 5}, &e) == 0 && (uintptr_t)t.data % 64 == 0 &&
           xfv_tensor_bytes(&t) == 60,
       "a tensor is allocated");
    for (int i = 0; i < 15; i++) ((float *)t.data)[i] = (float)i / 3;
    OK(xfv_map_put(z, m, "t", xfv_val_tensor(z, &t), &e) == 0, "xfv_map_put adds a tensor");
    OK(xfv_get_tensor(m, "t", XFV_F32, 2, (size_t[]){3, 0}, &got, &e) == 0 && !memcmp(got.data, t.data, 60) &&
           (uintptr_t)got.data % 64 == 0,
       "got");
    xfv_tensor_clear(&got);
    OK(xfv_get_tensor(m, "t", XFV_F32, 2, (size_t[]){0, 4}, &got, &e) == XFV_EFORMAT && strstr(e.msg, "[*,4]") &&
           strstr(e.msg, "[3,5]"),
       "another shape is refused: %s", e.msg);
    OK(xfv_get_tensor(m, "t", XFV_U8, -1, NULL, &got, &e) == XFV_EFORMAT, "another type is refused: %s", e.msg);
    msgpack_object *o = xfv_map_get_mut(m, "t");
    xfv_map_put(z, o, "data", xfv_val_bin(z, t.data, 59), &e);
    OK(xfv_get_tensor_view(m, "t", &got, &e) == XFV_EFORMAT && strstr(e.msg, "too few"), "too few bytes: %s", e.msg);
    msgpack_object huge = xfv_val_array(z);
    for (int i = 0; i < 8; i++) xfv_array_push(z, &huge, xfv_val_int(65536), &e);
    xfv_map_put(z, o, "shape", huge, &e);
    xfv_map_put(z, o, "data", xfv_val_bin(z, "", 0), &e);
    OK(xfv_get_tensor_view(m, "t", &got, &e) == XFV_EFORMAT, "a shape whose product overflows to 0: %s", e.msg);
    huge.via.array.ptr[7] = xfv_val_int(0);
    OK(xfv_get_tensor_view(m, "t", &got, &e) == 0 && xfv_tensor_bytes(&got) == 0, "a dimension of 0 makes it empty");
    huge.via.array.ptr[7] = xfv_val_int(-1);
    OK(xfv_get_tensor_view(m, "t", &got, &e) == XFV_EFORMAT, "a negative dimension: %s", e.msg);
    OK(xfv_tensor_alloc(&got, XFV_F64, 2, (size_t[]){SIZE_MAX / 8, 16}, &e) == XFV_ELIMIT,
       "an allocation that overflows: %s", e.msg);
    OK(xfv_tensor_alloc(&got, XFV_F64, 9, (size_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, &e) == XFV_ELIMIT,
       "nine dimensions: %s", e.msg);
    OK(xfv_tensor_alloc(&got, XFV_F64, 0, NULL, &e) == 0 && xfv_tensor_count(&got) == 1, "no dimension: one number");
    xfv_tensor_clear(&got);
    xfv_tensor_clear(&got);
    xfv_tensor_clear(NULL);
    xfv_tensor_clear(&t);
    xfv_rec_free(r);
}

static void test_dtypes(void)
{
    static const struct { const char *name; int want;
    } all[] = {
        {"|u1", XFV_U8},  {"u1", XFV_U8},   {"<u1", XFV_U8},  {"|i1", XFV_I8},  {"<u2", XFV_U16},
        {"<i2", XFV_I16}, {"<i4", XFV_I32}, {"<i8", XFV_I64}, {"<f2", XFV_F16}, {"<f4", XFV_F32},
        {"f4", XFV_F32},  {"<f8", XFV_F64}, {">f4", -1},      {"|f4", -1},      {"=f4", -1},
        {"f", -1},        {"", -1},         {"<f44", -1},     {"float32", -1},  {"<u9", -1},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        enum xfv_dtype t = XFV_DTYPES;
        int r = xfv_dtype_parse(all[i].name, strlen(all[i].name), &t);
        OK(all[i].want < 0 ? r == XFV_EFORMAT : r == 0 && (int)t == all[i].want, "dtype '%s'", all[i].name);
    }
    int bad = 0;
    for (int i = 0; i < XFV_DTYPES; i++) {
        enum xfv_dtype t = XFV_DTYPES;
        const char *s = xfv_dtype_name((enum xfv_dtype)i);
        bad += xfv_dtype_parse(s, 3, &t) != 0 || (int)t != i || xfv_dtype_size(t) != (size_t)(s[2] - '0');
    }
    OK(!bad, "every dtype's name reads back, its digit is its size");
}

/* The value of a half by its definition, in double. */
static double half_value(unsigned h)
{
    int ex = h >> 10 & 31;
    double v = ex == 0    ? ldexp(h & 0x3ff, -24)
               : ex == 31 ? (h & 0x3ff ? (double)NAN : (double)INFINITY)
                          : ldexp((h & 0x3ff) | 0x400, ex - 25);
    return h & 0x8000 ? -v : v;
}

static void test_half(void)
{
    static uint16_t h[65536], back[65536];
    static float f[65536];
    int bad_value = 0, bad_back = 0, bad_tie = 0, bad_near = 0;
    for (unsigned i = 0; i < 65536; i++) h[i] = (uint16_t)i;
    xfv_f32_from_f16(h, f, 65536);
    xfv_f16_from_f32(f, back, 65536);
    for (unsigned i = 0; i < 65536; i++) {
        double want = half_value(i);
        int is_nan = isnan(want);
        bad_value += is_nan ? !isnan(f[i]) : (double)f[i] != want || !signbit(f[i]) != !signbit(want);
        bad_back += is_nan ? !isnan(half_value(back[i])) || (back[i] & 0x8000) != (i & 0x8000) : back[i] != i;
    }
    OK(!bad_value, "all 65536 halves become the right floats");
    OK(!bad_back, "and become the same halves again");
    for (unsigned i = 0; i < 0x7c00;
         i++) { /* between neighbours: the tie goes to the even one, a hair off the tie to the nearer one */
        double a = half_value(i), b = i + 1 < 0x7c00 ? half_value(i + 1) : 65536;
        float x[3] = {(float)((a + b) / 2), 0, 0};
        uint16_t y[3];
        x[1] = nextafterf(x[0], 0);
        x[2] = nextafterf(x[0], INFINITY);
        xfv_f16_from_f32(x, y, 3);
        bad_tie += y[0] != (i & 1 ? i + 1 : i);
        bad_near += y[1] != i || y[2] != i + 1;
    }
    OK(!bad_tie && !bad_near, "floats between two halves are rounded to the nearest, ties to even");
    float x[6] = {0x1p-26f, -0x1p-25f, 65536, 3e38f, -INFINITY, NAN};
    uint16_t y[6];
    xfv_f16_from_f32(x, y, 6);
    OK(y[0] == 0 && y[1] == 0x8000 && y[2] == 0x7c00 && y[3] == 0x7c00 && y[4] == 0xfc00 && (y[5] & 0x7fff) > 0x7c00,
       "the too small becomes 0, the too large infinity, NaN stays");
}

static void test_utf8(void)
{
    static const struct { const char *s; size_t len; uint32_t cp;
    } good[] = {{"a", 1, 'a'},
                {"\xc3\xa9", 2, 0xe9},
                {"\xe2\x82\xac", 3, 0x20ac},
                {"\xf0\x9f\x98\x80", 4, 0x1f600},
                {"\xf4\x8f\xbf\xbf", 4, 0x10ffff}};
    static const char *const bad[] = {"\x80",         "\xc3",         "\xc0\x80",         "\xc1\xbf",
                                      "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                                      "\xff",         "\xc3("};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint32_t cp = 0;
        OK(xfv_utf8_next(good[i].s, strlen(good[i].s), &cp) == good[i].len && cp == good[i].cp, "U+%04X",
           (unsigned)good[i].cp);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        OK(xfv_utf8_next(bad[i], strlen(bad[i]), NULL) == 0 && !xfv_utf8_valid(bad[i], strlen(bad[i])),
           "not UTF-8, number %zu", i);
    OK(xfv_utf8_valid("", 0) && xfv_utf8_valid("a\0b", 3), "nothing, and NUL, are valid");
}

static void test_arrays(void)
{
    double *v = NULL;
    size_t n = 0, cap = 0, wrong = 0;
    for (; n < 1000; n++) {
        if (n == cap && XFV_GROW(v, xfv_more(cap, 3))) cap = xfv_more(cap, 3);
        v[n] = (double)n;
    }
    for (size_t i = 0; i < n; i++) wrong += v[i] < (double)i || v[i] > (double)i;
    OK(cap == 1536 && !wrong, "an array grows by doubling and keeps what it holds");
    const double *before = v;
    OK(!XFV_GROW(v, SIZE_MAX / sizeof *v + 1) && v == before && v[n - 1] > 998, "a size that overflows is refused, and "
                                                                                "leaves it");
    free(v);
}

int main(void)
{
    test_maps();
    test_growth();
    test_arrays();
    test_gets();
    test_tensors();
    test_dtypes();
    test_half();
    test_utf8();
    return tap_done();
}
