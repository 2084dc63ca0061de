/* Which importer a file is for. */
#define _DEFAULT_SOURCE /* madvise */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/import/import.h"
#include "base/grow.h"

#define LAST_GROWN ((size_t)1 << 31)

/* A file in memory. mapped: of its own pages, which can go before the rest; else from malloc. */
struct content { uint8_t *p; size_t n; int mapped; };

static void discard(struct content *c)
{
    if (c->mapped) munmap(c->p, c->n);
    else free(c->p);
}

/* The pages that lie within. */
static void let_pages_go(const uint8_t *p, size_t n)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), from = ((uintptr_t)p + page - 1) & ~(page - 1),
              to = ((uintptr_t)p + n) & ~(page - 1);
    if (to > from) madvise((void *)from, to - from, MADV_DONTNEED); /* posix_madvise keeps them */
}

/* A file of known size. */
static int read_known(FILE *f, const char *path, size_t size, struct content *c, struct xfv_err *e)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return xfv_fail(e, XFV_ENOMEM, "out of memory for '%s'", path);
    *c = (struct content){p, size, 1};
    return fread(p, 1, size, f) == size ? 0 : xfv_fail(e, XFV_EIO, "cannot read '%s'", path);
}

/* A pipe or the like. */
static int read_growing(FILE *f, const char *path, struct content *c, struct xfv_err *e)
{
    size_t cap = 1 << 20, k;
    *c = (struct content){malloc(cap), 0, 0};
    if (!c->p) return xfv_fail(e, XFV_ENOMEM, "out of memory for '%s'", path);
    while ((k = fread(c->p + c->n, 1, cap - c->n, f)) > 0) {
        c->n += k;
        if (c->n < cap) continue;
        if (cap > LAST_GROWN || !XFV_GROW(c->p, 2 * cap)) return xfv_fail(e, XFV_ENOMEM, "'%s' is too large", path);
        cap *= 2;
    }
    return ferror(f) ? xfv_fail(e, XFV_EIO, "cannot read '%s'", path) : 0;
}

static int read_file(const char *path, struct content *c, struct xfv_err *e)
{
    struct stat sb;
    FILE *f = fopen(path, "rb");
    *c = (struct content){NULL, 0, 0};
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", path);
    int known = !fstat(fileno(f), &sb) && S_ISREG(sb.st_mode) && sb.st_size > 0;
    int status = known ? read_known(f, path, (size_t)sb.st_size, c, e) : read_growing(f, path, c, e);
    fclose(f);
    if (status) discard(c);
    return status;
}

static int starts_json(const uint8_t *p, size_t n)
{
    size_t i = 0;
    while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n')) i++;
    return i < n && (p[i] == '{' || p[i] == '[');
}

/* The file's format shows in its first bytes. */
static int import(const uint8_t *bytes, size_t n, const struct xfv_import_opts *opts, struct xfv_graph **out,
                  struct xfv_err *e)
{
    if (n >= 8 && memcmp(bytes + 4, "TFL3", 4) == 0) return xfv_import_tflite(bytes, n, opts, out, e);
    if (n > 10 && memcmp(bytes, "xfv-graph ", 10) == 0) return xfv_import_text(bytes, n, opts, out, e);
    if (xfv_is_onnx(bytes, n)) return xfv_import_onnx(bytes, n, opts, out, e);
    if (starts_json(bytes, n)) {
#ifdef XFV_WITH_JANSSON
        return xfv_import_tfjs(bytes, n, opts, out, e);
#else
        return xfv_fail(e, XFV_EMODEL, "TensorFlow.js models need a build with Jansson (libjansson-dev)");
#endif
    }
    return xfv_fail(e, XFV_EMODEL,
                    "neither an ONNX nor a TFLite file, no TensorFlow.js model and no graph description");
}

int xfv_import_file(const char *path, const struct xfv_import_opts *opts, struct xfv_graph **out, struct xfv_err *e)
{
    const char *slash = strrchr(path, '/');
    struct xfv_import_opts beside = *opts;
    struct content c;
    int status = read_file(path, &c, e);
    if (status) return status;
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    beside.folder = folder;
    beside.spent = c.mapped ? let_pages_go : NULL;
    status = folder ? import(c.p, c.n, &beside, out, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(folder);
    discard(&c);
    return status ? xfv_fail_at(e, "%.200s", path) : 0;
}
