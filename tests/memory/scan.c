/* LD_PRELOAD library: looks for known bytes in what the program overwrites before it lets it go, which shows that it
 * held them, and in all memory that it can write to when it ends, its own exit handlers having run.
 * XFV_NEEDLES=FILE[:FILE]...: each of runs of 48 bytes. Prints on standard error, a line for each file, numbers of
 * needles: "scan: held 2, left 0". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NEEDLE = 48, MOST = 64, MASK = 0x5a };

/* Kept masked, so that the scan does not find its own copy. */
static unsigned char masked[MOST][NEEDLE];
static int n_needles, n_files, maps = -1;
static int held[MOST], left[MOST], of_file[MOST];
static char text[1 << 20]; /* of /proc/self/maps */

static int matches(const unsigned char *p, const unsigned char *needle)
{
    for (int i = 0; i < NEEDLE; i++)
        if ((p[i] ^ MASK) != needle[i]) return 0;
    return 1;
}

static void scan_range(const unsigned char *p, const unsigned char *end, int *found)
{
    unsigned char first[256] = {0};
    for (int k = 0; k < n_needles; k++) first[masked[k][0] ^ MASK] = 1;
    for (; p + NEEDLE <= end; p++) {
        if (!first[*p]) continue;
        for (int k = 0; k < n_needles; k++)
            if (!found[k] && matches(p, masked[k])) found[k] = 1;
    }
}

/* Memory that is mapped but never touched would be made by looking at it: /proc/self/maps may list gigabytes of it. */
static int is_there(unsigned long page)
{
    unsigned char in = 0;
    return !mincore((void *)page, 4096, &in) && (in & 1);
}

static void scan_all(int *found)
{
    size_t len = 0;
    ssize_t k;
    lseek(maps, 0, SEEK_SET);
    while (len + 1 < sizeof text && (k = read(maps, text + len, sizeof text - 1 - len)) > 0) len += (size_t)k;
    text[len] = '\0';
    for (char *line = text; *line; line = strchr(line, '\n') + 1) {
        unsigned long lo, hi;
        char mode[8];
        if (sscanf(line, "%lx-%lx %7s", &lo, &hi, mode) != 3 || mode[0] != 'r' || mode[1] != 'w') continue;
        for (unsigned long at = lo; at < hi;) {
            unsigned long to = at;
            while (to < hi && is_there(to)) to += 4096;
            if (to > at) scan_range((void *)at, (void *)to, found);
            at = to > at ? to : at + 4096;
        }
    }
}

static int count(const int *found, int file)
{
    int n = 0;
    for (int i = 0; i < n_needles; i++) n += found[i] && of_file[i] == file;
    return n;
}

/* Every block on its way out passes here, whole. The compiler knows explicit_bzero and would not let it read. */
void overwrite(void *p, size_t n) __asm__("explicit_bzero");
void overwrite(void *p, size_t n)
{
    if (maps >= 0 && n >= NEEDLE) scan_range(p, (unsigned char *)p + n, held);
    memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

/* And the inside of a large one here. */
int madvise(void *p, size_t n, int advice)
{
    if (maps >= 0 && advice == MADV_DONTNEED) scan_range(p, (unsigned char *)p + n, held);
    return (int)syscall(SYS_madvise, p, n, advice);
}

/* The same as _FORTIFY_SOURCE spells it. */
void overwrite_checked(void *p, size_t n, size_t room) __asm__("__explicit_bzero_chk");
void overwrite_checked(void *p, size_t n, size_t room)
{
    (void)room;
    overwrite(p, n);
}

__attribute__((constructor)) static void start(void)
{
    char *paths = getenv("XFV_NEEDLES"), *next;
    if (!paths || !(paths = strdup(paths))) return;
    for (char *path = strtok_r(paths, ":", &next); path; path = strtok_r(NULL, ":", &next), n_files++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        while (n_needles < MOST && read(fd, masked[n_needles], NEEDLE) == NEEDLE) {
            for (int i = 0; i < NEEDLE; i++) masked[n_needles][i] ^= MASK;
            of_file[n_needles++] = n_files;
        }
        close(fd);
    }
    free(paths);
    maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
}

__attribute__((destructor)) static void end(void)
{
    if (maps < 0) return;
    scan_all(left);
    for (int k = 0; k < n_files; k++) fprintf(stderr, "scan: held %d, left %d\n", count(held, k), count(left, k));
}
