#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "stage/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/spool.h"
#include "stream/stream.h"

extern char **environ;

/* The faces, as a stream in a file without a name: a program that reads its input to the end before it writes, and one
 * that does not, both get on. */
static int write_faces(int fd, int count, int height, int width, const uint8_t *rgb, struct xfv_err *e)
{
    struct xfv_writer *w;
    size_t shape[] = {(size_t)height, (size_t)width, 3}, bytes = shape[0] * shape[1] * 3;
    int status = xfv_writer_open(&w, fd, e);
    if (status) return status;
    status = xfv_writer_head(w, NULL, NULL, NULL, e);
    for (int i = 0; i < count && !status; i++) {
        char id[16];
        struct xfv_rec *r = xfv_rec_new(XFV_FACE);
        if (!r) {
            status = xfv_fail(e, XFV_ENOMEM, "out of memory");
            break;
        }
        struct xfv_tensor image = xfv_tensor_view(XFV_U8, 3, shape, (void *)(rgb + (size_t)i * bytes));
        snprintf(id, sizeof id, "%d", i);
        status = xfv_map_put(xfv_rec_zone(r), xfv_rec_root(r), "id", xfv_val_str(xfv_rec_zone(r), id), e);
        if (!status)
            status = xfv_map_put(xfv_rec_zone(r), xfv_rec_root(r), "image", xfv_val_tensor_ref(xfv_rec_zone(r), &image),
                                 e);
        if (!status) status = xfv_writer_put(w, r, e);
        xfv_rec_free(r);
    }
    if (!status) status = xfv_writer_end(w, e);
    xfv_writer_close(w);
    if (!status && lseek(fd, 0, SEEK_SET) < 0) status = xfv_fail(e, XFV_EIO, "cannot rewind a temporary file");
    return status;
}

static int take_face(struct xfv_rec *r, int count, int done, size_t *n, float **f, struct xfv_err *e)
{
    struct xfv_tensor v;
    char id[16], wanted[16];
    snprintf(wanted, sizeof wanted, "%d", done);
    if (xfv_rec_kind(r) != XFV_FACE || done == count)
        return xfv_fail(e, XFV_EFORMAT, "it wrote a record of kind '%s' after %d of %d faces", xfv_rec_kind_name(r),
                        done, count);
    int status = xfv_get_text(xfv_rec_root(r), "id", id, sizeof id, e);
    if (!status && strcmp(id, wanted))
        status = xfv_fail(e, XFV_EFORMAT, "it wrote face '%s' where face '%s' was due", id, wanted);
    if (!status) status = xfv_get_embedding(xfv_rec_root(r), 0, &v, e);
    if (status) return status;
    if (!*n) *n = v.shape[0];
    if (v.shape[0] != *n || !*n)
        status = xfv_fail(e, XFV_EFORMAT, "it wrote an embedding of %zu numbers, %zu are wanted", v.shape[0], *n);
    if (!status && !*f) *f = malloc((size_t)count * *n * sizeof **f);
    if (!status && !*f) status = xfv_fail(e, XFV_ENOMEM, "out of memory");
    if (!status) memcpy(*f + (size_t)done * *n, v.data, *n * sizeof **f);
    xfv_tensor_clear(&v);
    return status;
}

static int read_faces(int fd, int count, size_t *n, float **f, struct xfv_err *e)
{
    struct xfv_reader *in;
    struct xfv_limits lim = xfv_limits_default();
    struct xfv_rec *r;
    int done = 0, status = xfv_reader_open(&in, fd, 0, "its output", &lim, e);
    if (status) return status;
    while (!(status = xfv_reader_next(in, &r, e))) {
        if (xfv_rec_kind(r) != XFV_HEAD) status = take_face(r, count, done++, n, f, e);
        xfv_rec_free(r);
        if (status) break;
    }
    xfv_reader_close(in);
    if (status != XFV_EOF) return status;
    return done == count ? 0 : xfv_fail(e, XFV_EFORMAT, "it wrote %d of %d faces", done, count);
}

/* One at a time, so that no child inherits the pipe of another, which would never see its end. */
static int start(const char *command, int in, int *out, pid_t *pid)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pthread_mutex_lock(&lock);
    int status = pipe(ends) ? errno : 0;
    if (!status) {
        fcntl(ends[0], F_SETFD, FD_CLOEXEC);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        status = posix_spawn_file_actions_init(&actions);
        if (!status) {
            status = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
            if (!status) status = posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
            if (!status) status = posix_spawn(pid, "/bin/sh", &actions, NULL, argv, environ);
            posix_spawn_file_actions_destroy(&actions);
        }
        close(ends[1]);
        *out = ends[0];
        if (status) close(ends[0]);
    }
    pthread_mutex_unlock(&lock);
    errno = status;
    return status ? -1 : 0;
}

static int finish(pid_t pid, int status, struct xfv_err *e)
{
    int how;
    while (waitpid(pid, &how, 0) < 0)
        if (errno != EINTR) return xfv_fail(e, XFV_EIO, "cannot wait for it");
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return status;
    if (WIFEXITED(how)) return xfv_fail(e, XFV_EFORMAT, "it ended with status %d", WEXITSTATUS(how));
    return xfv_fail(e, XFV_EFORMAT, "it was ended by signal %d", WIFSIGNALED(how) ? WTERMSIG(how) : 0);
}

/* A file in memory is no data of this process to the kernel. So as much room is reserved as it takes: --max-memory
 * counts that. */
static void *reserve(size_t bytes, struct xfv_err *e)
{
    void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room != MAP_FAILED) return room;
    xfv_fail(e, XFV_ENOMEM, "out of memory for the faces");
    return NULL;
}

int xfv_exec_embed(const char *command, int count, int height, int width, const uint8_t *rgb, size_t *n, float **f,
                   struct xfv_err *e)
{
    FILE *file;
    int out;
    pid_t pid;
    *f = NULL;
    size_t bytes = (size_t)count * (size_t)height * (size_t)width * 3;
    void *room = reserve(bytes, e);
    int status = room ? xfv_spool_open_fd(&file, e) : e->status;
    if (status) {
        if (room) munmap(room, bytes);
        return xfv_fail_at(e, "--exec '%.100s'", command);
    }
    status = write_faces(fileno(file), count, height, width, rgb, e);
    if (!status && start(command, fileno(file), &out, &pid)) status = xfv_fail(e, XFV_EIO, "cannot run it");
    else if (!status) {
        status = read_faces(out, count, n, f, e);
        close(out);
        status = finish(pid, status, e);
    }
    fclose(file);
    munmap(room, bytes);
    if (!status) return 0;
    free(*f);
    *f = NULL;
    return xfv_fail_at(e, "--exec '%.100s'", command);
}
