/* Judging maps: one that is the planted region is right in every test, its opposite wrong in every test. */
#include "../tap.h"
#include "measure/judge.h"
#include "stream/put.h"

enum { SIDE = 32 };

static struct xfv_tensor plane(float *v)
{
    return xfv_tensor_view(XFV_F32, 2, (size_t[]){SIDE, SIDE}, v);
}

static void put_entry(struct xfv_put *pair, msgpack_object *list, const char *method, float *similarity,
                      float *dissimilarity)
{
    msgpack_object entry = xfv_val_map(pair->zone), side = xfv_val_map(pair->zone);
    struct xfv_tensor s = plane(similarity), d = plane(dissimilarity);
    struct xfv_put in = xfv_put_into(pair->zone, &side, pair->e), put = xfv_put_into(pair->zone, &entry, pair->e);
    xfv_put_tensor(&in, "similarity", &s);
    xfv_put_tensor(&in, "dissimilarity", &d);
    xfv_put_text(&put, "method", method);
    xfv_put_filled(&put, "a", &in);
    xfv_put_filled(&put, "b", &in);
    pair->status = put.status ? put.status : xfv_array_push(pair->zone, list, entry, pair->e);
}

/* A pair of one person into whose face b something was planted that speaks against it: at the mouth. */
static struct xfv_rec *made(float *truth, float *opposite, float *zero, struct xfv_err *e)
{
    struct xfv_rec *r = xfv_rec_new(XFV_PAIR);
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object list = xfv_val_array(z), said = xfv_val_map(z), face[2] = {xfv_val_map(z), xfv_val_map(z)};
    uint8_t mask[SIDE * SIDE];
    for (int i = 0; i < SIDE * SIDE; i++) mask[i] = truth[i] > 0;
    struct xfv_tensor m = xfv_tensor_view(XFV_U8, 2, (size_t[]){SIDE, SIDE}, mask);
    struct xfv_put put = xfv_put_into(z, xfv_rec_root(r), e), planted = xfv_put_into(z, &said, e);
    for (int i = 0; i < 2; i++) {
        struct xfv_put in = xfv_put_into(z, &face[i], e);
        xfv_put_text(&in, "id", i ? "bob" : "ann");
        xfv_put_filled(&put, i ? "b" : "a", &in);
    }
    xfv_put_bool(&put, "label", 1);
    xfv_put_f64(&put, "score", 0.2);
    xfv_put_text(&planted, "kind", "swap");
    xfv_put_text(&planted, "face", "b");
    xfv_put_f64(&planted, "score_before", 0.8);
    xfv_put_text(&planted, "sign", "dissimilarity");
    xfv_put_tensor(&planted, "mask", &m);
    xfv_put_filled(&put, "truth", &planted);
    put_entry(&put, &list, "told", zero, truth);
    put_entry(&put, &list, "fooled", zero, opposite);
    xfv_put(&put, "maps", list);
    return put.status ? NULL : r;
}

int main(void)
{
    static float truth[SIDE * SIDE], opposite[SIDE * SIDE], zero[SIDE * SIDE];
    struct xfv_judge_opts o = {0};
    struct xfv_err e = {0};
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            truth[y * SIDE + x] = y >= 14 && y < 20 && x >= 12 && x < 20,
                             opposite[y * SIDE + x] = 1 - truth[y * SIDE + x];
    struct xfv_rec *r = made(truth, opposite, zero, &e);
    struct xfv_judge *j = xfv_judge_new(&o);
    OK(r && j, "a pair with a planted truth: %s", e.msg);
    OK(!xfv_judge_pair(j, xfv_rec_map(r), NULL, &e), "is judged: %s", e.msg);
    OK(xfv_judge_truths(j) == 1, "its truth counts");
    OK(!xfv_judge_finish(j, &e), "to the end: %s", e.msg);
    char text[8192];
    FILE *f = fmemopen(text, sizeof text, "w");
    OK(!xfv_sheet_print(xfv_judge_sheet(j), XFV_SHEET_TSV, 20, 1, f, &e), "a sheet: %s", e.msg);
    fclose(f);
    static const char *const right[] = {
        "told\tauroc dissimilarity\t1\t1.0000",    "told\tenergy dissimilarity\t1\t1.0000",
        "told\tpointing dissimilarity\t1\t1.0000", "fooled\tauroc dissimilarity\t1\t0.0000",
        "fooled\tenergy dissimilarity\t1\t0.0000", "fooled\tpointing dissimilarity\t1\t0.0000"};
    for (int i = 0; i < 6; i++) OK(strstr(text, right[i]) != NULL, "%s", right[i]);
    xfv_map_drop(xfv_rec_root(r), "maps");
    OK(xfv_judge_pair(j, xfv_rec_map(r), NULL, &e) == XFV_EDATA && strstr(e.msg, "no maps"), "a pair without maps: %s",
       e.msg);
    xfv_judge_free(j);
    xfv_rec_free(r);
    return tap_done();
}
