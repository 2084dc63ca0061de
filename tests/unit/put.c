/* The builder of a record's map: what it puts, and that the first failure sticks. */
#include "../tap.h"
#include "stream/put.h"

int main(void)
{
    struct xfv_err e = {0};
    struct xfv_rec *r = xfv_rec_new(XFV_FACE);
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object inner = xfv_val_map(z), array = xfv_val_array(z);
    float pixels[2] = {1, 2};
    struct xfv_tensor t = xfv_tensor_view(XFV_F32, 1, (size_t[]){2}, pixels);
    double v[2];
    int64_t n;
    int yes;
    struct xfv_put p = xfv_put_into(z, xfv_rec_root(r), &e), q = xfv_put_into(z, &inner, &e);
    xfv_put_text(&p, "id", "a");
    xfv_put_int(&p, "n", -3);
    xfv_put_bool(&p, "yes", 7);
    xfv_put_f64s(&p, "v", (double[]){0.5, 2}, 2);
    xfv_put_ints(&p, "size", (int[]){4, 5}, 2);
    xfv_put_f64(&q, "x", 0.25);
    xfv_put_tensor(&q, "image", &t);
    xfv_put_filled(&p, "inner", &q);
    xfv_put_int(&p, "n", 8);
    OK(!p.status && !xfv_get_int(xfv_rec_map(r), "n", &n, &e) && n == 8, "a key that is there gets the new value: %s",
       e.msg);
    OK(!xfv_get_bool(xfv_rec_map(r), "yes", &yes, &e) && yes == 1, "a truth value");
    OK(!xfv_get_f64s(xfv_rec_map(r), "size", v, 2, &e) && v[0] + v[1] > 8.9, "whole numbers in a list");
    OK(!xfv_get_f64(xfv_map_get(xfv_rec_map(r), "inner"), "x", v, &e) && v[0] < 0.3, "a map within");
    OK(xfv_rec_map(r)->via.map.size == 7, "seven keys in all: %u", xfv_rec_map(r)->via.map.size);

    xfv_put(&p, "nil", (msgpack_object){.type = MSGPACK_OBJECT_NIL});
    OK(p.status == XFV_ENOMEM && strstr(e.msg, "'nil'"), "a value that could not be made is refused: %s", e.msg);
    xfv_put_int(&p, "late", 1);
    OK(p.status == XFV_ENOMEM && !xfv_map_get(xfv_rec_map(r), "late"), "and nothing is put after it");
    struct xfv_put bad = xfv_put_into(z, &array, &e), outer = xfv_put_into(z, xfv_rec_root(r), &e);
    xfv_put_int(&bad, "n", 1);
    xfv_put_filled(&outer, "bad", &bad);
    OK(outer.status == XFV_EARG && !xfv_map_get(xfv_rec_map(r), "bad"),
       "the inner map's failure becomes the outer one's: %s", e.msg);
    xfv_rec_free(r);
    return tap_done();
}
