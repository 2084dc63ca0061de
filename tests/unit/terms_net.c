/* Networks whose products go by three bfloat16 terms, beside the oracle: every kind of convolution that they hold. */
#include "netgraphs.h"

int main(void)
{
    setenv("XFV_KERNELS", "plain6", 1);
    struct build b = start(9, 11, 3);
    conv(&b, 3, 2, 0, 1, 64, 1, 1), prelu(&b);
    bottleneck(&b, 96, 1, 64, 1);
    conv(&b, 1, 1, 0, 0, 32, 1, 0);
    compare(&b, "a first convolution with stride and a bottleneck");
    b = start(5, 4, 96);
    conv(&b, 1, 1, 0, 0, 24, 3, 1), prelu(&b);
    conv(&b, 1, 1, 0, 0, 64, 1, 1);
    compare(&b, "1x1 in three groups of 32 and 8 channels");
    b = start(5, 6, 16);
    conv(&b, 3, 2, 1, 1, 64, 1, 1);
    conv(&b, 2, 2, 0, 0, 96, 1, 1);
    conv(&b, 1, 1, 0, 0, 32, 2, 0);
    compare(&b, "kernels of several sizes with stride, and groups in parts");
    return tap_done();
}
