/* Entries of a pair's list "delins" as delins(1) writes them. */
#include <stdlib.h>

#include "measure/tally.h"

static int read_curve(const msgpack_object *entry, const char *key, double **v, int *points, struct xfv_err *e)
{
    const msgpack_object *list = xfv_map_get(entry, key);
    if (!list || list->type != MSGPACK_OBJECT_ARRAY || list->via.array.size < 2 || list->via.array.size > 10001)
        return xfv_fail_code(e, XFV_EDATA, "delins", "an entry of the pair's 'delins' has no curve '%s'", key);
    *points = (int)list->via.array.size;
    *v = malloc((size_t)*points * sizeof **v);
    return *v ? xfv_get_f64s(entry, key, *v, (size_t)*points, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

int xfv_tally_add_entry(struct xfv_tally *t, const msgpack_object *pair, const msgpack_object *entry, struct xfv_err *e)
{
    struct xfv_curves c = {.pair = "", .a = "", .b = ""};
    char method[128], map[32], image[16], fill[16];
    double *curve[2] = {NULL, NULL};
    int points;
    if (xfv_get_str(pair, "id", &c.pair, &c.n_pair, NULL)) c.pair = "", c.n_pair = 0;
    if (xfv_get_str(xfv_map_get(pair, "a"), "id", &c.a, &c.n_a, NULL)) c.a = "", c.n_a = 0;
    if (xfv_get_str(xfv_map_get(pair, "b"), "id", &c.b, &c.n_b, NULL)) c.b = "", c.n_b = 0;
    int status = xfv_get_text(entry, "method", method, sizeof method, e);
    if (!status) status = xfv_get_text(entry, "map", map, sizeof map, e);
    if (!status) status = xfv_get_text(entry, "image", image, sizeof image, e);
    if (!status) status = xfv_get_text(entry, "fill", fill, sizeof fill, e);
    if (!status) status = xfv_get_f64(entry, "threshold", &c.threshold, e);
    if (!status) status = xfv_get_bool(entry, "genuine", &c.genuine, e);
    if (!status) status = read_curve(entry, "deletion", &curve[0], &c.points, e);
    if (!status) status = read_curve(entry, "insertion", &curve[1], &points, e);
    if (!status && points != c.points)
        status = xfv_fail_code(e, XFV_EDATA, "delins", "the two curves of an entry differ in length");
    if (status == XFV_EFORMAT) status = e->status = XFV_EDATA;
    c.method = method, c.map = map, c.image = image, c.fill = fill;
    c.deletion = curve[0], c.insertion = curve[1];
    if (!status) status = xfv_tally_add(t, &c, e);
    free(curve[0]);
    free(curve[1]);
    return status;
}
