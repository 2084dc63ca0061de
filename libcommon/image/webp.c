/* WebP by libwebp: still images, EXIF orientation, colour profile. Of an animation, nothing: it is no photograph. */
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "image/internal.h"
#include "image/rows.h"

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

/* To the rows, with the profile if the file has one. */
static int convert(const uint8_t *bytes, size_t n, const uint8_t *rgba, const WebPBitstreamFeatures *f, int shrink,
                   struct xfv_image *out, struct xfv_err *e)
{
    WebPData data = {bytes, n};
    WebPDemuxer *d = WebPDemux(&data);
    WebPChunkIterator it = {0};
    int has = d && (WebPDemuxGetI(d, WEBP_FF_FORMAT_FLAGS) & ICCP_FLAG) && WebPDemuxGetChunk(d, "ICCP", 1, &it);
    size_t channels = f->has_alpha ? 4 : 3;
    int status = xfv_rows_from(rgba, (size_t)f->width * channels, f->width, f->height,
                               f->has_alpha ? XFV_RGBA : XFV_RGB, 0, shrink,
                               has ? it.chunk.bytes : NULL, has ? it.chunk.size : 0, out, e);
    if (has) WebPDemuxReleaseChunkIterator(&it);
    WebPDemuxDelete(d);
    return status;
}

/* The chunk of a lossy picture: its payload and length, or NULL. */
static const uint8_t *find_lossy(const uint8_t *bytes, size_t n, size_t *length)
{
    for (size_t at = 12; at + 8 <= n;) {
        size_t size = 0;
        for (size_t i = 4; i > 0; i--) size = size << 8 | bytes[at + 3 + i];
        if (size > n - at - 8) return NULL;
        *length = size;
        if (!memcmp(bytes + at, "VP8 ", 4)) return bytes + at + 8;
        at += 8 + size + size % 2;
    }
    return NULL;
}

/* A wrong byte makes libwebp read other symbols from there on, mostly fewer, and it does not notice that bytes are left
 * over. So: can the picture be read without its last ones? 1: yes, and they are no padding. */
static int has_left_over(const uint8_t *bytes, size_t n)
{
    enum { CUT = 64, HEAD = 20 };
    WebPDecoderConfig config;
    size_t length = 0, zeros = 0;
    const uint8_t *lossy = find_lossy(bytes, n, &length);
    if (!lossy || length < 4 * CUT || !WebPInitDecoderConfig(&config)) return 0;
    while (zeros < CUT && !lossy[length - 1 - zeros]) zeros++;
    uint8_t *cut = zeros < CUT ? malloc(HEAD + length) : NULL;
    if (!cut) return 0;
    uint32_t size = (uint32_t)(length - CUT) & ~1u, whole = size + 12;
    memcpy(cut, "RIFF....WEBPVP8 ....", HEAD);
    for (int i = 0; i < 4; i++) {
        cut[4 + i] = (uint8_t)(whole >> 8 * i);
        cut[16 + i] = (uint8_t)(size >> 8 * i);
    }
    memcpy(cut + HEAD, lossy, size);
    config.options.use_scaling = 1; /* to next to nothing */
    config.options.scaled_width = config.options.scaled_height = 8;
    config.options.no_fancy_upsampling = config.options.bypass_filtering = 1;
    int left = WebPDecode(cut, HEAD + size, &config) == VP8_STATUS_OK;
    WebPFreeDecBuffer(&config.output);
    free(cut);
    return left;
}

int xfv_decode_webp(const uint8_t *bytes, size_t n, const struct xfv_decode_opts *o, struct xfv_image *out,
                    struct xfv_err *e)
{
    WebPBitstreamFeatures f;
    if (WebPGetFeatures(bytes, n, &f) != VP8_STATUS_OK) return xfv_fail_damaged(e, "WebP", "its header cannot be read");
    if (f.has_animation)
        return xfv_fail_code(e, XFV_EDATA, "format",
                             "an animated WebP image is not read: take single frames out of it");
    int status = xfv_check_cost(f.width, f.height, n, f.format == 2 ? 8 : 6, o, e); /* lossless: all pixels once more */
    if (status) return status;
    size_t channels = f.has_alpha ? 4 : 3, stride = (size_t)f.width * channels, size = stride * (size_t)f.height;
    uint8_t *rgba = malloc(size);
    if (!rgba) return xfv_fail(e, XFV_ENOMEM, "out of memory for an image of %d x %d pixels", f.width, f.height);
    const uint8_t *got = f.has_alpha ? WebPDecodeRGBAInto(bytes, n, rgba, size, (int)stride)
                                     : WebPDecodeRGBInto(bytes, n, rgba, size, (int)stride);
    if (!got) status = xfv_fail_damaged(e, "WebP", "its pixels cannot be read to the end");
    else if (has_left_over(bytes, n)) status = xfv_fail_damaged(e, "WebP", "bytes are left over after its pixels");
    if (!status) status = convert(bytes, n, rgba, &f, xfv_shrink_of(f.width, f.height, o), out, e);
    free(rgba);
    if (!status) status = xfv_image_orient(out, orientation_of(bytes, n), e);
    if (status) xfv_image_clear(out);
    return status;
}
