/* One program for all targets of libFuzzer: XFV_FUZZ names the target. */
#include "fuzz/targets.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const struct fuzz_target *target;
    const char *name = getenv("XFV_FUZZ");
    for (int i = 0; !target && name && i < FUZZ_TARGETS; i++)
        if (!strcmp(fuzz_targets[i].name, name)) target = &fuzz_targets[i];
    if (!target) {
        fprintf(stderr, "XFV_FUZZ must name a target\n");
        exit(2);
    }
    target->run(p, n);
    return 0;
}
