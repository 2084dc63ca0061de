/* What the files of this room share; no other room includes it. */
#ifndef XFV_STREAM_INTERNAL_H
#define XFV_STREAM_INTERNAL_H

#include "stream/record.h"
#include "stream/stream.h"

#define XFV_DEPTH_CAP 30 /* msgpack-c's own stack ends at 32 */
#define XFV_VERSION_MAJOR 1
#define XFV_VERSION_MINOR 0

struct xfv_rec {
    msgpack_zone *zone;
    unsigned char *buf; /* the bytes it was read from; NULL for a new record. Texts and bins of root point into it. */
    size_t len;
    msgpack_object root;
    enum xfv_kind kind;
    const char *name; /* in zone */
};

/* A record of the len bytes at buf, exactly one msgpack object that xfv_scan has accepted. Takes buf (malloc) over on
 * success only. */
int xfv_rec_adopt(struct xfv_rec **out, unsigned char *buf, size_t len, unsigned max_depth, struct xfv_err *e);

/* What every record, read or written, must be: a map whose keys (and those of all maps within) are UTF-8 text without
 * NUL, none twice, not nested deeper than max_depth. */
int xfv_object_check(const msgpack_object *o, unsigned max_depth, struct xfv_err *e);

/* The face record at p as a template, within the limits of a record: its length; 0 when it is cut, no face, without id
 * or embedding, or not plain. What gives a length is a record that xfv_scan and xfv_object_check accept. */
size_t xfv_template_scan(const unsigned char *p, size_t n, const struct xfv_limits *lim, struct xfv_template *t);

/* A key or another text for a message: printable, cut, NUL-terminated. Returns out. */
const char *xfv_show_text(char out[48], const char *s, size_t n);
const char *xfv_type_name(const msgpack_object *o); /* "text", "a map", ... */
int xfv_str_is(const msgpack_object *o, const char *s); /* o is the text s */

/* xfv_map_put without its refusal of nil; key is copied. */
int xfv_map_put_any(msgpack_zone *zone, msgpack_object *map, const char *key, size_t n, msgpack_object value,
                    struct xfv_err *e);

/* Finds where one msgpack object ends, from input that comes in any pieces, without building it: so limits hold before
 * msgpack-c, which reserves memory for whatever count an array claims, sees a byte. Zero it but for lim before each
 * object. */
struct xfv_scan {
    const struct xfv_limits *lim;
    uint64_t total;               /* bytes of this object so far */
    uint64_t items;               /* array elements and map keys claimed so far */
    uint64_t skip;                /* payload bytes still to come */
    unsigned depth;
    uint64_t left[XFV_DEPTH_CAP]; /* per open array or map: objects still to come */
    unsigned char head[5];        /* a type byte and its length, gathered across pieces */
    unsigned have;
};
/* Take bytes from p: *used of n. 1: the object is complete; 0: all n used, more wanted; negative: XFV_EFORMAT or
 * XFV_ELIMIT. */
int xfv_scan(struct xfv_scan *s, const unsigned char *p, size_t n, size_t *used, struct xfv_err *e);

#endif
