/* Scores, thresholds and lists of pairs. */
#include <unistd.h>

#include "../tap.h"
#include "explain/cache.h"
#include "pair/compare.h"
#include "pair/pairs.h"
#include "pair/score.h"

static struct xfv_err e;

static int near(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

/* ---- scores ---- */

static void check_scores(void)
{
    float a[] = {1, 2, 3}, b[] = {-2, 0, 1}, zero[] = {0, 0, 0}, bad[] = {1, NAN, 0}, inf[] = {1, INFINITY, 0};
    double s = 9;
    int ok;
    ok = !xfv_cosine(a, b, 3, &s, &e) && near(s, 1 / sqrt(14 * 5));
    OK(ok, "cosine %.9f", s);
    OK(!xfv_cosine(a, a, 3, &s, &e) && s == 1.0, "a vector with itself: exactly 1");
    float big[] = {3e38f, -3e38f, 1e38f}, tiny[] = {1e-38f, -1e-38f, 0};
    ok = !xfv_cosine(big, tiny, 3, &s, &e) && s > 0.9 && s <= 1;
    OK(ok, "no overflow and no underflow: %.6f", s);
    OK(xfv_cosine(a, zero, 3, &s, &e) == XFV_EDATA, "zero: %s", e.msg);
    OK(xfv_cosine(bad, a, 3, &s, &e) == XFV_EDATA && xfv_cosine(a, inf, 3, &s, &e) == XFV_EDATA, "not finite: %s",
       e.msg);
    OK(!xfv_neg_distance(a, b, 3, &s, &e) && near(s, -sqrt(17)), "minus the distance");
    OK(xfv_neg_distance(bad, a, 3, &s, &e) == XFV_EDATA, "distance to NaN");
    char raw[3 * sizeof(float) + 1];
    memcpy(raw + 1, a, sizeof a);
    OK(!xfv_cosine(raw + 1, a, 3, &s, &e) && s == 1.0, "xfv_cosine takes unaligned vectors");
}

static void check_compare(void)
{
    static struct xfv_model m = {.name = "m", .digest = "aa"};
    float x[] = {3, 4}, y[] = {4, 3};
    const size_t two = 2, one = 1;
    struct xfv_tensor a = xfv_tensor_view(XFV_F32, 1, &two, x), b = xfv_tensor_view(XFV_F32, 1, &two, y),
                      less = xfv_tensor_view(XFV_F32, 1, &one, y);
    struct xfv_comparison plain = {0}, own = {.model = &m}, any = {.model = &m, .any_model = 1},
                          strict = {.must_name = 1};
    double s = 9;
    OK(!xfv_compare(&plain, &a, "", &b, "", &s, &e) && near(s, 0.96), "without a model: the cosine");
    OK(!xfv_compare(&own, &a, "aa", &b, "aa", &s, &e) && near(s, 0.96), "the model's own embeddings");
    OK(xfv_compare(&own, &a, "bb", &b, "bb", &s, &e) == XFV_EMODEL && strstr(e.msg, "not by 'm'"), "another's: %s",
       e.msg);
    OK(!xfv_compare(&any, &a, "bb", &b, "bb", &s, &e), "unless that is asked for");
    OK(xfv_compare(&any, &a, "aa", &b, "", &s, &e) == XFV_EMODEL && strstr(e.msg, "none..."), "two models: %s", e.msg);
    OK(!xfv_compare(&own, &a, "", &b, "", &s, &e) && xfv_compare(&strict, &a, "", &b, "", &s, &e) == XFV_EMODEL,
       "no model named: %s", e.msg);
    OK(xfv_compare(&plain, &a, "", &less, "", &s, &e) == XFV_EDATA && !strcmp(e.code, "embedding"), "lengths: %s",
       e.msg);
    m.score = XFV_SCORE_EUCLIDEAN;
    OK(!xfv_compare(&own, &a, "aa", &b, "aa", &s, &e) && near(s, -sqrt(2)), "a model that compares by distance");
}

static struct xfv_scores make(const double *genuine, int ng, const double *impostor, int ni)
{
    struct xfv_scores s = {0};
    for (int i = 0; i < ng; i++) xfv_scores_add(&s, genuine[i], 1, i % 2, &e);
    for (int i = 0; i < ni; i++) xfv_scores_add(&s, impostor[i], 0, i % 2, &e);
    return s;
}

static void check_thresholds(void)
{
    const double g[] = {0.9, 0.8, 0.7, 0.3}, im[] = {0.6, 0.2, 0.1, 0.1, 0.0};
    struct xfv_scores s = make(g, 4, im, 5), none = {0};
    double v, t, u;
    int folds, ok;
    struct xfv_rates r = xfv_rates_at(&s, 0.6);
    OK(r.genuine == 4 && r.impostor == 5 && near(r.fmr, 0.2) && near(r.fnmr, 0.25) && near(r.accuracy, 7.0 / 9),
       "a score equal to the threshold is accepted");
    r = xfv_rates_at(&s, 0.600001);
    OK(near(r.fmr, 0) && near(r.accuracy, 8.0 / 9), "and one below is not");
    r = xfv_rates_at(&none, 0);
    OK(isnan(r.fmr) && isnan(r.fnmr) && isnan(r.accuracy), "no pairs, no rates");
    ok = !xfv_eer(&s, &v, &t, &e) && near(t, 0.6) && near(v, 0.225);
    OK(ok, "equal error rate %.4f at %.4f", v, t);
    ok = !xfv_best_threshold(&s, &v, &t, &e) && near(v, 8.0 / 9) && near(t, 0.25);
    OK(ok, "best accuracy %.4f, lowest of two places: %.4f", v, t);
    r = xfv_rates_at(&s, t);
    OK(near(r.accuracy, v), "which it has");
    ok = !xfv_threshold_at_fmr(&s, 0, &t, &e) && near(t, 0.65);
    OK(ok, "no false match from %.4f", t);
    ok = !xfv_threshold_at_fmr(&s, 0.2, &t, &e) && near(t, 0.25);
    OK(ok, "one of five from %.4f", t);
    OK(!xfv_threshold_at_fmr(&s, 0.39, &t, &e) && near(t, 0.25), "equal scores go together");
    OK(!xfv_threshold_at_fmr(&s, 1, &t, &e) && t <= 0, "at an FMR of 1 the threshold accepts all");
    OK(xfv_eer(&none, &v, &t, &e) == XFV_EARG && xfv_best_threshold(&none, &v, &t, &e) == XFV_EARG &&
           xfv_threshold_at_fmr(&none, 0, &t, &e) == XFV_EARG,
       "of nothing: %s", e.msg);
    /* fold 0: genuine .9 .7, impostor .6 .1 .0; fold 1: genuine .8 .3, impostor .2 .1. Best of fold 1: .25 -> fold 0
     * has 4 of 5; best of fold 0: .65 -> fold 1 has 3 of 4 */
    ok = !xfv_fold_accuracy(&s, &u, &folds, &e) && folds == 2 && near(u, (4.0 / 5 + 3.0 / 4) / 2);
    OK(ok, "accuracy over folds %.4f", u);
    xfv_scores_clear(&s);
    s = make(g, 1, im, 0);
    OK(xfv_fold_accuracy(&s, &u, &folds, &e) == XFV_EARG, "one fold: %s", e.msg);
    xfv_scores_clear(&s);
}

/* ---- lists ---- */

static int parse(const char *text, struct xfv_pair_list *l)
{
    char *copy = strdup(text);
    int status = xfv_pair_list_parse("list", copy, l, &e);
    free(copy);
    return status;
}

static void good(const char *text, const char *want, const char *what)
{
    struct xfv_pair_list l;
    char got[1000] = "";
    if (parse(text, &l)) {
        OK(0, "%s: %s", what, e.msg);
        return;
    }
    for (size_t i = 0; i < l.n; i++) {
        size_t at = strlen(got);
        snprintf(got + at, sizeof got - at, "%s[%s][%s]%d/%d@%d", i ? " " : "", l.v[i].a, l.v[i].b, l.v[i].label,
                 l.v[i].fold, l.v[i].line);
    }
    OK(!strcmp(got, want), "%s: %s", what, got);
    xfv_pair_list_clear(&l);
}

static void bad(const char *text, const char *says)
{
    struct xfv_pair_list l;
    OK(parse(text, &l) == XFV_EARG && strstr(e.msg, says) && !l.v, "refused: %s", e.msg);
}

static void check_lists(void)
{
    struct xfv_pair_list l;
    good("a b\nc d\n", "[a][b]-1/0@1 [c][d]-1/0@2", "blanks");
    good("a b 1\nc  d\t\n", "[a][b]1/0@1 [c][d]-1/0@2", "several blanks, a TAB at the end");
    good("x y.jpg\tz.jpg\tgenuine\n", "[x y.jpg][z.jpg]1/0@1", "TABs: ids with blanks");
    good("file_x,file_y,Decision\nimg20.jpg,img21.jpg,Yes\nimg1.jpg, img2.jpg ,No\n",
         "[img20.jpg][img21.jpg]1/0@2 [img1.jpg][img2.jpg]0/0@3", "commas and a heading");
    good("\xef\xbb\xbf" "a,b,TRUE\r\nc,d,Impostor\r\n", "[a][b]1/0@1 [c][d]0/0@2", "byte order mark, carriage returns");
    good("# made by hand\n\n\"a, b\" c\n", "[a, b][c]-1/0@3", "a comma in quotes is no separator");
    good("\"a, \"\"b\"\"\",\"c;d\",1.0\n", "[a, \"b\"][c;d]1/0@1", "doubled quotes");
    good("a;b;1\nc;d;0.0\n", "[a][b]1/0@1 [c][d]0/0@2", "semicolons, and labels that are numbers");
    good("Doe, J.jpg;Roe, A.jpg\n1;a.jpg,2;b.jpg\n", "[Doe, J.jpg][Roe, A.jpg]-1/0@1 [1;a.jpg][2;b.jpg]-1/0@2",
         "the separator that fits");
    good("a b YES\na b nO\na b Non-Match\na b -1\na b -\na b mated\n",
         "[a][b]1/0@1 [a][b]0/0@2 [a][b]0/0@3 [a][b]0/0@4 [a][b]-1/0@5 [a][b]1/0@6", "words for labels");
    good("neu1.jpg neu2.jpg\na b\n", "[neu1.jpg][neu2.jpg]-1/0@1 [a][b]-1/0@2", "unknown ids are no heading");
    good(",img1,img2,label\n0,a,b,1.0\n1,c,d,\n", "[a][b]1/0@2 [c][d]-1/0@3", "a column of numbers, an empty label");
    good("label;image_left;image_right\nTrue;a;b\nFalse;c;d\n", "[a][b]1/0@2 [c][d]0/0@3", "columns in another order");
    good("id_a\tid_b\tscore\tthreshold\tdecision\tlabel\na\tb c\t0.9\t0.5\taccept\tgenuine\nc\td\tnan\t0.5\terror\t-\n",
         "[a][b c]1/0@2 [c][d]-1/0@3", "verify's table");
    good("a\tb\t0.9\t0.5\treject\timpostor\n", "[a][b]0/0@1", "and without its heading");
    good("name,imagenum1,imagenum2\nAn_Na,1,2\n", "[An_Na_0001][An_Na_0002]1/0@2", "Kaggle's matched pairs");
    good("name,imagenum1,name,imagenum2\nA,1,B,20\n", "[A_0001][B_0020]0/0@2", "Kaggle's mismatched pairs");
    good("name,imagenum1,imagenum2,\nA,1,4,\nA,1,B,1\n", "[A_0001][A_0004]1/0@2 [A_0001][B_0001]0/0@3", "and both");
    good("1\t1\nJo Ann\t1\t2\nJo Ann\t1\tBel_La\t1\n",
         "[Jo Ann_0001][Jo Ann_0002]1/0@2 [Jo Ann_0001][Bel_La_0001]0/0@3", "LFW, blanks in a name");
    good("1 1\nJo Ann 1 2\nJo Ann 1 Bel La 1\n", "[Jo Ann_0001][Jo Ann_0002]1/0@2 [Jo Ann_0001][Bel La_0001]0/0@3",
         "and between");
    good("A 1 4\nB 2 C 3\n", "[A_0001][A_0004]1/0@1 [B_0002][C_0003]0/0@2", "LFW without its first line");
    good("1 a.jpg b.jpg\n0 c.JPG d.jpg\n", "[a.jpg][b.jpg]1/0@1 [c.JPG][d.jpg]0/0@2", "the label first");
    bad("1 ../Data/Images/001/frontal/01.jpg\n2 ../Data/Images/001/frontal/02.jpg\n", "names no pairs");
    good("A_0001.jpg 3\nA_0002.jpg 3\nA_0001.jpg 0\nB_0001.jpg 0\n",
         "[A_0001.jpg][A_0002.jpg]1/0@1 [A_0001.jpg][B_0001.jpg]0/0@3", "CALFW's and CPLFW's form");
    good("\"a\",\"b\",0", "[a][b]0/0@1", "quotes, no newline at the end");
    good("2\t1\nA_B\t1\t4\nC\t2\tD\t10\nE\t1\t2\nF 3 G 4\n",
         "[A_B_0001][A_B_0004]1/0@2 [C_0002][D_0010]0/0@3 [E_0001][E_0002]1/1@4 [F_0003][G_0004]0/1@5", "LFW's form");
    good("2\nA 1 4\nB 2 C 3\n", "[A_0001][A_0004]1/0@2 [B_0002][C_0003]0/0@3", "LFW's form, one count");
    good("1 2\n3 4\n", "[1][2]-1/0@1 [3][4]-1/0@2", "numbers as ids");
    good("4 300\n5 6 1\n", "[4][300]-1/0@1 [5][6]1/0@2", "numbers as ids, and a label");
    bad("", "no pairs");
    bad("a b 1\nc d maybe\n", "line 2: label 'maybe'");
    bad("a b maybe\nc d maybe\n", "line 1: label 'maybe'");
    bad("a,b,target\n", "no pairs: line 1 is a heading");
    bad("left,right,what\na,b,1\n", "line 1: label 'what'");
    bad("a,b,label\nc,d,1\na,b,label\n", "line 3: label 'label'");
    bad("img1,img2,label\na,b,1,x\n", "line 2: expected 3 fields");
    bad("a_1.jpg 1\na_2.jpg 1\nb_1.jpg 0\n", "line 3 has no second");
    bad("a_1.jpg 1\na_2.jpg 0\n", "line 2: the two lines of a pair have the same number");
    bad("name,imagenum1,imagenum2\nA,1,2\nB,x,2\n", "line 3: expected LFW");
    bad("a\n", "line 1: expected two ids");
    bad("a b\nc d yes x\n", "line 2: expected two ids");
    bad("a,,yes\n", "line 1");
    bad("2 1\nA 1 4\nB 2 x\n", "line 3: expected LFW");
    bad("1 1\nA 1 4\nB 2 C 3\nD 1 2\n", "line 4: more pairs than");
    OK(!parse("left,right\na,b\n", &l) && l.n == 2 && l.v[0].may_be_heading && !l.v[1].may_be_heading,
       "a first line of two fields may be a heading");
    xfv_pair_list_clear(&l);
    OK(!parse("left,right,target\na,b,1\n", &l) && l.n == 1 && l.heading.line == 1 && !strcmp(l.heading.b, "right") &&
           !l.v[0].may_be_heading,
       "a heading is kept");
    xfv_pair_list_clear(&l);
    OK(xfv_pair_list_read("/nonexistent/list", &l, &e) == XFV_EIO && strstr(e.msg, "/nonexistent/list"), "no file: %s",
       e.msg);
    OK(xfv_pair_list_read("/", &l, &e) == XFV_EIO, "a folder: %s", e.msg);
}

static void check_index(void)
{
    static const char *const ids[] = {"x/a.jpg", "y/a.jpg",   "lfw/Bob_0001.jpg", "c",
                                      "c.png",   "d.e.f",     "x/dup.png",        "x/dup.png",
                                      "z/a",     "t\tab.jpg", "Jo_Ann_0001.jpg"};
    struct xfv_id_index *x = xfv_id_index_new(ids, sizeof ids / sizeof *ids);
    OK(xfv_id_index_find(x, "y/a.jpg") == 1, "the whole id");
    OK(xfv_id_index_find(x, "a.jpg") == XFV_ID_SEVERAL, "a file name that two have");
    OK(xfv_id_index_find(x, "other/Bob_0001.jpg") == 2, "the file name in another folder");
    OK(xfv_id_index_find(x, "Bob_0001") == 2, "the index finds a name without its extension");
    OK(xfv_id_index_find(x, "Bob_0001.png") == 2, "with another extension");
    OK(xfv_id_index_find(x, "c") == 3 && xfv_id_index_find(x, "c.png") == 4, "the whole id goes first");
    OK(xfv_id_index_find(x, "c.gif") == XFV_ID_SEVERAL, "without extensions, two");
    OK(xfv_id_index_find(x, "d.e") == 5, "the id is another's stem");
    OK(xfv_id_index_find(x, "a") == 8, "a whole file name goes before stems");
    OK(xfv_id_index_find(x, "Bob_000") == XFV_ID_NONE && xfv_id_index_find(x, "") == XFV_ID_NONE,
       "the index finds no part of a name, and no empty one");
    OK(xfv_id_index_find(x, "./x/a.jpg") == 0 && xfv_id_index_find(x, "/photos/y/../y/./a.jpg") == 1,
       "a path of several says which");
    OK(xfv_id_index_find(x, "z//a") == 8 && xfv_id_index_find(x, "w/a.jpg") == XFV_ID_SEVERAL, "another folder does "
                                                                                               "not");
    OK(xfv_id_index_find(x, "t\\tab.jpg") == 9 && xfv_id_index_find(x, "Jo Ann_0001") == 10, "escapes, and a blank for "
                                                                                             "_");
    OK(xfv_id_index_find(x, "x/dup.png") == 6 && xfv_id_index_duplicates(x) == 1, "an id twice: the first, and said");
    xfv_id_index_free(x);
    x = xfv_id_index_new(ids, 0);
    OK(xfv_id_index_find(x, "c") == XFV_ID_NONE && xfv_id_index_duplicates(x) == 0, "an empty index");
    xfv_id_index_free(x);
    xfv_id_index_free(NULL);
}

/* ---- the cache of the explainers ---- */

static int freed;

static void count_free(void *v)
{
    freed += *(int *)v;
}

static void check_cache(void)
{
    int v[] = {1, 10, 100, 1000};
    struct xfv_cache *c = xfv_cache_new(2, count_free);
    OK(!xfv_cache_find(c, "a", 1), "an empty cache");
    xfv_cache_put(c, "a", 1, &v[0], &e);
    xfv_cache_put(c, "b", 1, &v[1], &e);
    OK(xfv_cache_find(c, "a", 1) == &v[0] && !xfv_cache_find(c, "ab", 2) && !xfv_cache_find(c, "", 0), "found by all "
                                                                                                       "of the key");
    xfv_cache_put(c, "c", 1, &v[2], &e);
    OK(freed == 10 && xfv_cache_find(c, "a", 1) && !xfv_cache_find(c, "b", 1), "the one used least recently goes");
    xfv_cache_make_room(c);
    OK(freed == 110, "room is made before the next one");
    xfv_cache_put(c, "d", 1, &v[3], &e);
    OK(freed == 110 && xfv_cache_find(c, "a", 1), "which then frees nothing");
    xfv_cache_free(c);
    OK(freed == 1111, "all is freed at the end");
    xfv_cache_free(NULL);
}

int main(void)
{
    check_scores();
    check_compare();
    check_thresholds();
    check_lists();
    check_index();
    check_cache();
    return tap_done();
}
