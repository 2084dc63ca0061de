#include "cli/cli.h"
#include "image/image.h"

static void version(FILE *f)
{
    fprintf(f, "images: %s\n", xfv_image_formats());
}

const struct xfv_library xfv_library_image = {xfv_image_start, version, 0};
