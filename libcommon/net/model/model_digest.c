#include "net/model/internal.h"

#include <nettle/sha2.h>
#include <string.h>

#include "stream/put.h"

static int feed(void *sha, const char *p, size_t n)
{
    sha256_update(sha, n, (const uint8_t *)p);
    return 0;
}

static void pack_text(msgpack_packer *pk, const char *s)
{
    size_t n = strlen(s);
    msgpack_pack_str(pk, n);
    msgpack_pack_str_body(pk, s, n);
}

/* As the weight's record stands in the file, its tensor in f32. */
static void pack_weight(msgpack_packer *pk, const struct xfv_weight *x)
{
    size_t bytes = x->count * sizeof *x->data;
    msgpack_pack_map(pk, 3);
    pack_text(pk, "_");
    pack_text(pk, "weight");
    pack_text(pk, "name");
    pack_text(pk, x->name);
    pack_text(pk, "tensor");
    msgpack_pack_map(pk, 3);
    pack_text(pk, "dtype");
    pack_text(pk, "<f4");
    pack_text(pk, "shape");
    msgpack_pack_array(pk, (size_t)x->shape.rank);
    for (int i = 0; i < x->shape.rank; i++) msgpack_pack_uint64(pk, (uint64_t)x->shape.dim[i]);
    pack_text(pk, "data");
    msgpack_pack_bin(pk, bytes);
    msgpack_pack_bin_body(pk, x->data, bytes);
}

void xfv_digest_finish(struct sha256_ctx *sha, char hex[65])
{
    uint8_t sum[SHA256_DIGEST_SIZE];
    sha256_digest(sha, sizeof sum, sum);
    for (size_t i = 0; i < sizeof sum; i++) snprintf(hex + 2 * i, 3, "%02x", sum[i]);
}

int xfv_model_set_digest(struct xfv_model *m, struct xfv_err *e)
{
    struct sha256_ctx sha;
    msgpack_packer pk;
    msgpack_object use;
    msgpack_zone *z = msgpack_zone_new(MSGPACK_ZONE_CHUNK_SIZE);
    if (!z) return xfv_fail(e, XFV_ENOMEM, "out of memory for a model's digest");
    use = xfv_val_map(z);
    struct xfv_put put = xfv_put_into(z, &use, e);
    xfv_model_put_use(m, &put);
    xfv_model_put_graph(m, &put);
    sha256_init(&sha);
    msgpack_packer_init(&pk, &sha, feed);
    if (!put.status) msgpack_pack_object(&pk, use);
    for (int i = 0; i < m->graph->n_weights && !put.status; i++) pack_weight(&pk, &m->graph->weights[i]);
    msgpack_zone_free(z);
    xfv_digest_finish(&sha, m->digest);
    return put.status;
}

int xfv_model_is(const struct xfv_model *m, const char *digest)
{
    return *digest && (!strcmp(digest, m->digest) || !strcmp(digest, m->file) || !strcmp(digest, m->former));
}

void xfv_model_succeed(struct xfv_model *m)
{
    if (!*m->former) memcpy(m->former, m->file, sizeof m->former);
}
