/* LD_PRELOAD library: the n-th call of one kind fails, once. XFV_FAULT=KIND:N, N from 1; with N 0 nothing fails.
 * XFV_FAULT_COUNT=FILE: at exit the number of calls of that kind is written there, and the number of blocks of memory
 * that are still allocated. The process that names the outputs counts, too. Kinds: read write open close fsync rename
 * (linkat, too) flush malloc thread; and clock: with N 1 every clock jumps, mostly backwards. Only calls made by the
 * program itself and by the libraries that decode for it count: not those of the dynamic linker, nor OpenBLAS's, which
 * aborts when it gets no memory, nor libseccomp's, which follows null pointers then. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Blocks that are allocated: an open hash table of addresses, never full. Freed ones leave a mark. */
enum { SLOTS = 1 << 18 };
static void *blocks[SLOTS];
static long live;
static int busy;
#define GONE ((void *)1)

static void lock(void) { while (__atomic_exchange_n(&busy, 1, __ATOMIC_ACQUIRE)) continue; }
static void unlock(void) { __atomic_store_n(&busy, 0, __ATOMIC_RELEASE); }
static size_t slot_of(const void *p) { return ((size_t)p >> 4) * 0x9e3779b97f4a7c15u >> 46; }

static void note(void *p)
{
    if (!p) return;
    lock();
    size_t i = slot_of(p) % SLOTS;
    for (int k = 0; k < SLOTS && blocks[i] && blocks[i] != GONE; k++) i = (i + 1) % SLOTS;
    blocks[i] = p;
    live++;
    unlock();
}

/* 1 when it was noted. */
static int forget(void *p)
{
    int was = 0;
    if (!p) return 0;
    lock();
    size_t i = slot_of(p) % SLOTS;
    for (int k = 0; k < SLOTS && blocks[i] && blocks[i] != p; k++) i = (i + 1) % SLOTS;
    if (blocks[i] == p) {
        blocks[i] = GONE;
        live--;
        was = 1;
    }
    unlock();
    return was;
}

static char kind[16];
static long target = -1, first_count, *count = &first_count; /* shared with a process that is forked, from set_up on */

/* May run before our constructor does: malloc comes early. */
static void set_up(void)
{
    const char *s = getenv("XFV_FAULT"), *colon = s ? strchr(s, ':') : NULL;
    if (target >= 0) return;
    target = 0;
    void *shared = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared != MAP_FAILED) count = shared;
    if (!colon || (size_t)(colon - s) >= sizeof kind) return;
    memcpy(kind, s, (size_t)(colon - s));
    target = atol(colon + 1);
}

/* Libraries whose own calls are left alone. The last answer is kept: dladdr is slow. */
static int spared(void *caller)
{
    static const char *const names[] = {
        "ld-linux", "openblas", "libgomp", "libgfortran", "libquadmath", "libc.so", "libgcc", "libseccomp",
        /* of text and of the newer image formats: they end the process when they get no memory */
        "libglib", "libgobject", "libgio", "libpango", "libpixman", "libcairo", "libfontconfig", "libfreetype",
        "libharfbuzz", "libfribidi", "libthai", "libdatrie", "libgraphite", "libexpat", "libnuma", "libx265",
        "libheif", "libaom", "libdav1d", "libde265", "libjxl", "libhwy", "libstdc++", NULL};
    static __thread char *last_base;
    static __thread int last;
    Dl_info i;
    if (!dladdr(caller, &i) || !i.dli_fname) return 1;
    if (last_base == i.dli_fbase) return last;
    int r = 0;
    for (int k = 0; names[k]; k++) r |= strstr(i.dli_fname, names[k]) != NULL;
    last_base = i.dli_fbase;
    return last = r;
}

static int fails(const char *what, void *caller, int error)
{
    if (target < 0) set_up();
    if (strcmp(kind, what) != 0 || spared(caller)) return 0;
    if (__atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST) != target) return 0;
    errno = error;
    return 1;
}

/* Opened before the program's sandbox closes, far from the descriptors that it uses. */
static int told = -1;

static __attribute__((constructor)) void open_count(void)
{
    const char *path = getenv("XFV_FAULT_COUNT");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600) : -1;
    if (fd < 0) return;
    told = (int)syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 100);
    syscall(SYS_close, fd);
}

static __attribute__((destructor)) void tell(void)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld %ld\n", *count, live);
    if (told >= 0) (void)!syscall(SYS_write, told, text, (size_t)n);
}

#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) *(void **)&real = dlsym(RTLD_NEXT, name)
#define CALLER __builtin_return_address(0)

ssize_t read(int fd, void *p, size_t n)
{
    REAL(ssize_t, "read", int, void *, size_t);
    return fails("read", CALLER, EIO) ? -1 : real(fd, p, n);
}
ssize_t write(int fd, const void *p, size_t n)
{
    REAL(ssize_t, "write", int, const void *, size_t);
    return fails("write", CALLER, ENOSPC) ? -1 : real(fd, p, n);
}
int open(const char *path, int flags, ...)
{
    REAL(int, "open", const char *, int, ...);
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return fails("open", CALLER, EMFILE) ? -1 : real(path, flags, mode);
}
int openat(int folder, const char *path, int flags, ...)
{
    REAL(int, "openat", int, const char *, int, ...);
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    return fails("open", CALLER, EMFILE) ? -1 : real(folder, path, flags, mode);
}
FILE *fopen(const char *path, const char *mode)
{
    REAL(FILE *, "fopen", const char *, const char *);
    return fails("open", CALLER, EMFILE) ? NULL : real(path, mode);
}
FILE *fdopen(int fd, const char *mode)
{
    REAL(FILE *, "fdopen", int, const char *);
    return fails("open", CALLER, ENOMEM) ? NULL : real(fd, mode);
}
int close(int fd) /* the descriptor is closed all the same, as on Linux */
{
    REAL(int, "close", int);
    int bad = fails("close", CALLER, EIO), r = real(fd);
    if (bad) errno = EIO;
    return bad ? -1 : r;
}
int fsync(int fd)
{
    REAL(int, "fsync", int);
    return fails("fsync", CALLER, EIO) ? -1 : real(fd);
}
int rename(const char *from, const char *to)
{
    REAL(int, "rename", const char *, const char *);
    return fails("rename", CALLER, EACCES) ? -1 : real(from, to);
}
int renameat(int of, const char *from, int in, const char *to)
{
    REAL(int, "renameat", int, const char *, int, const char *);
    return fails("rename", CALLER, EACCES) ? -1 : real(of, from, in, to);
}
int linkat(int of, const char *from, int in, const char *to, int flags)
{
    REAL(int, "linkat", int, const char *, int, const char *, int);
    return fails("rename", CALLER, EACCES) ? -1 : real(of, from, in, to, flags);
}
int fflush(FILE *f)
{
    REAL(int, "fflush", FILE *);
    return fails("flush", CALLER, ENOSPC) ? EOF : real(f);
}
int fclose(FILE *f)
{
    REAL(int, "fclose", FILE *);
    int bad = fails("flush", CALLER, ENOSPC), r = real(f);
    if (bad) errno = ENOSPC;
    return bad ? EOF : r;
}
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg)
{
    REAL(int, "pthread_create", pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    return fails("thread", CALLER, EAGAIN) ? EAGAIN : real(t, a, fn, arg);
}

/* glibc's own entries: dlsym would itself call calloc. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);
static void *noted(void *p, void *caller)
{
    if (!spared(caller)) note(p);
    return p;
}
void *malloc(size_t n) { return fails("malloc", CALLER, ENOMEM) ? NULL : noted(__libc_malloc(n), CALLER); }
void *calloc(size_t n, size_t size)
{
    return fails("malloc", CALLER, ENOMEM) ? NULL : noted(__libc_calloc(n, size), CALLER);
}
void *realloc(void *p, size_t n)
{
    if (fails("malloc", CALLER, ENOMEM)) return NULL;
    int was = forget(p);
    void *q = __libc_realloc(p, n);
    if (!q && n && was) note(p);
    return noted(q, CALLER);
}
void *aligned_alloc(size_t align, size_t n)
{
    return fails("malloc", CALLER, ENOMEM) ? NULL : noted(__libc_memalign(align, n), CALLER);
}
int posix_memalign(void **p, size_t align, size_t n)
{
    if (fails("malloc", CALLER, ENOMEM)) return ENOMEM;
    void *q = noted(__libc_memalign(align, n), CALLER);
    if (!q) return ENOMEM;
    *p = q;
    return 0;
}
void free(void *p)
{
    forget(p);
    __libc_free(p);
}
char *strndup(const char *s, size_t n)
{
    if (fails("malloc", CALLER, ENOMEM)) return NULL;
    size_t k = strnlen(s, n);
    char *q = noted(__libc_malloc(k + 1), CALLER);
    if (q) memcpy(q, s, k), q[k] = '\0';
    return q;
}
char *strdup(const char *s)
{
    if (fails("malloc", CALLER, ENOMEM)) return NULL;
    size_t k = strlen(s) + 1;
    char *q = noted(__libc_malloc(k), CALLER);
    return q ? memcpy(q, s, k) : NULL;
}

/* A clock that somebody sets while we run: it goes back an hour and forth a second, turn by turn. */
int clock_gettime(clockid_t id, struct timespec *t)
{
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    static long turn;
    int r = real(id, t);
    if (target < 0) set_up();
    if (target == 1 && !strcmp(kind, "clock"))
        t->tv_sec += __atomic_add_fetch(&turn, 1, __ATOMIC_SEQ_CST) % 2 ? -3600 : 1;
    return r;
}
time_t time(time_t *t)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
