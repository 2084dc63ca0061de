/* xfv-cat: several streams as one segment, with one head and one end. See xfv-cat(1). */
#include "cli/cli.h"
#include "stage/stage.h"

struct cat {
    int mixed;
    uint64_t segments; /* read so far */
    struct xfv_rec *first; /* the first head */
};

/* Everything but the provenance alike, and that, too. */
static int same_head(const struct xfv_rec *a, const struct xfv_rec *b)
{
    return msgpack_object_equal(*xfv_rec_map(a), *xfv_rec_map(b));
}

static int keep_head(struct cat *t, const struct xfv_rec *in, struct xfv_err *e)
{
    const msgpack_object *root = xfv_rec_map(in);
    t->first = xfv_rec_new(XFV_HEAD);
    if (!t->first) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    msgpack_zone *z = xfv_rec_zone(t->first);
    msgpack_object copy = xfv_val_copy(z, root);
    if (copy.type != MSGPACK_OBJECT_MAP) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    *xfv_rec_root(t->first) = copy;
    return 0;
}

static int head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                struct xfv_err *e)
{
    struct cat *t = ctx;
    (void)extra;
    t->segments++;
    if (!t->first) {
        int status = keep_head(t, in, e);
        if (status || !t->mixed) return status;
        /* One head cannot speak for several: each face still names its model. */
        if (xfv_map_get(xfv_rec_map(in), "model")) status = xfv_map_put_nil(zone, set, "model", e);
        return status ? status : xfv_map_put(zone, set, "mixed", xfv_val_bool(1), e);
    }
    if (t->mixed || same_head(t->first, in)) return 1;
    return xfv_fail(e, XFV_EFORMAT,
                    "this stream's head differs from the first one's (made by other programs, options or models): "
                    "--mixed joins them all the same");
}

int main(int argc, char **argv)
{
    static struct cat t;
    static const struct xfv_opt opts[] = {
        {"mixed", 0, NULL, "join streams that were made in different ways, too; the head then names no model",
         0, XFV_TO_FLAG(struct cat, mixed, 1)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "xfv-cat",
        .summary = "Join streams into one with a single head and end: what shards made becomes what one run would have "
                   "made.",
        .operands = "[FILE]...",
        .example = "xfv-cat -o faces.xfv shard-*.xfv",
        .flags = XFV_READS_STREAM | XFV_WRITES_STREAM | XFV_KEEPS_HEAD,
        .opts = opts,
        .ctx = &t,
    };
    static const struct xfv_stage stage = {.ctx = &t, .head = head};
    int exit_status;
    struct xfv_cli *c = xfv_cli_start(&program, argc, argv, &exit_status);
    if (!c) return exit_status;
    exit_status = xfv_stage_run(c, NULL, &stage);
    if (!exit_status) xfv_cli_info(c, "%llu segments joined", (unsigned long long)t.segments);
    exit_status = xfv_cli_finish(c, NULL, exit_status);
    xfv_rec_free(t.first);
    return exit_status;
}
