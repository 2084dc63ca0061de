/* Planting evidence: changes of an aligned face at known pixels. All functions change rgb, u8 [height][width][3], in
 * place and set mask, u8 [height][width], to 1 where they did. */
#ifndef XFV_MEASURE_PLANT_H
#define XFV_MEASURE_PLANT_H

#include <stdint.h>

#include "base/random.h"
#include "base/err.h"

/* The region of another face of the same size. Its colours are shifted by what the two regions' means differ (match 1),
 * and its rim, 2 pixels, is faded in: neither the tone of the skin nor an edge gives it away. XFV_ENOMEM. */
int xfv_plant_region(uint8_t *rgb, const uint8_t *donor, int height, int width, int region, int match, uint8_t *mask,
                     struct xfv_err *e);
/* A region filled with one colour drawn at random. */
void xfv_plant_occluder(uint8_t *rgb, int height, int width, int region, struct xfv_random *r, uint8_t *mask);
void xfv_plant_sunglasses(uint8_t *rgb, int height, int width, uint8_t *mask);
/* A medical mask, from the bridge of the nose to below the chin. */
void xfv_plant_mask(uint8_t *rgb, int height, int width, uint8_t *mask);
/* Squares of side x side pixels of another face, at places drawn at random, as PatchLFW has them (27 of 16 x 16 on 112
 * x 112: Huber et al., xSSAB). */
void xfv_plant_patches(uint8_t *rgb, const uint8_t *donor, int height, int width, int n, int side, struct xfv_random *r,
                       uint8_t *mask);
/* Gaussian noise of this standard deviation (in 0..255) on every value; no mask: nothing is planted. */
void xfv_plant_noise(uint8_t *rgb, int height, int width, double sigma, struct xfv_random *r);

#endif
