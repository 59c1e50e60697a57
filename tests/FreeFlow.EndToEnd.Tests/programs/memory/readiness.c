#include "memory.h"

#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_POLLED = 400 };
static int events_of_poll(void) { return (int)ANY_OF(POLLIN, POLLIN, POLLOUT, POLLIN | POLLOUT, POLLRDHUP, 0, -1); }

/* Entries of the subject, its peer, and of nothing; the array may be longer than a page. */
static struct pollfd *polled(struct connection *c, unsigned long *count, int *timeout) {
  static struct pollfd list[MOST_POLLED];
  *count = (unsigned long)ANY_OF(0, 1, 1, 2, 3, 130, MOST_POLLED);
  for (unsigned long i = 0; i < *count; i++) list[i] = (struct pollfd){ i == 0 ? c->subject : (int)ANY_OF(-1, -1, c->subject, c->peer, 3000), (short)events_of_poll(), 0x55 };
  /* It may sleep for ever where it is sure to be woken. */
  *timeout = c->state == DATA && *count > 0 && (list[0].events & POLLIN) && one_in(2) ? -1 : 0;
  struct pollfd *at = place("entries", list, *count * sizeof *list);
  if (one_in(8)) { *count = (unsigned long)ANY_OF(-1, 0x7fffffff, 0x80000000, 100000); *timeout = 0; }
  printf(" count=%lx timeout=%d", *count, *timeout);
  return at;
}

static void run_poll(struct connection *c) {
  unsigned long count;
  int timeout;
  struct pollfd *at = polled(c, &count, &timeout);
  answer(CALL(poll, at, count, timeout));
}

/* A time to wait: none, or one that is refused. libc reads what select, pselect and ppoll are given; then it is the program that dies. */
static struct timespec some_time(void) {
  return one_in(3) ? (struct timespec){ ANY_OF(0, -1, 0), ANY_OF(0, 1000000000, -1, 999) } : (struct timespec){ 0 };
}
static struct timespec no_time;

static sigset_t *some_mask(void) {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  return one_in(2) ? NULL : place("mask", &mask, 8);
}

static void run_ppoll(struct connection *c) {
  unsigned long count;
  int timeout;
  struct pollfd *at = polled(c, &count, &timeout);
  struct timespec time = some_time(), *time_at = timeout < 0 ? NULL : by_number ? place("time", &time, sizeof time) : place_sound("time", &time, sizeof time);
  if (timeout == 0) place_unwatched();
  if (timeout == 0 && !time_at) time_at = &no_time;   /* it would wait for ever */
  printf(" time=%ld.%ld", time.tv_sec, time.tv_nsec);
  sigset_t *mask = some_mask();
  answer(by_number ? syscall(SYS_ppoll, at, count, time_at, mask, 8) : ppoll(at, count, time_at, mask));
}

struct sets { fd_set *set[3]; int limit; };

static struct sets some_sets(struct connection *c) {
  static const char *const names[] = { "readable", "writable", "exceptional" };
  struct sets sets = { .limit = c->subject + 1 };
  int most = c->peer > c->subject ? c->peer : c->subject;
  sets.limit = (int)ANY_OF(most + 1, most + 1, most + 1, 64, 1024, 0, -1, 2048, 30000);
  /* A limit far beyond the sets means no more than the kernel's table has, as main has made it. */
  size_t bytes = sets.limit < 0 || sets.limit > 2048 ? 256 : ((size_t)sets.limit + 63) / 64 * 8;
  for (int i = 0; i < 3; i++) {
    union { fd_set set; char room[256]; } large;
    memset(&large, 0, sizeof large);
    FD_SET(c->subject, &large.set);
    if (c->peer >= 0 && one_in(2)) FD_SET(c->peer, &large.set);
    if (one_in(20)) FD_SET(60, &large.set);
    if (one_in(3)) sets.set[i] = sets.limit > 64 ? place_sound(names[i], &large, bytes) : place(names[i], &large, bytes);
  }
  printf(" limit=%d", sets.limit);
  return sets;
}

static void run_select(struct connection *c) {
  struct sets sets = some_sets(c);
  struct timeval time = { 0, ANY_OF(0, 0, 0, -1, 1) }, *at = by_number ? place("time", &time, sizeof time) : place_sound("time", &time, sizeof time);
  place_unwatched();
  if (!at) at = (struct timeval *)&no_time;
  printf(" time=%ld", time.tv_usec);
  answer(by_number ? syscall(SYS_select, sets.limit, sets.set[0], sets.set[1], sets.set[2], at) : select(sets.limit, sets.set[0], sets.set[1], sets.set[2], at));
}

static void run_pselect(struct connection *c) {
  struct sets sets = some_sets(c);
  struct timespec time = some_time(), *at = place_sound("time", &time, sizeof time);
  printf(" time=%ld.%ld", time.tv_sec, time.tv_nsec);
  sigset_t *mask = some_mask();
  answer(pselect(sets.limit, sets.set[0], sets.set[1], sets.set[2], at, mask));
}

/* A set with the subject in it, and perhaps the peer: what is told once must not be lost because it could not be written. */
static int epoll_set(struct connection *c, struct epoll_event **events, int *capacity) {
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = { (uint32_t)ANY_OF(EPOLLIN, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLET, EPOLLIN | EPOLLONESHOT), { .u64 = 0 } };
  printf(" events=%x", event.events);
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->subject, &event);
  if (c->peer >= 0 && one_in(2)) {
    event.events |= EPOLLOUT;
    event.data.u64 = 1;
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->peer, &event);
    printf(" both");
  }
  static struct epoll_event zeros[64];
  *capacity = (int)ANY_OF(1, 2, 3, 64);
  *events = place("array", zeros, (size_t)*capacity * sizeof *zeros);
  place_ignored();   /* what is behind the events that are told is nobody's */
  if (one_in(10)) *capacity = (int)ANY_OF(0, -1, 0x7fffffff, 178956970, 178956971);
  printf(" capacity=%d", *capacity);
  return epoll;
}

/* All that is told of each in this report and in those that follow, whatever their order. */
static void reported(int epoll, long result, struct epoll_event *events) {
  struct epoll_event again[4];
  uint32_t bits[2] = { 0 };
  int error = errno;
  for (long i = 0; i < result; i++) bits[events[i].data.u64 & 1] |= events[i].events;
  errno = error;
  answer(result);
  for (int turn = 0; turn < 3; turn++) {
    int count = epoll_wait(epoll, again, 4, 0);
    for (int i = 0; i < count; i++) bits[again[i].data.u64 & 1] |= again[i].events;
    if (turn > 0) printf(" then %d", count);
  }
  printf(" told %x %x", bits[0], bits[1]);
  close(epoll);
}

static void run_epoll_wait(struct connection *c) {
  struct epoll_event *events;
  int capacity, epoll = epoll_set(c, &events, &capacity);
  reported(epoll, CALL(epoll_wait, epoll, events, capacity, 0), events);
}

static void run_epoll_pwait(struct connection *c) {
  struct epoll_event *events;
  int capacity, epoll = epoll_set(c, &events, &capacity);
  sigset_t *mask = some_mask();
  reported(epoll, by_number ? syscall(SYS_epoll_pwait, epoll, events, capacity, 0, mask, 8) : epoll_pwait(epoll, events, capacity, 0, mask), events);
}

static void run_epoll_pwait2(struct connection *c) {
  struct epoll_event *events;
  int capacity, epoll = epoll_set(c, &events, &capacity);
  struct timespec time = some_time(), *at = place("time", &time, sizeof time);
  printf(" time=%ld.%ld", time.tv_sec, time.tv_nsec);
  sigset_t *mask = some_mask();
  /* Without a time it would wait for ever. */
  if (!at && c->state != DATA) at = &no_time;
  reported(epoll, by_number ? syscall(SYS_epoll_pwait2, epoll, events, capacity, at, mask, 8) : epoll_pwait2(epoll, events, capacity, at, mask), events);
}

static void run_epoll_ctl(struct connection *c) {
  struct epoll_event event = { (uint32_t)ANY_OF(EPOLLIN, EPOLLIN | EPOLLOUT, EPOLLEXCLUSIVE | EPOLLIN, -1), { .u64 = 5 } }, got[4];
  int epoll = epoll_create1(EPOLL_CLOEXEC), first = (int)ANY_OF(EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, 0, 77), second = (int)ANY_OF(EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL);
  int fd = (int)ANY_OF(c->subject, c->subject, c->subject, -1, 3000, epoll);
  printf(" %d %d of %s", first, second, fd == c->subject ? "subject" : fd == epoll ? "itself" : "nothing");
  struct epoll_event *at = place("event", &event, sizeof event);
  answer(epoll_ctl(epoll, first, fd, at));
  at = place("event", &event, sizeof event);
  answer(epoll_ctl(epoll, second, fd, at));
  int count = epoll_wait(epoll, got, 4, 0);
  for (int i = 0; i < count; i++) printf(" %x", got[i].events);
  close(epoll);
}

/* More entries than the program may have descriptors. */
static void run_limit(struct connection *c) {
  static struct pollfd list[MOST_POLLED];
  struct rlimit old, low;
  int count = (int)ANY_OF(100, 101, 102, MOST_POLLED);
  for (int i = 0; i < count; i++) list[i] = (struct pollfd){ i == count - 1 ? c->subject : -1, POLLIN, 0 };
  getrlimit(RLIMIT_NOFILE, &old);
  low = old;
  low.rlim_cur = 101;
  setrlimit(RLIMIT_NOFILE, &low);
  printf(" %d", count);
  answer(CALL(poll, list, (nfds_t)count, 0));
  setrlimit(RLIMIT_NOFILE, &old);
}

const struct call readiness_calls[] = { { "poll", run_poll }, { "ppoll", run_ppoll }, { "select", run_select }, { "pselect", run_pselect }, { "epoll_wait", run_epoll_wait },
  { "epoll_pwait", run_epoll_pwait }, { "epoll_pwait2", run_epoll_pwait2 }, { "epoll_ctl", run_epoll_ctl }, { "limit", run_limit }, { 0 } };
