/* Rectangles, pictures, lines and text. Text comes from the stroke font that libnetpbm carries (its only outline font):
 * each glyph is a list of pen movements in a box whose capitals are 21 units high. A pixel's coverage follows from its
 * distance to the nearest stroke. */
#include "image/draw.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <netpbm/pm_config.h>
#include <netpbm/ppmdraw.h>
#include <netpbm/ppmdfont.h>

#include "base/toint.h"
#include "base/utf8.h"
#include "image/script.h"

enum { CAP_UNITS = 21, BASELINE = 9, ASCENT_UNITS = 25, BOX_UNITS = 18, MAX_STROKES = 128 };

struct xfv_rgb xfv_rgb_mix(struct xfv_rgb a, struct xfv_rgb b, double t)
{
    if (!(t > 0)) return a;
    if (t >= 1) return b;
    double r = a.r + (b.r - a.r) * t, g = a.g + (b.g - a.g) * t, blue = a.b + (b.b - a.b) * t;
    return (struct xfv_rgb){xfv_nearest_byte(r), xfv_nearest_byte(g), xfv_nearest_byte(blue)};
}

void xfv_draw_rect(struct xfv_image *im, int x, int y, int w, int h, struct xfv_rgb c)
{
    if (im->pen) im->pen->rect(im->pen->ctx, x, y, w, h, c);
    int x1 = xfv_to_int((double)x + w, 0, im->width), y1 = xfv_to_int((double)y + h, 0, im->height);
    for (int r = y < 0 ? 0 : y; r < y1; r++) {
        uint8_t *row = im->data + (size_t)r * (size_t)im->width * 3;
        for (int i = x < 0 ? 0 : x; i < x1; i++) row[3 * i] = c.r, row[3 * i + 1] = c.g, row[3 * i + 2] = c.b;
    }
}

void xfv_draw_frame(struct xfv_image *im, int x, int y, int w, int h, int thick, struct xfv_rgb c)
{
    if (thick > w) thick = w;
    if (thick > h) thick = h;
    xfv_draw_rect(im, x, y, w, thick, c);
    xfv_draw_rect(im, x, y, thick, h, c);
    xfv_draw_rect(im, x, xfv_to_int((double)y + h - thick, -thick, im->height), w, thick, c);
    xfv_draw_rect(im, xfv_to_int((double)x + w - thick, -thick, im->width), y, thick, h, c);
}

void xfv_draw_picture(struct xfv_image *im, int x, int y, const struct xfv_image *src)
{
    if (im->pen) im->pen->picture(im->pen->ctx, x, y, src);
    for (int r = 0; r < src->height; r++) {
        long ty = (long)y + r;
        if (ty < 0 || ty >= im->height) continue;
        for (int i = 0; i < src->width; i++) {
            long tx = (long)x + i;
            if (tx < 0 || tx >= im->width) continue;
            const uint8_t *s = src->data + ((size_t)r * (size_t)src->width + (size_t)i) * (size_t)src->channels;
            uint8_t *d = im->data + ((size_t)ty * (size_t)im->width + (size_t)tx) * 3;
            d[0] = s[0], d[1] = s[src->channels == 3 ? 1 : 0], d[2] = s[src->channels == 3 ? 2 : 0];
        }
    }
}

struct stroke {
    double x0, y0, x1, y1;
};

static double distance2(double px, double py, const struct stroke *s)
{
    double dx = s->x1 - s->x0, dy = s->y1 - s->y0, len2 = dx * dx + dy * dy;
    double t = len2 > 0 ? ((px - s->x0) * dx + (py - s->y0) * dy) / len2 : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    double ex = px - s->x0 - t * dx, ey = py - s->y0 - t * dy;
    return ex * ex + ey * ey;
}

/* Draw the union of the strokes, so that joints and crossings are not darker than the rest. */
static void draw_strokes(struct xfv_image *im, const struct stroke *s, int n, double thick, struct xfv_rgb c)
{
    if (n == 0) return;
    double x0 = s[0].x0, x1 = x0, y0 = s[0].y0, y1 = y0, reach = thick / 2 + 0.5;
    for (int i = 0; i < n; i++) {
        x0 = fmin(x0, fmin(s[i].x0, s[i].x1)), x1 = fmax(x1, fmax(s[i].x0, s[i].x1));
        y0 = fmin(y0, fmin(s[i].y0, s[i].y1)), y1 = fmax(y1, fmax(s[i].y0, s[i].y1));
    }
    if (!isfinite(x0 + x1 + y0 + y1 + reach)) return;
    int left = xfv_to_int(floor(x0 - reach), 0, im->width), right = xfv_to_int(ceil(x1 + reach), 0, im->width);
    int top = xfv_to_int(floor(y0 - reach), 0, im->height), bottom = xfv_to_int(ceil(y1 + reach), 0, im->height);
    for (int y = top; y < bottom; y++) {
        for (int x = left; x < right; x++) {
            double best = reach * reach;
            for (int i = 0; i < n; i++) best = fmin(best, distance2(x + 0.5, y + 0.5, &s[i]));
            double cover = fmin(1, reach - sqrt(best));
            if (cover <= 0) continue;
            uint8_t *p = im->data + ((size_t)y * (size_t)im->width + (size_t)x) * 3;
            struct xfv_rgb under = {p[0], p[1], p[2]}, mixed = xfv_rgb_mix(under, c, cover);
            p[0] = mixed.r, p[1] = mixed.g, p[2] = mixed.b;
        }
    }
}

void xfv_draw_line(struct xfv_image *im, double x0, double y0, double x1, double y1, double thick, struct xfv_rgb c)
{
    struct stroke s = {x0, y0, x1, y1};
    if (im->pen) im->pen->line(im->pen->ctx, x0, y0, x1, y1, thick, c);
    draw_strokes(im, &s, 1, thick, c);
}

/* The letters U+00C0 to U+00FF without their accents; * has none and becomes a box. */
static const char plain_latin1[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUY*saaaaaaaceeeeiiiidnooooo/ouuuuy*y";

/* Next character of UTF-8 text as ASCII, 0 for one that has no ASCII form. *s moves past it; a broken byte counts as
 * one character. */
static int next_char(const char **s)
{
    uint32_t code = 0;
    size_t n = xfv_utf8_next(*s, strnlen(*s, 4), &code);
    *s += n ? n : 1;
    if (n == 0 || code < 0x20 || code == 0x7f) return 0;
    if (code < 0x7f) return (int)code;
    if (code == 0xa0) return ' ';
    if (code < 0xc0 || code > 0xff) return 0;
    return plain_latin1[code - 0xc0] == '*' ? 0 : plain_latin1[code - 0xc0];
}

/* Glyph of an ASCII character, NULL when the font has none. ppmd_get_font gives the built-in font: nothing here ever
 * sets another. */
static const struct ppmd_glyph *glyph_of(int ch)
{
    const struct ppmd_font *font = ppmd_get_font();
    int i = ch - font->header.firstCodePoint;
    return ch > 0 && i >= 0 && i < font->header.characterCount ? &font->glyphTable[i] : NULL;
}

/* The font's coordinates are signed, whatever the type of the fields; the space is drawn narrower than the font's,
 * which is one em. */
static int advance_of(int ch)
{
    const struct ppmd_glyph *g = glyph_of(ch);
    if (ch == ' ') return 13;
    return g ? (signed char)g->header.skipAfter - (signed char)g->header.skipBefore : BOX_UNITS;
}

static double unit_of(struct xfv_font f)
{
    return f.size * 0.7 / CAP_UNITS;
}

double xfv_text_width(const char *s, struct xfv_font f)
{
    double units = 0;
    if (xfv_script_wanted(s)) return xfv_script_width(s, strlen(s), f);
    while (*s) units += advance_of(next_char(&s));
    return units * unit_of(f);
}

/* Strokes of one character whose box starts at x, baseline at y. */
static int strokes_of(int ch, double x, double y, double unit, struct stroke *out)
{
    const struct ppmd_glyph *g = glyph_of(ch);
    if (!g) {
        double l = x + 3 * unit, r = x + 15 * unit, t = y - CAP_UNITS * unit;
        struct stroke box[4] = {{l, y, r, y}, {r, y, r, t}, {r, t, l, t}, {l, t, l, y}};
        memcpy(out, box, sizeof box);
        return 4;
    }
    double ox = x - (signed char)g->header.skipBefore * unit, oy = y - BASELINE * unit, px = ox, py = oy;
    int n = 0;
    for (int i = 0; i < g->header.commandCount && n < MAX_STROKES; i++) {
        const struct ppmd_glyphCommand *c = &g->commandList[i];
        if (c->verb == CMD_NOOP) continue;
        double nx = ox + (signed char)c->x * unit, ny = oy + (signed char)c->y * unit;
        if (c->verb == CMD_DRAWLINE) out[n++] = (struct stroke){px, py, nx, ny};
        px = nx, py = ny;
    }
    return n;
}

double xfv_draw_text(struct xfv_image *im, double x, double y, struct xfv_font f, struct xfv_rgb c, const char *s)
{
    if (!(f.size > 0)) return x;
    double unit = unit_of(f), thick = f.size * (f.bold ? 0.135 : 0.085);
    if (im->pen) im->pen->text(im->pen->ctx, x, y, f, c, s, xfv_text_width(s, f));
    if (xfv_script_wanted(s)) {
        xfv_script_draw(im, x, y, f, c, s);
        return x + xfv_script_width(s, strlen(s), f);
    }
    if (thick < 1.1) thick = 1.1; /* thinner strokes turn pale instead of thin */
    while (*s) {
        struct stroke strokes[MAX_STROKES];
        int ch = next_char(&s);
        double ahead = advance_of(ch) * unit;
        if (x < im->width && x + ahead + ASCENT_UNITS * unit > 0)
            draw_strokes(im, strokes, strokes_of(ch, x, y, unit, strokes), thick, c);
        x += ahead;
    }
    return x;
}

void xfv_text_shorten(char *buf, size_t cap, const char *s, struct xfv_font f, double max_width)
{
    if (cap == 0) return;
    size_t n = strlen(s), head, tail;
    buf[0] = 0;
    if (n < cap) {
        memcpy(buf, s, n + 1);
        if (xfv_text_width(buf, f) <= max_width) return;
    }
    /* Keep `head` bytes of the start and `tail` of the end: as much as fits into buf, then ever less, from both sides
     * in turn. */
    size_t room = cap > 3 ? cap - 3 : 0, keep = n < room ? n : room;
    for (; keep > 0; keep--) {
        head = keep / 2, tail = keep - head;
        while (head > 0 && ((unsigned char)s[head] & 0xc0) == 0x80) head--;
        while (tail > 0 && ((unsigned char)s[n - tail] & 0xc0) == 0x80) tail--;
        memcpy(buf, s, head);
        memcpy(buf + head, "..", 2);
        memcpy(buf + head + 2, s + n - tail, tail + 1);
        if (xfv_text_width(buf, f) <= max_width) return;
    }
    if (cap > 2) memcpy(buf, "..", 3);
}

/* May a line end after the character at p of the text s? After a slash or an underline, and after a hyphen that is no
 * number's sign ("-0.1", "1e-05"). */
static int may_break(const char *s, const char *p)
{
    if (*p == '/' || *p == '_') return 1;
    if (*p != '-') return 0;
    int number = (p[1] >= '0' && p[1] <= '9') || p[1] == '.';
    if (p == s) return !number;
    int exponent = (p[-1] == 'e' || p[-1] == 'E') && p - 1 > s && p[-2] >= '0' && p[-2] <= '9';
    int word = (p[-1] >= '0' && p[-1] <= '9') || ((p[-1] | 32) >= 'a' && (p[-1] | 32) <= 'z') || (p[-1] & 0x80);
    return !number || (word && !exponent);
}

size_t xfv_text_fit(const char *s, struct xfv_font f, double max_width)
{
    /* where a line may end; where it may if need be, at a joining blank */
    const char *p = s, *good = NULL, *poor = NULL;
    double width = 0;
    int script = xfv_script_wanted(s);
    while (*p) {
        const char *start = p;
        int ch = next_char(&p);
        width = script ? xfv_script_width(s, (size_t)(p - s), f) : width + advance_of(ch) * unit_of(f);
        if (*start == ' ' && start > s) good = start;
        if (ch == ' ' && *start != ' ' && start > s) poor = start;
        if (width > max_width && start > s) return (size_t)((good ? good : poor ? poor : start) - s);
        if (may_break(s, start)) good = p;
    }
    return (size_t)(p - s);
}
