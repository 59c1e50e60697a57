/* What the generated trampolines and the glue share. */
#ifndef FREEFLOW_H
#define FREEFLOW_H

#include <stddef.h>
#include <stdint.h>

#define FF_EXPORT __attribute__((visibility("default")))
#define FF_LIKELY(condition) __builtin_expect(!!(condition), 1)

/* One byte per descriptor; FreeFlow.Shim.Native.DescriptorFlags names the same bits. */
#ifndef FF_DESCRIPTORS
#define FF_DESCRIPTORS (1 << 20) /* the tests build it with fewer: numbers beyond the table are the kernel's alone */
#endif
enum { FF_CONNECTION = 1, FF_CANDIDATE = 2, FF_EPOLL = 4, FF_INTERNAL = 8, FF_COPIED = 16, FF_FRESH = 32, FF_RING = 64, FF_MANAGER = 128 };
/* Made when there is something to note; until then there are no flags. A table in the library itself would count for every process (RLIMIT_DATA). */
extern unsigned char *ff_descriptor_flags;
extern unsigned ff_descriptors;
#define FF_FLAGS(fd) ((unsigned)(fd) < ff_descriptors ? ff_descriptor_flags[(unsigned)(fd)] : 0)

extern int ff_tracked_count;
#define ff_tracked_connections (&ff_tracked_count)
extern int ff_core_is_open; /* 0: not yet; -1: it cannot be */
static inline int ff_core_works(void) { return __atomic_load_n(&ff_core_is_open, __ATOMIC_ACQUIRE) > 0; }

/* dlsym.c: libc's dlsym. The name itself is one of those that this library stands in for. */
void *ff_dlsym(void *handle, const char *name);
#ifndef FF_DEFINES_DLSYM
#define dlsym ff_dlsym
#endif
extern int ff_has_deep_bindings; /* 1: a library has been opened with RTLD_DEEPBIND */

/* symbols.c: the function of that name that is found behind this library's; libc's own, but for other libraries that stand in between. */
void *ff_next_symbol(const char *name);
#define REAL(name) ((__typeof__(&name))ff_next_symbol(#name))

/* uring.c: bytes pass the shim by unseen, so that all connections stay in the kernel; io_uring's system calls as syscall(2) has them. */
extern int ff_has_another_road;
void ff_stay_out(void);
void ff_adopt_rings(void);
long ff_uring_setup(long entries, void *parameters);
long ff_uring_enter(long ring, long count, long minimum, long flags, long argument, long bytes);
long ff_uring_register(long ring, long operation, long argument, long count);

struct ff_sleep;

/* FreeFlow.Shim.Native.ThreadRecord. */
struct ff_thread {
  uint32_t thread_id, signals_handled, interrupting_signals;
  uint32_t inside;      /* depth of critical sections: handlers wait while it is not 0 */
  uint64_t spin_nanoseconds;
  uint32_t deferred;    /* the signal whose handler waits, 0 if none */
  uint32_t awaits_routers; /* what it read last came from another host */
  int *sleeping, *sleeping_here;   /* the counters this thread has raised before it went to sleep, NULL if none */
  uint32_t faults;      /* may SIGSEGV and SIGBUS of ff_copy reach their handler: 1 yes, 2 no, 0 not known; copy.S has its offset, 48 */
  uint32_t room[3];
};
extern __thread struct ff_thread ff_thread_state;

/* FreeFlow.Shim.Exports.CoreHandshake. */
struct ff_handshake {
  intptr_t size;
  void **libc;
  unsigned char *descriptor_flags;
  int *tracked_connections;
  struct ff_thread *(*current_thread)(void);
  void **table;
  int (*copy)(void *target, const void *source, size_t bytes);
  int (*copy_returned)(void *target, const void *source, size_t count);
  void (*deliver_deferred)(void);
  void (*drop_deferred)(void);
  int (*sleep)(struct ff_sleep *what);
  uint64_t (*ticks)(void);
  intptr_t descriptors;
  long (*kernel)(long number, long a, long b, long c, long d, long e, long f);
  void **verbs_table;
  void *verbs_device;
  uintptr_t *verbs_moving;
  void *(*verbs_real)(const char *name);
};

/* Generated: the libc functions by name, and the addresses the trampolines call. */
extern const int ff_real_count, ff_call_count;
extern const char *const ff_real_names[];
extern void *ff_real[], *ff_core_table[], *const ff_unmanaged_table[];

/* raw.c: libc's syscall(2). Generated: the switch over the interposed calls, which passes all others on to it. */
long ff_real_syscall(long number, long a, long b, long c, long d, long e, long f);
long ff_interposed_by_number(long number, long a, long b, long c, long d, long e, long f);

/* raw.c: system calls that have other arguments than the libc call of their name. */
#define FF_BY_NUMBER(name) long ff_##name##_by_number(long a, long b, long c, long d, long e, long f)
FF_BY_NUMBER(ppoll);
FF_BY_NUMBER(select);
FF_BY_NUMBER(pselect6);
FF_BY_NUMBER(epoll_pwait);
FF_BY_NUMBER(epoll_pwait2);
FF_BY_NUMBER(preadv2);
FF_BY_NUMBER(pwritev2);

/* fork.c, exec.c, exit.c, signals.c: the calls of these files by number. */
long ff_fork_by_number(long number, long a, long b, long c, long d, long e, long f);
void ff_prepare_exec(void);
void ff_prepare_exit(void);
long ff_sigaction_by_number(long signal, long action, long old, long mask_bytes);

/* start.c, exit.c, signals.c, safe.c: whether the core may be opened here and now. */
extern int ff_main_runs, ff_exit_has_begun;
int ff_is_in_signal_handler(void);
void ff_note_fork(void);
void ff_note_child(void);
int ff_is_safe_point(void);

/* Glue. */
void *ff_resolve(int index);
int ff_open(void);
void ff_forget_opener(void);
int ff_is_there_room(void);
int ff_survives_its_filter(void);
int ff_survives_in_child(void (*trial)(void));

/* trial.c: the state of a process or thread as proc(5) names it ('S': it sleeps), 0 if it cannot be read. The folder is /proc or /proc/self/task. */
char ff_task_state(const char *folder, int id);
extern int ff_sandboxed;
int ff_is_internet_stream(int fd);
extern void *ff_raw_table[256];
extern intptr_t (*ff_core_call)(intptr_t method, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f);
extern int ff_signals_are_the_cores;

/* copy.S */
int ff_copy(void *target, const void *source, size_t bytes);
int ff_copy_returned(void *target, const void *source, size_t count);
extern char ff_copy_fault[];
enum { FAULTS_UNKNOWN, FAULTS_ARRIVE, FAULTS_BLOCKED };

/* signals.c: runs the handler that a critical section has held up. */
void ff_deliver_deferred(void);
void ff_drop_deferred(void);

/* faults.c: the same copies where the thread blocks the signals of a fault, or may. */
int ff_copy_guarded(void *target, const void *source, size_t bytes);
int ff_copy_returned_guarded(void *target, const void *source, size_t count);
void ff_watch_faults(void);

/* cancel.c: not 0 once a thread of this program has been cancelled. */
extern int ff_cancellation;

/* sleep.c; FreeFlow.Shim.Native.SleepRequest */
struct ff_sleep {
  int epoll;               /* epoll set, or -1 for poll */
  uint32_t signals_seen;   /* signals_handled when the caller last looked */
  void *events;            /* struct pollfd or struct epoll_event */
  uint64_t count;
  const void *timeout;     /* struct timespec, NULL for ever */
  const uint64_t *mask;    /* NULL: the thread's own */
  int milliseconds;        /* for epoll without nanoseconds; -2: use timeout */
};
int ff_sleep(struct ff_sleep *what);
void ff_find_sleeping_calls(void);

#ifndef _GNU_SOURCE
/* The trampolines define libc's names themselves, so they include none of its headers. */
typedef __PTRDIFF_TYPE__ ssize_t;
int fileno(void *stream);
void pthread_testcancel(void);
void __chk_fail(void) __attribute__((noreturn, weak)); /* musl has none */
#endif

#endif
