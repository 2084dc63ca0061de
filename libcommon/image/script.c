#include "image/script.h"

#include <string.h>

#include "base/grow.h"
#include "base/toint.h"
#include "base/utf8.h"

static int needed(const char *s)
{
    for (size_t n = strlen(s), i = 0; i < n;) {
        uint32_t code = 0;
        size_t len = xfv_utf8_next(s + i, n - i, &code);
        if (len && code > 0xa0) return 1;
        i += len ? len : 1;
    }
    return 0;
}

#ifdef XFV_PANGO

#include "image/script_internal.h"

#include <fontconfig/fontconfig.h>
#include <math.h>
#include <pango/pangocairo.h>
#include <pthread.h>
#include <stdlib.h>

static int ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* one font map for all threads */
static PangoFontMap *fonts;

void xfv_script_lock(void)
{
    pthread_mutex_lock(&lock);
}

void xfv_script_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

int xfv_script_start(void)
{
    FcConfig *config = FcInit() ? FcConfigGetCurrent() : NULL;
    FcFontSet *set = config ? FcConfigGetFonts(config, FcSetSystem) : NULL;
    ready = set && set->nfont > 0;
    return ready;
}

void xfv_script_each_folder(void (*fn)(void *ctx, const char *path), void *ctx)
{
    FcStrList *lists[] = {FcConfigGetFontDirs(NULL), FcConfigGetCacheDirs(NULL), FcConfigGetConfigFiles(NULL)};
    for (size_t i = 0; i < sizeof lists / sizeof *lists && ready; i++) {
        const FcChar8 *path;
        while (lists[i] && (path = FcStrListNext(lists[i]))) fn(ctx, (const char *)path);
    }
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (lists[i]) FcStrListDone(lists[i]);
}

/* Pango ends the program when it has no memory. */
static int can_draw(void)
{
    return ready && xfv_has_room(64 << 20);
}

int xfv_script_wanted(const char *s)
{
    return needed(s) && can_draw();
}

/* Characters that turn text around, so that a name could forge what stands beside it. */
static int turns_text(uint32_t c)
{
    return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* s as one line of UTF-8: what is not, controls and what turns text become U+FFFD. malloc'ed; NULL: no memory. */
static char *clean(const char *s, size_t n)
{
    char *out = malloc(3 * n + 1);
    size_t k = 0;
    for (size_t i = 0; i < n && out;) {
        uint32_t c = 0;
        size_t len = xfv_utf8_next(s + i, n - i, &c);
        int bad = !len || c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || turns_text(c);
        memcpy(out + k, bad ? "\xef\xbf\xbd" : s + i, bad ? 3 : len);
        k += bad ? 3 : len;
        i += len ? len : 1;
    }
    if (out) out[k] = 0;
    return out;
}

/* With the lock held. NULL: no memory. */
static PangoLayout *layout_of(const char *s, size_t n, struct xfv_font f)
{
    char *text = clean(s, n);
    if (!fonts) fonts = pango_cairo_font_map_new();
    PangoContext *context = text ? pango_font_map_create_context(fonts) : NULL;
    PangoLayout *layout = context ? pango_layout_new(context) : NULL;
    PangoFontDescription *font = pango_font_description_new();
    if (layout) {
        pango_font_description_set_family(font, "sans");
        pango_font_description_set_weight(font, f.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
        pango_font_description_set_absolute_size(font, f.size * PANGO_SCALE);
        pango_layout_set_font_description(layout, font);
        pango_layout_set_single_paragraph_mode(layout, TRUE);
        pango_layout_set_text(layout, text, -1);
    }
    pango_font_description_free(font);
    if (context) g_object_unref(context);
    free(text);
    return layout;
}

double xfv_script_width(const char *s, size_t n, struct xfv_font f)
{
    int width = 0;
    pthread_mutex_lock(&lock);
    PangoLayout *layout = layout_of(s, n, f);
    if (layout) {
        pango_layout_get_size(layout, &width, NULL);
        g_object_unref(layout);
    }
    pthread_mutex_unlock(&lock);
    return (double)width / PANGO_SCALE;
}

int xfv_script_missing(const char *s)
{
    int missing = 1;
    if (!needed(s)) return 0;
    if (!can_draw()) return 1;
    pthread_mutex_lock(&lock);
    PangoLayout *layout = layout_of(s, strlen(s), (struct xfv_font){16, 0});
    if (layout) {
        missing = pango_layout_get_unknown_glyphs_count(layout) > 0;
        g_object_unref(layout);
    }
    pthread_mutex_unlock(&lock);
    return missing;
}

/* A picture of the text (colour emoji have their own colours) laid over im. */
static void blend(struct xfv_image *im, int left, int top, cairo_surface_t *surface)
{
    int w = cairo_image_surface_get_width(surface), h = cairo_image_surface_get_height(surface);
    int stride = cairo_image_surface_get_stride(surface);
    const unsigned char *data = cairo_image_surface_get_data(surface);
    for (int y = 0; y < h && data; y++) {
        for (int x = 0; x < w; x++) {
            uint32_t p;
            int tx = left + x, ty = top + y;
            if (tx < 0 || ty < 0 || tx >= im->width || ty >= im->height) continue;
            memcpy(&p, data + (size_t)y * (size_t)stride + 4 * (size_t)x, sizeof p);
            uint8_t *to = im->data + ((size_t)ty * (size_t)im->width + (size_t)tx) * 3;
            uint32_t clear = 255 - (p >> 24); /* premultiplied */
            for (int c = 0; c < 3; c++) to[c] = (uint8_t)((p >> (16 - 8 * c) & 255) + (to[c] * clear + 127) / 255);
        }
    }
}

void xfv_script_show(cairo_t *cairo, double x, double y, struct xfv_font f, const char *s, double width)
{
    int natural = 0;
    pthread_mutex_lock(&lock);
    PangoLayout *layout = layout_of(s, strlen(s), f);
    if (layout) {
        pango_layout_get_size(layout, &natural, NULL);
        cairo_save(cairo);
        cairo_translate(cairo, x, y - (double)pango_layout_get_baseline(layout) / PANGO_SCALE);
        if (natural > 0 && width > 0) cairo_scale(cairo, width * PANGO_SCALE / natural, 1);
        cairo_move_to(cairo, 0, 0);
        pango_cairo_show_layout(cairo, layout);
        cairo_restore(cairo);
        g_object_unref(layout);
    }
    pthread_mutex_unlock(&lock);
}

void xfv_script_draw(struct xfv_image *im, double x, double y, struct xfv_font f, struct xfv_rgb c, const char *s)
{
    pthread_mutex_lock(&lock);
    PangoLayout *layout = layout_of(s, strlen(s), f);
    if (layout && fabs(x) < 1e6 && fabs(y) < 1e6) {
        int width, height, left = xfv_to_int(floor(x), -1000000, 1000000);
        int pad = xfv_to_int(f.size, 0, 1000000);
        double base = (double)pango_layout_get_baseline(layout) / PANGO_SCALE, top = floor(y - base);
        pango_layout_get_pixel_size(layout, &width, &height);
        if (width > im->width) width = im->width;
        cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width + 2 * pad, height + 2 * pad);
        cairo_t *cairo = cairo_create(surface);
        cairo_set_source_rgb(cairo, c.r / 255.0, c.g / 255.0, c.b / 255.0);
        cairo_move_to(cairo, pad + x - left, pad + y - base - top);
        pango_cairo_show_layout(cairo, layout);
        cairo_surface_flush(surface);
        if (cairo_status(cairo) == CAIRO_STATUS_SUCCESS)
            blend(im, left - pad, xfv_to_int(top, -1000000, 1000000) - pad, surface);
        cairo_destroy(cairo);
        cairo_surface_destroy(surface);
    }
    if (layout) g_object_unref(layout);
    pthread_mutex_unlock(&lock);
}

#else

int xfv_script_start(void) { return 0; }
void xfv_script_each_folder(void (*fn)(void *ctx, const char *path), void *ctx) { (void)fn, (void)ctx; }
int xfv_script_wanted(const char *s) { (void)s; return 0; }
int xfv_script_missing(const char *s) { return needed(s); }
double xfv_script_width(const char *s, size_t n, struct xfv_font f) { (void)s, (void)n, (void)f; return 0; }
void xfv_script_draw(struct xfv_image *im, double x, double y, struct xfv_font f, struct xfv_rgb c, const char *s)
{
    (void)im, (void)x, (void)y, (void)f, (void)c, (void)s;
}

#endif
