#include "stream/put.h"

struct xfv_put xfv_put_into(msgpack_zone *zone, msgpack_object *map, struct xfv_err *e)
{
    return (struct xfv_put){.zone = zone, .map = map, .e = e};
}

void xfv_put(struct xfv_put *p, const char *key, msgpack_object value)
{
    if (!p->status) p->status = xfv_map_put(p->zone, p->map, key, value, p->e);
}

void xfv_put_text(struct xfv_put *p, const char *key, const char *text)
{
    if (!p->status) xfv_put(p, key, xfv_val_str(p->zone, text));
}

void xfv_put_int(struct xfv_put *p, const char *key, int64_t v)
{
    xfv_put(p, key, xfv_val_int(v));
}

void xfv_put_bool(struct xfv_put *p, const char *key, int v)
{
    xfv_put(p, key, xfv_val_bool(v));
}

void xfv_put_f64(struct xfv_put *p, const char *key, double v)
{
    xfv_put(p, key, xfv_val_f64(v));
}

void xfv_put_f64s(struct xfv_put *p, const char *key, const double *v, size_t n)
{
    if (!p->status) xfv_put(p, key, xfv_val_f64s(p->zone, v, n));
}

void xfv_put_ints(struct xfv_put *p, const char *key, const int *v, size_t n)
{
    msgpack_object list = xfv_val_array(p->zone);
    for (size_t i = 0; i < n && !p->status; i++) p->status = xfv_array_push(p->zone, &list, xfv_val_int(v[i]), p->e);
    xfv_put(p, key, list);
}

void xfv_put_filled(struct xfv_put *p, const char *key, const struct xfv_put *inner)
{
    if (!p->status) p->status = inner->status;
    xfv_put(p, key, *inner->map);
}

void xfv_put_tensor(struct xfv_put *p, const char *key, const struct xfv_tensor *t)
{
    if (!p->status) xfv_put(p, key, xfv_val_tensor(p->zone, t));
}
