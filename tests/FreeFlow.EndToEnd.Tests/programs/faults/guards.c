/*
 * In front of libc, after libfreeflow.so: a wall around every ring that the library maps. Who reads or writes beyond a ring's memory ends at once with a line and
 * exit code 99, also where the library would survive the fault (its copies answer EFAULT to a bad pointer of the application's).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WALL = 4 << 20, RINGS = 4096, OUTSIDE = 99 };

static struct { uintptr_t from, to; } rings[RINGS];   /* what may be touched; 0 is a free place */
static struct sigaction theirs[2];
static int guarded;

static int is_ring(int fd) {
  char path[32], name[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(path, name, sizeof name);
  return length > 20 && memcmp(name, "/memfd:freeflow-ring", 20) == 0;
}

static void *map(void *address, size_t bytes, int access, int flags, int fd, off_t offset) { return (void *)syscall(SYS_mmap, address, bytes, access, flags, fd, offset); }

void *mmap(void *address, size_t bytes, int access, int flags, int fd, off_t offset) {
  struct stat file;
  if (address || fd < 0 || !is_ring(fd) || fstat(fd, &file) != 0) return map(address, bytes, access, flags, fd, offset);
  unsigned char *wall = map(NULL, bytes + 2 * WALL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (wall == MAP_FAILED) return wall;
  for (int i = 0; i < RINGS; i++) {
    uintptr_t none = 0, from = (uintptr_t)wall + WALL;
    if (!__atomic_compare_exchange_n(&rings[i].from, &none, from, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    rings[i].to = from + (uintptr_t)file.st_size;
    guarded++;
    return map(wall + WALL, bytes, access, flags | MAP_FIXED, fd, offset);
  }
  _exit(98);
}

void *mmap64(void *, size_t, int, int, int, off_t) __attribute__((alias("mmap")));

int munmap(void *address, size_t bytes) {
  for (int i = 0; i < RINGS; i++) {
    if (rings[i].from != (uintptr_t)address || !address) continue;
    rings[i].from = 0;
    return (int)syscall(SYS_munmap, (char *)address - WALL, bytes + 2 * WALL);
  }
  return (int)syscall(SYS_munmap, address, bytes);
}

static void on_fault(int signal, siginfo_t *info, void *context) {
  uintptr_t at = (uintptr_t)info->si_addr;
  for (int i = 0; i < RINGS; i++) {
    uintptr_t from = rings[i].from, to = rings[i].to;
    if (from == 0 || at < from - WALL || at >= to + WALL || (at >= from && at < to)) continue;
    static const char line[] = "outside of a ring\n";
    (void)!write(1, line, sizeof line - 1);
    _exit(OUTSIDE);
  }
  struct sigaction *next = &theirs[signal == SIGBUS];
  if (next->sa_flags & SA_SIGINFO) { next->sa_sigaction(signal, info, context); return; }
  if (next->sa_handler != SIG_DFL && next->sa_handler != SIG_IGN) { next->sa_handler(signal); return; }
  struct sigaction standard = { .sa_handler = SIG_DFL };
  ((int (*)(int, const struct sigaction *, struct sigaction *))dlsym(RTLD_NEXT, "sigaction"))(signal, &standard, NULL);
}

int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  int (*real)(int, const struct sigaction *, struct sigaction *) = (int (*)(int, const struct sigaction *, struct sigaction *))dlsym(RTLD_NEXT, "sigaction");
  if (signal != SIGSEGV && signal != SIGBUS) return real(signal, action, old);
  struct sigaction *kept = &theirs[signal == SIGBUS], before = *kept;
  if (action) {
    struct sigaction ours = *action;
    *kept = *action;
    ours.sa_sigaction = on_fault;
    ours.sa_flags |= SA_SIGINFO;
    if (real(signal, &ours, NULL) != 0) return -1;
  }
  if (old) *old = before;
  return 0;
}

/* So that a test can tell that there were walls. */
__attribute__((destructor)) static void say(void) { fprintf(stderr, "%d walls\n", guarded); }
