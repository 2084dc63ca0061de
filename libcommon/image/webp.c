/* WebP by libwebp: still images, EXIF orientation, alpha over black. Of an animation, nothing: it is no photograph. */
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "image/internal.h"

/* The EXIF chunk may or may not repeat JPEG's "Exif\0\0". */
static int orientation_of(const uint8_t *bytes, size_t n)
{
    static const uint8_t mark[6] = {'E', 'x', 'i', 'f', 0, 0};
    WebPData data = {bytes, n};
    WebPDemuxer *d = WebPDemux(&data);
    WebPChunkIterator it;
    int orientation = 1;
    if (!d) return 1;
    if ((WebPDemuxGetI(d, WEBP_FF_FORMAT_FLAGS) & EXIF_FLAG) && WebPDemuxGetChunk(d, "EXIF", 1, &it)) {
        size_t have = it.chunk.size >= sizeof mark && memcmp(it.chunk.bytes, mark, sizeof mark) == 0 ? 0 : sizeof mark;
        uint8_t *exif = it.chunk.size < 0xffff ? malloc(have + it.chunk.size + 1) : NULL;
        if (exif) {
            memcpy(exif, mark, have);
            memcpy(exif + have, it.chunk.bytes, it.chunk.size);
            orientation = xfv_exif_orientation(exif, have + it.chunk.size);
        }
        free(exif);
        WebPDemuxReleaseChunkIterator(&it);
    }
    WebPDemuxDelete(d);
    return orientation;
}

int xfv_decode_webp(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out, struct xfv_err *e)
{
    WebPBitstreamFeatures f;
    if (WebPGetFeatures(bytes, n, &f) != VP8_STATUS_OK) return xfv_fail_damaged(e, "WebP", "its header cannot be read");
    if (f.has_animation) return xfv_fail(e, XFV_EDATA, "an animated WebP image: only still images are read");
    int status = xfv_check_size(f.width, f.height, o, e);
    if (status) return status;
    size_t pixels = (size_t)f.width * (size_t)f.height;
    uint8_t *rgba = malloc(pixels * 4);
    status = rgba ? xfv_image_alloc(out, f.width, f.height, 3, e) : xfv_fail(e, XFV_ENOMEM, "out of memory for an image of %d x %d pixels", f.width, f.height);
    if (!status && !WebPDecodeRGBAInto(bytes, n, rgba, pixels * 4, f.width * 4)) 
        status = xfv_fail_damaged(e, "WebP", "its pixels cannot be read to the end");
    for (size_t i = 0; !status && i < pixels; i++)
        for (size_t c = 0; c < 3; c++) out->data[3 * i + c] = (uint8_t)((rgba[4 * i + c] * rgba[4 * i + 3] + 127) / 255);
    free(rgba);
    if (!status) status = xfv_image_orient(out, orientation_of(bytes, n), e);
    if (status) xfv_image_clear(out);
    return status;
}
