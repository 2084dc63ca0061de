#define _DEFAULT_SOURCE /* explicit_bzero */
#include "pair/pseudonym.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/hmac.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pair/identity.h"

struct xfv_pseudonyms { struct hmac_sha256_ctx hmac; /* keyed */ };

/* ---- the key ---- */

static int read_key(int fd, const char *path, unsigned char *key, size_t *n, struct xfv_err *e)
{
    struct stat st;
    if (fstat(fd, &st)) return xfv_fail(e, XFV_EIO, "cannot read the key '%s'", path);
    if (!S_ISREG(st.st_mode)) return xfv_fail(e, XFV_EARG, "the key '%s' is not a regular file", path);
    if (st.st_mode & 077)
        return xfv_fail(e, XFV_EARG, "the key '%s' can be read by others (mode %03o): chmod 600 it, or make a new one",
                        path, (unsigned)(st.st_mode & 0777));
    for (*n = 0;;) {
        ssize_t k = read(fd, key + *n, XFV_KEY_MOST + 2 - *n);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return xfv_fail(e, XFV_EIO, "cannot read the key '%s'", path);
        *n += (size_t)k;
        if (k == 0 || *n == XFV_KEY_MOST + 2) break;
    }
    if (*n && key[*n - 1] == '\n') --*n;
    if (*n < XFV_KEY_LEAST || *n > XFV_KEY_MOST)
        return xfv_fail(e, XFV_EARG,
                        "the key '%s' has %zu bytes%s: %d to %d are wanted; make one with  head -c 32 /dev/urandom | "
                        "base64",
                        path, *n, *n > XFV_KEY_MOST ? " or more" : "", XFV_KEY_LEAST, XFV_KEY_MOST);
    return 0;
}

int xfv_pseudonyms_open(struct xfv_pseudonyms **out, const char *path, struct xfv_err *e)
{
    unsigned char key[XFV_KEY_MOST + 2];
    size_t n = 0;
    *out = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return xfv_fail(e, XFV_EIO, "cannot open the key '%s'", path);
    struct xfv_pseudonyms *p = calloc(1, sizeof *p);
    int status = p ? read_key(fd, path, key, &n, e) : xfv_fail(e, XFV_ENOMEM, "out of memory");
    close(fd);
    if (!status) {
        hmac_sha256_set_key(&p->hmac, n, key);
        *out = p;
    } else {
        free(p);
    }
    explicit_bzero(key, sizeof key);
    return status;
}

void xfv_pseudonyms_free(struct xfv_pseudonyms *p)
{
    if (!p) return;
    explicit_bzero(p, sizeof *p);
    free(p);
}

/* ---- one name ---- */

static void digest(const struct xfv_pseudonyms *p, const char *what, const char *s, size_t n,
                   uint8_t sum[SHA256_DIGEST_SIZE])
{
    struct hmac_sha256_ctx c = p->hmac;
    hmac_sha256_update(&c, strlen(what) + 1, (const uint8_t *)what);
    hmac_sha256_update(&c, n, (const uint8_t *)s);
    hmac_sha256_digest(&c, SHA256_DIGEST_SIZE, sum);
    explicit_bzero(&c, sizeof c);
}

void xfv_pseudonym(const struct xfv_pseudonyms *p, const char *s, size_t n, char out[XFV_PSEUDONYM])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t sum[SHA256_DIGEST_SIZE];
    uint64_t number = 0;
    size_t n_person;
    const char *person = xfv_identity_of(s, n, XFV_IDENTITY_NAME, &n_person);
    digest(p, "person", person, n_person, sum);
    for (int i = 0; i < 16; i++) { /* 5 bits each, from the left */
        int bit = 5 * i, word = sum[bit / 8] << 8 | sum[bit / 8 + 1];
        out[i] = letters[word >> (11 - bit % 8) & 31];
    }
    digest(p, "name", s, n, sum);
    for (int i = 0; i < 8; i++) number = number << 8 | sum[i];
    snprintf(out + 16, XFV_PSEUDONYM - 16, "_%012llu", (unsigned long long)(number % 1000000000000u));
}

/* ---- a record ---- */

struct walk {
    const struct xfv_pseudonyms *p;
    msgpack_zone *zone;
    int (*fn)(void *ctx, const char *name, size_t n, const char *pseudonym, struct xfv_err *e);
    void *ctx;
};

static int is_one_of(const msgpack_object *key, const char *const *names)
{
    for (; *names; names++)
        if (key->type == MSGPACK_OBJECT_STR && key->via.str.size == strlen(*names) &&
            !memcmp(key->via.str.ptr, *names, key->via.str.size))
            return 1;
    return 0;
}

static int put_text(const struct walk *w, msgpack_object *to, const char *s, struct xfv_err *e)
{
    *to = xfv_val_str(w->zone, s);
    return to->type == MSGPACK_OBJECT_NIL ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
}

static int replace(const struct walk *w, msgpack_object *text, struct xfv_err *e)
{
    const char *s = text->via.str.ptr, *end = s + text->via.str.size;
    size_t parts = 1, at = 0;
    for (const char *q = s; q < end; q++) parts += *q == '|';
    char *made = malloc(parts * XFV_PSEUDONYM + 1);
    int status = made ? 0 : xfv_fail(e, XFV_ENOMEM, "out of memory");
    while (!status && s <= end) {
        const char *bar = s < end ? memchr(s, '|', (size_t)(end - s)) : NULL;
        size_t n = (size_t)((bar ? bar : end) - s);
        xfv_pseudonym(w->p, s, n, made + at);
        if (w->fn) status = w->fn(w->ctx, s, n, made + at, e);
        at += strlen(made + at);
        if (!bar) break;
        made[at++] = '|';
        s = bar + 1;
    }
    if (!status) status = put_text(w, text, made, e);
    free(made);
    return status;
}

/* Texts under these keys are words of the programs, digests or types of data; "params" and the others below hold
 * nothing else. */
static const char *const words[] = {"_",      "magic",    "need",      "tool",     "version", "code", "method",
                                    "model",  "template", "digest",    "pairs",    "dtype",   "kind", "face",
                                    "region", "sign",     "embedding", "colour",   "norm",    "from", "map",
                                    "image",  "fill",     "ties",      "protocol", NULL};
static const char *const whole[] = {"params", "model", "models", "regions", "trial", NULL};

/* "of": the hash of the two pictures that maps were made of (pair/view.h), not a name that others put there. */
static int is_hash_of_pictures(const msgpack_object_kv *kv)
{
    static const char *const of[] = {"of", NULL};
    if (!is_one_of(&kv->key, of) || kv->val.type != MSGPACK_OBJECT_STR || kv->val.via.str.size != 16) return 0;
    for (int i = 0; i < 16; i++)
        if (!memchr("0123456789abcdef", kv->val.via.str.ptr[i], 16)) return 0;
    return 1;
}

static int walk(const struct walk *w, msgpack_object *o, int texts, struct xfv_err *e);

static int walk_map(const struct walk *w, msgpack_object *o, struct xfv_err *e)
{
    static const char *const message[] = {"message", NULL};
    int status = 0;
    for (uint32_t i = 0; i < o->via.map.size && !status; i++) {
        msgpack_object_kv *kv = &o->via.map.ptr[i];
        if (is_one_of(&kv->key, message) && kv->val.type == MSGPACK_OBJECT_STR)
            status = put_text(w, &kv->val, "left out by xfv-select --pseudonymise", e);
        else if (kv->val.type != MSGPACK_OBJECT_STR && is_one_of(&kv->key, whole))
            continue;
        else
            status = walk(w, &kv->val, !is_one_of(&kv->key, words) && !is_hash_of_pictures(kv), e);
    }
    return status;
}

static int walk(const struct walk *w, msgpack_object *o, int texts, struct xfv_err *e)
{
    int status = 0;
    if (o->type == MSGPACK_OBJECT_STR) return texts ? replace(w, o, e) : 0;
    if (o->type == MSGPACK_OBJECT_MAP) return walk_map(w, o, e);
    for (uint32_t i = 0; o->type == MSGPACK_OBJECT_ARRAY && i < o->via.array.size && !status; i++)
        status = walk(w, &o->via.array.ptr[i], texts, e);
    return status;
}

/* ---- a head's provenance ---- */

static const char *const ours[] = {
#include "programs.h" /* the Makefile makes it of the pages in man/ */
    "dpr", /* of older streams */
    NULL};
static const char *const take_names[] = {"--probe", "--id", "--exec", "--title", NULL};

/* "--probe=anna.jpg" becomes "--probe=...". */
static int strip_value(const struct walk *w, msgpack_object *arg, int known, struct xfv_err *e)
{
    if (arg->type != MSGPACK_OBJECT_STR) return 0;
    const char *s = arg->via.str.ptr, *equals = memchr(s, '=', arg->via.str.size);
    char name[64];
    msgpack_object key = *arg;
    if (equals) key.via.str.size = (uint32_t)(equals - s);
    if (known && !is_one_of(&key, take_names)) return 0;
    snprintf(name, sizeof name, "%.*s=...", (int)(key.via.str.size < 40 ? key.via.str.size : 40), s);
    return put_text(w, arg, equals ? name : "...", e);
}

static int walk_provenance(const struct walk *w, msgpack_object *list, struct xfv_err *e)
{
    int status = 0;
    for (uint32_t i = 0; list->type == MSGPACK_OBJECT_ARRAY && i < list->via.array.size; i++) {
        msgpack_object *entry = &list->via.array.ptr[i], *args = xfv_map_get_mut(entry, "args");
        const msgpack_object *tool = xfv_map_get(entry, "tool");
        int known = tool && is_one_of(tool, ours);
        for (uint32_t k = 0; !status && args && args->type == MSGPACK_OBJECT_ARRAY && k < args->via.array.size; k++)
            status = strip_value(w, &args->via.array.ptr[k], known, e);
    }
    return status;
}

int xfv_pseudonymise(const struct xfv_pseudonyms *p, struct xfv_rec *r,
                     int (*fn)(void *ctx, const char *name, size_t n, const char *pseudonym, struct xfv_err *e),
                     void *ctx, struct xfv_err *e)
{
    struct walk w = {p, xfv_rec_zone(r), fn, ctx};
    msgpack_object *root = xfv_rec_root(r);
    if (xfv_rec_kind(r) != XFV_HEAD) return walk(&w, root, 1, e);
    int status = 0;
    for (uint32_t i = 0; i < root->via.map.size && !status; i++) {
        msgpack_object_kv *kv = &root->via.map.ptr[i];
        static const char *const provenance[] = {"provenance", NULL};
        if (is_one_of(&kv->key, provenance)) status = walk_provenance(&w, &kv->val, e);
        else if (!is_one_of(&kv->key, whole)) status = walk(&w, &kv->val, !is_one_of(&kv->key, words), e);
    }
    return status;
}
