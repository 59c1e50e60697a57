/*
 * The seam of the verbs calls (libibverbs). The calls themselves are generated (verbs_calls.c) and lead to C#. Nothing here runs in a program that does not call one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"
#include "kernel.h"
#include "symbols.h"
#include "verbs.h"

unsigned char ff_verbs_device[1024] __attribute__((aligned(64)));
unsigned long ff_verbs_moving[3];
int ff_verbs_work;

static int begins(const char *text, const char *beginning) {
  while (*beginning)
    if (*text++ != *beginning++) return 0;
  return 1;
}

int ff_is_of_verbs(const char *name) { return begins(name, "ibv_") || begins(name, "_ibv_") || begins(name, "rdma_"); }

void *ff_verbs_real(const char *name) {
  int saved = errno;
  /* A library that was opened with RTLD_LOCAL (by NCCL's ways) is on the loader's list, but not in the scope of RTLD_NEXT. */
  void *found = ff_next_of_all(name);
  errno = saved;
  return found;
}

void ff_verbs_before_fork(void);
void ff_verbs_after_fork(int child);
static void in_parent(void) { ff_verbs_after_fork(0); }
static void in_child(void) { ff_verbs_after_fork(1); }

/* What pthread_atfork is in glibc; musl has it not. */
extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *) __attribute__((weak));
extern void *__dso_handle;

int ff_verbs_open(void) {
  static int watched;
  int saved = errno, opened = ff_core_works() || ff_early_open();
  /* Behind fork.c's handlers: a child is one before it is told here. */
  if (opened && ff_verbs_work && __register_atfork && !__atomic_exchange_n(&watched, 1, __ATOMIC_ACQ_REL))
    __register_atfork(ff_verbs_before_fork, in_parent, in_child, __dso_handle);
  errno = saved;
  return opened && ff_verbs_work;
}

int ff_cm_open(void);

/*
 * struct rdma_event_channel: a descriptor, in memory that librdmacm frees. The library writes its commands to it, and all else it does by itself. Where there is a
 * real rdma_cm, programs have that one alone: which of the two an identifier belongs to is not known before its address is.
 */
FF_EXPORT void *rdma_create_event_channel(void) {
  static void *(*real)(void);
  int fd = access("/dev/infiniband/rdma_cm", F_OK) != 0 && ff_verbs_open() ? ff_cm_open() : -1;
  if (fd >= 0) {
    int *channel = malloc(sizeof *channel);
    if (!channel) close(fd);
    else *channel = fd;
    return channel;
  }
  if (!real) real = (void *(*)(void))ff_verbs_real("rdma_create_event_channel");
  if (real) return real();
  errno = ENOSYS;
  return NULL;
}

int ff_is_our_event(const void *event) {
  enum { DEVICE_FATAL = 8, SM_CHANGE = 13, CLIENT_REREGISTER = 17, GID_CHANGE = 18 }; /* those have a port's number, or nothing */
  int type = ((const int *)event)[2];
  return !(type >= DEVICE_FATAL && type <= SM_CHANGE) && type != CLIENT_REREGISTER && type != GID_CHANGE && ff_is_ours(*(void *const *)event);
}

static int is_moving(uintptr_t at) {
  return at >= __atomic_load_n(&ff_verbs_moving[0], __ATOMIC_ACQUIRE) && at < __atomic_load_n(&ff_verbs_moving[1], __ATOMIC_ACQUIRE);
}

int ff_verbs_waits(const void *address) {
  static __thread uintptr_t last, moves_seen;
  uintptr_t at = (uintptr_t)address, moves = __atomic_load_n(&ff_verbs_moving[2], __ATOMIC_ACQUIRE);
  if (!is_moving(at)) {
    /* The move may have ended between the fault and this look: the store is made once more, and another fault there is the program's. */
    if (__atomic_load_n(&ff_verbs_moving[2], __ATOMIC_ACQUIRE) == 0 || (last == at && moves_seen == moves)) return 0;
    last = at;
    moves_seen = moves;
    return 1;
  }
  while (is_moving(at)) ff_kernel(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
  return 1;
}
