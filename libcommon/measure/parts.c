#include "measure/parts.h"

#include <stddef.h>

#include "face/mean_face.h"

const char *const xfv_part_names[XFV_PARTS + 1] = {"forehead",   "left-eye",    "right-eye", "nose",
                                                   "left-cheek", "right-cheek", "mouth",     NULL};

/* Centre and half axes in pixels of the 112x112 template, whose landmarks are (38, 52), (74, 52), (56, 72), (42, 92),
 * (71, 92). */
struct ellipse { double x, y, rx, ry; };
static const struct ellipse regions[XFV_PARTS] = {
    {56, 28, 30, 13},  /* forehead */
    {36, 50, 16, 11},  /* eyes, with their brows */
    {76, 50, 16, 11},
    {56, 69, 11, 14},  /* nose */
    {28, 76, 13, 14},  /* cheeks */
    {84, 76, 13, 14},
    {56, 96, 23, 12},  /* mouth and chin */
};

static int inside(const struct ellipse *e, double x, double y)
{
    double u = (x - e->x) / e->rx, v = (y - e->y) / e->ry;
    return u * u + v * v <= 1;
}

/* A pixel of a crop of so many, in pixels of the template. */
static double at(int i, int of)
{
    return (i + 0.5) * 112 / of - 0.5;
}

void xfv_part_mask(int region, int height, int width, uint8_t *mask)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            mask[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)inside(&regions[region], at(x, width),
                                                                          at(y, height));
}

void xfv_oval_mask(int height, int width, uint8_t *mask)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            mask[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)xfv_in_oval(at(x, width), at(y, height));
}
