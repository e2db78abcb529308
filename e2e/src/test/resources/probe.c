/* Makes one system call, named by the first argument, and says how it went: "ok" or the error's name. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int say(long result) {
    puts(result >= 0 ? "ok" : strerrorname_np(errno));
    return 0;
}

/* Shared memory and semaphores under a key that the containers of a pod agree on. */
static int shared_write(void) {
    int id = shmget(4711, 4096, IPC_CREAT | 0600);
    char *memory = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
    if (memory == (void *)-1) return say(-1);
    strcpy(memory, "written by another container");
    return say(semget(4712, 1, IPC_CREAT | 0600));
}

static int shared_read(void) {
    int id = shmget(4711, 4096, 0600);
    char *memory = id < 0 ? (void *)-1 : shmat(id, NULL, 0);
    if (memory == (void *)-1 || semget(4712, 1, 0600) < 0) return say(-1);
    puts(memory);
    return 0;
}

/* Takes memory and touches all of it. */
static int eat(size_t mib) {
    char *memory = malloc(mib << 20);
    if (!memory) return say(-1);
    memset(memory, 1, mib << 20);
    puts("eaten");
    return 0;
}

/* A child that nobody waits for, left to process 1. */
static int orphan(void) {
    if (fork() == 0) {
        if (fork() == 0) {
            usleep(200000);
            _exit(0);
        }
        _exit(0);
    }
    usleep(100000);
    return say(0);
}

/* Large pages, touched one by one. */
static int huge(size_t mib) {
    char *memory = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
    if (memory == MAP_FAILED) return say(-1);
    memset(memory, 1, mib << 20);
    return say(0);
}

/* Sends standard input to a Unix socket, ends that direction, and tells what comes back. */
static int unix_socket(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) return say(-1);
    char piece[4096];
    ssize_t size;
    while ((size = read(0, piece, sizeof piece)) > 0)
        if (send(fd, piece, size, MSG_NOSIGNAL) < 0) break;
    shutdown(fd, SHUT_WR);
    while ((size = read(fd, piece, sizeof piece)) > 0) fwrite(piece, 1, size, stdout);
    puts(size < 0 ? "broken" : "end");
    return 0;
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "keyctl")) return say(syscall(SYS_keyctl, 0, -3, 0, 0, 0));
    if (!strcmp(what, "bpf")) return say(syscall(SYS_bpf, 0, NULL, 0));
    if (!strcmp(what, "userns")) return say(syscall(SYS_unshare, 0x10000000));
    if (!strcmp(what, "vsock")) return say(socket(AF_VSOCK, SOCK_STREAM, 0));
    if (!strcmp(what, "raw")) return say(socket(AF_INET, SOCK_RAW, 1));
    if (!strcmp(what, "getpid")) return say(syscall(SYS_getpid));
    if (!strcmp(what, "shared-write")) return shared_write();
    if (!strcmp(what, "shared-read")) return shared_read();
    if (!strcmp(what, "eat")) return eat(count > 2 ? strtoul(words[2], NULL, 10) : 1);
    if (!strcmp(what, "orphan")) return orphan();
    if (!strcmp(what, "huge") && count > 2) return huge(strtoul(words[2], NULL, 10));
    if (!strcmp(what, "unix") && count > 2) return unix_socket(words[2]);
    fprintf(stderr, "probe: do not know %s\n", what);
    return 2;
}
