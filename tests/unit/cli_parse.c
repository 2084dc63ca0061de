/* Numbers, sizes and choices of options, and the escaping of what messages quote. */
#include "../tap.h"
#include "base/escape.h"
#include "cli/cli.h"
#include "net/model/model.h"

static struct xfv_err e;

static int bad_int(const char *s)
{
    long v = 77;
    return xfv_parse_int("--jobs", s, 0, 256, &v, &e) == XFV_EARG && v == 77;
}

static int bad_f64(const char *s)
{
    double v = 77;
    return xfv_parse_f64("--threshold", s, -1, 1, &v, &e) == XFV_EARG && v == 77;
}

static int bad_size(const char *s)
{
    size_t v = 77;
    return xfv_parse_size("--cache", s, 10, 1 << 30, &v, &e) == XFV_EARG && v == 77;
}

static void check_size(const char *s, size_t want)
{
    size_t v = 0;
    OK(!xfv_parse_size("--cache", s, 10, (size_t)1 << 40, &v, &e) && v == want, "%s is %zu bytes", s, v);
}

static void check_escape(const char *in, size_t n, const char *want)
{
    char buf[64];
    size_t k = xfv_escape(buf, sizeof buf, in, n);
    OK(!strcmp(buf, want) && k == strlen(want), "escaped: %s", buf);
}

static void check_rows(void)
{
    static const char *const words[] = {"low", "high", NULL};
    struct values { int n, word, on, told; double x; size_t bytes; const char *text; } v = {.n = 7};
    const struct xfv_opt rows[] = {
        {"number", 'n', "N", "", 0, XFV_TO_INT(struct values, n, 2, 9), XFV_GIVEN(struct values, told)},
        {"real", 0, "X", "", 0, XFV_TO_F64(struct values, x, -0.5, 2)},
        {"size", 0, "SIZE", "", 0, XFV_TO_SIZE(struct values, bytes, 2048, 1 << 30)},
        {"word", 0, "WORD", "", 0, XFV_TO_CHOICE(struct values, word, words)},
        {"text", 0, "NAME", "", 0, XFV_TO_TEXT(struct values, text, 3)},
        {"on", 0, NULL, "", 0, XFV_TO_FLAG(struct values, on, 4)},
    };
    static const char *const good[] = {"9", "-0.5", "4K", "high", "abc", NULL}, *const bad[] = {"10", "2.1", "1K",
                                                                                                "middle", "abcd"};
    static const char *const ranges[] = {" [2..9]", " [-0.5..2]", " [from 2K]", " [low high]", "", ""};
    char range[64];
    for (int i = 0; i < 5; i++)
        OK(xfv_option_take(&rows[i], &v, bad[i], &e) == XFV_EARG, "--%s=%s: refused", rows[i].long_name, bad[i]);
    OK(v.n == 7 && !v.told && !v.text, "a value that is refused changes nothing");
    xfv_option_take(&rows[4], &v, "", &e);
    OK(strstr(e.msg, "empty") != NULL, "an empty name: %s", e.msg);
    for (int i = 0; i < 6; i++)
        OK(!xfv_option_take(&rows[i], &v, good[i], &e), "--%s=%s", rows[i].long_name, good[i] ? good[i] : "");
    OK(v.n == 9 && v.told && v.x < -0.4 && v.bytes == 4096 && v.word == 1 && !strcmp(v.text, "abc") && v.on == 4,
       "each into its field");
    for (int i = 0; i < 6; i++) {
        xfv_option_range(&rows[i], range, sizeof range);
        OK(!strcmp(range, ranges[i]), "--%s: help says '%s'", rows[i].long_name, range);
    }
}

static void check_lists(void)
{
    char text[4] = "";
    double v[3] = {0};
    OK(!xfv_parse_text("--name", "abc", text, sizeof text, &e) && !strcmp(text, "abc"), "a text that just fits");
    OK(xfv_parse_text("--name", "abcd", text, sizeof text, &e) == XFV_EARG && strstr(e.msg, "3 bytes"),
       "one that does not: %s", e.msg);
    OK(xfv_parse_numbers("--mean", "1,-2.5", -9, 9, v, 3, &e) == 2 && v[0] == 1 && v[1] == -2.5,
       "xfv_parse_numbers reads two numbers");
    static const char *const lists[] = {"", "1,", "1,,2", "1,2,3,4", "1,10", "1 ,2"};
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        OK(xfv_parse_numbers("--mean", lists[k], -9, 9, v, 3, &e) == XFV_EARG, "numbers '%s': %s", lists[k], e.msg);
}

static void check_threshold(void)
{
    struct xfv_threshold t;
    OK(!xfv_parse_threshold("-t", "default=.3", &t, &e) && !strcmp(t.name, "default") && t.value == .3 &&
           isnan(t.fmr) && !t.pairs,
       "a threshold");
    OK(!xfv_parse_threshold("-t", "fmr=1e-3=0.25,pairs=12,fmr=.001,fnmr=.1,data=a,fmr=2", &t, &e) &&
           !strcmp(t.name, "fmr=1e-3") && t.value == .25 && t.pairs == 12 && t.fmr == .001 && t.fnmr == .1 &&
           !strcmp(t.data, "a,fmr=2"),
       "with all there is to say of it");
    static const char *const bad[] = {
        "",          "x",       "=1",           "a=",      "a=1,",
        "a=1,fmr=2", "a=1,fmr", "a=1,pairs=-1", "a=1,x=1", "a123456789012345678901234567890123=1"};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        OK(xfv_parse_threshold("-t", bad[k], &t, &e) == XFV_EARG && strstr(e.msg, "-t"), "threshold '%s': %s", bad[k],
           e.msg);
}

int main(void)
{
    long l;
    double d;
    int i = -1;
    OK(!xfv_parse_int("--jobs", "8", 0, 256, &l, &e) && l == 8, "xfv_parse_int reads 8");
    OK(!xfv_parse_int("--jobs", "256", 0, 256, &l, &e) && l == 256, "the limit itself");
    static const char *const ints[] = {"", " 8", "8x", "x", "-1", "257", "99999999999999999999", "0x8", "1.0"};
    for (size_t k = 0; k < sizeof ints / sizeof *ints; k++)
        OK(bad_int(ints[k]) && strstr(e.msg, "--jobs"), "int '%s': %s", ints[k], e.msg);
    OK(!xfv_parse_f64("--threshold", "-.25e0", -1, 1, &d, &e) && d == -.25, "xfv_parse_f64 reads -.25e0");
    static const char *const floats[] = {"", " 0", "0,5", "nan", "inf", "-inf", "1.001", "1e999", "0.5 "};
    for (size_t k = 0; k < sizeof floats / sizeof *floats; k++)
        OK(bad_f64(floats[k]) && strstr(e.msg, "--threshold"), "number '%s': %s", floats[k], e.msg);
    check_size("4096", 4096);
    check_size("64K", 65536);
    check_size("64m", (size_t)64 << 20);
    check_size("2G", (size_t)2 << 30);
    check_size("2GiB", (size_t)2 << 30);
    static const char *const sizes[] = {
        "", "-1", "K", "9", "64KB", "2G", "99999999999999999999", "18014398509481984K", "1e3", "+64K"};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        OK(bad_size(sizes[k]) && strstr(e.msg, "--cache"), "size '%s': %s", sizes[k], e.msg);
    static const char *const names[] = {"mean", "max", "l2", NULL};
    OK(!xfv_parse_choice("--colour", "l2", names, &i, &e) && i == 2, "xfv_parse_choice finds a word's place");
    OK(xfv_parse_choice("--colour", "L2", names, &i, &e) == XFV_EARG && i == 2 && strstr(e.msg, "mean, max or l2"),
       "not a choice: %s", e.msg);
    check_lists();
    check_rows();
    check_threshold();
    check_escape("plain \xc3\xa9", 8, "plain \xc3\xa9");
    check_escape("a\nb\tc\r\x1b[0m\x7f", 11, "a\\nb\\tc\\r\\x1b[0m\\x7f");
    check_escape("a\0b", 3, "a\\x00b");
    check_escape("\xc2\x9b" "2J", 4, "\\u009b2J");
    char small[10];
    OK(xfv_escape(small, sizeof small, "abcdefghijkl", 12) == 9 && !strcmp(small, "abcdef..."), "cut: %s", small);
    OK(xfv_escape(small, 1, "abc", 3) == 0 && !*small, "xfv_escape writes nothing where there is no room");
    OK(!xfv_fail_code(&e, 0, "size", "x") && e.code && !strcmp(e.code, "size"), "an error may name its kind");
    xfv_fail(&e, XFV_EDATA, "y");
    OK(e.code == NULL, "and a later one does not inherit it");
    return tap_done();
}
