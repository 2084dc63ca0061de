/* Every file of tests/damaged/TARGET through its target (tests/fuzz/targets.h): what fuzzing has found, and a minimised
 * corpus. A sanitizer or a signal is the judge; here it counts that all were tried. */
#include "fuzz/targets.h" /* first: it asks for _GNU_SOURCE */

#include <dirent.h>

#include "tap.h"

static uint8_t *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *p = malloc(1 << 20);
    *n = f && p ? fread(p, 1, 1 << 20, f) : 0;
    if (f) fclose(f);
    return p;
}

/* Number of files tried. */
static int replay(const struct fuzz_target *t, const char *folder)
{
    struct dirent *d;
    int tried = 0;
    DIR *dir = opendir(folder);
    while (dir && (d = readdir(dir))) {
        char path[4096];
        size_t n;
        if (d->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", folder, d->d_name) >= (int)sizeof path)
            continue;
        uint8_t *p = slurp(path, &n);
        if (!p) continue;
        t->run(p, n);
        free(p);
        tried++;
    }
    if (dir) closedir(dir);
    return tried;
}

int main(void)
{
    const char *top = getenv("top");
    for (int i = 0; i < FUZZ_TARGETS; i++) {
        char folder[4000];
        snprintf(folder, sizeof folder, "%s/tests/damaged/%s", top ? top : ".", fuzz_targets[i].name);
        int n = replay(&fuzz_targets[i], folder);
        OK(n > 0, "%s: %d damaged inputs, no crash", fuzz_targets[i].name, n);
        fuzz_targets[i].run((const uint8_t *)"", 0);
    }
    return tap_done();
}
