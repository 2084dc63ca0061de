#include "cli/guard/sandbox.h"

#ifdef __linux__
#define _GNU_SOURCE /* O_PATH, syscall */
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13) /* second ABI */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14) /* third */
#endif

/* The kernel's own struct, of which older headers know the first member. */
struct rules { uint64_t fs, net, scope; };

int xfv_landlock_version(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi < 1 ? 0 : (int)abi;
}

int xfv_landlock_new(void)
{
    int abi = xfv_landlock_version();
    if (abi < 1) return -1;
    struct rules r = {.fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}; /* all of the first ABI */
    if (abi >= 2) r.fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3) r.fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
    if (abi >= 4) r.net = 3;   /* bind and connect TCP */
    if (abi >= 6) r.scope = 3; /* abstract sockets of, and signals to, processes outside */
    size_t size = abi >= 6 ? sizeof r : abi >= 4 ? 2 * sizeof r.fs : sizeof r.fs;
    return (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
}

void xfv_landlock_allow(int rules, const char *path, unsigned what)
{
    struct stat st;
    struct landlock_path_beneath_attr rule = {0};
    if (rules < 0) return;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0) return;
    if (!fstat(fd, &st)) {
        if (what & (XFV_MAY_READ | XFV_MAY_LIST)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_FILE;
        if (S_ISDIR(st.st_mode) && (what & XFV_MAY_LIST)) rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
        rule.parent_fd = fd;
        /* Fails on pipes and the like, which Landlock leaves open anyway. */
        if (rule.allowed_access) (void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    close(fd);
}

int xfv_landlock_enforce(int rules)
{
    if (rules < 0) return -1;
    int bad = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || syscall(SYS_landlock_restrict_self, rules, 0);
    close(rules);
    return bad ? -1 : 0;
}

#else

int xfv_landlock_version(void) { return 0; }
int xfv_landlock_new(void) { return -1; }
void xfv_landlock_allow(int rules, const char *path, unsigned what) { (void)rules, (void)path, (void)what; }
int xfv_landlock_enforce(int rules) { (void)rules; return -1; }

#endif
