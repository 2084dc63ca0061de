#include "cli/guard/sandbox.h"

#ifdef __linux__
#define _GNU_SOURCE /* CLONE_THREAD */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>

#define CALL(name) {SCMP_SYS(name), #name}
struct call { int number; const char *name; };

/* What our own code, the C library, OpenBLAS and the decoders need from then on. */
static const int allowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(pread64),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(pwrite64),
    SCMP_SYS(lseek),
    SCMP_SYS(_llseek),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(fstat),
    SCMP_SYS(fstat64),
    SCMP_SYS(stat),
    SCMP_SYS(stat64),
    SCMP_SYS(lstat),
    SCMP_SYS(lstat64),
    SCMP_SYS(newfstatat),
    SCMP_SYS(fstatat64),
    SCMP_SYS(statx),
    SCMP_SYS(fstatfs),
    SCMP_SYS(access),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fadvise64),
    SCMP_SYS(umask),
    SCMP_SYS(memfd_create),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    SCMP_SYS(membarrier),
    SCMP_SYS(futex),
    SCMP_SYS(futex_time64),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(getcpu),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(times),
    SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrlimit),
    SCMP_SYS(wait4), /* for the broker, the one child */
};

/* Of fcntl: not what sends signals (F_SETOWN), locks, or leases. */
static const unsigned long fcntls[] = {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC};

/* What none of our programs ever does: not an error to be answered, but a reason to end. */
static const struct call hostile[] = {
    CALL(execve),
    CALL(execveat),
    CALL(fork),
    CALL(vfork),
    CALL(ptrace),
    CALL(process_vm_readv),
    CALL(process_vm_writev),
    CALL(kill),
    CALL(tkill),
    CALL(socket),
    CALL(socketpair),
    CALL(connect),
    CALL(bind),
    CALL(listen),
    CALL(accept),
    CALL(accept4),
    CALL(sendto),
    CALL(sendmsg),
    CALL(sendmmsg),
    CALL(recvfrom),
    CALL(recvmmsg),
    CALL(rename),
    CALL(renameat),
    CALL(renameat2),
    CALL(unlink),
    CALL(unlinkat),
    CALL(fchmod),
    CALL(mount),
    CALL(umount2),
    CALL(pivot_root),
    CALL(chroot),
    CALL(unshare),
    CALL(setns),
    CALL(bpf),
    CALL(perf_event_open),
    CALL(userfaultfd),
    CALL(keyctl),
    CALL(add_key),
    CALL(request_key),
    CALL(io_uring_setup),
    CALL(io_uring_enter),
    CALL(io_uring_register),
    CALL(init_module),
    CALL(finit_module),
    CALL(delete_module),
    CALL(kexec_load),
    CALL(reboot),
    CALL(setuid),
    CALL(setgid),
    CALL(setreuid),
    CALL(setregid),
    CALL(setresuid),
    CALL(setresgid),
    CALL(setgroups),
    CALL(capset),
    CALL(personality),
    CALL(creat),
    CALL(chmod),
    CALL(fchmodat),
    CALL(chown),
    CALL(fchown),
    CALL(fchownat),
    CALL(lchown),
    CALL(mkdir),
    CALL(mkdirat),
    CALL(rmdir),
    CALL(mknod),
    CALL(mknodat),
    CALL(symlink),
    CALL(symlinkat),
    CALL(link),
    CALL(linkat),
    CALL(truncate),
    CALL(open_by_handle_at),
    CALL(pidfd_open),
    CALL(pidfd_getfd),
    CALL(pidfd_send_signal),
    CALL(shmget),
    CALL(shmat),
    CALL(pkey_mprotect),
    CALL(modify_ldt),
    CALL(clock_settime),
    CALL(settimeofday),
};
/* Allowed with some arguments, hostile with others. */
static const struct call by_argument[] = {
    CALL(open), CALL(openat), CALL(mmap), CALL(mmap2), CALL(mprotect), CALL(clone), CALL(tgkill), CALL(fcntl),
    CALL(fcntl64), CALL(recvmsg),
};

const char *xfv_seccomp_name(int number)
{
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++)
        if (hostile[i].number == number) return hostile[i].name;
    for (size_t i = 0; i < sizeof by_argument / sizeof *by_argument; i++)
        if (by_argument[i].number == number) return by_argument[i].name;
    return "?";
}

struct filter { scmp_filter_ctx f; int short_of_memory; };

/* Calls that this processor does not have make no rule; that is no failure. */
static void note(struct filter *f, int rc)
{
    f->short_of_memory |= rc == -ENOMEM;
}

static void always(struct filter *f, uint32_t action, int number)
{
    note(f, seccomp_rule_add(f->f, action, number, 0));
}

static void when(struct filter *f, uint32_t action, int number, struct scmp_arg_cmp test)
{
    note(f, seccomp_rule_add_array(f->f, action, number, 1, &test));
}

/* Allowed unless one of the bits in argument `arg` is set. */
static void without(struct filter *f, int number, unsigned arg, unsigned long bits)
{
    when(f, SCMP_ACT_ALLOW, number, SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, 0));
    for (unsigned long bit = 1; bit && bit <= bits; bit <<= 1)
        if (bits & bit) when(f, SCMP_ACT_TRAP, number, SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bit, bit));
}

static void fcntl_rules(struct filter *f, int number)
{
    static const unsigned long hostile_ones[] = {F_SETFL, F_SETOWN, 10 /* F_SETSIG */, 15 /* F_SETOWN_EX */,
                                                 1024 /* F_SETLEASE */};
    for (size_t i = 0; i < sizeof fcntls / sizeof *fcntls; i++)
        when(f, SCMP_ACT_ALLOW, number, SCMP_CMP(1, SCMP_CMP_EQ, fcntls[i], 0));
    for (size_t i = 0; i < sizeof hostile_ones / sizeof *hostile_ones; i++)
        when(f, SCMP_ACT_TRAP, number, SCMP_CMP(1, SCMP_CMP_EQ, hostile_ones[i], 0));
}

static void recvmsg_rules(struct filter *f, int broker)
{
    if (broker < 0) {
        always(f, SCMP_ACT_TRAP, SCMP_SYS(recvmsg));
        return;
    }
    when(f, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)broker, 0));
    when(f, SCMP_ACT_TRAP, SCMP_SYS(recvmsg), SCMP_CMP(0, SCMP_CMP_NE, (scmp_datum_t)broker, 0));
}

static void add_rules(struct filter *f, int broker)
{
    const unsigned long writing = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) always(f, SCMP_ACT_ALLOW, allowed[i]);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) always(f, SCMP_ACT_TRAP, hostile[i].number);
    without(f, SCMP_SYS(open), 1, writing);
    without(f, SCMP_SYS(openat), 2, writing);
    fcntl_rules(f, SCMP_SYS(fcntl));
    fcntl_rules(f, SCMP_SYS(fcntl64));
    recvmsg_rules(f, broker);
    without(f, SCMP_SYS(mmap), 2, PROT_EXEC);
    without(f, SCMP_SYS(mmap2), 2, PROT_EXEC);
    without(f, SCMP_SYS(mprotect), 2, PROT_EXEC);
    when(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    when(f, SCMP_ACT_TRAP, SCMP_SYS(clone), SCMP_CMP(0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    when(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), SCMP_CMP(0, SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    when(f, SCMP_ACT_TRAP, SCMP_SYS(tgkill), SCMP_CMP(0, SCMP_CMP_NE, (scmp_datum_t)getpid(), 0));
    when(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), SCMP_CMP(1, SCMP_CMP_EQ, TCGETS, 0)); /* isatty */
    when(f, SCMP_ACT_ALLOW, SCMP_SYS(sched_setaffinity), SCMP_CMP(0, SCMP_CMP_EQ, 0, 0)); /* image/heif.c */
    when(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), SCMP_CMP(0, SCMP_CMP_EQ, 0, 0));
    when(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), SCMP_CMP(0, SCMP_CMP_EQ, PR_SET_NO_NEW_PRIVS, 0));
}

int xfv_seccomp_available(void)
{
    return prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
}

int xfv_seccomp_enforce(int broker)
{
    struct filter f = {seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), 0};
    if (!f.f) return XFV_ENOMEM;
    note(&f, seccomp_attr_set(f.f, SCMP_FLTATR_CTL_TSYNC, 1)); /* a library may have made a thread by now */
    note(&f, seccomp_attr_set(f.f, SCMP_FLTATR_CTL_OPTIMIZE, 2));
    add_rules(&f, broker);
    int status = f.short_of_memory ? -ENOMEM : seccomp_load(f.f);
    seccomp_release(f.f);
    return status == -ENOMEM ? XFV_ENOMEM : status ? XFV_EIO : 0;
}

#else

int xfv_seccomp_available(void) { return 0; }
int xfv_seccomp_enforce(int broker) { (void)broker; return XFV_EIO; }
const char *xfv_seccomp_name(int number) { (void)number; return "?"; }

#endif
