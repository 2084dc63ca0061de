/* LD_PRELOAD library: a decoder that was taken over. The first JPEG header that is read makes it try what XFV_HIJACK names, and tell on standard error
 * "got in" or "refused". A refusal may also be the program's death. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
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
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)"echo 'hijack: exec got in' >&2", NULL}, *const env[] = {NULL};
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

static int attempt(const char *what)
{
    pthread_t t;
    int got = 0;
    if (!strcmp(what, "read")) return opens("/etc/passwd", O_RDONLY);
    if (!strcmp(what, "thread")) return !pthread_create(&t, NULL, read_in_thread, &got) && !pthread_join(t, NULL) && got;
    if (!strcmp(what, "list")) return lists();
    if (!strcmp(what, "write")) return opens("stolen", O_WRONLY | O_CREAT);
    if (!strcmp(what, "tmp")) return opens("elsewhere/stolen", O_WRONLY | O_CREAT);
    if (!strcmp(what, "overwrite")) return opens("precious", O_WRONLY | O_TRUNC);
    if (!strcmp(what, "unlink")) return unlink("precious") == 0;
    if (!strcmp(what, "rename")) return rename("precious", "elsewhere/precious") == 0;
    if (!strcmp(what, "chmod")) return chmod("precious", 0666) == 0;
    if (!strcmp(what, "symlink")) return symlink("/etc/passwd", "link") == 0;
    if (!strcmp(what, "connect")) return connects();
    if (!strcmp(what, "exec")) return executes();
    if (!strcmp(what, "fork")) return forks();
    if (!strcmp(what, "ptrace")) return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
    if (!strcmp(what, "kill")) return kill(getppid(), 0) == 0;
    if (!strcmp(what, "hang")) return (int)sleep(60) + 1;
    if (!strcmp(what, "code")) return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
    return -1;
}

int jpeg_read_header(void *decoder, int require);
int jpeg_read_header(void *decoder, int require)
{
    static int done;
    const char *what = getenv("XFV_HIJACK");
    int (*real)(void *, int);
    *(void **)&real = dlsym(RTLD_NEXT, "jpeg_read_header");
    if (what && !done++) fprintf(stderr, "hijack: %s %s\n", what, attempt(what) ? "got in" : "refused");
    return real(decoder, require);
}
