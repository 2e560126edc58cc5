/*
 * Counts what a process writes (files, syncs, renames, sockets) and kills it at the nth, before or after the call.
 *
 * Preloaded into starter.py, whose children call kill_at(). Standard streams do not count. In a child that was not
 * told to die everything passes, and is counted.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long passed;
static long target;
static int afterwards;
static int note = -1;

void kill_at(long nth, int after, int handle)
{
    target = nth;
    afterwards = after;
    note = handle;
    atomic_store(&passed, 0);
}

long writes_so_far(void) { return atomic_load(&passed); }

static void die(const char *call)
{
    ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
    if (note >= 0 && real(note, call, strlen(call)) < 0)
        abort();
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

/* Returns whether this is the one after which the process dies. */
static int count(const char *call)
{
    long nth = atomic_fetch_add(&passed, 1) + 1;
    if (target && nth == target && !afterwards)
        die(call);
    return target && nth == target;
}

#define WATCH(type, name, counts, parameters, arguments)              \
    type name parameters                                              \
    {                                                                 \
        static type (*real) parameters;                               \
        if (!real)                                                    \
            real = (type (*) parameters)dlsym(RTLD_NEXT, #name);      \
        int last = (counts) ? count(#name) : 0;                       \
        type result = real arguments;                                 \
        if (last)                                                     \
            die(#name);                                               \
        return result;                                                \
    }

WATCH(ssize_t, write, fd > 2 && fd != note, (int fd, const void *data, size_t size), (fd, data, size))
WATCH(ssize_t, pwrite, 1, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
WATCH(ssize_t, pwrite64, 1, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
WATCH(int, fsync, 1, (int fd), (fd))
WATCH(int, fdatasync, 1, (int fd), (fd))
WATCH(int, ftruncate, 1, (int fd, off_t size), (fd, size))
WATCH(int, ftruncate64, 1, (int fd, off64_t size), (fd, size))
WATCH(int, unlink, 1, (const char *path), (path))
WATCH(int, rename, 1, (const char *from, const char *to), (from, to))
WATCH(ssize_t, send, 1, (int fd, const void *data, size_t size, int how), (fd, data, size, how))
WATCH(ssize_t, sendto, 1,
      (int fd, const void *data, size_t size, int how, const struct sockaddr *to, socklen_t length),
      (fd, data, size, how, to, length))
WATCH(ssize_t, sendmsg, 1, (int fd, const struct msghdr *message, int how), (fd, message, how))
