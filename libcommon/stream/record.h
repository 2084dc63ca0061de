/* One record of a stream: an ordered msgpack map with text keys. A record owns the bytes it was read from and a zone
 * for what is added, so that unknown keys pass through unchanged and in order. Values are msgpack_object: build them
 * with the xfv_val_* functions, which allocate in the record's zone and need no freeing. */
#ifndef XFV_STREAM_RECORD_H
#define XFV_STREAM_RECORD_H

#include <msgpack.h>
#include <stddef.h>

#include "base/err.h"
#include "stream/tensor.h"

enum xfv_kind { XFV_HEAD, XFV_FACE, XFV_PAIR, XFV_ERR, XFV_END, XFV_OTHER };

struct xfv_rec; /* opaque; heap */

/* A new record whose first key is "_": kind. For XFV_OTHER use xfv_rec_new_named. NULL when out of memory. */
struct xfv_rec *xfv_rec_new(enum xfv_kind kind);
struct xfv_rec *xfv_rec_new_named(const char *kind);
void xfv_rec_free(struct xfv_rec *r); /* NULL is fine */

enum xfv_kind xfv_rec_kind(const struct xfv_rec *r);
const char *xfv_rec_kind_name(const struct xfv_rec *r); /* the text of key "_"; NUL-terminated, owned by r */
msgpack_object *xfv_rec_root(struct xfv_rec *r);        /* the map itself; owned by r */
const msgpack_object *xfv_rec_map(const struct xfv_rec *r); /* the same, to read only */
msgpack_zone *xfv_rec_zone(struct xfv_rec *r);

/* Look-ups in any map object (a record's root, a pair's face "a"). NULL when absent or when map is not a map. The
 * result lives as long as the record that holds it. */
const msgpack_object *xfv_map_get(const msgpack_object *map, const char *key);
msgpack_object *xfv_map_get_mut(msgpack_object *map, const char *key);

/* Set key in map: replaces the value in place when the key exists, else appends at the end (amortised O(1) room,
 * O(keys) look-up). `zone` is the zone of the record that holds the map. key is copied; value is stored as it is (what
 * it points to must live as long as the zone: use xfv_val_copy for values of another record). Fails with XFV_ENOMEM,
 * XFV_ELIMIT past 2^31 entries, XFV_EARG when map is not a map. */
int xfv_map_put(msgpack_zone *zone, msgpack_object *map, const char *key, msgpack_object value, struct xfv_err *e);
int xfv_map_drop(msgpack_object *map, const char *key); /* remove a key: 1 removed, 0 absent */
int xfv_array_push(msgpack_zone *zone, msgpack_object *array, msgpack_object value, struct xfv_err *e);

/* Value builders. Texts and bytes are copied into the zone; xfv_val_tensor_ref only points (the caller keeps the bytes
 * alive until the record is written). A failed allocation, or bytes longer than msgpack can hold (4 GiB - 1), gives a
 * nil object, which xfv_map_put and xfv_array_push then refuse with XFV_ENOMEM; for a wanted nil use xfv_map_put_nil.
 */
msgpack_object xfv_val_str(msgpack_zone *z, const char *s);
msgpack_object xfv_val_strn(msgpack_zone *z, const char *s, size_t n);
msgpack_object xfv_val_bin(msgpack_zone *z, const void *p, size_t n);
msgpack_object xfv_val_int(int64_t v);
msgpack_object xfv_val_bool(int v);
msgpack_object xfv_val_f64(double v);
msgpack_object xfv_val_map(msgpack_zone *z);   /* empty map */
msgpack_object xfv_val_array(msgpack_zone *z); /* empty array */
msgpack_object xfv_val_f64s(msgpack_zone *z, const double *v, size_t n); /* array of n doubles */
msgpack_object xfv_val_tensor(msgpack_zone *z, const struct xfv_tensor *t); /* copies the data */
msgpack_object xfv_val_tensor_ref(msgpack_zone *z, const struct xfv_tensor *t); /* only points to t->data */
msgpack_object xfv_val_copy(msgpack_zone *z, const msgpack_object *o);      /* deep copy, any object */
int xfv_map_put_nil(msgpack_zone *zone, msgpack_object *map, const char *key, struct xfv_err *e);

/* Typed reads from a map. XFV_EFORMAT with a sentence naming the key when absent or of another type. Integers are
 * accepted as numbers. get_f64s reads nested arrays in order, so [[x,y],[x,y]] is 4 numbers. get_str: *s points into
 * the record and is NOT NUL-terminated; *n is its length. get_text copies into buf, NUL-terminated, and refuses text
 * that does not fit or holds a NUL. */
int xfv_get_str(const msgpack_object *map, const char *key, const char **s, size_t *n, struct xfv_err *e);
int xfv_get_text(const msgpack_object *map, const char *key, char *buf, size_t cap, struct xfv_err *e);
int xfv_get_f64(const msgpack_object *map, const char *key, double *v, struct xfv_err *e);
int xfv_get_int(const msgpack_object *map, const char *key, int64_t *v, struct xfv_err *e);
int xfv_get_bool(const msgpack_object *map, const char *key, int *v, struct xfv_err *e);
/* exactly n numbers */
int xfv_get_f64s(const msgpack_object *map, const char *key, double *v, size_t n, struct xfv_err *e);

/* Read a tensor. view: points into the record (unaligned!); read: a fresh aligned copy that the caller clears. Checks
 * dtype, shape and that the byte length equals the product. want_ndim < 0: any. want_shape entries of 0 match anything.
 */
int xfv_get_tensor_view(const msgpack_object *map, const char *key, struct xfv_tensor *out, struct xfv_err *e);
int xfv_get_tensor(const msgpack_object *map, const char *key, enum xfv_dtype dtype, int want_ndim,
                   const size_t *want_shape, struct xfv_tensor *out, struct xfv_err *e);
/* The same of a face's embedding, f32 or f16 [n] (n 0: any number): *out is f32. */
int xfv_get_embedding(const msgpack_object *face, size_t n, struct xfv_tensor *out, struct xfv_err *e);
int xfv_tensor_from_object(const msgpack_object *o, struct xfv_tensor *view, struct xfv_err *e);

/* An err record: id (n bytes), tool, code (a short word: "noface", "decode", ...), message. NULL when out of memory. */
struct xfv_rec *xfv_rec_error(const char *id, size_t n, const char *tool, const char *code, const char *message);

#endif
