/* The maps of a pair: the one reader of its key "maps", so that every program takes the same for legal.
 *
 *     "maps": [{"method": text, "params": {...}, "a": {"similarity": T, "dissimilarity": T, ...}, "b": {...}}, ...]
 *
 * Legal is a list of maps. Each names its method in 1 to 63 bytes and holds a map of tensors for face a, face b or
 * both. A tensor is f32 or f64 [height][width], each side 1..4096, and all its numbers are finite. Every other key of a
 * side that holds a tensor is a signed map. */
#ifndef XFV_PAIR_MAPS_H
#define XFV_PAIR_MAPS_H

#include "pair/keys.h"
#include "stream/record.h"

enum { XFV_MAP_MOST_SIDE = 4096 };

struct xfv_maps { const msgpack_object *list; uint32_t n; }; /* n 0: the pair has none */

struct xfv_map_entry {
    const msgpack_object *map;     /* the entry itself; the pointers live as long as the record */
    char method[64];
    const msgpack_object *params;  /* NULL: none */
    const msgpack_object *side[2]; /* NULL: no maps of this face (made with --image) */
};

/* XFV_EDATA, code "maps", when an entry is not legal; the tensors are not looked at. */
int xfv_maps_read(const msgpack_object *pair, struct xfv_maps *out, struct xfv_err *e);
/* The same, and XFV_EDATA when the pair has none: the sentence says what to do. */
int xfv_maps_wanted(const msgpack_object *pair, struct xfv_maps *out, struct xfv_err *e);
void xfv_maps_entry(const struct xfv_maps *maps, uint32_t i, struct xfv_map_entry *out); /* i < maps->n */
/* Every tensor too: 0 or XFV_EDATA. A pair without maps passes. */
int xfv_maps_check(const msgpack_object *pair, struct xfv_err *e);

/* "the pair has no maps ...", with `method` (may be NULL) "... of the method 'M'", into buf, which is returned. */
const char *xfv_maps_none(const char *method, char *buf, size_t cap);

/* One tensor as a view into the record: NULL, or what is wrong with it ("is no tensor of ..."). */
const char *xfv_map_view(const msgpack_object *o, struct xfv_tensor *out);
/* 1, or 0 when a number is not finite; out: [height][width], or NULL */
int xfv_map_floats(const struct xfv_tensor *view, float *out);
/* The map `key` of face `side`, height x width floats, into out: 1; 0 when the entry has none there; XFV_EDATA when it
 * is not legal or of another size. */
int xfv_map_read(const struct xfv_map_entry *m, int side, const char *key, int height, int width, float *out,
                 struct xfv_err *e);
/* The same, and XFV_EDATA when the entry has none: 0. */
int xfv_map_need(const struct xfv_map_entry *m, int side, const char *key, int height, int width, float *out,
                 struct xfv_err *e);
/* The size of the entry's maps of a face: 1; 0 when it has none. */
int xfv_map_size(const struct xfv_map_entry *m, int side, int *height, int *width);

#endif
