/* Seven regions of a face aligned to ArcFace's template, and the oval that holds them: where evidence is planted and
 * looked for. */
#ifndef XFV_MEASURE_PARTS_H
#define XFV_MEASURE_PARTS_H

#include <stdint.h>

#define XFV_PARTS 7
extern const char
    *const xfv_part_names[XFV_PARTS + 1]; /* "forehead", "left-eye", ... as seen in the image; NULL at the end */

/* 1 inside, 0 outside: mask u8 [height][width], for a crop of any size (the template is for 112x112 and is scaled).
 * Ellipses; no two overlap. */
void xfv_part_mask(int region, int height, int width, uint8_t *mask);
void xfv_oval_mask(int height, int width, uint8_t *mask);

#endif
