/* The two locks of Linux that the sandbox is made of; elsewhere, or where the kernel lacks one, each says so and the
 * program runs without it. What a program may do is decided in sandbox.c; see SANDBOX in xfv(7). */
#ifndef XFV_CLI_GUARD_SANDBOX_H
#define XFV_CLI_GUARD_SANDBOX_H

#include "base/err.h"

/* ---- Landlock: which files may still be opened ---- */

enum {
    XFV_MAY_READ = 1, /* the file; of a folder, every file beneath */
    XFV_MAY_LIST = 2  /* read the folder itself */
};
/* A set of rules under which no file may be opened, made or removed, and no TCP port used; a descriptor, or -1 where
 * the kernel has no Landlock. */
int xfv_landlock_new(void);
int xfv_landlock_version(void); /* of the kernel's interface; 0: it has none */
/* An exception. A path that is not there needs none. */
void xfv_landlock_allow(int rules, const char *path, unsigned what);
/* From now on, for the calling thread and those it makes: 0, or -1. Closes rules. */
int xfv_landlock_enforce(int rules);

/* ---- seccomp: which system calls may still be made ---- */

/* What a program of ours makes once it runs, and nothing else: no network, no other program, no executable memory, and
 * no file made, named, removed or opened for writing. broker: the one descriptor that messages may come from, or -1.
 * For all threads. A call that is clearly hostile raises SIGSYS, any other unknown one fails with ENOSYS, so that a
 * newer C library falls back. 0; XFV_EIO where the kernel has no seccomp; XFV_ENOMEM: no memory to make the filter. */
int xfv_seccomp_enforce(int broker);
int xfv_seccomp_available(void);
/* NULL, or why this build or this run has no sandbox: what watches it wants calls of its own. */
const char *xfv_sandbox_watcher(void);
/* The name of a call that raises SIGSYS, for the handler; "?" for others. Async-signal-safe. */
const char *xfv_seccomp_name(int number);

#endif
