/* Groups of people: error rates of pairs that can be counted by hand, who belongs where, and the note where the counts
 * carry nothing. */
#include <unistd.h>

#include "../tap.h"
#include "measure/groups.h"
#include "stream/put.h"

static struct xfv_err e;

static int add(struct xfv_groups *g, const char *a, const char *b, int genuine, double score)
{
    static struct xfv_explained x;
    struct xfv_rec *r = xfv_rec_new(XFV_PAIR);
    msgpack_zone *z = xfv_rec_zone(r);
    msgpack_object face[2] = {xfv_val_map(z), xfv_val_map(z)};
    struct xfv_put put = xfv_put_into(z, xfv_rec_root(r), &e);
    for (int i = 0; i < 2; i++) {
        struct xfv_put in = xfv_put_into(z, &face[i], &e);
        xfv_put_text(&in, "id", i ? b : a);
        xfv_put_filled(&put, i ? "b" : "a", &in);
    }
    xfv_put_bool(&put, "label", genuine);
    xfv_put_f64(&put, "score", score);
    xfv_put_f64(&put, "threshold", 0.5);
    xfv_put_bool(&put, "accept", score >= 0.5);
    int status = put.status ? put.status : xfv_explained_read(xfv_rec_map(r), NULL, NULL, &x, &e);
    if (!status) status = xfv_groups_add(g, xfv_rec_map(r), &x.view, x.row, &e);
    xfv_explained_clear(&x);
    xfv_rec_free(r);
    return status;
}

int main(void)
{
    char path[] = "/tmp/groups.XXXXXX", text[16384];
    struct xfv_groups *g = NULL;
    int fd = mkstemp(path), bad = 0;
    FILE *f = fdopen(fd, "w");
    for (int i = 0; i < 8; i++) fprintf(f, "g%d_1\told\ng%d_2\told\nh%d_1\tyoung\nh%d_2\tyoung\n", i, i, i, i);
    fclose(f);
    OK(!xfv_groups_new(&g, path, XFV_IDENTITY_NAME, &e), "a table of two groups: %s", e.msg);
    for (int i = 0; i < 8; i++) {
        char id[4][16];
        for (int k = 0; k < 4; k++) snprintf(id[k], sizeof id[k], "%c%d_%d", k < 2 ? 'g' : 'h', i, 1 + k % 2);
        bad |= add(g, id[0], id[1], 1, i < 2 ? 0.4 : 0.9); /* two of eight old pairs are rejected */
        bad |= add(g, id[2], id[3], 1, 0.8);
    }
    bad |= add(g, "g0_1", "g1_1", 0, 0.6); /* a false match among the old */
    bad |= add(g, "g0_1", "h0_1", 0, 0.6); /* of two groups */
    bad |= add(g, "g0_1", "nobody", 0, 0.1);
    OK(!bad, "19 pairs: %s", e.msg);
    OK(!xfv_groups_compare(g, NULL, 200, 1, &e), "compared: %s", e.msg);
    f = fmemopen(text, sizeof text, "w");
    xfv_groups_print(g, 0, f);
    fclose(f);
    OK(!strncmp(text, "quantity\tmethod\tpairs\tgroup\tn\t", 30), "the table of groups begins with its columns");
    OK(strstr(text, "fnmr\t-\tgenuine\told\t8\t8\t0.25000\t") != NULL, "old: two of eight genuine pairs are rejected");
    OK(strstr(text, "fnmr\t-\tgenuine\tyoung\t8\t8\t0.00000\t0.00000\t") != NULL, "young: none of eight, and an "
                                                                                  "interval from 0");
    OK(strstr(text, "fmr\t-\timpostor\told\t1\t2\t1.00000\t") != NULL, "one impostor pair of two old people, accepted");
    OK(!strstr(text, "fmr\t-\timpostor\tyoung"), "pairs of two groups, or of nobody, are in none");
    OK(strstr(text, "\tfew\n") != NULL && xfv_groups_notes(g) > 0, "so few pairs are marked: %s",
       xfv_groups_note(g, 0));
    xfv_groups_free(g);
    g = NULL;
    f = fopen(path, "a");
    fputs("g0_1\tyoung\n", f);
    fclose(f);
    OK(xfv_groups_new(&g, path, XFV_IDENTITY_NAME, &e) == XFV_EARG, "an id in two groups is refused: %s", e.msg);
    xfv_groups_free(g);
    unlink(path);
    return tap_done();
}
