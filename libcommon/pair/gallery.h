/* Faces that are held to be paired: id, embedding and, where pairs are written, the record. */
#ifndef XFV_PAIR_GALLERY_H
#define XFV_PAIR_GALLERY_H

#include <stddef.h>
#include <stdint.h>

#include "stream/record.h"
#include "stream/stream.h"

/* One face of a stream, or what an err record left in its place. */
struct xfv_held {
    char *id;
    uint64_t no;              /* of its record in the stream */
    struct xfv_rec *rec;      /* NULL when records are not kept, and for a failed face */
    struct xfv_tensor vector; /* f32 [n], owned */
    char digest[65];          /* of the model that made it; "" when it does not say */
    char *failure;            /* why there is no face; NULL: there is one */
    int used;                 /* some line of a list names it */
    int was_err;              /* it came as an err record, which went on by itself */
};

enum { XFV_DROP_IMAGE = 1, XFV_DROP_EMBEDDING = 2 };

/* Zero-initialised is empty. Everything in it is its own. */
struct xfv_gallery {
    struct xfv_held *v;
    size_t n, cap;
    size_t seen; /* faces added so far, failed err records not counted */
};

/* Hold the face, or the failure, of *r, a face or err record, the no-th of its stream. keep: the gallery also takes the
 * record, without what `drop` names, and sets *r to NULL. A face without an embedding is held as failed: XFV_EDATA says
 * why. XFV_ENOMEM. */
int xfv_gallery_add(struct xfv_gallery *g, struct xfv_rec **r, uint64_t no, int keep, int drop, struct xfv_err *e);
/* The same of a template, without its record: copies. XFV_ENOMEM. */
int xfv_gallery_add_template(struct xfv_gallery *g, const struct xfv_template *t, uint64_t no, struct xfv_err *e);
void xfv_gallery_sort(struct xfv_gallery *g); /* by `no` */
void xfv_gallery_remove_failed(struct xfv_gallery *g);
void xfv_gallery_empty(struct xfv_gallery *g); /* `seen` goes on counting */
void xfv_gallery_keep_only(struct xfv_gallery *g, size_t i); /* it is number 0 then */
void xfv_gallery_clear(struct xfv_gallery *g);

/* The id of a face map, or "record NO" where it has none; malloc'ed, NULL when out of memory. */
char *xfv_face_id(const msgpack_object *face, uint64_t no);
/* A copy of a face map's embedding, f32 [n], the caller's to clear, and its model's digest ("" when it names none).
 * XFV_EDATA when it cannot be scored; XFV_ENOMEM. */
int xfv_face_vector(const msgpack_object *face, struct xfv_tensor *vector, char digest[65], struct xfv_err *e);
/* Drop the keys that the mask names from a face map. */
void xfv_face_drop(msgpack_object *face, int drop);

#endif
