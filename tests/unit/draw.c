/* Drawing, colour maps, blur, enlarging. */
#include "tap.h"

#include "image/blur.h"
#include "image/colour.h"
#include "image/draw.h"

static const struct xfv_rgb ink = {10, 20, 30};

static struct xfv_image blank(int w, int h)
{
    struct xfv_image im;
    struct xfv_err e;
    if (xfv_image_alloc(&im, w, h, 3, &e)) exit(1);
    memset(im.data, 255, (size_t)w * (size_t)h * 3);
    return im;
}

static int marked(const struct xfv_image *im, int x0, int y0, int x1, int y1)
{
    int n = 0;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) n += im->data[((size_t)y * (size_t)im->width + (size_t)x) * 3] != 255;
    return n;
}

static void test_shapes(void)
{
    struct xfv_image im = blank(20, 10), small = blank(3, 2);
    xfv_draw_rect(&im, -5, -5, 8, 7, ink);
    OK(marked(&im, 0, 0, 20, 10) == 6 && marked(&im, 0, 0, 3, 2) == 6, "a rectangle is cut at the corner");
    xfv_draw_rect(&im, 2147483647, 0, 2147483647, 3, ink);
    xfv_draw_rect(&im, -2147483647 - 1, 0, 5, 5, ink);
    xfv_draw_rect(&im, 5, 5, -3, 4, ink);
    xfv_draw_line(&im, NAN, 0, 1, 1, 1, ink);
    xfv_draw_line(&im, 1e300, 0, 2e300, 1, 1, ink);
    OK(marked(&im, 0, 0, 20, 10) == 6, "rectangles and lines outside leave nothing");
    xfv_draw_rect(&im, 0, 0, 20, 10, (struct xfv_rgb){255, 255, 255});
    xfv_draw_frame(&im, 2, 2, 6, 5, 1, ink);
    OK(marked(&im, 0, 0, 20, 10) == 18 && marked(&im, 3, 3, 7, 6) == 0, "a frame is one pixel wide, inside its "
                                                                        "rectangle");
    memset(small.data, 7, 18);
    xfv_draw_picture(&im, 18, 9, &small);
    xfv_draw_picture(&im, -2147483647, 2147483647, &small);
    OK(marked(&im, 18, 9, 20, 10) == 2, "a picture is cut at the edge");
    xfv_image_clear(&im);
    xfv_image_clear(&small);
}

static void test_text(void)
{
    struct xfv_image im = blank(200, 60), other = blank(200, 60);
    struct xfv_font f = {20, 0}, bold = {20, 1}, absurd = {1e6, 0}, none = {0, 0};
    double end = xfv_draw_text(&im, 10, 40, f, ink, "Score 0.78");
    OK(fabs(end - 10 - xfv_text_width("Score 0.78", f)) < 1e-9, "text ends where its width says");
    OK(marked(&im, 0, 0, 200, 60) > 100 && marked(&im, 0, 0, 9, 60) == 0 &&
           marked(&im, (int)end + 2, 0, 200, 60) == 0 && marked(&im, 0, 0, 200, 24) == 0 &&
           marked(&im, 0, 43, 200, 60) == 0,
       "and stays between its ends, the height of its capitals and the baseline");
    xfv_draw_text(&other, 10, 40, bold, ink, "Score 0.78");
    OK(marked(&other, 0, 0, 200, 60) > marked(&im, 0, 0, 200, 60), "bold text has more ink");
    OK(xfv_text_width("\xc3\xa9", f) == xfv_text_width("e", f), "an accented letter is drawn as its base");
    OK(xfv_text_width("\xff\xe5\x90\x8d", f) == 2 * xfv_text_width("\x01", f), "a broken byte and a CJK character are "
                                                                               "a box each");
    static const struct {
        double x, y;
        int size;
    } nowhere[] = {{-1e9, 40, 2}, {10, 1e18, 0}, {NAN, NAN, 0}, {10, 10, 1}};
    const struct xfv_font fonts[] = {f, none, absurd};
    for (int i = 0; i < 4; i++) {
        int before = marked(&im, 0, 0, 200, 60);
        xfv_draw_text(&im, nowhere[i].x, nowhere[i].y, fonts[nowhere[i].size], ink, "abc");
        OK(marked(&im, 0, 0, 200, 60) == before, "text at %g,%g leaves no ink", nowhere[i].x, nowhere[i].y);
    }
    char buf[200], tiny[4];
    const char *path = "a/very/long/path/that/does/not/fit/J\xc3\xb6rg.jpg";
    xfv_text_shorten(buf, sizeof buf, path, f, 150);
    OK(xfv_text_width(buf, f) <= 150 && strstr(buf, "..") && buf[0] == 'a' &&
           strcmp(buf + strlen(buf) - 4, ".jpg") == 0,
       "a long name loses its middle: %s", buf);
    int bad = 0;
    for (double w = 0; w < 600; w += 3) {
        xfv_text_shorten(buf, sizeof buf, path, f, w);
        for (size_t i = 0; buf[i]; i++)
            bad += ((unsigned char)buf[i] == 0xc3 && (unsigned char)buf[i + 1] != 0xb6) ||
                   ((unsigned char)buf[i] == 0xb6 && (i == 0 || (unsigned char)buf[i - 1] != 0xc3));
    }
    OK(bad == 0, "and never half a character");
    OK(strcmp(buf, path) == 0, "a name that fits is whole");
    xfv_text_shorten(tiny, sizeof tiny, path, f, 1e9);
    OK(strlen(tiny) < sizeof tiny, "a small buffer is enough");
    OK(xfv_text_fit("two words", f, xfv_text_width("two wo", f)) == 3, "lines break at spaces");
    OK(xfv_text_fit("cut/here", f, xfv_text_width("cut/he", f)) == 4, "and after a slash");
    OK(xfv_text_fit("gap -0.001", f, xfv_text_width("gap -0.0", f)) == 3, "but not between a sign and its number");
    OK(xfv_text_fit("sum 1e-05", f, xfv_text_width("sum 1e-0", f)) == 3, "nor inside an exponent");
    OK(xfv_text_fit("photo-1.jpg", f, xfv_text_width("photo-1.", f)) == 6, "a hyphen before a number is no sign");
    OK(xfv_text_fit("a b\xc2\xa0" "cc", f, xfv_text_width("a b c", f)) == 1, "a blank that joins is the last choice");
    OK(xfv_text_fit("word", f, 0) == 1 && xfv_text_fit("", f, 10) == 0, "one character at least");
    xfv_image_clear(&im);
    xfv_image_clear(&other);
}

static double luminance(struct xfv_rgb c)
{
    double v[3] = {c.r / 255.0, c.g / 255.0, c.b / 255.0}; /* sRGB, IEC 61966-2-1 */
    for (int i = 0; i < 3; i++) v[i] = v[i] <= 0.04045 ? v[i] / 12.92 : pow((v[i] + 0.055) / 1.055, 2.4);
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
}

/* Does luminance only grow (sign 1) or only fall (-1) from t0 to t1? */
static int monotone(enum xfv_colour_map m, double t0, double t1, int sign)
{
    double last = luminance(xfv_colour(m, t0));
    for (int i = 1; i <= 100; i++) {
        double now = luminance(xfv_colour(m, t0 + (t1 - t0) * i / 100));
        if ((now - last) * sign < -1e-3) return 0; /* colours are whole numbers */
        last = now;
    }
    return 1;
}

static int same(struct xfv_rgb a, int r, int g, int b)
{
    return a.r == r && a.g == g && a.b == b;
}

static void test_colours(void)
{
    OK(monotone(XFV_VIRIDIS, 0, 1, 1) && monotone(XFV_MAGMA, 0, 1, 1) && monotone(XFV_INFERNO, 0, 1, 1),
       "viridis, magma and inferno only grow lighter");
    OK(monotone(XFV_GREENS, 0, 1, -1) && monotone(XFV_REDS, 0, 1, -1), "greens and reds only grow darker");
    OK(monotone(XFV_PIYG, 0.5, 1, -1) && monotone(XFV_PIYG, 0.5, 0, -1), "PiYG darkens from its middle to both ends");
    OK(!monotone(XFV_JET, 0, 1, 1) && !monotone(XFV_JET, 0, 1, -1), "jet does neither, as documented");
    OK(same(xfv_colour(XFV_JET, 0), 0, 0, 128) && same(xfv_colour(XFV_JET, 0.5), 128, 255, 128) &&
           same(xfv_colour(XFV_JET, 1), 128, 0, 0),
       "jet's ends and middle");
    OK(same(xfv_colour(XFV_VIRIDIS, 0), 0x44, 0x01, 0x54) && same(xfv_colour(XFV_VIRIDIS, 1), 0xfd, 0xe7, 0x25),
       "viridis's ends");
    OK(same(xfv_colour(XFV_MAGMA, -5), 0, 0, 4) && same(xfv_colour(XFV_MAGMA, INFINITY), 0xfc, 0xfd, 0xbf) &&
           same(xfv_colour(XFV_JET, NAN), 128, 128, 128),
       "values outside are clamped, NaN is grey");
    int schemes = 0;
    for (; xfv_scheme_names[schemes]; schemes++) {
        struct xfv_rgb s = xfv_scheme_colour(schemes, XFV_SIMILARITY, 1),
                       d = xfv_scheme_colour(schemes, XFV_DISSIMILARITY, 1);
        OK(xfv_scheme_two_sided(schemes) == !same(s, d.r, d.g, d.b), "%s: two colours when it says so",
           xfv_scheme_names[schemes]);
        s = xfv_scheme_colour(schemes, XFV_SIGNED, 1), d = xfv_scheme_colour(schemes, XFV_SIGNED, -1);
        OK(s.g > s.r && d.r > d.g, "%s: signed maps are green above 0 and red or pink below",
           xfv_scheme_names[schemes]);
    }
    OK(schemes == 7, "there are seven colour schemes");
}

static int mirror(int i, int n)
{
    while (i < 0 || i >= n) i = i < 0 ? -i : 2 * (n - 1) - i;
    return i;
}

static void test_blur(void)
{
    enum { W = 31, H = 17 };
    float p[W * H], q[W * H], direct[W * H];
    struct xfv_err e;
    unsigned seed = 1;
    for (int i = 0; i < W * H; i++) p[i] = (float)((seed = seed * 1664525 + 1013904223) >> 8) / 16777216;
    memcpy(q, p, sizeof p);
    double sigma = 1.7, worst = 0;
    int r = xfv_blur_radius(sigma);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            double sum = 0, weight = 0;
            for (int j = -r; j <= r; j++)
                for (int i = -r; i <= r; i++) {
                    double w = exp(-(i * i + j * j) / (2 * sigma * sigma));
                    sum += w * (double)p[mirror(y + j, H) * W + mirror(x + i, W)];
                    weight += w;
                }
            direct[y * W + x] = (float)(sum / weight);
        }
    OK(xfv_blur(q, W, H, sigma, &e) == 0, "xfv_blur takes any sigma");
    for (int i = 0; i < W * H; i++) worst = fmax(worst, fabs((double)(q[i] - direct[i])));
    OK(worst < 1e-6, "two passes are the direct sum over the plane (%g)", worst);
    OK(xfv_blur_radius(5) == 12 && xfv_blur_radius(0.1) == 1 && xfv_blur_radius(0) == 0, "sigma 5 makes a kernel 25 "
                                                                                         "wide");
    float spot[101 * 101] = {0}, total = 0;
    spot[50 * 101 + 50] = 1;
    xfv_blur(spot, 101, 101, 5, &e);
    int symmetric = 1, outside = 0;
    for (int y = 0; y < 101; y++)
        for (int x = 0; x < 101; x++) {
            float v = spot[y * 101 + x];
            total += v;
            symmetric &= fabsf(v - spot[(100 - y) * 101 + x]) < 1e-9f && fabsf(v - spot[x * 101 + y]) < 1e-9f;
            outside |= v != 0 && (abs(x - 50) > 12 || abs(y - 50) > 12);
        }
    OK(fabs((double)total - 1) < 1e-5 && symmetric && !outside, "a spot keeps its sum, its symmetry and its bounds");
    /* Sigma 0.8: weights exp(0), exp(-1/1.28), exp(-4/1.28) over their sum 2.0035: .4991 .2285 .0219. */
    float row[4] = {1, 0, 0, 0}, one = 3;
    xfv_blur(row, 4, 1, 0.8, &e);
    OK(fabs((double)row[0] - 0.4991) < 1e-4 && fabs((double)row[2] - 0.0219) < 1e-4, "the edge pixel itself is not "
                                                                                     "repeated");
    OK(xfv_blur(&one, 1, 1, 100, &e) == 0 && fabs((double)one - 3) < 1e-6, "a map of one pixel stays");
    OK(xfv_blur(p, W, H, -1, &e) == XFV_EARG && xfv_blur(p, W, H, NAN, &e) == XFV_EARG, "a senseless sigma is refused");
}

static void test_enlarge(void)
{
    float src[6] = {1, 2, 3, 4, 5, 6}, dst[24 * 40], ramp[8], up[32];
    struct xfv_err e;
    OK(xfv_enlarge(src, 3, 2, dst, 3, 2, &e) == 0 && memcmp(src, dst, sizeof src) == 0, "an equal size is a copy");
    for (int i = 0; i < 8; i++) ramp[i] = (float)i;
    xfv_enlarge(ramp, 8, 1, up, 32, 1, &e);
    double worst = 0;
    for (int i = 8; i < 24; i++) worst = fmax(worst, fabs((double)up[i] - ((i + 0.5) / 4 - 0.5)));
    OK(worst < 1e-5, "a ramp stays a ramp, in place (%g)", worst);
    for (int i = 0; i < 6; i++) src[i] = 7;
    xfv_enlarge(src, 3, 2, dst, 24, 40, &e);
    int flat = 1;
    for (int i = 0; i < 24 * 40; i++) flat &= fabsf(dst[i] - 7) < 1e-5f;
    OK(flat, "a flat plane stays flat");
    OK(xfv_enlarge(src, 3, 0, dst, 3, 2, &e) == XFV_EARG, "no plane, no picture");
}

int main(void)
{
    test_shapes();
    test_text();
    test_colours();
    test_blur();
    test_enlarge();
    return tap_done();
}
