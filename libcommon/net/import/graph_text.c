/* Graphs described in text, for networks whose weights come without a graph. model-import(1) describes the format. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/replaced.h"
#include "net/import/beside.h"
#include "net/import/import.h"
#include "stream/tensor.h"

#define MAX_WORDS 40
#define BAD(...) fail(t, __VA_ARGS__)

struct text {
    struct xfv_graph *g;
    struct xfv_err *e;
    const char *folder;
    int line, version;
    uint8_t *data; /* of the file that weights are read from */
    size_t n_data, at;
    char *word[MAX_WORDS];
    int n;
};

static int fail(struct text *t, const char *what, const char *which)
{
    return xfv_fail(t->e, XFV_EMODEL, "line %d: %s '%.100s'", t->line, what, which);
}

/* Up to cap whole numbers with this separator between; their count, or -1. */
static int numbers(const char *s, char separator, int *v, int cap)
{
    for (int n = 0; n < cap;) {
        char *end;
        long x = strtol(s, &end, 10);
        if (end == s || x < -1 || x > XFV_MAX_ELEMENTS) return -1;
        v[n++] = (int)x;
        if (*end == '\0') return n;
        if (*end != separator) return -1;
        s = end + 1;
    }
    return -1;
}

static int dims(struct text *t, const char *s, struct xfv_shape *out)
{
    *out = (struct xfv_shape){0};
    out->rank = numbers(s, 'x', out->dim, XFV_MAX_RANK);
    return out->rank > 0 && xfv_shape_count(*out) ? 0 : BAD("no shape:", s);
}

/* ---- weights ---- */

static int open_data(struct text *t, const char *path)
{
    struct stat sb;
    int fd = t->folder ? xfv_open_beside(t->folder, path) : -1;
    free(t->data);
    t->data = NULL;
    t->n_data = t->at = 0;
    if (fd < 0) return BAD("cannot open, as a file beside this one,", path);
    int status = xfv_replaced_check(fd, path, t->e);
    if (status) return close(fd), status;
    if (!fstat(fd, &sb) && S_ISREG(sb.st_mode) && sb.st_size > 0 && sb.st_size < (off_t)1 << 33 &&
        (t->data = malloc((size_t)sb.st_size))) {
        ssize_t k = 1;
        while (t->n_data < (size_t)sb.st_size &&
               (k = read(fd, t->data + t->n_data, (size_t)sb.st_size - t->n_data)) > 0)
            t->n_data += (size_t)k;
    }
    close(fd);
    return t->data && t->n_data == (size_t)sb.st_size ? 0 : BAD("cannot read", path);
}

static void decode(float *to, const uint8_t *p, size_t n, size_t size, double scale, double min)
{
    for (size_t i = 0; i < n; i++, p += size) {
        uint16_t half;
        if (size == 4) memcpy(&to[i], p, 4);
        else if (size == 1) to[i] = (float)((double)*p * scale + min);
        else {
            memcpy(&half, p, 2);
            xfv_f32_from_f16(&half, &to[i], 1);
        }
    }
}

static int real(const char *s, double *v)
{
    char *end;
    *v = strtod(s, &end);
    return end == s || *end;
}

/* weight NAME SHAPE f32|f16|u8 SCALE MIN|zero */
static int read_weight(struct text *t)
{
    struct xfv_shape s;
    if (t->n < 4) return BAD("expected weight NAME SHAPE TYPE, found", t->word[0]);
    const char *name = t->word[1], *type = t->word[3];
    int status = dims(t, t->word[2], &s), zero = !strcmp(type, "zero"), u8 = !strcmp(type, "u8");
    if (status) return status;
    size_t size = zero ? 0 : u8 ? 1 : !strcmp(type, "f16") ? 2 : !strcmp(type, "f32") ? 4 : 9, n = xfv_shape_count(s);
    if (size == 9) return BAD("the type is not f32, f16, u8 or zero:", type);
    if (u8 != (t->n == 6)) return BAD("u8 has a scale and a minimum, and it alone:", name);
    if (size * n > t->n_data - t->at) return BAD("the data ends before", name);
    if (zero && n > 1 << 24) return BAD("too many zeros:", name);
    double scale = 1, min = 0;
    if (u8 && (real(t->word[4], &scale) || real(t->word[5], &min)))
        return BAD("the scale or the minimum is no number:", name);
    float *v = calloc(n, sizeof *v);
    if (!v) return xfv_fail(t->e, XFV_ENOMEM, "out of memory for weight '%.100s'", name);
    if (!zero) decode(v, t->data + t->at, n, size, scale, min);
    t->at += size * n;
    status = xfv_graph_add_weight(t->g, name, s, v, t->e);
    free(v);
    return status < 0 ? xfv_fail_at(t->e, "line %d", t->line) : 0;
}

/* ---- nodes ---- */

static const struct { const char *key; size_t at; int count, floats; char separator;
} keys[] = {
    {"kernel", offsetof(struct xfv_node, kernel), 2, 0, 'x'},
    {"stride", offsetof(struct xfv_node, stride), 2, 0, 'x'},
    {"dilation", offsetof(struct xfv_node, dilation), 2, 0, 'x'},
    {"pads", offsetof(struct xfv_node, pads), 4, 0, ','},
    {"groups", offsetof(struct xfv_node, groups), 1, 0, ','},
    {"axis", offsetof(struct xfv_node, i), 1, 0, ','},
    {"shape", offsetof(struct xfv_node, i), -4, 0, 'x'},
    {"permutation", offsetof(struct xfv_node, i), -4, 0, ','},
    {"begin", offsetof(struct xfv_node, i) + sizeof(int), 1, 0, ','},
    {"end", offsetof(struct xfv_node, i) + 2 * sizeof(int), 1, 0, ','},
    {"count_padding", offsetof(struct xfv_node, i), 1, 0, ','},
    {"sign_of_first", offsetof(struct xfv_node, i), 1, 0, ','},
    {"transpose_b", offsetof(struct xfv_node, i), 1, 0, ','},
    {"epsilon", offsetof(struct xfv_node, f), 1, 1, ','},
    {"parameters", offsetof(struct xfv_node, f), -4, 1, ','},
};

static int set_plain(struct text *t, struct xfv_node *n, const char *key, const char *v)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(key, keys[i].key) != 0) continue;
        int most = keys[i].count < 0 ? -keys[i].count : keys[i].count, got = 0;
        if (!keys[i].floats) {
            got = numbers(v, keys[i].separator, (int *)(void *)((char *)n + keys[i].at), most);
        } else {
            float *f = (float *)(void *)((char *)n + keys[i].at);
            for (char *end; got < most; v = end + 1) {
                f[got++] = strtof(v, &end);
                if (end == v || (*end && *end != ',')) got = -most - 1;
                if (got < 0 || !*end) break;
            }
        }
        return got > 0 && (keys[i].count < 0 || got == most) ? 0 : BAD("not what this key needs:", key);
    }
    return BAD("unknown key", key);
}

static int set_key(struct text *t, struct xfv_node *n, char *word)
{
    char *v = strchr(word, '=');
    int axes[XFV_MAX_RANK];
    if (!v) return BAD("expected KEY=VALUE, found", word);
    *v++ = '\0';
    if (!strcmp(word, "weight") || !strcmp(word, "bias")) {
        int w = xfv_graph_find_weight(t->g, v);
        if (w < 0) return BAD("no weight is called", v);
        *(word[0] == 'w' ? &n->weight : &n->bias) = w;
        return 0;
    }
    if (!strcmp(word, "function"))
        return (n->op == XFV_OP_ACT ? xfv_act_parse(v, &n->i[0]) : xfv_reduce_parse(v, &n->i[0]))
                   ? BAD("unknown function", v)
                   : 0;
    if (!strcmp(word, "relation"))
        return xfv_relation_parse(v, &n->i[0]) ? BAD("unknown relation", v) : 0;
    if (strcmp(word, "axes") != 0) return set_plain(t, n, word, v);
    int k = numbers(v, ',', axes, XFV_MAX_RANK);
    for (int i = 0; i < k; i++) {
        if (axes[i] < 0 || axes[i] >= XFV_MAX_RANK) return BAD("no axes:", v);
        n->i[1] |= 1 << axes[i];
    }
    return k > 0 ? 0 : BAD("no axes:", v);
}

/* node OP OUT IN[,IN...]|- KEY=VALUE ... */
static int read_node(struct text *t)
{
    struct xfv_shape in[XFV_MAX_INPUTS], out;
    enum xfv_op op;
    char *save = NULL;
    int status;
    if (t->n < 4) return BAD("expected node OPERATOR OUTPUT INPUTS, found", t->word[0]);
    if (xfv_op_parse(t->word[1], &op)) return BAD("unknown operator", t->word[1]);
    struct xfv_node n = xfv_node_default(op);
    n.name = t->word[2];
    for (char *w = strtok_r(t->word[3], ",", &save); w && strcmp(w, "-") != 0; w = strtok_r(NULL, ",", &save)) {
        if (n.n_in == XFV_MAX_INPUTS) return BAD("too many inputs:", n.name);
        if ((n.in[n.n_in] = xfv_graph_find(t->g, w)) < 0) return BAD("no value is called", w);
        in[n.n_in] = t->g->values[n.in[n.n_in]].shape;
        n.n_in++;
    }
    for (int i = 4; i < t->n; i++)
        if ((status = set_key(t, &n, t->word[i]))) return status;
    if ((status = xfv_node_shape(t->g, &n, in, &out, t->e)) ||
        (status = n.out = xfv_graph_add_value(t->g, n.name, out, t->e)) < 0 ||
        (status = xfv_graph_add_node(t->g, &n, t->e)) < 0)
        return xfv_fail_at(t->e, "line %d", t->line);
    return 0;
}

/* ---- lines ---- */

static int read_line(struct text *t)
{
    struct xfv_shape s;
    const char *what = t->word[0];
    int status;
    if (!t->version) {
        t->version = t->n == 2 && !strcmp(what, "xfv-graph") && !strcmp(t->word[1], "1");
        return t->version ? 0 : BAD("expected xfv-graph 1, found", what);
    }
    if (t->g->n_values == 0) {
        if (t->n != 3 || strcmp(what, "input") != 0)
            return BAD("expected input NAME HEIGHTxWIDTHxCHANNELS, found", what);
        if ((status = dims(t, t->word[2], &s))) return status;
        status = xfv_graph_add_value(t->g, t->word[1], s, t->e);
        return status < 0 ? status : 0;
    }
    if (!strcmp(what, "data") && t->n == 2) return open_data(t, t->word[1]);
    if (!strcmp(what, "weight")) return read_weight(t);
    if (!strcmp(what, "node")) return read_node(t);
    if (strcmp(what, "output") != 0 || t->n != 2) return BAD("expected data, weight, node or output, found", what);
    int v = xfv_graph_find(t->g, t->word[1]);
    if (v < 0) return BAD("no value is called", t->word[1]);
    status = xfv_graph_add_output(t->g, v, t->e);
    return status < 0 ? status : 0;
}

static int read_text(struct text *t, char *s)
{
    char *lines = NULL, *words;
    int status;
    for (char *line = s; line; line = lines) {
        lines = strchr(line, '\n');
        if (lines) *lines++ = '\0';
        t->line++;
        t->n = 0;
        words = NULL;
        if (*line == '#') continue;
        for (char *w = strtok_r(line, " \t\r", &words); w; w = strtok_r(NULL, " \t\r", &words)) {
            if (t->n == MAX_WORDS) return BAD("too many words:", t->word[0]);
            t->word[t->n++] = w;
        }
        if (t->n && (status = read_line(t))) return status;
    }
    return xfv_graph_check(t->g, t->e);
}

int xfv_import_text(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                    struct xfv_err *e)
{
    struct xfv_err own = {0};
    struct text t = {.e = e ? e : &own, .folder = opts ? opts->folder : NULL};
    char *copy = malloc(n + 1);
    t.g = xfv_graph_new();
    int status = copy && t.g ? 0 : xfv_fail(t.e, XFV_ENOMEM, "out of memory for a graph");
    if (!status) {
        memcpy(copy, bytes, n);
        copy[n] = '\0';
        status = read_text(&t, copy);
    }
    free(copy);
    free(t.data);
    if (status) xfv_graph_free(t.g);
    else *out = t.g;
    return status;
}
