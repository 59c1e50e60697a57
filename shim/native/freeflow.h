/* What the generated trampolines and the glue share. */
#ifndef FREEFLOW_H
#define FREEFLOW_H

#include <stddef.h>
#include <stdint.h>

#define FF_EXPORT __attribute__((visibility("default")))
#define FF_LIKELY(condition) __builtin_expect(!!(condition), 1)

/* One byte per descriptor; FreeFlow.Shim.Native.DescriptorFlags names the same bits. */
enum { FF_DESCRIPTORS = 1 << 20, FF_CONNECTION = 1, FF_CANDIDATE = 2, FF_EPOLL = 4, FF_INTERNAL = 8 };
extern unsigned char ff_descriptor_flags[FF_DESCRIPTORS];
#define FF_FLAGS(fd) ((unsigned)(fd) < FF_DESCRIPTORS ? ff_descriptor_flags[(unsigned)(fd)] : 0)

extern int ff_tracked_count;
#define ff_tracked_connections (&ff_tracked_count)
extern int ff_core_is_open;

/* FreeFlow.Shim.Native.ThreadRecord. */
struct ff_thread {
  uint32_t thread_id, signals_handled, interrupting_signals, reserved;
  uint64_t spin_nanoseconds;
  uint64_t room[5];
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
};

/* Generated: the libc functions by name, and the addresses the trampolines call. */
extern const int ff_real_count, ff_call_count;
extern const char *const ff_real_names[];
extern void *ff_real[], *ff_core_table[], *const ff_unmanaged_table[];

/* Glue. */
void *ff_resolve(int index);
int ff_open(void);
int ff_is_internet_stream(int fd);
extern void *ff_raw_table[256];
extern intptr_t (*ff_core_call)(intptr_t method, intptr_t a, intptr_t b, intptr_t c, intptr_t d, intptr_t e, intptr_t f);
extern int ff_signals_are_the_cores;

#ifndef _GNU_SOURCE
/* The trampolines define libc's names themselves, so they include none of its headers. */
typedef __PTRDIFF_TYPE__ ssize_t;
int fileno(void *stream);
void __chk_fail(void) __attribute__((noreturn, weak)); /* musl has none */
#endif

#endif
