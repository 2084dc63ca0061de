/* LD_PRELOAD library: a reader that was taken over. The first JPEG header, stream, model or foreign network that is
 * read once the sandbox is in force (or at all, with XFV_HIJACK_EARLY=1) makes it try what XFV_HIJACK names, and tell
 * on standard error "got in" or "refused". A refusal may also be the program's death. XFV_LANDLOCK=N plays a kernel
 * whose Landlock is of version N; 0: it has none. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <limits.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int opens(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
}

static int connects(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    /* nobody listens: being told so means that the packet went out */
    return fd >= 0 && (connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || errno == ECONNREFUSED);
}

static int forks(void)
{
    pid_t child = fork();
    if (child == 0) _exit(0);
    return child > 0 && waitpid(child, NULL, 0) == child;
}

static int executes(void)
{
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)"echo 'hijack: exec got in' >&2", NULL}, *const env[] = {
                                                                                                           NULL};
    execve("/bin/sh", argv, env);
    return 0;
}

static void *read_in_thread(void *got)
{
    *(int *)got = opens("/etc/passwd", O_RDONLY);
    return NULL;
}

static int lists(void)
{
    DIR *d = opendir("/");
    if (d) closedir(d);
    return d != NULL;
}

/* A signal by the kernel's hand: this process need not have the right to send it. */
static int signals_by_fcntl(void)
{
    return fcntl(0, F_SETOWN, getppid()) == 0 && fcntl(0, F_SETSIG, SIGKILL) == 0;
}

static int changes_mode(void)
{
    int fd = open("tiny.xfvm", O_RDONLY);
    return fd >= 0 && fchmod(fd, 0666) == 0;
}

/* By the newer call, which a filter by arguments cannot look into. */
static int opens_anew(void)
{
    struct { uint64_t flags, mode, resolve; } how = {O_WRONLY | O_APPEND, 0, 0};
    long fd = syscall(SYS_openat2, AT_FDCWD, "precious", &how, sizeof how);
    return fd >= 0 && write((int)fd, "stolen\n", 7) == 7;
}

/* To what they are already: a test is not to change who runs it. */
static int limits_parent(void)
{
    struct rlimit most;
    return !prlimit(getppid(), RLIMIT_NOFILE, NULL, &most) && !prlimit(getppid(), RLIMIT_NOFILE, &most, NULL);
}

static int binds_parent(void)
{
    cpu_set_t set;
    return !sched_getaffinity(getppid(), sizeof set, &set) && !sched_setaffinity(getppid(), sizeof set, &set);
}

/* The broker, if there is one, is asked for a file that was not agreed on; then to name all that it has. */
static int asks_broker(void)
{
    struct { int op, number, sync; char path[PATH_MAX]; } q = {0, 0, 0, "out.d/victim"};
    struct stat st;
    for (int fd = 3; fd < 64; fd++) {
        if (fstat(fd, &st) || !S_ISSOCK(st.st_mode)) continue;
        char reply[4096];
        if (write(fd, &q, sizeof q) < 0) return 0;
        (void)!read(fd, reply, sizeof reply);
        strcpy(q.path, "out.d/out-7.ppm"); /* agreed on, where outputs are numbered */
        if (write(fd, &q, sizeof q) < 0) return 0;
        (void)!read(fd, reply, sizeof reply);
        q.op = 1;
        for (q.number = 15; q.number >= 0; q.number--) {
            if (write(fd, &q, sizeof q) < 0) return 0;
            (void)!read(fd, reply, sizeof reply);
        }
    }
    return (!stat("out.d/victim", &st) && st.st_size != 4) || (!stat("out.d/out-7.ppm", &st) && st.st_size != 4);
}

static int attempt(const char *what)
{
    pthread_t t;
    int got = 0;
    if (!strcmp(what, "read")) return opens("/etc/passwd", O_RDONLY);
    if (!strcmp(what, "thread"))
        return !pthread_create(&t, NULL, read_in_thread, &got) && !pthread_join(t, NULL) && got;
    if (!strcmp(what, "list")) return lists();
    if (!strcmp(what, "write")) return opens("stolen", O_WRONLY | O_CREAT);
    if (!strcmp(what, "tmp")) return opens("elsewhere/stolen", O_WRONLY | O_CREAT);
    if (!strcmp(what, "overwrite")) return opens("precious", O_WRONLY | O_TRUNC);
    if (!strcmp(what, "unlink")) return unlink("precious") == 0;
    if (!strcmp(what, "rename")) return rename("precious", "elsewhere/precious") == 0;
    if (!strcmp(what, "replace")) return rename("out.d/bait", "out.d/victim") == 0;
    if (!strcmp(what, "remove")) return unlink("out.d/victim") == 0;
    if (!strcmp(what, "link")) return link("out.d/bait", "out.d/linked") == 0;
    if (!strcmp(what, "beside")) return opens("out.d/beside", O_WRONLY | O_CREAT);
    if (!strcmp(what, "truncate")) return truncate("out.d/victim", 0) == 0;
    if (!strcmp(what, "append")) return opens("out.d/victim", O_WRONLY | O_APPEND);
    if (!strcmp(what, "fchmod")) return changes_mode();
    if (!strcmp(what, "fcntl")) return signals_by_fcntl();
    if (!strcmp(what, "descriptor")) return write(9, "stolen\n", 7) == 7; /* left open by who started us */
    if (!strcmp(what, "openat2")) return opens_anew();
    if (!strcmp(what, "prlimit")) return limits_parent();
    if (!strcmp(what, "affinity")) return binds_parent();
    if (!strcmp(what, "broker")) return asks_broker();
    if (!strcmp(what, "chmod")) return chmod("precious", 0666) == 0;
    if (!strcmp(what, "symlink")) return symlink("/etc/passwd", "link") == 0;
    if (!strcmp(what, "connect")) return connects();
    if (!strcmp(what, "exec")) return executes();
    if (!strcmp(what, "fork")) return forks();
    if (!strcmp(what, "ptrace")) return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
    if (!strcmp(what, "kill")) return kill(getppid(), 0) == 0;
    if (!strcmp(what, "hang")) return (int)sleep(60) + 1;
    if (!strcmp(what, "code"))
        return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
    return -1;
}

static int sealed;

static void strike(void)
{
    static int done;
    const char *what = getenv("XFV_HIJACK");
    if (!what || done || !(sealed || getenv("XFV_HIJACK_EARLY"))) return;
    done = 1;
    fprintf(stderr, "hijack: %s %s\n", what, attempt(what) ? "got in" : "refused");
}

int jpeg_read_header(void *decoder, int require);
int jpeg_read_header(void *decoder, int require)
{
    int (*real)(void *, int);
    *(void **)&real = dlsym(RTLD_NEXT, "jpeg_read_header");
    strike();
    return real(decoder, require);
}

ssize_t read(int fd, void *buffer, size_t n)
{
    static const char magic[] = "\xa5magic\xa3xfv";
    ssize_t got = syscall(SYS_read, fd, buffer, n);
    const char *what = getenv("XFV_HIJACK"); /* to hang while a model is read is no test of a record's time */
    if (got > 40 && !(what && !strcmp(what, "hang")) && memmem(buffer, 40, magic, sizeof magic - 1)) strike();
    return got;
}

/* How model-import reads. */
size_t fread(void *to, size_t size, size_t n, FILE *f)
{
    size_t (*real)(void *, size_t, size_t, FILE *);
    *(void **)&real = dlsym(RTLD_NEXT, "fread");
    if (!strcmp(program_invocation_short_name, "model-import")) strike();
    return real(to, size, n, f);
}

int seccomp_load(void *filter);
int seccomp_load(void *filter)
{
    int (*real)(void *);
    *(void **)&real = dlsym(RTLD_NEXT, "seccomp_load");
    int status = real(filter);
    sealed = status == 0;
    return status;
}

/* The kernel's answer when it is asked for its version of Landlock. */
long syscall(long number, ...)
{
    long a[6], (*real)(long, ...);
    const char *played = getenv("XFV_LANDLOCK");
    va_list ap;
    va_start(ap, number);
    for (int i = 0; i < 6; i++) a[i] = va_arg(ap, long);
    va_end(ap);
    *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    if (number == SYS_landlock_create_ruleset && played) {
        if (!atoi(played)) return errno = ENOSYS, -1;
        if (a[2] & LANDLOCK_CREATE_RULESET_VERSION) return atoi(played);
    }
    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
