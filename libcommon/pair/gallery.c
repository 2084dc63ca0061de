#include "pair/gallery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

static void clear_held(struct xfv_held *f)
{
    free(f->id);
    free(f->failure);
    xfv_rec_free(f->rec);
    xfv_tensor_clear(&f->vector);
    *f = (struct xfv_held){0};
}

void xfv_gallery_empty(struct xfv_gallery *g)
{
    for (size_t i = 0; i < g->n; i++) clear_held(&g->v[i]);
    g->n = 0;
}

void xfv_gallery_keep_only(struct xfv_gallery *g, size_t i)
{
    struct xfv_held kept = g->v[i];
    g->v[i] = (struct xfv_held){0};
    xfv_gallery_empty(g);
    g->v[g->n++] = kept;
}

void xfv_gallery_clear(struct xfv_gallery *g)
{
    xfv_gallery_empty(g);
    free(g->v);
    *g = (struct xfv_gallery){0};
}

void xfv_gallery_remove_failed(struct xfv_gallery *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n; i++) {
        struct xfv_held f = g->v[i];
        g->v[i] = (struct xfv_held){0};
        if (f.failure) clear_held(&f);
        else g->v[n++] = f;
    }
    g->n = n;
}

char *xfv_face_id(const msgpack_object *face, uint64_t no)
{
    const char *s;
    size_t n;
    char number[40];
    if (!xfv_get_str(face, "id", &s, &n, NULL) && n) return strndup(s, n);
    snprintf(number, sizeof number, "record %llu", (unsigned long long)no);
    return strdup(number);
}

int xfv_face_vector(const msgpack_object *face, struct xfv_tensor *vector, char digest[65], struct xfv_err *e)
{
    struct xfv_err why;
    if (!face || face->type != MSGPACK_OBJECT_MAP)
        return xfv_fail_code(e, XFV_EDATA, "noface", "the face is not a map");
    if (!xfv_map_get(face, "embedding"))
        return xfv_fail_code(e, XFV_EDATA, "embedding", "the face has no embedding: run embed before verify");
    digest[0] = '\0';
    if (xfv_map_get(face, "model") && xfv_get_text(face, "model", digest, 65, &why))
        return xfv_fail_code(e, XFV_EDATA, "embedding", "%s", why.msg);
    int status = xfv_get_embedding(face, 0, vector, &why);
    if (status == XFV_ENOMEM) return xfv_fail(e, status, "%s", why.msg);
    return status ? xfv_fail_code(e, XFV_EDATA, "embedding", "%s", why.msg) : 0;
}

void xfv_face_drop(msgpack_object *face, int drop)
{
    if (drop & XFV_DROP_IMAGE) xfv_map_drop(face, "image");
    if (drop & XFV_DROP_EMBEDDING) xfv_map_drop(face, "embedding");
}

/* A copy without the dropped keys: the record itself would hold on to their bytes. */
static int slim(struct xfv_rec **rec, int drop, struct xfv_err *e)
{
    struct xfv_rec *copy = xfv_rec_new(XFV_FACE);
    xfv_face_drop(xfv_rec_root(*rec), drop);
    if (copy) *xfv_rec_root(copy) = xfv_val_copy(xfv_rec_zone(copy), xfv_rec_root(*rec));
    if (!copy || xfv_rec_root(copy)->type != MSGPACK_OBJECT_MAP) {
        xfv_rec_free(copy);
        return xfv_fail(e, XFV_ENOMEM, "out of memory");
    }
    xfv_rec_free(*rec);
    *rec = copy;
    return 0;
}

static int take_failure(struct xfv_held *f, const msgpack_object *root, struct xfv_err *e)
{
    char message[512];
    if (xfv_get_text(root, "message", message, sizeof message, NULL)) snprintf(message, sizeof message, "it failed");
    f->failure = strdup(message);
    return f->failure ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
}

static int take_face(struct xfv_held *f, struct xfv_rec **r, int keep, int drop, struct xfv_err *e)
{
    int status = xfv_face_vector(xfv_rec_root(*r), &f->vector, f->digest, e);
    if (status == XFV_EDATA && !(f->failure = strdup(e->msg))) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status && keep && drop) status = slim(r, drop, e);
    if (status || !keep) return status;
    f->rec = *r;
    *r = NULL;
    return 0;
}

/* One more face, whose id is malloc'ed and the gallery's from now on; NULL when out of memory, also for an id NULL. */
static struct xfv_held *more(struct xfv_gallery *g, char *id, uint64_t no, struct xfv_err *e)
{
    size_t cap = g->n < g->cap ? g->cap : xfv_more(g->cap, 16);
    if (!id || (cap > g->cap && !XFV_GROW(g->v, cap))) {
        free(id);
        xfv_fail(e, XFV_ENOMEM, "out of memory");
        return NULL;
    }
    g->cap = cap;
    g->v[g->n] = (struct xfv_held){.id = id, .no = no};
    return &g->v[g->n++];
}

int xfv_gallery_add_template(struct xfv_gallery *g, const struct xfv_template *t, uint64_t no, struct xfv_err *e)
{
    struct xfv_held *f = more(g, strndup(t->id, t->id_n), no, e);
    if (!f) return XFV_ENOMEM;
    memcpy(f->digest, t->model, t->model_n);
    g->seen++;
    int status = xfv_tensor_alloc(&f->vector, XFV_F32, 1, &t->n, e);
    if (!status) xfv_template_floats(t, f->vector.data);
    return status;
}

static int by_no(const void *a, const void *b)
{
    uint64_t x = ((const struct xfv_held *)a)->no, y = ((const struct xfv_held *)b)->no;
    return (x > y) - (x < y);
}

void xfv_gallery_sort(struct xfv_gallery *g)
{
    if (g->n) qsort(g->v, g->n, sizeof *g->v, by_no);
}

int xfv_gallery_add(struct xfv_gallery *g, struct xfv_rec **r, uint64_t no, int keep, int drop, struct xfv_err *e)
{
    struct xfv_held *f = more(g, xfv_face_id(xfv_rec_root(*r), no), no, e);
    if (!f) return XFV_ENOMEM;
    f->was_err = xfv_rec_kind(*r) == XFV_ERR;
    if (f->was_err) return take_failure(f, xfv_rec_root(*r), e);
    g->seen++;
    return take_face(f, r, keep, drop, e);
}
