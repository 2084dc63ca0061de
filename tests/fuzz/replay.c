/* replay FILE...: each file through the target that XFV_FUZZ names, without a fuzzer: for coverage, and to look at one
 * input in a debugger. */
#include "fuzz/targets.h"

static int replay(const struct fuzz_target *t, const char *path)
{
    static uint8_t p[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    size_t n = fread(p, 1, sizeof p, f);
    fclose(f);
    t->run(p, n);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = getenv("XFV_FUZZ");
    for (int k = 0; k < FUZZ_TARGETS; k++) {
        if (!name || strcmp(fuzz_targets[k].name, name) != 0) continue;
        for (int i = 1; i < argc; i++)
            if (replay(&fuzz_targets[k], argv[i])) return 1;
        return 0;
    }
    fprintf(stderr, "XFV_FUZZ must name a target\n");
    return 2;
}
