/*
 * syscall(2), and calls that change what the process may do. A system call made by number goes where its name goes, so that it sees what is
 * in a ring. A process that installs a seccomp filter allows what it calls itself, not what a shim calls for it: everything goes back to the
 * kernel and to the application's own calls before.
 */
#define _GNU_SOURCE
/* Declared variadic, defined here with the arguments that the kernel takes. */
#define syscall declared_syscall
#define prctl declared_prctl
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#undef syscall
#undef prctl

#include "freeflow.h"

void ff_retire(void);
void ff_copied(int fd);
void ff_before_io_submit(long count, void *list);

int ff_sandboxed;

typedef long (*syscall_t)(long, long, long, long, long, long, long);

static syscall_t real_syscall;

static void sandbox(void) {
  int saved = errno;
  ff_sandboxed = 1;
  if (ff_core_works()) {
    ff_retire();
    if (ff_tracked_count == 0) __atomic_store_n(&ff_core_is_open, -1, __ATOMIC_RELEASE);
  }
  errno = saved;
}

static int copied(long fd) {
  int saved = errno;
  if (fd >= 0 && ff_core_works()) ff_copied((int)fd);
  errno = saved;
  return (int)fd;
}

static long by_name(long number, long a, long b, long c, long d, long e, long f) {
  switch (number) {
    case SYS_read: return read((int)a, (void *)b, (size_t)c);
    case SYS_write: return write((int)a, (const void *)b, (size_t)c);
    case SYS_readv: return readv((int)a, (const struct iovec *)b, (int)c);
    case SYS_writev: return writev((int)a, (const struct iovec *)b, (int)c);
    case SYS_recvfrom: return recvfrom((int)a, (void *)b, (size_t)c, (int)d, (struct sockaddr *)e, (socklen_t *)f);
    case SYS_sendto: return sendto((int)a, (const void *)b, (size_t)c, (int)d, (const struct sockaddr *)e, (socklen_t)f);
    case SYS_recvmsg: return recvmsg((int)a, (struct msghdr *)b, (int)c);
    case SYS_sendmsg: return sendmsg((int)a, (const struct msghdr *)b, (int)c);
    case SYS_recvmmsg: return recvmmsg((int)a, (struct mmsghdr *)b, (unsigned)c, (int)d, (struct timespec *)e);
    case SYS_sendmmsg: return sendmmsg((int)a, (struct mmsghdr *)b, (unsigned)c, (int)d);
    case SYS_preadv2: return preadv2((int)a, (const struct iovec *)b, (int)c, d, (int)f);
    case SYS_pwritev2: return pwritev2((int)a, (const struct iovec *)b, (int)c, d, (int)f);
    case SYS_sendfile: return sendfile((int)a, (int)b, (off_t *)c, (size_t)d);
    case SYS_splice: return splice((int)a, (loff_t *)b, (int)c, (loff_t *)d, (size_t)e, (unsigned)f);
    case SYS_io_submit: ff_before_io_submit(b, (void *)c); break;
    case SYS_io_uring_setup: ff_stay_out(); break;
    case SYS_shutdown: return shutdown((int)a, (int)b);
    case SYS_close: return close((int)a);
    case SYS_dup: return dup((int)a);
    case SYS_dup2: return dup2((int)a, (int)b);
    case SYS_dup3: return dup3((int)a, (int)b, (int)c);
    case SYS_fcntl: return fcntl((int)a, (int)b, c);
    case SYS_fork: return _Fork();
    case SYS_execve: return execve((const char *)a, (char *const *)b, (char *const *)c);
    case SYS_close_range: return close_range((unsigned)a, (unsigned)b, (int)c);
    case SYS_pidfd_getfd: return copied(real_syscall(number, a, b, c, d, e, f));
    case SYS_seccomp: if (a == SECCOMP_SET_MODE_STRICT || a == SECCOMP_SET_MODE_FILTER) sandbox(); break;
    case SYS_prctl: if (a == PR_SET_SECCOMP) sandbox(); break;
  }
  return real_syscall(number, a, b, c, d, e, f);
}

/* Not variadic: the arguments lie in the same places, and those that the caller did not give are not looked at by the kernel either. */
FF_EXPORT long syscall(long number, long a, long b, long c, long d, long e, long f) {
  if (!real_syscall) real_syscall = (syscall_t)dlsym(RTLD_NEXT, "syscall");
  if (FF_LIKELY(!ff_core_works() && number != SYS_seccomp && number != SYS_prctl && number != SYS_io_uring_setup)) return real_syscall(number, a, b, c, d, e, f);
  return by_name(number, a, b, c, d, e, f);
}

FF_EXPORT int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d) {
  static int (*real)(int, unsigned long, unsigned long, unsigned long, unsigned long);
  if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, "prctl");
  if (option == PR_SET_SECCOMP) sandbox();
  return real(option, a, b, c, d);
}

FF_EXPORT int pidfd_getfd(int process, int fd, unsigned flags) {
  int (*real)(int, int, unsigned) = (int (*)(int, int, unsigned))dlsym(RTLD_NEXT, "pidfd_getfd");
  if (!real) { errno = ENOSYS; return -1; }
  return copied(real(process, fd, flags));
}
