/* Graphs described in text: what they say, and what is wrong with them. */
#define _GNU_SOURCE
#include <unistd.h>

#include "net/import/import.h"
#include "tap.h"

static char folder[] = "/tmp/xfv-graph-XXXXXX";

static struct xfv_graph *read_graph(const char *text, struct xfv_err *e)
{
    struct xfv_graph *g = NULL;
    struct xfv_import_opts o = {.folder = folder};
    *e = (struct xfv_err){0};
    return xfv_import_text((const uint8_t *)text, strlen(text), &o, &g, e) ? NULL : g;
}

#define HEAD "xfv-graph 1\n# a comment\ninput x 4x4x2\ndata w.bin\n"

static void right(void)
{
    struct xfv_err e;
    struct xfv_graph *g =
        read_graph(HEAD "weight a 1x1x2x2 u8 0.5 -1\nweight b 2 f32\nweight c 2 f16\nweight z 4x4x3 zero\n\n"
                        "node conv y x weight=a bias=b kernel=1x1 stride=1x1 pads=0,0,0,0\n"
                        "node affine s y weight=c\r\nnode const k - weight=z\nnode concat t s,k axis=2\n"
                        "node act u t function=clip parameters=0,6\nnode maxpool v u kernel=2x2 stride=2x2\nnode "
                        "reduce r v function=mean axes=0,1\n"
                        "node reshape f r shape=5\nnode l2norm n f epsilon=1e-6\noutput n\n",
                   &e);
    if (!OK(g != NULL, "a description is read %s", e.msg)) return;
    const float *a = g->weights[0].data, *b = g->weights[1].data, *c = g->weights[2].data;
    OK(fabsf(a[0] + 1) < 1e-6f && fabsf(a[1] + .5f) < 1e-6f && fabsf(a[3] - 126.5f) < 1e-6f,
       "bytes with a scale and a minimum: %g %g %g", (double)a[0], (double)a[1], (double)a[3]);
    OK(fabsf(b[0] - 1.5f) < 1e-6f && fabsf(b[1] + 2) < 1e-6f, "the reader takes the floats that come next");
    OK(fabsf(c[0] - 1) < 1e-6f && fabsf(c[1] + 2) < 1e-6f, "the reader takes the halves after them");
    OK(g->n_nodes == 9 && g->nodes[4].f[1] > 5 && g->nodes[6].i[1] == 3 && g->n_outputs == 1, "nine nodes with what "
                                                                                              "belongs to them");
    xfv_graph_free(g);
}

static void wrong(const char *text, const char *words, const char *what)
{
    struct xfv_err e;
    struct xfv_graph *g = read_graph(text, &e);
    OK(!g && e.status == XFV_EMODEL && strstr(e.msg, words), "%s: %s", what, g ? "taken" : e.msg);
    xfv_graph_free(g);
}

int main(void)
{
    static const unsigned char bytes[] = {0, 1, 2, 255, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0, 0, 0x3c, 0, 0xc0};
    char path[64];
    if (!OK(mkdtemp(folder) != NULL, "a folder")) return tap_done();
    snprintf(path, sizeof path, "%s/w.bin", folder);
    FILE *f = fopen(path, "wb");
    fwrite(bytes, 1, sizeof bytes, f);
    fclose(f);
    right();
    wrong("xfv-graph 2\n", "xfv-graph 1", "another version");
    wrong("", "no input", "nothing");
    wrong("xfv-graph 1\nnode relu y x\n", "expected input", "a node before the input");
    wrong("xfv-graph 1\ninput x 0x4x2\n", "line 2", "an impossible input");
    wrong("xfv-graph 1\ninput x 65536x65536x65536\n", "no shape", "an input of 2^48 numbers");
    wrong(HEAD "weight a 4 u8 half -1\n", "no number: 'a'", "a scale that is a word");
    wrong(HEAD "weight a 65536x32767 f32\n", "the data ends before 'a'", "8 GB of weights that are not there");
    wrong(HEAD "weight a 65536x32767 zero\n", "too many zeros", "8 GB of zeros");
    wrong(HEAD "weight a 2 i8\n", "line 5", "an unknown type");
    wrong(HEAD "weight a 2 u8\n", "scale", "bytes without a scale");
    wrong(HEAD "weight a 2 f32\nweight a 2 f32\n", "line 6", "two weights of one name");
    wrong(HEAD "node foo y x\n", "unknown operator 'foo'", "an unknown operator");
    wrong(HEAD "node relu y z\n", "no value is called 'z'", "a value that is not there");
    wrong(HEAD "node relu x x\n", "line 5", "two values of one name");
    wrong(HEAD "node affine y x weight=a\n", "no weight is called 'a'", "a weight that is not there");
    wrong(HEAD "node maxpool y x kernel=2\n", "kernel", "half a kernel");
    wrong(HEAD "node maxpool y x kernel=2x2 colour=red\n", "unknown key 'colour'", "an unknown key");
    wrong(HEAD "node maxpool y x kernel=99999x2\n", "line 5", "an impossible kernel");
    wrong(HEAD "node reduce y x function=median axes=0\n", "unknown function", "an unknown function");
    wrong(HEAD "node reduce y x function=mean axes=7\n", "no axes", "an impossible axis");
    wrong(HEAD "node relu y x\n", "no output", "no output");
    wrong(HEAD "node relu y x\noutput z\n", "no value", "an output that is not there");
    wrong("xfv-graph 1\ninput x 4x4x2\ndata ../w.bin\n", "beside this one", "a step upwards");
    wrong("xfv-graph 1\ninput x 4x4x2\ndata /etc/passwd\n", "beside this one", "an absolute path");
    wrong("xfv-graph 1\ninput x 4x4x2\ndata gone.bin\n", "line 3", "a file that is not there");
    unlink(path);
    rmdir(folder);
    return tap_done();
}
