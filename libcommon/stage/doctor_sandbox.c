/* Which parts of the sandbox this kernel has: SANDBOX in xfv(7) says what each keeps. */
#include "cli/guard/sandbox.h"
#include "stage/doctor.h"

void xfv_check_sandbox(struct xfv_doctor *d)
{
    int version = xfv_landlock_version();
    const char *off = xfv_sandbox_watcher();
    if (off) {
        xfv_tell(d, XFV_WARN, "sandbox", "off: %s", off);
        return;
    }
    if (xfv_seccomp_available())
        xfv_tell(d, XFV_FINE, "sandbox",
                 "seccomp filters system calls: no network, no program, no file made or removed");
    else xfv_tell(d, XFV_BAD, "sandbox", "no seccomp: a program that a hostile input takes over has all your rights");
    if (version < 1)
        xfv_tell(d, XFV_WARN, "sandbox",
                 "no Landlock: any file that you may read can be opened for reading, though none for writing");
    else if (version < 6)
        xfv_tell(d, XFV_FINE, "sandbox",
                 "Landlock %d confines files; signals are seccomp's alone (Linux 6.12 has both)", version);
    else xfv_tell(d, XFV_FINE, "sandbox", "Landlock %d confines files, ports and signals", version);
}
