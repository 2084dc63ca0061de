/* Ten thousand openings of all that is opened and let go again: descriptors, memory and threads are in the end as many
 * as they were. */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>

#include "../tap.h"
#include "cli/cli.h"
#include "net/model/model.h"
#include "streambytes.h"

enum { TIMES = 10000, WARM = 1000 };

static int entries(const char *folder)
{
    DIR *d = opendir(folder);
    int n = 0;
    while (d && readdir(d)) n++;
    if (d) closedir(d);
    return n;
}

static long resident_kib(void)
{
    long size = 0, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2) abort();
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static struct bytes stream, cut;
static char path[200];
static int wrong;

static void read_stream(int i)
{
    struct xfv_reader *r;
    struct xfv_rec *rec;
    struct xfv_err e;
    const struct bytes *b = i % 2 ? &stream : &cut;
    int fd[2], status;
    if (pipe(fd) || write(fd[1], b->p, b->n) != (ssize_t)b->n) abort();
    close(fd[1]);
    if (xfv_reader_open(&r, fd[0], 1, "in", NULL, &e)) abort();
    while (!(status = xfv_reader_next(r, &rec, &e))) xfv_rec_free(rec);
    wrong += status != (i % 2 ? XFV_EOF : XFV_ETRUNC);
    xfv_reader_close(r);
}

static void load_model(int i)
{
    struct xfv_model *m = NULL;
    struct xfv_err e;
    int status = xfv_model_load(i % 4 ? path : "/nonexistent/x.xfvm", &m, &e);
    wrong += (status == 0) != (i % 4 != 0);
    xfv_model_free(m);
}

static void nothing(void *ctx, int i, int worker)
{
    (void)ctx, (void)i, (void)worker;
}

static void make_workers(int i)
{
    struct xfv_pool *p = xfv_pool_new(2);
    wrong += !p;
    if (p && i % 2) xfv_pool_run(p, 3, nothing, NULL);
    xfv_pool_free(p);
}

static void thrash(const char *what, void (*once)(int))
{
    wrong = 0;
    for (int i = 0; i < WARM; i++) once(i);
    int fds = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    long kib = resident_kib();
    size_t used = mallinfo2().uordblks;
    for (int i = WARM; i < TIMES; i++) once(i);
    size_t left = mallinfo2().uordblks;
    OK(wrong == 0, "%s: %d times as it should be", what, TIMES);
    OK(entries("/proc/self/fd") == fds, "%s: %d descriptors open, as before", what, fds);
    OK(entries("/proc/self/task") <= threads, "%s: no thread more", what);
    /* a thread that has ended may leave what libc keeps for the next */
    OK(left <= used + 4096, "%s: %zu bytes allocated, %zu before", what, left, used);
    /* a sanitizer keeps what is freed for a while */
    OK(resident_kib() <= kib + 512 || getenv("XFV_SANITIZED"), "%s: %ld KiB resident, %ld before", what, resident_kib(),
       kib);
}

int main(void)
{
    const char *models = getenv("XFV_MODEL_PATH");
    ADD(&stream, HEAD "\x82\xa1_\xa4" "face\xa2id\xa1" "a");
    add_end(&stream, 0, 1, 0);
    add(&cut, stream.p, stream.n - 3);
    snprintf(path, sizeof path, "%.150s/mtcnn-p.xfvm", models ? models : "models");
    thrash("a stream read", read_stream);
    thrash("a model loaded", load_model);
    thrash("workers made", make_workers);
    free(stream.p);
    free(cut.p);
    return tap_done();
}
