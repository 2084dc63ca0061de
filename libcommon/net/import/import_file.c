/* Which importer a file is for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/import/import.h"
#include "base/grow.h"

#define LAST_GROWN ((size_t)1 << 31)

/* The whole of f in memory, the caller's also on failure. */
static int read_all(FILE *f, const char *path, uint8_t **bytes, size_t *n, struct xfv_err *e)
{
    size_t cap = 1 << 20, k;
    *n = 0;
    *bytes = malloc(cap);
    if (!*bytes) return xfv_fail(e, XFV_ENOMEM, "out of memory for '%s'", path);
    while ((k = fread(*bytes + *n, 1, cap - *n, f)) > 0) {
        *n += k;
        if (*n < cap) continue;
        if (cap > LAST_GROWN || !XFV_GROW(*bytes, 2 * cap)) return xfv_fail(e, XFV_ENOMEM, "'%s' is too large", path);
        cap *= 2;
    }
    return ferror(f) ? xfv_fail(e, XFV_EIO, "cannot read '%s'", path) : 0;
}

static int read_file(const char *path, uint8_t **bytes, size_t *n, struct xfv_err *e)
{
    FILE *f = fopen(path, "rb");
    if (!f) return xfv_fail(e, XFV_EIO, "cannot open '%s'", path);
    int status = read_all(f, path, bytes, n, e);
    fclose(f);
    if (!status) return 0;
    free(*bytes);
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
    return xfv_fail(e, XFV_EMODEL, "neither an ONNX nor a TFLite file, no TensorFlow.js model and no graph description");
}

int xfv_import_file(const char *path, const struct xfv_import_opts *opts, struct xfv_graph **out, struct xfv_err *e)
{
    const char *slash = strrchr(path, '/');
    struct xfv_import_opts beside = *opts;
    uint8_t *bytes = NULL;
    size_t n = 0;
    int status = read_file(path, &bytes, &n, e);
    if (status) return status;
    char *folder = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    beside.folder = folder;
    status = folder ? import(bytes, n, &beside, out, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    free(folder);
    free(bytes);
    return status ? xfv_fail_at(e, "%.200s", path) : 0;
}
