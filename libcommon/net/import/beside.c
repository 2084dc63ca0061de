#include "net/import/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int xfv_path_is_beside(const char *s)
{
    if (!s || !*s || *s == '/' || strchr(s, '\\')) return 0;
    for (const char *p = s; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.') return 0;
        p += n + (p[n] == '/');
    }
    return 1;
}

enum { LARGE = 64 << 20 };

/* Most of a large file is not on the disk: gigabytes of zeros that cost its sender nothing. */
static int is_hollow(int fd)
{
    struct stat st;
    return !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > LARGE && st.st_blocks < st.st_size / 512 / 4;
}

int xfv_open_beside(const char *folder, const char *path)
{
    if (!xfv_path_is_beside(path)) {
        errno = EPERM;
        return -1;
    }
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char part[256];
    while (at >= 0) {
        size_t n = strcspn(path, "/");
        int last = path[n] == '\0', next;
        if (n >= sizeof part) {
            close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(part, path, n);
        part[n] = '\0';
        next = openat(at, n ? part : ".", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | (last ? O_NONBLOCK : O_DIRECTORY));
        close(at);
        if (last && next >= 0 && is_hollow(next)) {
            close(next);
            errno = EFBIG;
            return -1;
        }
        if (last) return next;
        at = next;
        path += n + 1;
    }
    return -1;
}
