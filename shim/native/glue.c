/*
 * Opens the managed core, once, at the first socket that could be accelerated. Preloaded into every program, so it does nothing
 * before that: no thread, no allocation, no libc lookup.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <unistd.h>

#include "freeflow.h"

unsigned char ff_descriptor_flags[FF_DESCRIPTORS];
int ff_tracked_count, ff_core_is_open, ff_signals_are_the_cores;
void *ff_raw_table[256];
intptr_t (*ff_core_call)(intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t);
__thread struct ff_thread ff_thread_state __attribute__((tls_model("initial-exec")));

/* The processor's own clock: the same on all of them where it can be trusted at all, and far cheaper than clock_gettime(2). */
static uint64_t ticks(void) {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  uint64_t now;
  __asm__ volatile("mrs %0, cntvct_el0" : "=r"(now));
  return now;
#else
  return 0;
#endif
}

static struct ff_thread *current_thread(void) { return &ff_thread_state; }

/* A libc older than the call (close_range, epoll_pwait2): as a kernel older than it. */
static long not_there(void) {
  errno = ENOSYS;
  return -1;
}

void *ff_resolve(int index) {
  void *found = dlsym(RTLD_NEXT, ff_real_names[index]);
  if (!found) return (void *)not_there;
  __atomic_store_n(&ff_real[index], found, __ATOMIC_RELEASE);
  return found;
}

int ff_is_internet_stream(int fd) {
  if (ff_core_is_open < 0) return 0;
  int domain = 0, protocol = 0, saved = errno;
  socklen_t length = sizeof domain;
  int known = getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0;
  errno = saved;
  return known && (domain == AF_INET || domain == AF_INET6) && protocol == 6;
}

/* The core lies beside this file. */
static void *open_core_library(void) {
  Dl_info self;
  char path[4096];
  if (!dladdr((void *)current_thread, &self) || !self.dli_fname) return NULL;
  const char *slash = strrchr(self.dli_fname, '/');
  size_t folder = slash ? (size_t)(slash - self.dli_fname) + 1 : 0;
  static const char name[] = "libfreeflow-core.so";
  if (folder + sizeof name > sizeof path) return NULL;
  memcpy(path, self.dli_fname, folder);
  memcpy(path + folder, name, sizeof name);
  return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

/* FREEFLOW_CALLS=unmanaged, or a core whose methods cannot be called by address: go through the runtime's own transition. */
static int raw_calls_work(void) {
  const char *wish = getenv("FREEFLOW_CALLS");
  if (wish && strcmp(wish, "unmanaged") == 0) return 0;
  intptr_t (*self_test)(intptr_t) = (intptr_t (*)(intptr_t))ff_raw_table[0];
  return self_test(41) == 41 + (intptr_t)sizeof(struct ff_handshake) + 1;
}

static int open_core(void) {
  for (int i = 0; i < ff_real_count; i++) {
    void *found = dlsym(RTLD_NEXT, ff_real_names[i]);
    if (found) ff_real[i] = found;
  }
  void *core = open_core_library();
  if (!core) return 0;
  int (*enter)(struct ff_handshake *) = (int (*)(struct ff_handshake *))dlsym(core, "ff_core_open");
  ff_core_call = (intptr_t (*)(intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t))dlsym(core, "ff_core_call");
  struct ff_handshake handshake = {
    sizeof handshake, ff_real, ff_descriptor_flags, &ff_tracked_count, current_thread, ff_raw_table,
    ff_copy, ff_deliver_deferred, ff_drop_deferred, ff_sleep, ticks, FF_DESCRIPTORS,
  };
  ff_find_sleeping_calls();
  if (!enter || !ff_core_call || enter(&handshake) != 0) return 0;
  void *const *table = raw_calls_work() ? (void *const *)ff_raw_table : ff_unmanaged_table;
  for (int i = 1; i <= ff_call_count; i++) ff_core_table[i] = table[i];
  return 1;
}

/*
 * The runtime installs handlers and ignores SIGPIPE while it starts. The application's dispositions come back afterwards, all but
 * the one signal that drives the runtime's garbage collector.
 */
enum { RUNTIME_SIGNAL = 34 };

static void say_no_room(void) {
  static const char line[] = "freeflow: no room for the shim in this process (ulimit, threads or a seccomp filter); it stays on the kernel path\n";
  if (getenv("FREEFLOW_DEBUG") || getenv("DEBUG_FREEFLOW")) (void)!write(2, line, sizeof line - 1);
}

static __thread int opening;

/* What the runtime never frees is no leak of a program under LeakSanitizer. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/* In a thread of its own, because the application's may have a stack of a few pages only (pthread_attr_setstacksize(3), makecontext(3)). */
static void *open_with_dispositions_kept(void *opened) {
  int (*real_sigaction)(int, const struct sigaction *, struct sigaction *) = (int (*)(int, const struct sigaction *, struct sigaction *))dlsym(RTLD_NEXT, "sigaction");
  struct sigaction before[NSIG];
  char known[NSIG] = { 0 };
  opening = 1;
  if (!ff_is_there_room()) return NULL;
  for (int i = 1; i < NSIG; i++) known[i] = real_sigaction(i, NULL, &before[i]) == 0;
  ff_signals_are_the_cores = 1;
  if (__lsan_disable) __lsan_disable();
  *(int *)opened = open_core();
  if (__lsan_enable) __lsan_enable();
  ff_signals_are_the_cores = 0;
  for (int i = 1; i < NSIG; i++)
    if (known[i] && i != RUNTIME_SIGNAL) real_sigaction(i, &before[i], NULL);
  return opened;
}

/* No thread, no core: the runtime needs one too (RLIMIT_NPROC, a control group's pids.max). */
static void *in_thread(void *(*function)(void *), void *argument) {
  pthread_attr_t attributes;
  pthread_t thread;
  void *result = NULL;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  if (pthread_create(&thread, &attributes, function, argument) == 0) pthread_join(thread, &result);
  pthread_attr_destroy(&attributes);
  return result;
}

static void open_once(void) {
  sigset_t all, old;
  int saved = errno, opened = 0;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  /* Asked first: a filter may kill for the thread. */
  if (!ff_survives_its_filter() || !in_thread(open_with_dispositions_kept, &opened)) say_no_room();
  if (opened) ff_watch_faults();
  __atomic_store_n(&ff_core_is_open, opened ? 1 : -1, __ATOMIC_RELEASE);
  if (opened) ff_watch_forks();
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  errno = saved;
}

int ff_open(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  int state = __atomic_load_n(&ff_core_is_open, __ATOMIC_ACQUIRE);
  if (FF_LIKELY(state != 0)) return state > 0;
  /* The core's own calls while it starts, and privileged programs, are not ours. */
  if (opening || ff_has_another_road || getauxval(AT_SECURE)) return 0;
  opening = 1;
  pthread_once(&once, open_once);
  opening = 0;
  return ff_core_is_open > 0;
}
