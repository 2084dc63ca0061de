/* How the scores of the pairs that a model was calibrated on are distributed: what a score is to be seen against. */
#ifndef XFV_NET_MODEL_HISTOGRAM_H
#define XFV_NET_MODEL_HISTOGRAM_H

#include <msgpack.h>

#include "base/err.h"

enum { XFV_HISTOGRAM_BINS = 100 };

struct xfv_histogram {
    int bins;                                  /* 0: no histogram */
    double low, high;                          /* bins part low..high evenly; what lies beyond is in the outermost */
    int count[2][XFV_HISTOGRAM_BINS];          /* of impostor, genuine pairs */
    char data[128];                            /* whose pairs */
};

/* For scores from low to high, empty. */
struct xfv_histogram xfv_histogram_new(double low, double high, const char *data);
void xfv_histogram_add(struct xfv_histogram *h, double score, int genuine);
long xfv_histogram_total(const struct xfv_histogram *h, int genuine);

/* As the map {"data","low","high","impostor":[...],"genuine":[...]}, in a model's head and, by verify, in a stream's,
 * under the key "calibration". */
int xfv_histogram_put(const struct xfv_histogram *h, msgpack_zone *z, msgpack_object *map, struct xfv_err *e);
/* The one under that key of map; none there: bins 0. XFV_EFORMAT when it is unsound. */
int xfv_histogram_get(const msgpack_object *map, struct xfv_histogram *h, struct xfv_err *e);

#endif
