/* xfv-doctor: is this installation sound? A line a check, each with a verdict and what to do about it. See
 * xfv-doctor(1). */
#include "stage/doctor.h"

static void examine(struct xfv_doctor *d)
{
    xfv_doctor_begin(d);
    for (int i = 0; xfv_checks[i]; i++) xfv_checks[i](d);
    xfv_doctor_end(d);
}

int main(int argc, char **argv)
{
    static struct xfv_doctor d;
    static const struct xfv_opt opts[] = {
        {"json", 0, NULL, "one JSON object instead of lines", 0, XFV_TO_FLAG(struct xfv_doctor, json, 1)},
        {0},
    };
    static const struct xfv_program program = {
        .name = "xfv-doctor",
        .summary = "Check this installation: libraries, processor, programs, models, surroundings, and a test of two "
                   "seconds.",
        .operands = "",
        /* it never does: it looks at the whole installation, and at nothing that comes from outside */
        .flags = XFV_SEALS_LATER,
        .example = "xfv-doctor || echo 'something is wrong'",
        .opts = opts,
        .ctx = &d,
        .libraries = {&xfv_library_net},
    };
    int status;
    char **names;
    struct xfv_err e = {0};
    d.c = xfv_cli_start(&program, argc, argv, &status);
    if (!d.c) return status;
    status = xfv_cli_operands(d.c, &names) ? xfv_fail(&e, XFV_EARG,
                                                      "this program takes no operand, found '%.200s'", names[0]) : 0;
    if (!status && !(d.f = xfv_cli_out_file(d.c, &e))) status = e.status;
    if (!status) examine(&d);
    return xfv_cli_finish(d.c, status ? &e : NULL, 0);
}
