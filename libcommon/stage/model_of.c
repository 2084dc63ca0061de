#include <string.h>

#include "cli/cli.h"
#include "net/model/model.h"
#include "net/run/net.h"
#include "stage/stage.h"

int xfv_cli_stream_model(struct xfv_cli *c, const struct xfv_rec *head, struct xfv_model **m, struct xfv_err *e)
{
    const msgpack_object *said = xfv_map_get(xfv_rec_map(head), "model");
    char name[64] = "", digest[65] = "";
    if (said && said->type == MSGPACK_OBJECT_NIL) said = NULL; /* xfv-select --mixed: each face names its own */
    if (said &&
        (xfv_get_text(said, "name", name, sizeof name, e) || xfv_get_text(said, "digest", digest, sizeof digest, e)))
        return xfv_fail_at(e, "the head's model");
    const char *wanted = xfv_cli_model(c);
    int by_name = wanted || !*name || (*m && !strcmp(name, (*m)->name));
    if (*m && by_name && (!*digest || xfv_model_is(*m, digest))) return 0;
    /* A stream may name a model, not lead us to any file of this machine. */
    if (!wanted && *name) {
        if (strchr(name, '/'))
            return xfv_fail(e, XFV_EMODEL,
                            "the stream's head names its model '%s': that is no name; give the model with -m", name);
        wanted = name;
    }
    struct xfv_model *found;
    int status = xfv_model_load(wanted, &found, e);
    if (status)
        return *name && !xfv_cli_model(c) ? xfv_fail_at(e, "the model that the stream names, as there is no -m")
                                          : status;
    if (*digest && !xfv_model_is(found, digest)) {
        status = xfv_fail(e, XFV_EMODEL,
                          "the stream was made with model '%s' of digest %.12s..., but '%s' has digest %.12s...: give "
                          "the right one with -m, or run embed -m %s anew",
                          name, digest, wanted ? wanted : found->name, found->digest, wanted ? wanted : found->name);
        xfv_model_free(found);
        return status;
    }
    xfv_model_free(*m);
    *m = found;
    return 0;
}

const char *xfv_stage_kernels(void)
{
    const char *kernels = xfv_net_kernels();
    return strncmp(kernels, "avx", 3) ? kernels : "avx"; /* those of either width give the same */
}

int xfv_stage_put_maker(const struct xfv_model *m, msgpack_zone *zone, msgpack_object *extra, struct xfv_err *e)
{
    int status = xfv_map_put(zone, extra, "model", xfv_val_str(zone, m->file), e);
    return status ? status : xfv_map_put(zone, extra, "kernels", xfv_val_str(zone, xfv_stage_kernels()), e);
}

int xfv_cli_face_model(const msgpack_object *face, const struct xfv_model *m, struct xfv_err *e)
{
    char digest[65];
    if (!xfv_map_get(face, "model")) return 0;
    int status = xfv_get_text(face, "model", digest, sizeof digest, e);
    if (status) return status;
    if (xfv_model_is(m, digest)) return 0;
    return xfv_fail(e, XFV_EMODEL,
                    "a face was embedded by the model of digest %.12s..., not by '%s' of digest %.12s...: run embed "
                    "again, or name the other model with -m",
                    digest, m->name, m->digest);
}

int xfv_cli_face_image(const msgpack_object *face, const struct xfv_model *m, struct xfv_tensor *image,
                       struct xfv_err *e)
{
    if (!face || face->type != MSGPACK_OBJECT_MAP)
        return xfv_fail_code(e, XFV_EDATA, "noface", "the face is not a map");
    if (!xfv_map_get(face, "image"))
        return xfv_fail_code(e, XFV_EDATA, "noimage",
                             "the face carries no image: run facecrop again, and no stage with --drop image before "
                             "this one");
    struct xfv_err why;
    if (xfv_get_tensor_view(face, "image", image, &why)) return xfv_fail_code(e, XFV_EDATA, "image", "%s", why.msg);
    if (image->dtype != XFV_U8 || image->ndim != 3 || image->shape[2] != 3)
        return xfv_fail_code(e, XFV_EDATA, "image", "the face's image must be |u1 [H,W,3], found %s with %d dimensions",
                             xfv_dtype_name(image->dtype), image->ndim);
    if (image->shape[0] == (size_t)m->height && image->shape[1] == (size_t)m->width) return 0;
    return xfv_fail_code(e, XFV_EDATA, "size",
                         "the face's image is %zu x %zu pixels but model '%s' takes %d x %d: run facecrop with --size "
                         "%d",
                         image->shape[1], image->shape[0], m->name, m->width, m->height, m->width);
}

int xfv_cli_face_input(const msgpack_object *face, const struct xfv_model *m, float *x, struct xfv_err *e)
{
    struct xfv_tensor image;
    int status = xfv_cli_face_image(face, m, &image, e);
    if (status) return status;
    xfv_model_input(m, image.data, x);
    return 0;
}
