/* xfv-check: is this a sound stream? See xfv-check(1). */
#include <math.h>

#include "cli/cli.h"
#include "stage/stage.h"
#include "pair/maps.h"

struct check {
    struct xfv_cli *c;
    uint64_t kinds[XFV_OTHER + 1]; /* records of each kind */
    uint64_t segments;
    int wanted; /* segments; 0: any number */
};

/* Every map that is meant as a tensor is one. */
static int check_tensors(const msgpack_object *o, struct xfv_err *e)
{
    struct xfv_tensor t;
    int status = 0;
    if (o->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < o->via.array.size && !status; i++) status = check_tensors(&o->via.array.ptr[i], e);
    if (o->type != MSGPACK_OBJECT_MAP) return status;
    if (xfv_map_get(o, "dtype") && xfv_map_get(o, "data")) return xfv_tensor_from_object(o, &t, e);
    for (uint32_t i = 0; i < o->via.map.size && !status; i++) status = check_tensors(&o->via.map.ptr[i].val, e);
    return status;
}

static int check_numbers(const msgpack_object *face, const char *key, size_t n, struct xfv_err *e)
{
    double v[10];
    int status = xfv_map_get(face, key) ? xfv_get_f64s(face, key, v, n, e) : 0;
    for (size_t i = 0; i < n && !status && xfv_map_get(face, key); i++)
        if (!isfinite(v[i])) status = xfv_fail(e, XFV_EFORMAT, "key '%s' holds a number that is not finite", key);
    return status;
}

static int check_tensor(const msgpack_object *map, const char *key, enum xfv_dtype dtype, int ndim, struct xfv_err *e)
{
    struct xfv_tensor t;
    if (!xfv_map_get(map, key)) return 0;
    int status = xfv_get_tensor_view(map, key, &t, e);
    if (status || (t.dtype == dtype && t.ndim == ndim)) return status;
    return xfv_fail(e, XFV_EFORMAT, "key '%s': expected a tensor of %s with %d dimensions, found %s with %d", key,
                    xfv_dtype_name(dtype), ndim, xfv_dtype_name(t.dtype), t.ndim);
}

static int check_face(const msgpack_object *face, struct xfv_err *e)
{
    static const struct { const char *key; size_t n; } lists[] = {{"box", 4}, {"landmarks", 10}, {"transform", 6}};
    const char *s;
    size_t n;
    struct xfv_tensor t, own = {0};
    int status = xfv_get_str(face, "id", &s, &n, e);
    for (size_t i = 0; i < sizeof lists / sizeof *lists && !status; i++)
        status = check_numbers(face, lists[i].key, lists[i].n, e);
    if (!status) status = check_tensor(face, "image", XFV_U8, 3, e);
    if (!status && xfv_map_get(face, "embedding")) status = xfv_get_embedding(face, 0, &own, e);
    xfv_tensor_clear(&own);
    if (status || !xfv_map_get(face, "image")) return status;
    status = xfv_get_tensor_view(face, "image", &t, e);
    return !status && t.shape[2] != 3
               ? xfv_fail(e, XFV_EFORMAT, "key 'image': expected 3 channels, found %zu", t.shape[2])
               : status;
}

static int check_pair(const msgpack_object *pair, struct xfv_err *e)
{
    const char *s;
    size_t n;
    double score = 0, threshold = 0;
    int accept, status = xfv_get_str(pair, "id", &s, &n, e);
    for (int i = 0; i < 2 && !status; i++) {
        const msgpack_object *face = xfv_map_get(pair, xfv_sides[i]);
        status = face ? check_face(face, e) : xfv_fail(e, XFV_EFORMAT, "key '%s' (a face) is missing", xfv_sides[i]);
        if (status && face) xfv_fail_at(e, "face %s", xfv_sides[i]);
    }
    if (!status) status = xfv_get_f64(pair, "score", &score, e);
    if (!status) status = xfv_get_f64(pair, "threshold", &threshold, e);
    if (!status) status = xfv_get_bool(pair, "accept", &accept, e);
    if (!status && accept != (score >= threshold))
        status = xfv_fail(e, XFV_EFORMAT, "accept is %s, but the score is %g and the threshold %g",
                          accept ? "true" : "false", score, threshold);
    if (!status && xfv_map_get(pair, "label")) status = xfv_get_bool(pair, "label", &accept, e);
    if (status || xfv_maps_check(pair, e) != XFV_EDATA) return status ? status : e->status;
    struct xfv_err why = *e;
    return xfv_fail(e, XFV_EFORMAT, "%s", why.msg); /* here it is the stream that breaks a rule */
}

static int check_err(const msgpack_object *r, struct xfv_err *e)
{
    static const char *const keys[] = {"id", "tool", "code", "message"};
    const char *s;
    size_t n;
    int status = 0;
    for (int i = 0; i < 4 && !status; i++) status = xfv_get_str(r, keys[i], &s, &n, e);
    return status;
}

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    (void)in, (void)set, (void)zone, (void)extra, (void)e;
    ((struct check *)ctx)->segments++;
    return 0;
}

/* Streams that were joined by cat and cut at a border look whole: only who joined them knows how many there were. */
static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    const struct check *t = ctx;
    (void)w;
    if (!t->wanted || t->segments == (uint64_t)t->wanted) return 0;
    return xfv_fail(e, XFV_ETRUNC,
                    "%llu segments where --segments wants %d: the input is cut at a border, or is another",
                    (unsigned long long)t->segments, t->wanted);
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    (void)ctx, (void)r;
    return 1;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct check *t = ctx;
    enum xfv_kind kind = xfv_rec_kind(*r);
    const msgpack_object *root = xfv_rec_map(*r);
    (void)w;
    t->kinds[kind]++;
    if (kind == XFV_ERR) xfv_cli_some_failed(t->c);
    int status = check_tensors(root, e);
    if (!status && kind == XFV_FACE) status = check_face(root, e);
    if (!status && kind == XFV_PAIR) status = check_pair(root, e);
    if (!status && kind == XFV_ERR) status = check_err(root, e);
    /* what would cost others a record is a fault of the stream here */
    if (status == XFV_EDATA) e->status = XFV_EFORMAT;
    return status ? xfv_stage_fail_at(t->c, root, e) : 0;
}

int main(int argc, char **argv)
{
    static struct check t;
    static const struct xfv_opt opts[] = {
        {"segments", 0, "N",
         "refuse any other number of segments: streams joined by cat and cut at a border look whole", 0,
         XFV_TO_INT(struct check, wanted, 1, 1000000000)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "xfv-check",
        .summary = "Check streams, whole: their ends, checksums and tensors, and what the keys of faces and pairs "
                   "should be.",
        .operands = "[FILE]...",
        .example = "xfv-check faces.xfv && rm photographs.tar",
        .flags = XFV_READS_STREAM,
        .opts = opts,
        .ctx = &t,
    };
    static const struct xfv_stage stage = {
        .ctx = &t, .head = head, .finish = finish, .wants = wants, .emit = emit, .sink = 1};
    int exit_status;
    t.c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!t.c) return exit_status;
    int status = xfv_stage_run(t.c, NULL, &stage);
    if (!status)
        xfv_cli_info(t.c, "sound: %llu segments, %llu faces, %llu pairs, %llu errors, %llu others",
                     (unsigned long long)t.segments, (unsigned long long)t.kinds[XFV_FACE],
                     (unsigned long long)t.kinds[XFV_PAIR], (unsigned long long)t.kinds[XFV_ERR],
                     (unsigned long long)t.kinds[XFV_OTHER]);
    return xfv_cli_finish(t.c, NULL, status);
}
