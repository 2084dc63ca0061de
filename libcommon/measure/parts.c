#include "measure/parts.h"

#include <stddef.h>

const char *const xfv_part_names[XFV_PARTS + 1] = {"forehead", "left-eye", "right-eye", "nose", "left-cheek", "right-cheek", "mouth", NULL};

/* Centre and half axes in pixels of the 112x112 template, whose landmarks are (38, 52), (74, 52), (56, 72), (42, 92), (71, 92). */
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
static const struct ellipse oval = {56, 64, 45, 52};

static int inside(const struct ellipse *e, double x, double y)
{
    double u = (x - e->x) / e->rx, v = (y - e->y) / e->ry;
    return u * u + v * v <= 1;
}

static void draw(const struct ellipse *e, int height, int width, uint8_t *mask)
{
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) mask[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)inside(e, (x + 0.5) * 112 / width - 0.5, (y + 0.5) * 112 / height - 0.5);
}

void xfv_part_mask(int region, int height, int width, uint8_t *mask)
{
    draw(&regions[region], height, width, mask);
}

void xfv_oval_mask(int height, int width, uint8_t *mask)
{
    draw(&oval, height, width, mask);
}
