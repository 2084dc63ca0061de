#include "stage/asker.h"

#include <math.h>
#include <string.h>

#include "pair/maps.h"
#include "stage/explainer.h"
#include "stage/stage.h"

int xfv_asker_open(struct xfv_asker *a, int want_net, struct xfv_err *e)
{
    const struct xfv_model *m = a->model;
    xfv_asker_forget(a);
    if (m->embedding < 0)
        return xfv_fail(e, XFV_EMODEL, "model '%s' is of kind '%s', not an embedding network", m->name, m->kind);
    a->n = (int)xfv_shape_count(m->graph->values[m->embedding].shape);
    int status = want_net ? xfv_net_new(m->graph, 0, &m->embedding, 1, &a->net, e) : 0;
    if (!status) snprintf(a->file, sizeof a->file, "%s", m->file);
    return status;
}

int xfv_asker_head(struct xfv_asker *a, const struct xfv_rec *in, msgpack_zone *zone, msgpack_object *extra,
                   struct xfv_err *e)
{
    int status = xfv_cli_stream_model(a->c, in, &a->model, e);
    if (!status) status = xfv_stage_put_maker(a->model, zone, extra, e);
    return status ? status : strcmp(a->file, a->model->file) != 0;
}

void xfv_asker_forget(struct xfv_asker *a)
{
    xfv_net_free(a->net);
    a->net = NULL;
    a->file[0] = 0;
}

void xfv_asker_close(struct xfv_asker *a)
{
    xfv_asker_forget(a);
    xfv_model_free(a->model);
    a->model = NULL;
}

int xfv_asker_images(const struct xfv_asker *a, const msgpack_object *pair, int foreign, const uint8_t *rgb[2],
                     struct xfv_err *e)
{
    for (int i = 0; i < 2; i++) {
        struct xfv_tensor image;
        const msgpack_object *face = xfv_map_get(pair, xfv_sides[i]);
        int status = xfv_cli_face_image(face, a->model, &image, e);
        if (!status && !foreign) status = xfv_cli_face_model(face, a->model, e);
        if (status) return xfv_fail_at(e, "face %s", xfv_sides[i]);
        rgb[i] = image.data;
    }
    return 0;
}

int xfv_asker_threshold(const struct xfv_asker *a, const struct xfv_explain_opts *o, const msgpack_object *pair,
                        double *threshold, struct xfv_err *e)
{
    *threshold = o->threshold;
    if (o->given_threshold || (!xfv_get_f64(pair, "threshold", threshold, NULL) && isfinite(*threshold))) return 0;
    return xfv_fail_code(e, XFV_EDATA, "threshold",
                         "the pair has no threshold: run verify before %s, or give --threshold",
                         xfv_cli_program(a->c)->name);
}
