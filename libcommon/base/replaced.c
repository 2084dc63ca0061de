#include "base/replaced.h"

#include <pthread.h>
#include <sys/stat.h>

#include "base/grow.h"

struct file { dev_t dev; ino_t ino; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file *files;
static size_t n_files, cap;

static size_t find(dev_t dev, ino_t ino)
{
    size_t i = 0;
    while (i < n_files && (files[i].dev != dev || files[i].ino != ino)) i++;
    return i;
}

static int add(dev_t dev, ino_t ino)
{
    if (n_files == cap) {
        size_t more = xfv_more(cap, 4);
        if (!XFV_GROW(files, more)) return -1;
        cap = more;
    }
    files[n_files++] = (struct file){dev, ino};
    return 0;
}

int xfv_replaced_add(dev_t dev, ino_t ino, struct xfv_err *e)
{
    pthread_mutex_lock(&lock);
    int bad = find(dev, ino) == n_files && add(dev, ino);
    pthread_mutex_unlock(&lock);
    return bad ? xfv_fail(e, XFV_ENOMEM, "out of memory") : 0;
}

void xfv_replaced_remove(dev_t dev, ino_t ino)
{
    pthread_mutex_lock(&lock);
    size_t i = find(dev, ino);
    if (i < n_files) files[i] = files[--n_files];
    pthread_mutex_unlock(&lock);
}

int xfv_replaced_has(dev_t dev, ino_t ino)
{
    pthread_mutex_lock(&lock);
    int has = find(dev, ino) < n_files;
    pthread_mutex_unlock(&lock);
    return has;
}

int xfv_replaced_check(int fd, const char *name, struct xfv_err *e)
{
    struct stat st;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !xfv_replaced_has(st.st_dev, st.st_ino)) return 0;
    return xfv_fail(e, XFV_EARG, "%.300s is both an input and the output: name another output", name);
}
