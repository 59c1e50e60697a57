/*
 * Opens the managed core, once, when the first connection is worth an offer (early.c). Preloaded into every program, so it does nothing
 * before that: no thread, no allocation, no libc lookup.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"
#include "kernel.h"
#include "signals.h"
#include "verbs.h"

unsigned char *ff_descriptor_flags;
unsigned ff_descriptors;
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

static long kernel(long number, long a, long b, long c, long d, long e, long f) { return ff_kernel(number, a, b, c, d, e, f); }

/* A libc older than the call (close_range, epoll_pwait2): as a kernel older than it. */
static long not_there(void) {
  errno = ENOSYS;
  return -1;
}

void *ff_resolve(int index) {
  void *found = ff_next_symbol(ff_real_names[index]);
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

static void say_no_room(void) {
  static const char line[] = "freeflow: no room for the shim in this process (ulimit, locked memory, threads or a seccomp filter); it stays on the kernel path\n";
  if (getenv("FREEFLOW_DEBUG") || getenv("DEBUG_FREEFLOW") || getenv("FREEFLOW_STRICT")) (void)!write(2, line, sizeof line - 1);
}

static __thread int opening;

/*
 * The runtime's dispositions while it starts: handlers for faults and for its own signal, SIGPIPE ignored. None of them is installed. The core handles
 * faults itself, and the signal stops threads that are inside managed code known to the runtime for a garbage collection: with calls by raw address
 * there are none. Where calls go through the runtime's own transition, the one signal's handler is installed after all.
 */
enum { RUNTIME_SIGNAL = 34 };
static struct sigaction runtime_action;
int ff_runtime_has_signal;

int ff_runtime_action(int signal, const struct sigaction *action, struct sigaction *old) {
  if (!opening) return -1;
  if (old) ff_real_sigaction()(signal, NULL, old);
  if (action && signal == RUNTIME_SIGNAL) runtime_action = *action;
  return 0;
}

int ff_make_descriptor_flags(void) {
  if (ff_descriptors != 0) return 1;
  long table = ff_kernel(SYS_mmap, 0, FF_DESCRIPTORS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (table < 0 && table > -4096) return 0;
  ff_descriptor_flags = (unsigned char *)table;
  __atomic_store_n(&ff_descriptors, FF_DESCRIPTORS, __ATOMIC_RELEASE);
  return 1;
}

static int open_core(void) {
  if (!ff_make_descriptor_flags()) return 0;
  for (int i = 0; i < ff_real_count; i++) {
    void *found = ff_next_symbol(ff_real_names[i]);
    if (found) ff_real[i] = found;
  }
  void *core = open_core_library();
  if (!core) return 0;
  int (*enter)(struct ff_handshake *) = (int (*)(struct ff_handshake *))dlsym(core, "ff_core_open");
  ff_core_call = (intptr_t (*)(intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t))dlsym(core, "ff_core_call");
  struct ff_handshake handshake = {
    sizeof handshake, ff_real, ff_descriptor_flags, &ff_tracked_count, current_thread, ff_raw_table,
    ff_copy, ff_copy_returned, ff_deliver_deferred, ff_drop_deferred, ff_sleep, ticks, FF_DESCRIPTORS,
    kernel, ff_verbs_table, ff_verbs_device, ff_verbs_moving, ff_verbs_real,
  };
  ff_find_sleeping_calls();
  if (!enter || !ff_core_call || enter(&handshake) != 0) return 0;
  int raw = raw_calls_work();
  void *const *table = raw ? (void *const *)ff_raw_table : ff_unmanaged_table;
  for (int i = 1; i <= ff_call_count; i++) ff_core_table[i] = table[i];
  ff_verbs_work = raw;
  if (!raw && runtime_action.sa_handler != SIG_DFL) {
    ff_runtime_has_signal = 1;
    ff_real_sigaction()(RUNTIME_SIGNAL, &runtime_action, NULL);
  }
  return 1;
}

/* What the runtime never frees is no leak of a program under LeakSanitizer. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

/*
 * The core is opened by a thread of its own: the caller may have a stack of a few pages only (pthread_attr_setstacksize(3), makecontext(3)), or hold a
 * lock that opening takes: the loader's, in the constructor of a library that is being opened, or an allocator's. So the thread first takes these
 * locks once; if it sleeps there, the caller goes on without it.
 */
enum { IDLE, PROBING, ABANDONED, OPENING, LATE, HANDING_OVER, OPENED };
static int phase, opener_id;

static void set_phase(int value) {
  __atomic_store_n(&phase, value, __ATOMIC_RELEASE);
  ff_kernel(SYS_futex, (long)&phase, FUTEX_WAKE_PRIVATE, INT_MAX, 0, 0, 0);
}

static int change_phase(int from, int to) { return __atomic_compare_exchange_n(&phase, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE); }

static int stop_at_first(struct dl_phdr_info *library, size_t size, void *unused) {
  (void)library; (void)size; (void)unused;
  return 1;
}

static void take_locks_once(void) {
  static const size_t sizes[] = { 24, 1000, 100000 };
  void *loader = dlopen(NULL, RTLD_LAZY | RTLD_NOLOAD);
  if (loader) dlclose(loader);
  dl_iterate_phdr(stop_at_first, NULL);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    void *volatile memory = malloc(sizes[i]);
    free(memory);
  }
}

static void *open_apart(void *unused) {
  (void)unused;
  opening = 1;
  __atomic_store_n(&opener_id, (int)ff_kernel(SYS_gettid, 0, 0, 0, 0, 0, 0), __ATOMIC_RELEASE);
  take_locks_once();
  if (!change_phase(PROBING, OPENING)) { set_phase(IDLE); return NULL; }
  if (__lsan_disable) __lsan_disable();
  ff_signals_are_the_cores = 1;
  int opened = open_core();
  ff_signals_are_the_cores = 0;
  if (__lsan_enable) __lsan_enable();
  if (opened) ff_watch_faults();
  else say_no_room();
  /* What is noted is exact only while the caller waits. */
  if (opened && change_phase(OPENING, HANDING_OVER)) ff_early_hand_over();
  else ff_early_forget_all();
  __atomic_store_n(&ff_core_is_open, opened ? 1 : -1, __ATOMIC_RELEASE);
  if (opened) ff_adopt_rings();
  set_phase(OPENED);
  return NULL;
}

/* 1: the opening thread sleeps, because it waits for a lock (while it waits for a page its state is another one); -1: it is not to be known. */
static int opener_sleeps(void) {
  int id = __atomic_load_n(&opener_id, __ATOMIC_ACQUIRE);
  char state = id == 0 ? 'R' : ff_task_state("/proc/self/task", id);
  return state == 0 ? -1 : state == 'S';
}

enum { LOOK_NANOSECONDS = 2000000, MOST_LOOKS = 2500, LOOKS_ASLEEP = 3, LOOKS_WITHOUT_PROC = 50 };

/* Until the core is open, or it is clear that it cannot be opened while the caller waits. */
static void wait_for_opener(void) {
  const struct timespec step = { 0, LOOK_NANOSECONDS };
  for (int looks = 0, asleep = 0; looks < MOST_LOOKS; looks++) {
    int seen = __atomic_load_n(&phase, __ATOMIC_ACQUIRE);
    if (seen == IDLE || seen == LATE || seen == OPENED) return;
    if (ff_kernel(SYS_futex, (long)&phase, FUTEX_WAIT_PRIVATE, seen, (long)&step, 0, 0) != -ETIMEDOUT || seen == OPENING || seen == HANDING_OVER) continue;
    int sleeps = opener_sleeps();
    asleep = sleeps > 0 ? asleep + 1 : 0;
    if (asleep < LOOKS_ASLEEP && !(sleeps < 0 && looks >= LOOKS_WITHOUT_PROC)) continue;
    if (seen == ABANDONED || change_phase(PROBING, ABANDONED)) return;
  }
  if (change_phase(PROBING, ABANDONED) || change_phase(OPENING, LATE)) return;
  while (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) == HANDING_OVER) ff_kernel(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

/* No thread, no core: the runtime needs one too (RLIMIT_NPROC, a control group's pids.max). */
static int start_opener(void) {
  pthread_attr_t attributes;
  pthread_t thread;
  __atomic_store_n(&opener_id, 0, __ATOMIC_RELAXED);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 1 << 20);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  int failed = REAL(pthread_create)(&thread, &attributes, open_apart, NULL);
  pthread_attr_destroy(&attributes);
  return !failed;
}

static void try_to_open(void) {
  sigset_t all, old;
  int saved = errno;
  if (!ff_is_safe_point()) return;
  sigfillset(&all);
  ff_real_sigmask()(SIG_BLOCK, &all, &old);
  /* One that was abandoned may still wait for its lock, or be about to give up. */
  if (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) == ABANDONED) wait_for_opener();
  if (change_phase(IDLE, PROBING)) {
    /* Asked first: a filter may kill for the thread, and its stack may be locked memory already. */
    if (!ff_is_there_room() || !ff_survives_its_filter() || !start_opener()) {
      say_no_room();
      __atomic_store_n(&ff_core_is_open, -1, __ATOMIC_RELEASE);
      set_phase(IDLE);
    }
  }
  if (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) != ABANDONED) wait_for_opener();
  ff_real_sigmask()(SIG_SETMASK, &old, NULL);
  errno = saved;
}

/* In the child of a fork, which has no opening thread. */
void ff_forget_opener(void) {
  if (__atomic_load_n(&phase, __ATOMIC_ACQUIRE) != IDLE && !ff_core_works()) ff_core_is_open = -1;
}

int ff_is_opening(void) { return opening; }

int ff_open(void) {
  int state = __atomic_load_n(&ff_core_is_open, __ATOMIC_ACQUIRE);
  if (FF_LIKELY(state != 0)) return state > 0;
  /* The core's own calls while it starts, and privileged programs, are not ours. */
  if (opening || ff_has_another_road || getauxval(AT_SECURE)) return 0;
  opening = 1;
  try_to_open();
  opening = 0;
  return ff_core_works();
}
