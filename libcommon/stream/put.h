/* Fills a map of a record. The first failure sticks: every later put does nothing, and `status` says how it went.
 *
 *     struct xfv_put p = xfv_put_into(zone, &map, e);
 *     xfv_put_text(&p, "method", "mine");
 *     xfv_put_int(&p, "samples", 1000);
 *     return p.status;
 *
 * A key that is there already gets the new value in place. Texts, numbers and tensors are copied into the zone. */
#ifndef XFV_STREAM_PUT_H
#define XFV_STREAM_PUT_H

#include "stream/record.h"

struct xfv_put {
    msgpack_zone *zone;
    msgpack_object *map; /* the caller's, and the zone its record's */
    struct xfv_err *e;
    int status; /* 0, or what xfv_map_put failed with */
};

struct xfv_put xfv_put_into(msgpack_zone *zone, msgpack_object *map, struct xfv_err *e);
void xfv_put(struct xfv_put *p, const char *key, msgpack_object value); /* as xfv_map_put: nil is refused */
void xfv_put_text(struct xfv_put *p, const char *key, const char *text);
void xfv_put_int(struct xfv_put *p, const char *key, int64_t v);
void xfv_put_bool(struct xfv_put *p, const char *key, int v);
void xfv_put_f64(struct xfv_put *p, const char *key, double v);
void xfv_put_f64s(struct xfv_put *p, const char *key, const double *v, size_t n);
void xfv_put_ints(struct xfv_put *p, const char *key, const int *v, size_t n);
void xfv_put_tensor(struct xfv_put *p, const char *key, const struct xfv_tensor *t);
/* The map that `inner` has filled, under key; or inner's failure becomes p's. */
void xfv_put_filled(struct xfv_put *p, const char *key, const struct xfv_put *inner);

#endif
