#include "explain/kept.h"

#include <string.h>

#include "stream/record.h"
#include "stream/tensor.h"
#include "stream/put.h"

const char *const xfv_fggb_embeddings[] = {"normalised", "raw", NULL};
const char *const xfv_fggb_colours[] = {"mean", "max", "l2", NULL};
const char *const xfv_fggb_norms[] = {"l2", "max", "none", NULL};

int xfv_kept_put(const struct xfv_fggb *f, const struct xfv_fggb_face *from, const struct xfv_fggb_opts *o,
                 msgpack_zone *zone, msgpack_object *face, struct xfv_err *e)
{
    size_t shape[] = {(size_t)xfv_fggb_n(f), (size_t)xfv_fggb_height(f), (size_t)xfv_fggb_width(f)};
    struct xfv_tensor t;
    int status = xfv_tensor_alloc(&t, XFV_F16, 3, shape, e);
    if (status) return status;
    xfv_f16_from_f32(xfv_fggb_map(from, 0), t.data, xfv_tensor_count(&t));
    msgpack_object kept = xfv_val_map(zone);
    struct xfv_put put = xfv_put_into(zone, &kept, e);
    xfv_put_text(&put, "method", "fggb");
    xfv_put_text(&put, "embedding", xfv_fggb_embeddings[o->embedding]);
    xfv_put_text(&put, "colour", xfv_fggb_colours[o->colour]);
    xfv_put_text(&put, "norm", xfv_fggb_norms[o->norm]);
    xfv_put_tensor(&put, "maps", &t);
    xfv_tensor_clear(&t);
    return put.status ? put.status : xfv_map_put(zone, face, XFV_KEPT_KEY, kept, e);
}

static int says(const msgpack_object *map, const char *key, const char *want)
{
    const char *s;
    size_t n;
    return !xfv_get_str(map, key, &s, &n, NULL) && n == strlen(want) && !memcmp(s, want, n);
}

int xfv_kept_get(const struct xfv_fggb *f, struct xfv_fggb_face *to, const struct xfv_fggb_opts *o,
                 const msgpack_object *face, struct xfv_err *e)
{
    const msgpack_object *kept = xfv_map_get(face, XFV_KEPT_KEY);
    size_t n = (size_t)xfv_fggb_n(f);
    struct xfv_tensor maps, embedding;
    if (!kept || !says(kept, "method", "fggb") || !says(kept, "embedding", xfv_fggb_embeddings[o->embedding]) ||
        !says(kept, "colour", xfv_fggb_colours[o->colour]) || !says(kept, "norm", xfv_fggb_norms[o->norm]))
        return 0;
    int status = xfv_get_tensor_view(kept, "maps", &maps, e);
    if (status) return xfv_fail_code(e, XFV_EDATA, "gradients", "kept gradients: %s", e->msg);
    if (maps.dtype != XFV_F16 || maps.ndim != 3 || maps.shape[0] != n || maps.shape[1] != (size_t)xfv_fggb_height(f) ||
        maps.shape[2] != (size_t)xfv_fggb_width(f))
        return 0;
    /* verify --drop embedding: begin anew */
    if (xfv_get_tensor(face, "embedding", XFV_F32, 1, &n, &embedding, e)) return 0;
    status = xfv_fggb_load(f, to, embedding.data, maps.data, e);
    xfv_tensor_clear(&embedding);
    return status ? status : 1;
}
