#include "pair/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "face/quality.h"
#include "image/blur.h"
#include "pair/label.h"
#include "pair/maps.h"

enum { MAX_SIDE = 4096 };

static int text_is(const msgpack_object *o, const char *s)
{
    return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(s) && memcmp(o->via.str.ptr, s, strlen(s)) == 0;
}

/* Copy text into buf; what is too long loses its middle. A NUL inside becomes another control character, which is drawn
 * as a box. */
static void copy_text(const msgpack_object *o, char *buf, size_t cap)
{
    buf[0] = 0;
    if (!o || o->type != MSGPACK_OBJECT_STR) return;
    size_t n = o->via.str.size;
    const char *s = o->via.str.ptr;
    if (n < cap) {
        memcpy(buf, s, n);
    } else {
        size_t head = (cap - 3) / 2, tail = cap - 3 - head;
        memcpy(buf, s, head);
        memcpy(buf + head, "..", 2);
        memcpy(buf + head + 2, s + n - tail, tail);
        n = cap - 1;
    }
    for (size_t i = 0; i < n; i++)
        if (!buf[i]) buf[i] = 1;
    buf[n] = 0;
}

static double number_or_nan(const msgpack_object *map, const char *key)
{
    double v;
    return xfv_get_f64(map, key, &v, NULL) == 0 ? v : NAN;
}

static void note(struct xfv_pairview *p, const char *text)
{
    if (!p->problem[0]) snprintf(p->problem, sizeof p->problem, "%s", text);
}

/* The face's picture: u8 [h,w,3], [h,w,1] or [h,w]. */
static int read_image(const msgpack_object *face, struct xfv_view_face *f, struct xfv_err *e)
{
    struct xfv_tensor t;
    if (!xfv_map_get(face, "image")) {
        int bad = xfv_image_alloc(&f->image, 112, 112, 3, e);
        if (!bad) memset(f->image.data, 200, (size_t)112 * 112 * 3);
        return bad;
    }
    if (xfv_get_tensor_view(face, "image", &t, e)) return xfv_fail(e, XFV_EDATA, "a face's image is not a tensor");
    size_t channels = t.ndim == 3 ? t.shape[2] : 1;
    if (t.dtype != XFV_U8 || (t.ndim != 2 && t.ndim != 3) || (channels != 1 && channels != 3) || t.shape[0] < 1 ||
        t.shape[0] > MAX_SIDE || t.shape[1] < 1 || t.shape[1] > MAX_SIDE)
        return xfv_fail(e, XFV_EDATA, "a face's image must be bytes of shape [height,width,3], each side 1..%d",
                        MAX_SIDE);
    int bad = xfv_image_alloc(&f->image, (int)t.shape[1], (int)t.shape[0], 3, e);
    if (bad) return bad;
    const uint8_t *src = t.data;
    for (size_t i = 0; i < t.shape[0] * t.shape[1]; i++)
        for (size_t c = 0; c < 3; c++) f->image.data[3 * i + c] = src[channels == 3 ? 3 * i + c : i];
    f->has_image = 1;
    return 0;
}

static int read_face(const msgpack_object *face, struct xfv_view_face *f, struct xfv_err *e)
{
    copy_text(xfv_map_get(face, "id"), f->id, sizeof f->id);
    f->confidence = number_or_nan(face, "confidence");
    xfv_quality_doubt_text(face, f->doubt, sizeof f->doubt);
    if (xfv_get_f64s(face, "box", f->box, 4, NULL)) f->box[0] = f->box[1] = f->box[2] = f->box[3] = NAN;
    return read_image(face, f, e);
}

static int read_side_of_pair(const msgpack_object *pair, const char *key, struct xfv_view_face *f, struct xfv_err *e)
{
    const msgpack_object *face = xfv_map_get(pair, key);
    if (!face || face->type != MSGPACK_OBJECT_MAP) return xfv_fail(e, XFV_EDATA, "the pair has no face '%s'", key);
    return read_face(face, f, e);
}

static void read_label(const msgpack_object *pair, struct xfv_pairview *p)
{
    int label = xfv_pair_label(pair);
    p->genuine = label < 0 ? -1 : label;
    if (p->genuine < 0) copy_text(xfv_map_get(pair, "label"), p->label, sizeof p->label);
}

/* "embedding normalised, colour mean, norm l2": the scalars of the params map. */
static void read_params(const msgpack_object *params, char *buf, size_t cap)
{
    size_t n = 0;
    buf[0] = 0;
    if (!params || params->type != MSGPACK_OBJECT_MAP) return;
    for (uint32_t i = 0; i < params->via.map.size && n + 1 < cap; i++) {
        const msgpack_object *k = &params->via.map.ptr[i].key, *v = &params->via.map.ptr[i].val;
        char value[64];
        if (v->type == MSGPACK_OBJECT_STR) copy_text(v, value, sizeof value);
        else if (v->type == MSGPACK_OBJECT_BOOLEAN) snprintf(value, sizeof value, "%s", v->via.boolean ? "yes" : "no");
        else if (v->type == MSGPACK_OBJECT_POSITIVE_INTEGER)
            snprintf(value, sizeof value, "%llu", (unsigned long long)v->via.u64);
        else if (v->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
            snprintf(value, sizeof value, "%lld", (long long)v->via.i64);
        else if (v->type == MSGPACK_OBJECT_FLOAT32 || v->type == MSGPACK_OBJECT_FLOAT64)
            snprintf(value, sizeof value, "%.4g", v->via.f64);
        else continue;
        char key[48];
        copy_text(k, key, sizeof key);
        int wrote = snprintf(buf + n, cap - n, "%s%s %s", n ? ", " : "", key, value);
        n += wrote > 0 ? (size_t)wrote : 0;
    }
}

/* One map into m, at the face's size. A map that cannot be drawn is marked, not an error: the rest of the pair is still
 * worth a picture. */
static int read_map(const msgpack_object *o, const struct xfv_image *face, int is_signed, struct xfv_view_map *m,
                    const char **why, struct xfv_err *e)
{
    struct xfv_tensor t;
    m->broken = 1;
    *why = xfv_map_view(o, &t);
    if (*why) return 0;
    size_t n = t.shape[0] * t.shape[1];
    float *raw = malloc(n * sizeof *raw);
    m->v = malloc((size_t)face->width * (size_t)face->height * sizeof *m->v);
    int status = raw && m->v ? 0 : xfv_fail(e, XFV_ENOMEM, "no memory for a map of %zux%zu", t.shape[1], t.shape[0]);
    *why = "holds NaN or infinity";
    int finite = !status && xfv_map_floats(&t, raw), negative = 0;
    for (size_t i = 0; finite && !is_signed && i < n; i++)
        if (raw[i] < 0) raw[i] = 0, negative = 1;
    if (!status && finite)
        status = xfv_enlarge(raw, (int)t.shape[1], (int)t.shape[0], m->v, face->width, face->height, e);
    free(raw);
    if (status || !finite) {
        free(m->v);
        m->v = NULL;
        return status;
    }
    /* cubics undershoot */
    for (size_t i = 0; !is_signed && i < (size_t)face->width * (size_t)face->height; i++)
        m->v[i] = m->v[i] > 0 ? m->v[i] : 0;
    m->broken = 0;
    *why = negative ? "holds values below 0, drawn as 0" : NULL;
    return 0;
}

/* ---- does it mark anything? ---- */

/* noise: root mean square of what the map's own arithmetic may be off (the face's "noise"); 0: not known. */
static enum xfv_state state_of(const float *v, size_t n, double noise)
{
    double square = 0;
    float lo = v[0], hi = v[0];
    for (size_t i = 0; i < n; i++) {
        lo = fminf(lo, v[i]), hi = fmaxf(hi, v[i]);
        square += (double)v[i] * (double)v[i];
    }
    float size = fmaxf(fabsf(lo), fabsf(hi));
    if (!(size > 0)) return XFV_EMPTY;
    if (hi - lo <= 1e-5f * size) return XFV_CONSTANT;
    return sqrt(square / (double)n) <= noise ? XFV_NOISE : XFV_TRIED;
}

/* Was the entry made of other pictures than the pair's? It then says so in "of". */
static int of_other_pair(const msgpack_object *entry, const struct xfv_pairview *p)
{
    char said[32], is[17];
    uint64_t h = XFV_HASH_START;
    if (xfv_get_text(entry, "of", said, sizeof said, NULL)) return 0;
    for (int i = 0; i < 2; i++) {
        const struct xfv_image *im = &p->face[i].image;
        if (!p->face[i].has_image) return 0;
        h = xfv_hash(h, im->data, 3 * (size_t)im->width * (size_t)im->height);
    }
    snprintf(is, sizeof is, "%016llx", (unsigned long long)h);
    return strcmp(said, is) != 0;
}

/* The states of an entry's maps, in rows from `first` on. */
static void find_states(struct xfv_pairview *p, int first, const msgpack_object *entry)
{
    int other = first < p->n_rows && of_other_pair(entry, p);
    char text[256];
    for (int k = 4 * first; k < 4 * p->n_rows; k++) {
        int side = k / 2 % 2, slot = k % 2;
        double noise[2];
        struct xfv_view_map *m = &p->row[k / 4].map[side][slot];
        const struct xfv_image *im = &p->face[side].image;
        if (xfv_get_f64s(xfv_map_get(entry, side ? "b" : "a"), "noise", noise, 2, NULL) || p->row[k / 4].signed_key[0])
            noise[slot] = 0;
        if (m->broken) m->state = XFV_BROKEN;
        else if (m->v && other) m->state = XFV_OTHER_PAIR;
        else if (m->v) m->state = state_of(m->v, (size_t)im->width * (size_t)im->height, noise[slot]);
    }
    if (!other) return;
    snprintf(text, sizeof text, "the maps of '%s' are of two other pictures than this pair's", p->row[first].method);
    note(p, text);
}

/* The row of this method and key, made when new. Similarity and dissimilarity share the method's row with an empty
 * signed_key. */
static struct xfv_view_row *row_for(struct xfv_pairview *p, int first, const struct xfv_map_entry *entry,
                                    const char *signed_key, struct xfv_err *e)
{
    for (int i = first; i < p->n_rows; i++)
        if (strcmp(p->row[i].signed_key, signed_key) == 0) return &p->row[i];
    if (p->n_rows == XFV_VIEW_ROWS) {
        xfv_fail(e, XFV_EDATA, "the pair has maps for more than %d rows; pick one with --method", XFV_VIEW_ROWS);
        return NULL;
    }
    struct xfv_view_row *r = &p->row[p->n_rows++];
    snprintf(r->method, sizeof r->method, "%s", entry->method);
    read_params(entry->params, r->params, sizeof r->params);
    snprintf(r->signed_key, sizeof r->signed_key, "%s", signed_key);
    return r;
}

/* All maps of one face in one entry of the list. first: the entry's first row. */
static int read_side(struct xfv_pairview *p, int first, const struct xfv_map_entry *entry, int side, struct xfv_err *e)
{
    const msgpack_object *maps = entry->side[side];
    for (uint32_t i = 0; maps && i < maps->via.map.size; i++) {
        const msgpack_object *key = &maps->via.map.ptr[i].key;
        int slot = text_is(key, "dissimilarity"), is_signed = !slot && !text_is(key, "similarity");
        char name[48] = "", text[256];
        const char *why = NULL;
        if (is_signed) copy_text(key, name, sizeof name);
        /* a number or a text beside the maps */
        if (is_signed && maps->via.map.ptr[i].val.type != MSGPACK_OBJECT_MAP) continue;
        struct xfv_view_row *r = row_for(p, first, entry, name, e);
        if (!r) return XFV_EDATA;
        if (r->map[side][slot].v) continue; /* a key that repeats: the first one counts, as in every look-up */
        int status = read_map(&maps->via.map.ptr[i].val, &p->face[side].image, is_signed, &r->map[side][slot], &why, e);
        if (status) return status;
        if (!why) continue;
        snprintf(text, sizeof text, "method '%s', face %c: the map '%s' %s", r->method, side ? 'b' : 'a',
                 is_signed ? name : slot ? "dissimilarity" : "similarity", why);
        note(p, text);
    }
    return 0;
}

static int read_rows(const msgpack_object *pair, const char *only, struct xfv_pairview *p, struct xfv_err *e)
{
    struct xfv_maps maps;
    p->row = calloc(XFV_VIEW_ROWS, sizeof *p->row);
    if (!p->row) return xfv_fail(e, XFV_ENOMEM, "no memory for a pair's maps");
    int status = xfv_maps_read(pair, &maps, e);
    for (uint32_t i = 0; i < maps.n; i++) {
        struct xfv_map_entry entry;
        xfv_maps_entry(&maps, i, &entry);
        if (only && strcmp(entry.method, only)) continue;
        int first = p->n_rows;
        for (int side = 0; side < 2 && !status; side++) status = read_side(p, first, &entry, side, e);
        for (int k = first; k < p->n_rows; k++) p->row[k].entry = (int)i;
        find_states(p, first, entry.map);
        for (int k = 0; k < 2 && first < p->n_rows; k++)
            p->row[first].trial[k].has = xfv_verdict_read(entry.map, k, &p->row[first].trial[k].v);
        if (status) return status;
    }
    return status;
}

int xfv_pairview_read(const msgpack_object *pair, const char *only_method, struct xfv_pairview *out, struct xfv_err *e)
{
    memset(out, 0, sizeof *out);
    out->score = number_or_nan(pair, "score");
    out->threshold = number_or_nan(pair, "threshold");
    if (xfv_get_bool(pair, "accept", &out->accept, NULL)) out->accept = -1;
    read_label(pair, out);
    int status = read_side_of_pair(pair, "a", &out->face[0], e);
    if (!status) status = read_side_of_pair(pair, "b", &out->face[1], e);
    return status ? status : read_rows(pair, only_method, out, e);
}

int xfv_pairview_read_face(const msgpack_object *face, struct xfv_pairview *out, struct xfv_err *e)
{
    memset(out, 0, sizeof *out);
    out->one_face = 1;
    out->score = out->threshold = NAN;
    out->accept = out->genuine = -1;
    return read_face(face, &out->face[0], e);
}

void xfv_pairview_clear(struct xfv_pairview *p)
{
    for (int i = 0; p->row && i < p->n_rows; i++)
        for (int k = 0; k < 4; k++) free(p->row[i].map[k / 2][k % 2].v);
    free(p->row);
    xfv_image_clear(&p->face[0].image);
    xfv_image_clear(&p->face[1].image);
    memset(p, 0, sizeof *p);
}

static int measure(struct xfv_view_map *m, const struct xfv_image *face, double sigma, struct xfv_err *e)
{
    if (!m->v) return 0;
    if (m->state != XFV_TRIED) memset(m->v, 0, (size_t)face->width * (size_t)face->height * sizeof *m->v);
    int status = xfv_blur(m->v, face->width, face->height, sigma, e);
    m->max = m->sum = 0;
    for (size_t i = 0; i < (size_t)face->width * (size_t)face->height; i++) {
        double v = fabs((double)m->v[i]);
        m->max = fmax(m->max, v);
        m->sum += (double)m->v[i];
    }
    return status;
}

int xfv_pairview_blur(struct xfv_pairview *p, double sigma, int each, struct xfv_err *e)
{
    for (int i = 0; i < p->n_rows; i++) {
        double top = 0;
        for (int k = 0; k < 4; k++) {
            struct xfv_view_map *m = &p->row[i].map[k / 2][k % 2];
            int status = measure(m, &p->face[k / 2].image, sigma, e);
            if (status) return status;
            top = fmax(top, m->max);
        }
        for (int k = 0; k < 4; k++) {
            struct xfv_view_map *m = &p->row[i].map[k / 2][k % 2];
            m->scale = each ? m->max : top;
        }
    }
    return 0;
}
