/* Thresholds of a model from labelled scores, and how much they can be relied on. */
#ifndef XFV_MEASURE_CALIBRATE_H
#define XFV_MEASURE_CALIBRATE_H

#include <stddef.h>

#include "pair/score.h"
#include "net/model/model.h"

/* Impostor pairs that a false match rate f asks for: with 3/f and no false match among them the rate is at most f with
 * 95 % confidence (the "rule of three"); with 30/f the rate is known to a third (the "rule of thirty", G. Doddington
 * and others, Speech Communication 31, 2000). */
#define XFV_PAIRS_AT_LEAST 3.0
#define XFV_PAIRS_ENOUGH 30.0

/* The threshold at the equal error rate (fmr NAN), or the lowest with FMR <= fmr, called name; with the rates there,
 * their 95 % Clopper-Pearson intervals and the counts. data says whose pairs they are. XFV_EARG when pairs of a kind
 * are missing. */
int xfv_calibrate(const struct xfv_scores *s, const char *name, double fmr, const char *data, struct xfv_threshold *out,
                  struct xfv_err *e);
/* 1, and a sentence in buf, when the data behind a threshold cannot support it or supports it roughly; 0 when it does,
 * or nothing is known. */
int xfv_threshold_caveat(const struct xfv_threshold *t, char *buf, size_t cap);

#endif
