/* heatmap: draws explained pairs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"
#include "image/pdf.h"
#include "image/script.h"
#include "report/figure.h"
#include "report/contact.h"
#include "report/photo.h"
#include "report/svg.h"
#include "stage/stage.h"
#include "stage/answer.h"
#include "pair/maps.h"

enum format { PPM, PNG, JPEG, SVG, PDF };
static const struct { const char *end; enum format format; } ends[] = {
    {".png", PNG}, {".jpg", JPEG}, {".jpeg", JPEG}, {".svg", SVG},
    {".pdf", PDF}, {".ppm", PPM}, {".pnm", PPM}, {NULL, PPM}};
enum target { TO_PPM_STREAM, TO_ONE_FILE, TO_FILES }; /* files: a name with %d */

/* A picture that waits for its turn to be written. */
struct picture {
    uint8_t *bytes;
    struct xfv_image cell; /* in a sheet, instead of bytes */
    size_t n;
    char *answer;      /* for --say; NULL: none */
    int boxes;         /* 1: a name holds letters that cannot be drawn here */
    char problem[256]; /* what the picture could not show; empty: nothing */
    long number;       /* of the pair, from 0 */
};

struct heatmap {
    struct xfv_cli *cli;
    struct xfv_figure_opts figure;
    const char *method;
    enum target target;
    int format;  /* enum format */
    double width; /* on the page, millimetres; 0: for a screen */
    long pairs; /* seen so far */
    struct picture *slot;
    struct picture kept; /* TO_ONE_FILE: written when the stream has ended well */
    struct xfv_contact sheet;
    struct xfv_photographs photographs;
    int columns; /* 0: as fits */
    int say;     /* enum xfv_answer */
    int boxes;   /* 1: some name had boxes */
};

/* --- options --- */

static int set_layout(void *ctx, const char *value, struct xfv_err *e)
{
    static const char *const names[] = {"figure", "maps", "overlay", "sheet", "photo", NULL};
    int i = 0, status = xfv_parse_choice("--layout", value, names, &i, e);
    ((struct heatmap *)ctx)->figure.layout = (enum xfv_layout)i;
    return status;
}

/* The columns of most journals; the narrow one has the faces below one another. */
static const double columns_mm[] = {88, 180};
enum { WIDEST_COLUMN_MM = 120 };

static int set_width(void *ctx, const char *value, struct xfv_err *e)
{
    struct heatmap *h = ctx;
    int status = 0;
    if (!strcmp(value, "1column") || !strcmp(value, "2column")) h->width = columns_mm[*value - '1'];
    else status = xfv_parse_f64("--width", value, 10, 2000, &h->width, e);
    h->figure.columns = h->width > WIDEST_COLUMN_MM ? 2 : 1;
    return status;
}

static const char *const panel_names[] = {"all", "a", "b", "plus-a", "plus-b", "minus-a", "minus-b", NULL};

static const char *const rescale_names[] = {"pair", "each", NULL};

static int is_sheet(const struct heatmap *h)
{
    return h->figure.layout == XFV_LAYOUT_CELL;
}

static int is_photo(const struct heatmap *h)
{
    return h->figure.layout == XFV_LAYOUT_PHOTO;
}

/* Needs no map. */
static int is_face_panel(const struct heatmap *h)
{
    return h->figure.panel == XFV_PANEL_FACE || h->figure.panel == XFV_PANEL_FACE + 1;
}

/* --- the name of the output --- */

static int ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);
    return n > k && strcasecmp(s + n - k, end) == 0;
}

/* The place in name of its one %d or %0Nd, its length and N; 0 when there is no percent sign. */
static int find_number(const char *name, size_t *at, size_t *len, int *width, struct xfv_err *e)
{
    const char *p = strchr(name, '%'), *q = p;
    if (!p) return 0;
    *width = 0;
    if (*++q == '0' && isdigit((unsigned char)q[1])) *width = *++q - '0', q++;
    if (*q != 'd' || strchr(q, '%'))
        return xfv_fail(e, XFV_EARG,
                        "-o: '%.200s' may hold one %%d (or %%0Nd, N 1..9) for the number of the pair, and no other "
                        "%%", name);
    *at = (size_t)(p - name);
    *len = (size_t)(q + 1 - p);
    return 1;
}

static int choose_target(struct heatmap *h, struct xfv_err *e)
{
    const char *name = xfv_cli_out_path(h->cli);
    size_t at, len;
    int width;
    h->target = TO_PPM_STREAM;
    if (!name || !strcmp(name, "-") || !strncmp(name, "/dev/", 5))
        return h->say ? xfv_fail(e, XFV_EARG, "--say: pictures go to standard output; give them a file with -o") : 0;
    while (ends[h->format].end && !ends_in(name, ends[h->format].end)) h->format++;
    if (!ends[h->format].end)
        return xfv_fail(e, XFV_EARG, "-o: the name must end in .png, .jpg, .svg, .pdf or .ppm, got '%.200s'", name);
    h->format = (int)ends[h->format].format;
    if (h->format >= SVG && (is_sheet(h) || is_photo(h)))
        return xfv_fail(e, XFV_EARG, "-o: a sheet, or a photograph, is no drawing: take .png or .jpg");
    int numbered = find_number(name, &at, &len, &width, e);
    if (numbered < 0) return numbered;
    if (numbered && is_sheet(h)) return xfv_fail(e, XFV_EARG, "-o: a sheet is one picture: its name holds no %%d");
    if (numbered) h->target = TO_FILES;
    else if (h->format != PPM) h->target = TO_ONE_FILE;
    return 0;
}

/* name with its %d replaced by number; malloc'ed. */
static char *numbered_name(const char *name, long number)
{
    size_t at = 0, len = 0, cap = strlen(name) + 32;
    int width = 0;
    char *s = malloc(cap);
    if (s && find_number(name, &at, &len, &width, NULL) == 1)
        snprintf(s, cap, "%.*s%0*ld%s", (int)at, name, width, number, name + at + len);
    return s;
}

/* --- the loop --- */

static int new_head(void *ctx, struct xfv_rec *in, msgpack_object *set, msgpack_zone *zone, msgpack_object *extra,
                    struct xfv_err *e)
{
    struct heatmap *h = ctx;
    char name[64] = "", digest[80] = "";
    const msgpack_object *model = xfv_map_get(xfv_rec_map(in), "model");
    (void)set, (void)zone, (void)extra, (void)e;
    h->figure.model[0] = 0;
    if (model && xfv_get_text(model, "name", name, sizeof name, NULL)) name[0] = 0;
    if (model && xfv_get_text(model, "digest", digest, sizeof digest, NULL)) digest[0] = 0;
    if (name[0])
        snprintf(h->figure.model, sizeof h->figure.model, "%s%s%.12s", name, digest[0] ? ", digest " : "", digest);
    return 0;
}

static int wants(void *ctx, const struct xfv_rec *r)
{
    return xfv_rec_kind(r) == XFV_PAIR || ((is_sheet(ctx) || is_photo(ctx)) && xfv_rec_kind(r) == XFV_FACE);
}

/* Before any work: a second pair has no place in one PNG file, and nothing has been written yet. */
static int prepare(void *ctx, struct xfv_rec *r, int slot, struct xfv_err *e)
{
    struct heatmap *h = ctx;
    if (h->target == TO_ONE_FILE && h->pairs == 1 && !is_sheet(h) && !is_photo(h))
        return xfv_fail(e, XFV_EARG,
                        "the stream holds more than one pair and '%.200s' one picture: nothing is written; name the "
                        "files NAME-%%d.png, or take a Netpbm stream from standard output", xfv_cli_out_path(h->cli));
    (void)r;
    free(h->slot[slot].answer);
    h->slot[slot] = (struct picture){.number = h->pairs++}; /* one that failed here left what it could not show */
    return 0;
}

static void missing_maps(const struct heatmap *h, const struct xfv_pairview *p, char *buf, size_t cap)
{
    if (p->problem[0]) snprintf(buf, cap, "%s", p->problem);
    else if (p->n_rows == 0) xfv_maps_none(h->method, buf, cap);
    else buf[0] = 0;
}

static int draw_pdf(const struct heatmap *h, const struct xfv_pairview *p, struct picture *out, struct xfv_err *e)
{
    struct xfv_figure_opts o = h->figure;
    struct xfv_image im = {0};
    struct xfv_pdf *pdf = xfv_pdf_new(e);
    if (!pdf) return e->status;
    o.pen = xfv_pdf_pen(pdf);
    int status = xfv_figure_draw(p, &o, &im, e);
    if (!status) status = xfv_pdf_finish(pdf, im.width, im.height, h->width, &out->bytes, &out->n, e);
    xfv_image_clear(&im);
    xfv_pdf_free(pdf);
    return status;
}

static int draw_svg(const struct heatmap *h, const struct xfv_pairview *p, struct picture *out, struct xfv_err *e)
{
    struct xfv_figure_opts o = h->figure;
    struct xfv_image im = {0};
    struct xfv_svg *svg = xfv_svg_new();
    if (!svg) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    o.pen = xfv_svg_pen(svg);
    int status = xfv_figure_draw(p, &o, &im, e);
    if (!status) status = xfv_svg_finish(svg, im.width, im.height, h->width, &out->bytes, &out->n, e);
    xfv_image_clear(&im);
    xfv_svg_free(svg);
    return status;
}

/* The answer's text into out->answer. */
static int say(const struct heatmap *h, const struct xfv_pairview *p, struct picture *out, struct xfv_err *e)
{
    size_t n = 0;
    FILE *f = open_memstream(&out->answer, &n);
    if (!f) return xfv_fail(e, XFV_ENOMEM, "out of memory");
    xfv_answer_write(f, p, (enum xfv_answer)h->say, h->target != TO_ONE_FILE);
    return fclose(f) ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
}

static int encode(const struct heatmap *h, const struct xfv_image *im, struct picture *out, struct xfv_err *e)
{
    if (h->format == PNG) return xfv_image_encode_png(im, &out->bytes, &out->n, e);
    if (h->format == JPEG) return xfv_image_encode_jpeg(im, &out->bytes, &out->n, e);
    return xfv_image_encode_ppm(im, &out->bytes, &out->n, e);
}

static int draw(void *ctx, struct xfv_rec *r, int slot, int worker, struct xfv_err *e)
{
    struct heatmap *h = ctx;
    struct picture *out = &h->slot[slot];
    struct xfv_pairview p;
    struct xfv_image im = {0};
    (void)worker;
    if (is_photo(h)) return 0; /* emit takes it in */
    int sheet = is_sheet(h), face = xfv_rec_kind(r) == XFV_FACE;
    int status = face ? xfv_pairview_read_face(xfv_rec_map(r), &p, e)
                      : xfv_pairview_read(xfv_rec_map(r), h->method, &p, e);
    if (!status && !face && (!sheet || h->method || p.problem[0]) && !is_face_panel(h))
        missing_maps(h, &p, out->problem, sizeof out->problem);
    if (!status && p.n_rows == 0 && !sheet && h->figure.layout != XFV_LAYOUT_FIGURE && !is_face_panel(h))
        status = xfv_fail(e, XFV_EDATA, "%s", out->problem);
    if (!status && h->say && !face) status = say(h, &p, out, e);
    for (int i = 0; i < 2 && !status; i++) out->boxes |= xfv_script_missing(p.face[i].id);
    if (!status) status = xfv_pairview_blur(&p, h->figure.sigma, h->figure.each, e);
    if (!status && h->format == SVG) status = draw_svg(h, &p, out, e);
    else if (!status && h->format == PDF) status = draw_pdf(h, &p, out, e);
    else if (!status) status = xfv_figure_draw(&p, &h->figure, sheet ? &out->cell : &im, e);
    if (!status && !sheet && h->format < SVG) status = encode(h, &im, out, e);
    xfv_image_clear(&im);
    xfv_pairview_clear(&p);
    return status;
}

static int write_file(const char *name, const struct picture *p, struct xfv_err *e)
{
    struct xfv_outfile *f;
    int status = xfv_outfile_open(&f, name, XFV_OUT_IMAGE, e);
    if (status) return status;
    status = xfv_outfile_write(f, p->bytes, p->n, e);
    if (!status) return xfv_outfile_commit(f, e);
    xfv_outfile_discard(f);
    return status;
}

/* To the stream of pictures. */
static int write_next(struct heatmap *h, const struct picture *p, struct xfv_err *e)
{
    FILE *f = xfv_cli_out_file(h->cli, e);
    if (!f) return e->status;
    if (fwrite(p->bytes, 1, p->n, f) != p->n || fflush(f)) return xfv_fail(e, XFV_EIO, "cannot write");
    return 0;
}

static int write_picture(struct heatmap *h, struct picture *p, struct xfv_err *e)
{
    if (is_sheet(h)) return xfv_contact_add(&h->sheet, &p->cell, e);
    if (h->target == TO_ONE_FILE) {
        h->kept = *p;
        p->bytes = NULL;
        return 0;
    }
    if (h->target == TO_FILES) {
        char *name = numbered_name(xfv_cli_out_path(h->cli), p->number);
        int status = name ? write_file(name, p, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
        free(name);
        return status;
    }
    return write_next(h, p, e);
}

static int tell_answer(const struct picture *p, struct xfv_err *e)
{
    if (!p->answer || (fputs(p->answer, stdout) != EOF && !fflush(stdout))) return 0;
    return xfv_fail(e, XFV_EIO, "cannot write standard output");
}

/* --layout photo: the record's faces to their photographs. */
static int take_faces(struct heatmap *h, const struct xfv_rec *r, struct xfv_err *e)
{
    static const char *const sides[] = {"a", "b"};
    const msgpack_object *root = xfv_rec_map(r);
    struct xfv_pairview p;
    if (xfv_rec_kind(r) == XFV_FACE) return xfv_photographs_add(&h->photographs, root, NULL, 0, e);
    struct picture words = {0};
    int status = xfv_pairview_read(root, h->method, &p, e);
    if (!status && h->say) status = say(h, &p, &words, e);
    if (!status) status = tell_answer(&words, e);
    free(words.answer);
    if (!status) status = xfv_pairview_blur(&p, h->figure.sigma, h->figure.each, e);
    for (int i = 0; i < 2 && !status; i++)
        status = xfv_photographs_add(&h->photographs, xfv_map_get(root, sides[i]), &p, i, e);
    xfv_pairview_clear(&p);
    return status;
}

static int emit(void *ctx, struct xfv_rec **r, struct xfv_writer *w, struct xfv_err *e)
{
    struct heatmap *h = ctx;
    if (is_photo(h)) return take_faces(h, *r, e);
    const char *id = "";
    size_t n = 0;
    struct picture *p = &h->slot[xfv_stage_slot(h->cli)];
    (void)w;
    if (p->problem[0]) {
        if (xfv_get_str(xfv_rec_map(*r), "id", &id, &n, NULL)) n = 0;
        xfv_cli_record_failed(h->cli, xfv_stage_record_no(h->cli), id, n, p->problem);
    }
    h->boxes |= p->boxes;
    int status = write_picture(h, p, e);
    if (!status) status = tell_answer(p, e);
    free(p->answer);
    free(p->bytes);
    memset(p, 0, sizeof *p);
    return status;
}

static int write_sheet(struct heatmap *h, struct xfv_err *e)
{
    struct xfv_image im;
    int status = xfv_contact_draw(&h->sheet, h->columns, &im, e);
    if (!status) status = encode(h, &im, &h->kept, e);
    xfv_image_clear(&im);
    if (status) return status;
    return h->format != PPM ? write_file(xfv_cli_out_path(h->cli), &h->kept, e) : write_next(h, &h->kept, e);
}

/* One picture for each photograph; in one PNG all of them, as in a sheet. */
static int draw_photographs(struct heatmap *h, struct xfv_err *e)
{
    struct xfv_decode_opts o = xfv_decode_opts_default();
    int status = 0;
    for (size_t i = 0; i < h->photographs.n && !status; i++) {
        const struct xfv_photograph *p = &h->photographs.v[i];
        struct xfv_image im = {0}, out = {0};
        struct picture made = {.number = (long)i};
        struct xfv_err why = {0};
        int bad = xfv_photograph_load(p, &o, &im, &why);
        if (bad == XFV_EARG) {
            *e = why;
            status = bad; /* a picture would replace it */
        } else if (bad) {
            char what[sizeof why.msg + 1100]; /* the name matters more than anything else here */
            snprintf(what, sizeof what, "%.1000s: %s", p->source, why.msg);
            xfv_cli_warn(h->cli, "%s", what);
            xfv_cli_some_failed(h->cli);
        } else {
            status = xfv_photograph_draw(p, &im, &h->figure, &out, e);
            if (!status && h->target == TO_ONE_FILE) status = xfv_contact_add(&h->sheet, &out, e);
            else if (!status) status = encode(h, &out, &made, e);
            if (!status && made.bytes) status = write_picture(h, &made, e);
        }
        free(made.bytes);
        xfv_image_clear(&im);
        xfv_image_clear(&out);
    }
    return status;
}

static int finish(void *ctx, struct xfv_writer *w, struct xfv_err *e)
{
    struct heatmap *h = ctx;
    (void)w;
    if (h->boxes)
        xfv_cli_warn(h->cli,
                     "some names hold letters that no font here has (or the build has no Pango, or too little memory): "
                     "they are drawn as boxes");
    if (h->photographs.n) {
        int status = draw_photographs(h, e);
        return status || !h->sheet.n ? status : write_sheet(h, e);
    }
    if (h->sheet.n) return write_sheet(h, e);
    xfv_stage_tell_no_pairs(h->cli, "verify and an explainer (fggb-grad)", "; nothing drawn");
    return h->kept.bytes ? write_file(xfv_cli_out_path(h->cli), &h->kept, e) : 0;
}

static void may_read(void *ctx, const char *path)
{
    xfv_cli_may_read(ctx, path);
}

static int run(struct heatmap *h, struct xfv_err *e, int *exit_status)
{
    int jobs = xfv_cli_jobs(h->cli), status = choose_target(h, e);
    if (!status && h->figure.panel && (is_sheet(h) || is_photo(h)))
        status = xfv_fail(e, XFV_EARG, "--panel: of --layout maps or overlay only");
    if (h->figure.panel && h->figure.layout == XFV_LAYOUT_FIGURE) h->figure.layout = XFV_LAYOUT_OVERLAY;
    if (h->figure.layout != XFV_LAYOUT_FIGURE) h->figure.columns = 0;
    xfv_script_start();
    xfv_script_each_folder(may_read, h->cli);
    if (is_photo(h)) xfv_cli_may_read_any(h->cli); /* photographs, whose names only the stream tells */
    if (!status) status = xfv_cli_seal(h->cli, e);
    if (status) return status;
    struct xfv_pool *pool = xfv_pool_new(jobs);
    h->slot = calloc(4 * (size_t)jobs, sizeof *h->slot);
    struct xfv_stage stage = {.ctx = h, .window = 4 * jobs, .head = new_head, .wants = wants, .prepare = prepare,
                              .work = draw, .emit = emit, .finish = finish, .sink = 1};
    if (jobs == 1) stage.window = 1;
    if (pool && h->slot) *exit_status = xfv_stage_run(h->cli, pool, &stage);
    else status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    for (int i = 0; h->slot && i < 4 * jobs; i++) {
        free(h->slot[i].bytes);
        free(h->slot[i].answer);
        xfv_image_clear(&h->slot[i].cell);
    }
    xfv_contact_clear(&h->sheet);
    xfv_photographs_clear(&h->photographs);
    free(h->slot);
    free(h->kept.bytes);
    xfv_pool_free(pool);
    return status;
}

int main(int argc, char **argv)
{
    static struct heatmap h = {.figure = {.alpha = 0.6, .sigma = 5}};
    static const struct xfv_opt opts[] = {
        {"layout", 0, "NAME", "figure (with words; the default), maps, overlay (over the faces), sheet (all in one), "
         "photo (on the photographs)",
         0, .set = set_layout},
        {"columns", 0, "N", "of a sheet (default: what makes it about 4:3)",
         0, XFV_TO_INT(struct heatmap, columns, 1, XFV_CONTACT_MOST_COLUMNS)},
        {"colours", 'c', "NAME", "colours of the maps (default jet)",
         0, XFV_TO_CHOICE(struct heatmap, figure.scheme, xfv_scheme_names)},
        {"blur", 'b', "SIGMA", "Gaussian blur of the maps in face pixels, for display only (default 5; 0: none)",
         0, XFV_TO_F64(struct heatmap, figure.sigma, 0, 1000)},
        {"alpha", 0, "A", "how far the strongest colour covers the face (default 0.6)",
         0, XFV_TO_F64(struct heatmap, figure.alpha, 0, 1)},
        {"scale", 's', "N", "picture pixels per face pixel (default: what makes a face about 224 wide)",
         0, XFV_TO_INT(struct heatmap, figure.scale, 1, 64)},
        {"rescale", 'r', "HOW", "one colour scale for the maps of a pair (default), or for each",
         0, XFV_TO_CHOICE(struct heatmap, figure.each, rescale_names)},
        {"method", 0, "NAME", "draw the maps of this method only", 0, XFV_TO_TEXT(struct heatmap, method, 0)},
        {"panel", 0, "NAME", "one tile of --layout maps or overlay (the default then): a face, S+ or S- of it",
         0, XFV_TO_CHOICE(struct heatmap, figure.panel, panel_names)},
        {"width", 0, "WIDTH", "arranged for a page: 1column (88 mm), 2column (180 mm) or millimetres",
         0, .set = set_width},
        {"say", 0, "HOW", "with -o FILE: tell on standard output what each pair says (default no)",
         0, XFV_TO_CHOICE(struct heatmap, say, xfv_answers)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "heatmap",
        .summary = "draw explained pairs: pair records in, pictures out",
        .operands = "[FILE]...",
        .example = "facecrop a.jpg b.jpg | embed | verify | fggb-grad | heatmap -o why.png",
        .flags = XFV_TAKES_JOBS | XFV_READS_STREAM | XFV_WRITES_BINARY | XFV_SEALS_LATER | XFV_NUMBERS_FILES,
        .opts = opts,
        .ctx = &h,
    };
    int status = 0;
    struct xfv_err e = {0};
    h.cli = xfv_cli_start(&program, argc, argv, &status);
    if (!h.cli) return status;
    int failed = run(&h, &e, &status);
    return xfv_cli_finish(h.cli, failed ? &e : NULL, status);
}
