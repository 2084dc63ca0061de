#include "pair/maps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const xfv_sides[] = {"a", "b", NULL};
const char *const xfv_map_keys[] = {"similarity", "dissimilarity", NULL};

const char *xfv_maps_none(const char *method, char *buf, size_t cap)
{
    if (method) snprintf(buf, cap, "the pair has no maps of the method '%.100s'", method);
    else snprintf(buf, cap, "the pair has no maps: send it through an explainer (fggb-grad, say) first");
    return buf;
}

static int illegal(struct xfv_err *e, uint32_t i, const char *what)
{
    return xfv_fail_code(e, XFV_EDATA, "maps", "entry %u of the pair's '" XFV_KEY_MAPS "' %s", (unsigned)i, what);
}

static int check_entry(const msgpack_object *entry, uint32_t i, struct xfv_err *e)
{
    char method[64];
    int sides = 0;
    if (entry->type != MSGPACK_OBJECT_MAP) return illegal(e, i, "is no map");
    if (xfv_get_text(entry, XFV_KEY_METHOD, method, sizeof method, NULL) || !method[0])
        return illegal(e, i, "does not name its method in 1 to 63 bytes");
    const msgpack_object *params = xfv_map_get(entry, XFV_KEY_PARAMS);
    if (params && params->type != MSGPACK_OBJECT_MAP && params->type != MSGPACK_OBJECT_NIL)
        return illegal(e, i, "has params that are no map");
    for (int k = 0; k < 2; k++) {
        const msgpack_object *side = xfv_map_get(entry, xfv_sides[k]);
        if (!side) continue;
        if (side->type != MSGPACK_OBJECT_MAP)
            return illegal(e, i, k ? "has a 'b' that is no map" : "has an 'a' that is no map");
        sides++;
    }
    return sides ? 0 : illegal(e, i, "holds no map of face a or b");
}

int xfv_maps_read(const msgpack_object *pair, struct xfv_maps *out, struct xfv_err *e)
{
    const msgpack_object *list = xfv_map_get(pair, XFV_KEY_MAPS);
    *out = (struct xfv_maps){0};
    if (!list) return 0;
    if (list->type != MSGPACK_OBJECT_ARRAY)
        return xfv_fail_code(e, XFV_EDATA, "maps", "the pair's '" XFV_KEY_MAPS "' is not a list");
    for (uint32_t i = 0; i < list->via.array.size; i++) {
        int status = check_entry(&list->via.array.ptr[i], i, e);
        if (status) return status;
    }
    *out = (struct xfv_maps){list, list->via.array.size};
    return 0;
}

int xfv_maps_wanted(const msgpack_object *pair, struct xfv_maps *out, struct xfv_err *e)
{
    char why[128];
    int status = xfv_maps_read(pair, out, e);
    return status || out->n ? status : xfv_fail_code(e, XFV_EDATA, "maps", "%s", xfv_maps_none(NULL, why, sizeof why));
}

void xfv_maps_entry(const struct xfv_maps *maps, uint32_t i, struct xfv_map_entry *out)
{
    const msgpack_object *entry = &maps->list->via.array.ptr[i], *params = xfv_map_get(entry, XFV_KEY_PARAMS);
    *out = (struct xfv_map_entry){.map = entry, .params = params && params->type == MSGPACK_OBJECT_MAP ? params : NULL};
    /* xfv_maps_read has seen that it fits */
    (void)xfv_get_text(entry, XFV_KEY_METHOD, out->method, sizeof out->method, NULL);
    for (int k = 0; k < 2; k++) out->side[k] = xfv_map_get(entry, xfv_sides[k]);
}

const char *xfv_map_view(const msgpack_object *o, struct xfv_tensor *out)
{
    if (xfv_tensor_from_object(o, out, NULL) || (out->dtype != XFV_F32 && out->dtype != XFV_F64) || out->ndim != 2 ||
        out->shape[0] < 1 || out->shape[1] < 1)
        return "is not a tensor of f32 or f64 with shape [height,width]";
    return out->shape[0] > XFV_MAP_MOST_SIDE || out->shape[1] > XFV_MAP_MOST_SIDE ? "has a side above 4096" : NULL;
}

/* What has left the range of f32 is infinite. */
static float number(const struct xfv_tensor *t, size_t i)
{
    float v;
    double wide;
    if (t->dtype == XFV_F32) {
        memcpy(&v, (const char *)t->data + 4 * i, 4);
        return v;
    }
    memcpy(&wide, (const char *)t->data + 8 * i, 8);
    return (float)wide;
}

int xfv_map_floats(const struct xfv_tensor *view, float *out)
{
    int finite = 1;
    for (size_t i = 0; i < view->shape[0] * view->shape[1]; i++) {
        float v = number(view, i);
        if (out) out[i] = v;
        finite &= isfinite(v) != 0;
    }
    return finite;
}

int xfv_map_read(const struct xfv_map_entry *m, int side, const char *key, int height, int width, float *out,
                 struct xfv_err *e)
{
    struct xfv_tensor t;
    const msgpack_object *o = m->side[side] ? xfv_map_get(m->side[side], key) : NULL;
    const char *why = o ? xfv_map_view(o, &t) : NULL, *face = xfv_sides[side];
    if (!o) return 0;
    if (why)
        return xfv_fail_code(e, XFV_EDATA, "map", "method '%s', face %s: the map '%s' %s", m->method, face, key, why);
    if (t.shape[0] != (size_t)height || t.shape[1] != (size_t)width)
        return xfv_fail_code(e, XFV_EDATA, "map",
                             "method '%s', face %s: the map '%s' is %zux%zu, not %dx%d as wanted here", m->method, face,
                             key, t.shape[1], t.shape[0], width, height);
    if (!xfv_map_floats(&t, out))
        return xfv_fail_code(e, XFV_EDATA, "map",
                             "method '%s', face %s: the map '%s' holds a number that is not finite", m->method, face,
                             key);
    return 1;
}

int xfv_map_need(const struct xfv_map_entry *m, int side, const char *key, int height, int width, float *out,
                 struct xfv_err *e)
{
    int has = xfv_map_read(m, side, key, height, width, out, e);
    if (has) return has < 0 ? has : 0;
    if (m->side[side])
        return xfv_fail_code(e, XFV_EDATA, "maps", "method '%s' has no map '%s' of face %s", m->method, key,
                             xfv_sides[side]);
    return xfv_fail_code(e, XFV_EDATA, "maps", "method '%s' has no maps of face %s: was it made with --image?",
                         m->method, xfv_sides[side]);
}

int xfv_map_size(const struct xfv_map_entry *m, int side, int *height, int *width)
{
    const char *const keys[] = {xfv_map_keys[0], xfv_map_keys[1], XFV_KEY_SIGNED};
    struct xfv_tensor t;
    for (int k = 0; k < 3; k++) {
        const msgpack_object *o = m->side[side] ? xfv_map_get(m->side[side], keys[k]) : NULL;
        if (!o || xfv_map_view(o, &t)) continue;
        *height = (int)t.shape[0];
        *width = (int)t.shape[1];
        return 1;
    }
    return 0;
}

static int check_side(const struct xfv_map_entry *m, int side, struct xfv_err *e)
{
    const msgpack_object *maps = m->side[side];
    for (uint32_t i = 0; maps && i < maps->via.map.size; i++) {
        const msgpack_object *key = &maps->via.map.ptr[i].key, *o = &maps->via.map.ptr[i].val;
        struct xfv_tensor t;
        int n = (int)key->via.str.size;
        if (o->type != MSGPACK_OBJECT_MAP) continue; /* a number or a text beside the maps */
        const char *why = xfv_map_view(o, &t);
        if (!why && !xfv_map_floats(&t, NULL)) why = "holds a number that is not finite";
        if (why)
            return xfv_fail_code(e, XFV_EDATA, "map", "method '%s', face %s: the map '%.*s' %s", m->method,
                                 xfv_sides[side], n < 48 ? n : 48, key->via.str.ptr, why);
    }
    return 0;
}

int xfv_maps_check(const msgpack_object *pair, struct xfv_err *e)
{
    struct xfv_maps maps;
    struct xfv_map_entry m;
    int status = xfv_maps_read(pair, &maps, e);
    for (uint32_t i = 0; i < maps.n && !status; i++) {
        xfv_maps_entry(&maps, i, &m);
        for (int side = 0; side < 2 && !status; side++) status = check_side(&m, side, e);
    }
    return status;
}
