/* GIF through giflib: the first frame, on the picture's whole area. */
#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "image/internal.h"
#include "image/rows.h"

struct input { const uint8_t *bytes; size_t n, at; };

static int on_read(GifFileType *g, GifByteType *to, int want)
{
    struct input *in = g->UserData;
    size_t left = in->n - in->at, n = (size_t)want < left ? (size_t)want : left;
    memcpy(to, in->bytes + in->at, n);
    in->at += n;
    return (int)n;
}

/* Up to the first frame. *clear: the transparent colour, or NO_TRANSPARENT_COLOR. */
static int find_frame(GifFileType *g, int *clear)
{
    GifRecordType type;
    GifByteType *block;
    int code;
    GraphicsControlBlock control;
    *clear = NO_TRANSPARENT_COLOR;
    for (;;) {
        if (DGifGetRecordType(g, &type) == GIF_ERROR || type == TERMINATE_RECORD_TYPE) return -1;
        if (type == IMAGE_DESC_RECORD_TYPE) return DGifGetImageDesc(g) == GIF_ERROR ? -1 : 0;
        if (type != EXTENSION_RECORD_TYPE) continue;
        if (DGifGetExtension(g, &code, &block) == GIF_ERROR) return -1;
        while (block) {
            if (code == GRAPHICS_EXT_FUNC_CODE && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
                *clear = control.TransparentColor;
            if (DGifGetExtensionNext(g, &block) == GIF_ERROR) return -1;
        }
    }
}

static void put_line(const GifFileType *g, const ColorMapObject *map, int clear, const GifPixelType *line,
                     uint8_t *rgba)
{
    for (int x = 0; x < g->Image.Width && g->Image.Left + x < g->SWidth; x++) {
        int v = line[x];
        uint8_t *t = rgba + 4 * (g->Image.Left + x);
        if (v == clear) continue; /* as it was: nothing */
        const GifColorType *c = v < map->ColorCount ? &map->Colors[v] : &map->Colors[0];
        t[0] = c->Red, t[1] = c->Green, t[2] = c->Blue, t[3] = 255;
    }
}

/* All lines into rgba [SHeight][SWidth][4], which is zeroed. */
static int read_frame(GifFileType *g, int clear, uint8_t *rgba)
{
    static const int first[] = {0, 4, 2, 1}, step[] = {8, 8, 4, 2};
    const ColorMapObject *map = g->Image.ColorMap ? g->Image.ColorMap : g->SColorMap;
    GifPixelType *line = map && g->Image.Width > 0 ? malloc((size_t)g->Image.Width) : NULL;
    int bad = !line;
    for (int pass = 0; pass < (g->Image.Interlace ? 4 : 1) && !bad; pass++)
        for (int y = g->Image.Interlace ? first[pass] : 0; y < g->Image.Height && !bad;
             y += g->Image.Interlace ? step[pass] : 1) {
            bad = DGifGetLine(g, line, g->Image.Width) == GIF_ERROR;
            if (!bad && g->Image.Top + y < g->SHeight)
                put_line(g, map, clear, line, rgba + (size_t)(g->Image.Top + y) * (size_t)g->SWidth * 4);
        }
    free(line);
    return bad ? -1 : 0;
}

static int decode(GifFileType *g, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    int clear;
    if (find_frame(g, &clear)) return xfv_fail_damaged(e, "GIF", "it has no whole frame");
    if (g->SWidth < g->Image.Left + g->Image.Width) g->SWidth = g->Image.Left + g->Image.Width;
    if (g->SHeight < g->Image.Top + g->Image.Height) g->SHeight = g->Image.Top + g->Image.Height;
    int status = xfv_check_cost(g->SWidth, g->SHeight, n, 4, o, e);
    uint8_t *rgba = status ? NULL : calloc((size_t)g->SWidth * (size_t)g->SHeight, 4);
    if (!status && !rgba)
        status = xfv_fail(e, XFV_ENOMEM, "out of memory for an image of %d x %d pixels", g->SWidth, g->SHeight);
    if (!status && read_frame(g, clear, rgba))
        status = xfv_fail_damaged(e, "GIF", "its first frame cannot be read to the end");
    if (!status)
        status = xfv_rows_from(rgba, (size_t)g->SWidth * 4, g->SWidth, g->SHeight, XFV_RGBA, 0,
                          xfv_shrink_of(g->SWidth, g->SHeight, o), NULL, 0, out, e);
    free(rgba);
    return status;
}

int xfv_decode_gif(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                   struct xfv_err *e)
{
    struct input in = {bytes, n, 0};
    int code = 0;
    GifFileType *g = DGifOpen(&in, on_read, &code);
    if (!g) return code == D_GIF_ERR_NOT_ENOUGH_MEM ? xfv_fail(e, XFV_ENOMEM, "out of memory for decoding a GIF image")
                                                    : xfv_fail_damaged(e, "GIF", "its header cannot be read");
    int status = decode(g, n, o, out, e);
    DGifCloseFile(g, NULL);
    return status;
}
