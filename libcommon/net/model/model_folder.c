/* Where models are looked up. Apart from loading them: programs that have no network must know, and not link OpenBLAS
 * for it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/model/model.h"

int xfv_model_is_path(const char *s)
{
    size_t n = strlen(s);
    return strchr(s, '/') || (n > 5 && strcmp(s + n - 5, ".xfvm") == 0);
}

/* The folder of the running program, where the system tells it. */
static size_t program_folder(char *buf, size_t cap)
{
    ssize_t n = readlink("/proc/self/exe", buf, cap - 1);
    if (n <= 0) return 0;
    buf[n] = '\0';
    char *slash = strrchr(buf, '/');
    return slash ? (size_t)(slash - buf) : 0;
}

int xfv_model_folder(int i, char *buf, size_t cap)
{
    static const char *const beside[] = {"/../models", "/../../models", "/../share/xfv-tools/models"};
    const int n_beside = sizeof beside / sizeof *beside;
    char exe[4096];
    const char *path = getenv("XFV_MODEL_PATH");
    for (; path && *path; path += strspn(path, ":")) {
        size_t n = strcspn(path, ":");
        if (n > 0 && n < cap && i-- == 0) return snprintf(buf, cap, "%.*s", (int)n, path) > 0;
        path += n;
    }
    size_t n = program_folder(exe, sizeof exe);
    if (n > 0 && i < n_beside) return snprintf(buf, cap, "%.*s%s", (int)n, exe, beside[i]) > 0;
    if (n > 0) i -= n_beside;
    return i == 0 && snprintf(buf, cap, "%s", XFV_MODEL_DIR) > 0;
}

void xfv_model_each_file(void (*fn)(void *ctx, const char *path), void *ctx)
{
    char path[4160 + 300];
    for (int i = 0; xfv_model_folder(i, path, 4160); i++) {
        size_t n = strlen(path);
        DIR *d = opendir(path);
        for (struct dirent *x; d && (x = readdir(d));) {
            if (!xfv_model_is_path(x->d_name)) continue; /* the ending */
            snprintf(path + n, sizeof path - n, "/%s", x->d_name);
            fn(ctx, path);
        }
        if (d) closedir(d);
    }
}
