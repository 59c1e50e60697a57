/*
 * Whether this process can spare what the managed core takes: about 350 MB of address space (almost none of it is ever touched), 50 MB that
 * RLIMIT_DATA counts, and system calls. The runtime cannot say that it could not start: it aborts. And a program that lives close to its limits
 * must not meet them earlier for the shim's sake. Nor can a seccomp filter be asked what it kills for.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freeflow.h"

enum { ADDRESS_SPACE_MB = 4096, DATA_MB = 512 };

/* Pages of address space in use, and of data and stack, by /proc/self/statm (proc(5)); 0 if it cannot be read. */
static int pages_in_use(unsigned long *all, unsigned long *data) {
  char text[256];
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return 0;
  text[length] = 0;
  char *at = text;
  for (int field = 0; field < 6; field++) {
    unsigned long value = strtoul(at, &at, 10);
    if (field == 0) *all = value;
    if (field == 5) *data = value;
  }
  return 1;
}

static int has_memory(void) {
  struct rlimit space, data;
  if (getrlimit(RLIMIT_AS, &space) != 0 || getrlimit(RLIMIT_DATA, &data) != 0) return 0;
  if (space.rlim_cur == RLIM_INFINITY && data.rlim_cur == RLIM_INFINITY) return 1;
  unsigned long all, used, page = (unsigned long)sysconf(_SC_PAGESIZE);
  if (!pages_in_use(&all, &used)) return 0;
  return (space.rlim_cur == RLIM_INFINITY || space.rlim_cur / page >= all + ((unsigned long)ADDRESS_SPACE_MB << 20) / page)
      && (data.rlim_cur == RLIM_INFINITY || data.rlim_cur / page >= used + ((unsigned long)DATA_MB << 20) / page);
}

/*
 * What the core and its runtime call and a program may have no need of, with arguments that do nothing. A filter that answers with an errno is
 * met where the call is made; one that kills is found out by a child. Without a filter there is no child.
 */
static const struct { long number, a, b; } unusual[] = {
  { SYS_memfd_create, 0, 0 }, { SYS_ftruncate, -1, 0 }, { SYS_madvise, 0, 0 }, { SYS_membarrier, 0, 0 }, { SYS_sched_getaffinity, 0, 0 },
  { SYS_sched_setaffinity, 0, 0 }, { SYS_sched_yield, 0, 0 }, { SYS_sigaltstack, 0, 0 }, { SYS_clone3, 0, 0 }, { SYS_gettid, 0, 0 }, { SYS_getpid, 0, 0 },
  { SYS_getppid, 0, 0 }, { SYS_tgkill, -1, -1 }, { SYS_kill, 1, 0 }, { SYS_sendmsg, -1, 0 }, { SYS_recvmsg, -1, 0 }, { SYS_sendto, -1, 0 }, { SYS_recvfrom, -1, 0 },
  { SYS_getsockopt, -1, 0 }, { SYS_getsockname, -1, 0 }, { SYS_getpeername, -1, 0 }, { SYS_shutdown, -1, 0 }, { SYS_ppoll, 1, 1 }, { SYS_poll, 1, 1 }, { SYS_ioctl, -1, 0 }, { SYS_fcntl, -1, 1 },
  { SYS_eventfd2, 0, -1 }, { SYS_epoll_ctl, -1, 0 }, { SYS_epoll_pwait, -1, 0 }, { SYS_epoll_pwait2, -1, 0 }, { SYS_prlimit64, 0, RLIMIT_NOFILE },
  { SYS_preadv2, -1, 0 }, { SYS_readlink, 0, 0 }, { SYS_clock_gettime, -1, 0 }, { SYS_get_mempolicy, 0, 0 }, { SYS_sysinfo, 0, 0 },
  { SYS_set_robust_list, 0, 0 }, { SYS_rt_sigprocmask, -1, 0 }, { SYS_rt_sigaction, -1, 0 }, { SYS_futex, 0, -1 },
};

static int is_filtered(void) {
  char text[2048];
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  if (length <= 0) return 1;
  text[length] = 0;
  const char *line = strstr(text, "\nSeccomp:\t");
  return line && line[10] != '0';
}

int ff_survives_its_filter(void) {
  long (*call)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  if (!is_filtered()) return 1;
  int child = (int)call(SYS_clone, 0L, 0L, 0L, 0L, 0L), status = 0;   /* ends without a signal to the program */
  if (child == 0) {
    for (unsigned i = 0; i < sizeof unusual / sizeof *unusual; i++) call(unusual[i].number, unusual[i].a, unusual[i].b, 0L, 0L, 0L, 0L);
    call(SYS_exit_group, 0L);
  }
  if (child < 0) return 0;
  while (call(SYS_wait4, (long)child, &status, (long)__WCLONE, 0L) < 0 && errno == EINTR) { }
  return status == 0;
}

int ff_is_there_room(void) { return !ff_sandboxed && has_memory(); }
