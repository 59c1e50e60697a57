/*
 * io_uring: what a program submits is looked through before the kernel takes it (FreeFlow.Shim.Uring). Its calls are seen by syscall(2) and
 * by the names that liburing exports; liburing itself enters the kernel by its own instructions. Calls are made here as they came, except
 * where entries were changed for the kernel, or several threads submit: there submitting and waiting are two calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"
#include "symbols.h"

enum { SETUP_SQPOLL = 2, KNOWN_SETUP = (1 << 19) - 1, FEATURE_EXT_ARG = 1 << 8, ENTER_GETEVENTS = 1, ENTER_REGISTERED_RING = 16 };
/* GETEVENTS, and what says how to wait: EXT_ARG, ABS_TIMER, EXT_ARG_REG, NO_IOWAIT. */
enum { ENTER_WAITING = 1 | 8 | 32 | 64 | 128 };
enum { REGISTER_FILES = 2, REGISTER_RESTRICTIONS = 11, REGISTER_RING_FDS = 20, UNREGISTER_RING_FDS = 21, REGISTER_RESIZE_RINGS = 33 };
enum { PARAMETER_BYTES = 120, PARAMETER_FLAGS = 8 };

/* FreeFlow.Shim.Uring.Submission */
struct ff_submission {
  int ring, is_registered;
  uint32_t count;
  int has_tail;
  uint32_t tail;
  int queue, must_not_wait, is_locked;
};

/* The part of liburing's struct io_uring that all of its versions from 2.0 on have alike. */
struct ring {
  struct {
    unsigned *khead, *ktail, *kring_mask, *kring_entries, *kflags, *kdropped, *array;
    void *sqes;
    unsigned sqe_head, sqe_tail;
    size_t ring_sz;
    void *ring_ptr;
    unsigned pad[4];
  } sq;
  struct {
    unsigned *khead, *ktail, *kring_mask, *kring_entries, *kflags, *koverflow;
    void *cqes;
    size_t ring_sz;
    void *ring_ptr;
    unsigned pad[4];
  } cq;
  unsigned flags;
  int ring_fd;
  unsigned features;
  int enter_ring_fd;   /* from 2.2 on */
};

void ff_all_by_another_road(void);
void ff_ring_made(int ring, const void *parameters);
void ff_ring_closed(int ring);
void ff_before_submit(void *submission);
void ff_after_submit(void *submission);
void ff_before_register(int ring, unsigned operation, void *argument, unsigned count);
void ff_after_register(int ring, unsigned operation, void *argument, unsigned count);

/* ---- Rings that are made before the core is open. */

int ff_has_another_road;

enum { MOST_EARLY = 32 };
static struct { int ring; unsigned char parameters[PARAMETER_BYTES]; } early[MOST_EARLY];
static int early_used, adopted;

/* Not in the moment between the core's opening and its knowing the rings that there are. */
static int core_works(void) { return ff_core_works() && __atomic_load_n(&adopted, __ATOMIC_ACQUIRE); }

void ff_stay_out(void) {
  /* Asked first: what is set here answers for a core that is not open yet, too, and keeps it from being opened. */
  int works = ff_core_works();
  ff_has_another_road = 1;
  if (works) ff_all_by_another_road();
}

static void made(int ring, const void *parameters) {
  int saved = errno;
  uint32_t flags;
  memcpy(&flags, (const char *)parameters + PARAMETER_FLAGS, sizeof flags);
  /* A kernel thread takes what is submitted, and no call tells when: nothing may be in a ring from before its first entry on. */
  if ((flags & SETUP_SQPOLL) || (flags & ~(uint32_t)KNOWN_SETUP)) ff_stay_out();
  else if (core_works()) ff_ring_made(ring, parameters);
  else if (ff_core_is_open >= 0) {
    int place = 0, used = __atomic_load_n(&early_used, __ATOMIC_ACQUIRE);
    while (place < used && place < MOST_EARLY && early[place].ring != ring) place++;
    if (place == used) place = __atomic_fetch_add(&early_used, 1, __ATOMIC_ACQ_REL);
    if (place < MOST_EARLY) {
      memcpy(early[place].parameters, parameters, PARAMETER_BYTES);
      __atomic_store_n(&early[place].ring, ring, __ATOMIC_SEQ_CST);
      if (__atomic_load_n(&adopted, __ATOMIC_SEQ_CST)) ff_ring_made(ring, parameters);
    }
    else ff_stay_out();
    ff_early_ring_made();
  }
  errno = saved;
}

/* Where /proc does not say, it may be one. */
static int may_be_ring(int fd) {
  static const char kind[] = "anon_inode:[io_uring]";
  char path[32] = "/proc/self/fd/", digits[12], target[sizeof kind];
  int length = 0, at = 14, saved = errno, number = fd;
  if (fd < 0 || fcntl(fd, F_GETFD) < 0) { errno = saved; return 0; }
  do digits[length++] = (char)('0' + number % 10); while ((number /= 10) > 0);
  while (length > 0) path[at++] = digits[--length];
  path[at] = 0;
  ssize_t found = readlink(path, target, sizeof target);
  errno = saved;
  return found < 0 || (found == sizeof kind - 1 && memcmp(target, kind, sizeof kind - 1) == 0);
}

/* A number may have been closed meanwhile, and stand for something else. */
static int adopt_from(int place) {
  int used = __atomic_load_n(&early_used, __ATOMIC_SEQ_CST);
  for (; place < used && place < MOST_EARLY; place++)
    if (may_be_ring(early[place].ring)) ff_ring_made(early[place].ring, early[place].parameters);
  return place;
}

/* After the core was opened. Who makes a ring at the same time sees that the core works, or is seen. */
void ff_adopt_rings(void) {
  int place = adopt_from(0);
  __atomic_store_n(&adopted, 1, __ATOMIC_SEQ_CST);
  (void)adopt_from(place);
}

/* ---- The system calls. */

long ff_uring_setup(long entries, void *parameters) {
  long ring = ff_real_syscall(SYS_io_uring_setup, entries, (long)parameters, 0, 0, 0, 0);
  if (ring >= 0) made((int)ring, parameters);
  return ring;
}

static void before(struct ff_submission *submission) {
  int saved = errno;
  ff_before_submit(submission);
  errno = saved;
}

static void after(struct ff_submission *submission) {
  int saved = errno;
  ff_after_submit(submission);
  errno = saved;
}

long ff_uring_enter(long ring, long count, long minimum, long flags, long argument, long bytes) {
  int is_index = (flags & ENTER_REGISTERED_RING) != 0, is_known = is_index || (FF_FLAGS(ring) & FF_RING);
  if (!core_works() || (unsigned)count == 0 || (!is_known && !may_be_ring((int)ring)))
    return ff_real_syscall(SYS_io_uring_enter, ring, count, minimum, flags, argument, bytes);
  struct ff_submission submission = { .ring = (int)ring, .is_registered = is_index, .count = (uint32_t)count };
  before(&submission);
  int is_less = submission.count < (uint32_t)count;
  if (!is_less && (!submission.must_not_wait || !(flags & ENTER_GETEVENTS))) {
    long result = ff_real_syscall(SYS_io_uring_enter, ring, count, minimum, flags, argument, bytes);
    after(&submission);
    return result;
  }
  long submitted = ff_real_syscall(SYS_io_uring_enter, ring, submission.count, 0, flags & ~(long)ENTER_WAITING, 0, 0);
  after(&submission);
  /* As the kernel: it waits only if all could be submitted, and what was submitted is the answer. */
  if (is_less || submitted != (long)submission.count) return submitted;
  int saved = errno;
  long waited = ff_real_syscall(SYS_io_uring_enter, ring, 0, minimum, flags, argument, bytes);
  if (submitted == 0) return waited;
  errno = saved;
  return submitted;
}

long ff_uring_register(long ring, long operation, long argument, long count) {
  if (!core_works()) return ff_real_syscall(SYS_io_uring_register, ring, operation, argument, count, 0, 0);
  int saved = errno;
  ff_before_register((int)ring, (unsigned)operation, (void *)argument, (unsigned)count);
  errno = saved;
  long result = ff_real_syscall(SYS_io_uring_register, ring, operation, argument, count, 0, 0);
  saved = errno;
  if (result >= 0) ff_after_register((int)ring, (unsigned)operation, (void *)argument, (unsigned)(result > 0 ? result : count));
  errno = saved;
  return result;
}

/* ---- liburing, which answers with negative error numbers and leaves errno alone. */

#define WITHOUT_ERRNO(call) ({ int saved = errno; long result = (call); if (result < 0) result = -errno; errno = saved; (int)result; })

FF_EXPORT int io_uring_setup(unsigned entries, void *parameters) { return WITHOUT_ERRNO(ff_uring_setup(entries, parameters)); }
FF_EXPORT int io_uring_enter(unsigned ring, unsigned count, unsigned minimum, unsigned flags, void *mask) {
  return WITHOUT_ERRNO(ff_uring_enter(ring, count, minimum, flags, (long)mask, 8));
}
FF_EXPORT int io_uring_enter2(unsigned ring, unsigned count, unsigned minimum, unsigned flags, void *argument, size_t bytes) {
  return WITHOUT_ERRNO(ff_uring_enter(ring, count, minimum, flags, (long)argument, (long)bytes));
}
FF_EXPORT int io_uring_register(unsigned ring, unsigned operation, const void *argument, unsigned count) {
  return WITHOUT_ERRNO(ff_uring_register(ring, operation, (long)argument, count));
}

/*
 * liburing may be a library of a library that was opened (dlopen(3)) for itself, where names of the program are not looked for. What is
 * found there stays loaded from then on.
 */
static void *in_library(const char *name) {
  void *found = ff_next_symbol(name);
  if (!found && (found = ff_next_of_all(name))) {
    Dl_info object;
    if (dladdr(found, &object)) (void)!dlopen(object.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  }
  return found;
}

#define LIBRARY(type, name, parameters) \
  static type (*real) parameters; \
  if (!real) real = (type (*) parameters)in_library(name); \
  if (!real) return -ENOSYS

/* liburing before 2.0 has its struct otherwise: what it submits cannot be looked at. */
static void made_by_library(const struct ring *ring, const void *parameters) {
  int saved = errno;
  if (may_be_ring(ring->ring_fd)) made(ring->ring_fd, parameters);
  else ff_stay_out();
  errno = saved;
}

FF_EXPORT int io_uring_queue_init_params(unsigned entries, struct ring *ring, void *parameters) {
  LIBRARY(int, "io_uring_queue_init_params", (unsigned, struct ring *, void *));
  int result = real(entries, ring, parameters);
  if (result >= 0) made_by_library(ring, parameters);
  return result;
}

/* As liburing's own. */
FF_EXPORT int io_uring_queue_init(unsigned entries, struct ring *ring, unsigned flags) {
  unsigned char parameters[PARAMETER_BYTES] = { 0 };
  memcpy(parameters + PARAMETER_FLAGS, &flags, sizeof flags);
  return io_uring_queue_init_params(entries, ring, parameters);
}

FF_EXPORT int io_uring_queue_init_mem(unsigned entries, struct ring *ring, void *parameters, void *memory, size_t bytes) {
  LIBRARY(int, "io_uring_queue_init_mem", (unsigned, struct ring *, void *, void *, size_t));
  int result = real(entries, ring, parameters, memory, bytes);
  if (result >= 0) made_by_library(ring, parameters);
  return result;
}

FF_EXPORT void io_uring_queue_exit(struct ring *ring) {
  static void (*real)(struct ring *);
  if (!real) real = (void (*)(struct ring *))in_library("io_uring_queue_exit");
  int saved = errno;
  if (ring->ring_fd >= 0 && core_works()) ff_ring_closed(ring->ring_fd);
  errno = saved;
  if (real) real(ring);
}

static struct ff_submission submission_of(struct ring *ring) {
  int closed = ring->ring_fd < 0;   /* io_uring_close_ring_fd: only the registered index is left */
  int number = closed ? ring->enter_ring_fd : ring->ring_fd;
  return (struct ff_submission){ .ring = number, .is_registered = closed, .has_tail = 1, .tail = ring->sq.sqe_tail };
}

FF_EXPORT int io_uring_submit(struct ring *ring) {
  LIBRARY(int, "io_uring_submit", (struct ring *));
  struct ff_submission submission = submission_of(ring);
  if (!core_works() || submission.tail == *ring->sq.khead) return real(ring);
  before(&submission);
  int result = real(ring);
  after(&submission);
  return result;
}

/* Submits what must not be waited for in the same call; 0 if the library is to do both. Not all submitted: that is the answer. */
static int submitted_first(struct ring *ring, struct ff_submission *submission, int *result) {
  *submission = submission_of(ring);
  submission->is_locked = submission->queue = 0;
  if (!core_works() || submission->tail == *ring->sq.khead) return 0;
  static int (*submit)(struct ring *);
  if (!submit) submit = (int (*)(struct ring *))in_library("io_uring_submit");
  before(submission);
  if (!submission->must_not_wait || !submit) return 0;
  *result = submit(ring);
  after(submission);
  return *result == (int)submission->count ? 1 : -1;
}

#define SUBMITS_AND_WAITS(name, parameters, arguments) \
  FF_EXPORT int name parameters { \
    LIBRARY(int, #name, parameters); \
    struct ff_submission submission; \
    int submitted = 0, first = submitted_first(ring, &submission, &submitted); \
    if (first < 0) return submitted; \
    int result = real arguments; \
    if (submission.queue) after(&submission); \
    return first && result >= 0 ? submitted : result; \
  }

SUBMITS_AND_WAITS(io_uring_submit_and_wait, (struct ring *ring, unsigned minimum), (ring, minimum))
SUBMITS_AND_WAITS(io_uring_submit_and_wait_timeout, (struct ring *ring, void *event, unsigned minimum, void *time, void *mask),
  (ring, event, minimum, time, mask))
SUBMITS_AND_WAITS(io_uring_submit_and_wait_min_timeout,
  (struct ring *ring, void *event, unsigned minimum, void *time, unsigned shortest, void *mask), (ring, event, minimum, time, shortest, mask))
SUBMITS_AND_WAITS(io_uring_submit_and_wait_reg, (struct ring *ring, void *event, unsigned minimum, int index),
  (ring, event, minimum, index))
SUBMITS_AND_WAITS(io_uring_submit_and_get_events, (struct ring *ring), (ring))

/* These submit only on kernels that cannot wait with a time limit otherwise. */
#define SUBMITS_TO_OLD_KERNELS(name, parameters, arguments) \
  FF_EXPORT int name parameters { \
    LIBRARY(int, #name, parameters); \
    struct ff_submission submission = { .queue = 0 }; \
    int submitted = 0; \
    if (!(ring->features & FEATURE_EXT_ARG) && submitted_first(ring, &submission, &submitted) < 0 && submitted < 0) return submitted; \
    int result = real arguments; \
    if (submission.queue) after(&submission); \
    return result; \
  }

SUBMITS_TO_OLD_KERNELS(io_uring_wait_cqes, (struct ring *ring, void *event, unsigned minimum, void *time, void *mask),
  (ring, event, minimum, time, mask))
SUBMITS_TO_OLD_KERNELS(io_uring_wait_cqe_timeout, (struct ring *ring, void *event, void *time), (ring, event, time))

/* Behind the inline functions of liburing.h, which submit nothing by it. */
FF_EXPORT int __io_uring_get_cqe(struct ring *ring, void *event, unsigned count, unsigned minimum, void *mask) {
  LIBRARY(int, "__io_uring_get_cqe", (struct ring *, void *, unsigned, unsigned, void *));
  struct ff_submission submission = { .queue = 0 };
  int submitted = 0, first = count ? submitted_first(ring, &submission, &submitted) : 0;
  if (first < 0) return submitted < 0 ? submitted : -EAGAIN;
  int result = real(ring, event, first ? 0 : count, minimum, mask);
  if (submission.queue) after(&submission);
  return result;
}

static void registers(struct ring *ring, unsigned operation, const void *argument, unsigned count) {
  (void)ring;
  int saved = errno;
  if (core_works()) ff_before_register(ring->ring_fd, operation, (void *)argument, count);
  errno = saved;
}

#define REGISTERS(name, parameters, arguments, operation, argument, count) \
  FF_EXPORT int name parameters { \
    LIBRARY(int, #name, parameters); \
    registers(ring, operation, argument, count); \
    return real arguments; \
  }

REGISTERS(io_uring_register_files, (struct ring *ring, const int *files, unsigned count),
  (ring, files, count), REGISTER_FILES, files, count)
REGISTERS(io_uring_register_files_tags, (struct ring *ring, const int *files, const void *tags, unsigned count),
  (ring, files, tags, count), REGISTER_FILES, files, count)
REGISTERS(io_uring_register_files_update, (struct ring *ring, unsigned place, const int *files, unsigned count),
  (ring, place, files, count), REGISTER_FILES, files, count)
REGISTERS(io_uring_register_files_update_tag, (struct ring *ring, unsigned place, const int *files, const void *tags, unsigned count),
  (ring, place, files, tags, count), REGISTER_FILES, files, count)
REGISTERS(io_uring_register_restrictions, (struct ring *ring, void *restrictions, unsigned count),
  (ring, restrictions, count), REGISTER_RESTRICTIONS, restrictions, count)

/* The index that a ring has been registered under, and its descriptor, as io_uring_register(2) has them. */
struct registered { uint32_t index, none; uint64_t fd; };

FF_EXPORT int io_uring_register_ring_fd(struct ring *ring) {
  LIBRARY(int, "io_uring_register_ring_fd", (struct ring *));
  int result = real(ring), saved = errno;
  struct registered one = { .index = (uint32_t)ring->enter_ring_fd, .fd = (uint64_t)ring->ring_fd };
  if (result == 1 && core_works()) ff_after_register(ring->ring_fd, REGISTER_RING_FDS, &one, 1);
  errno = saved;
  return result;
}

FF_EXPORT int io_uring_unregister_ring_fd(struct ring *ring) {
  LIBRARY(int, "io_uring_unregister_ring_fd", (struct ring *));
  struct registered one = { .index = (uint32_t)ring->enter_ring_fd };
  int result = real(ring), saved = errno;
  if (result == 1 && core_works()) ff_after_register(ring->ring_fd, UNREGISTER_RING_FDS, &one, 1);
  errno = saved;
  return result;
}

/* The library closes the descriptor; the registered index goes on. */
FF_EXPORT int io_uring_close_ring_fd(struct ring *ring) {
  LIBRARY(int, "io_uring_close_ring_fd", (struct ring *));
  int fd = ring->ring_fd, result = real(ring), saved = errno;
  if (ring->ring_fd < 0 && fd >= 0 && core_works()) ff_ring_closed(fd);
  errno = saved;
  return result;
}

FF_EXPORT int io_uring_resize_rings(struct ring *ring, void *parameters) {
  LIBRARY(int, "io_uring_resize_rings", (struct ring *, void *));
  int result = real(ring, parameters), saved = errno;
  if (result >= 0 && core_works()) ff_after_register(ring->ring_fd, REGISTER_RESIZE_RINGS, parameters, 1);
  errno = saved;
  return result;
}
