/* How long the waiting calls wait, which descriptors they take, and whose turn it is when there are more than fit. */
#include "experiment.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <time.h>

enum { ROUNDS = 200 };

static char buffer[64];

static long nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000L + now.tv_nsec;
}

/* ---- Timeouts. A rounded one is never shorter than the round figure, so the shortest of many waits tells, however busy the machine is. */

static int watched, set;

static int by_ppoll(long time) {
  struct pollfd one = { watched, POLLIN, 0 };
  return ppoll(&one, 1, &(struct timespec){ 0, time }, NULL);
}
static int by_pselect(long time) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(watched, &readable);
  return pselect(watched + 1, &readable, NULL, NULL, &(struct timespec){ 0, time }, NULL);
}
static int by_select(long time) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(watched, &readable);
  struct timeval left = { 0, time / 1000 };
  int count = select(watched + 1, &readable, NULL, NULL, &left);
  if (left.tv_sec || left.tv_usec) printf("left of select: %ld.%06ld\n", (long)left.tv_sec, (long)left.tv_usec);
  return count;
}
static int by_epoll_pwait2(long time) {
  struct epoll_event event;
  return epoll_pwait2(set, &event, 1, &(struct timespec){ 0, time }, NULL);
}
static int by_poll_of_set(long time) {
  struct pollfd one = { set, POLLIN, 0 };
  return ppoll(&one, 1, &(struct timespec){ 0, time }, NULL);
}

static void time_all(const char *when) {
  static const struct { const char *name; int (*wait)(long); } calls[] = {
    { "ppoll", by_ppoll }, { "pselect", by_pselect }, { "select", by_select }, { "epoll_pwait2", by_epoll_pwait2 }, { "ppoll of a set", by_poll_of_set } };
  static const long asked[] = { 0, 1000, 70000, 400000 };
  for (size_t call = 0; call < sizeof calls / sizeof *calls; call++)
    for (size_t time = 0; time < sizeof asked / sizeof *asked; time++) {
      long shortest = 1L << 60;
      int found = 0;
      for (int i = 0; i < ROUNDS; i++) {
        long start = nanoseconds();
        found += calls[call].wait(asked[time]);
        long waited = nanoseconds() - start;
        if (waited < shortest) shortest = waited;
      }
      printf("%s, %s, %ld ns: found %d, %s, %s\n", when, calls[call].name, asked[time], found, shortest < asked[time] ? "TOO SHORT" : "long enough",
        shortest < 1000000 ? "finer than a millisecond" : "ROUNDED");
    }
}

static void fine_timeouts(int client, int server) {
  struct epoll_event event = { .events = EPOLLIN };
  watched = server;
  set = epoll_create1(0);
  epoll_ctl(set, EPOLL_CTL_ADD, server, &event);
  time_all("idle");
  /* A level that nobody asks for does not end the wait either. */
  event.events = EPOLLPRI;
  epoll_ctl(set, EPOLL_CTL_MOD, server, &event);
  send(client, "x", 1, 0);
  settle();
  report("epoll_pwait2", by_epoll_pwait2(300000));
  report("recv", recv(server, buffer, 1, 0));
}

/* Whole milliseconds, over the ring's own bookkeeping: never shorter. */
static void whole_timeouts(int client, int server) {
  struct epoll_event event = { .events = EPOLLIN };
  set = epoll_create1(0);
  epoll_ctl(set, EPOLL_CTL_ADD, server, &event);
  for (int round = 0; round < 3; round++) {
    struct pollfd one = { server, POLLIN, 0 };
    long start = nanoseconds();
    int found = poll(&one, 1, 3);
    long polled = nanoseconds();
    found += epoll_wait(set, &event, 1, 3);
    long waited = nanoseconds();
    printf("found %d, poll %s, epoll_wait %s\n", found, polled - start < 3000000 ? "TOO SHORT" : "long enough", waited - polled < 3000000 ? "TOO SHORT" : "long enough");
    send(client, "x", 1, 0);
    report("recv", recv(server, buffer, 1, 0));
  }
  report("nonsense", ppoll(NULL, 0, &(struct timespec){ 0, 1000000000 }, NULL));
  report("negative", pselect(0, NULL, NULL, NULL, &(struct timespec){ -1, 0 }, NULL));
  report("epoll nonsense", epoll_pwait2(set, &event, 1, &(struct timespec){ 0, -1 }, NULL));
  struct timeval odd = { 0, 1500000 };
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(server, &readable);
  send(client, "x", 1, 0);
  report("a million and a half microseconds", select(server + 1, &readable, NULL, NULL, &odd));
}

/* ---- select(2) beyond FD_SETSIZE, as poll(2) is taught to with sets that the program has made itself. */

#define WORD(fd) ((fd) / 64)
#define BIT(fd) (1UL << ((fd) % 64))

static unsigned long *bits(int limit) { return calloc((size_t)WORD(limit) + 1, sizeof(unsigned long)); }

static void select_high(int client, int server) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max < 5000 ? limit.rlim_max : 5000;
  setrlimit(RLIMIT_NOFILE, &limit);
  static const int numbers[] = { 1023, 1024, 1087, 2047, 4000 };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    int high = numbers[i], other = high + 65;
    if (dup2(server, high) < 0 || dup2(client, other) < 0) { report("dup2", -1); continue; }
    unsigned long *in = bits(other), *out = bits(other), *bad = bits(other);
    struct timeval soon = { 0, 20000 };
    in[WORD(high)] |= BIT(high);
    in[WORD(other)] |= BIT(other);
    bad[WORD(high)] |= BIT(high);
    printf("%d: ", high);
    report("nothing", select(other + 1, (fd_set *)in, NULL, (fd_set *)bad, &soon));
    send(client, "x", 1, 0);
    settle();
    in[WORD(high)] |= BIT(high);
    in[WORD(other)] |= BIT(other);
    out[WORD(other)] |= BIT(other);
    int count = pselect(other + 1, (fd_set *)in, (fd_set *)out, (fd_set *)bad, &(struct timespec){ 1, 0 }, NULL);
    printf("count %d, server in %d, client in %d, client out %d, server bad %d\n", count, (in[WORD(high)] & BIT(high)) != 0, (in[WORD(other)] & BIT(other)) != 0,
      (out[WORD(other)] & BIT(other)) != 0, (bad[WORD(high)] & BIT(high)) != 0);
    /* A limit below the descriptor leaves it out, and its bit as it is. */
    in[WORD(high)] |= BIT(high);
    report("below", select(high, (fd_set *)in, NULL, NULL, &(struct timeval){ 0, 0 }));
    printf("left alone %d\n", (in[WORD(high)] & BIT(high)) != 0);
    report("recv", recv(high, buffer, 1, 0));
    close(high);
    close(other);
    in[WORD(high)] |= BIT(high);
    report("closed", select(other + 1, (fd_set *)in, NULL, NULL, &(struct timeval){ 0, 0 }));
    free(in);
    free(out);
    free(bad);
  }
}

/* ---- Fairness: with room for fewer events than there are, everyone gets a turn. */

static void turns(int client, int server, unsigned mode, int room) {
  enum { PIPES = 5 };
  int queue = epoll_create1(0), pipes[PIPES][2], seen[PIPES + 2] = { 0 };
  struct epoll_event events[8];
  for (int i = 0; i < PIPES; i++) {
    if (pipe(pipes[i]) || write(pipes[i][1], "x", 1) != 1) abort();
    epoll_ctl(queue, EPOLL_CTL_ADD, pipes[i][0], &(struct epoll_event){ .events = EPOLLIN | mode, .data.u32 = (unsigned)i });
  }
  epoll_ctl(queue, EPOLL_CTL_ADD, server, &(struct epoll_event){ .events = EPOLLIN | mode, .data.u32 = PIPES });
  epoll_ctl(queue, EPOLL_CTL_ADD, client, &(struct epoll_event){ .events = EPOLLOUT | mode, .data.u32 = PIPES + 1 });
  int total = 0;
  /* Seven are ready: after as many turns as it takes to show seven, twice over, nobody may have been left out. */
  int rounds = 2 * ((PIPES + 2 + room - 1) / room);
  for (int i = 0; i < rounds; i++) {
    int count = epoll_wait(queue, events, room, mode ? 0 : 1000);
    for (int k = 0; k < count; k++) seen[events[k].data.u32]++;
    total += count;
  }
  printf("room for %d, %s: ", room, mode & EPOLLET ? "edges" : mode & EPOLLONESHOT ? "one shot" : "levels");
  if (mode) printf("%d reports, ", total);
  printf("left out:");
  for (int i = 0; i < PIPES + 2; i++) if (!seen[i]) printf(" %d", i);
  printf("\n");
  for (int i = 0; i < PIPES; i++) { close(pipes[i][0]); close(pipes[i][1]); }
  close(queue);
}

static void fair_turns(int client, int server) {
  send(client, "x", 1, 0);
  settle();
  static const unsigned modes[] = { 0, EPOLLET, EPOLLONESHOT };
  for (size_t mode = 0; mode < 3; mode++)
    for (int room = 1; room <= 4; room++) turns(client, server, modes[mode], room);
  report("recv", recv(server, buffer, 1, 0));
}

/* A busy ring and a busy pipe in one set, drained as they are reported: neither starves the other. */
static void fair_when_busy(int client, int server) {
  int queue = epoll_create1(0), pipes[2], seen[2] = { 0, 0 };
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
  if (pipe(pipes)) abort();
  epoll_ctl(queue, EPOLL_CTL_ADD, server, &(struct epoll_event){ .events = EPOLLIN, .data.u32 = 0 });
  epoll_ctl(queue, EPOLL_CTL_ADD, pipes[0], &(struct epoll_event){ .events = EPOLLIN, .data.u32 = 1 });
  send(client, "x", 1, 0);
  if (write(pipes[1], "x", 1) != 1) abort();
  for (int i = 0; i < 2000; i++) {
    struct epoll_event event;
    if (epoll_wait(queue, &event, 1, 2000) != 1) { puts("nothing"); break; }
    seen[event.data.u32]++;
    if (event.data.u32 == 0) { recv(server, buffer, 1, 0); send(client, "x", 1, 0); }
    else if (read(pipes[0], buffer, 1) != 1 || write(pipes[1], "x", 1) != 1) abort();
  }
  printf("both had hundreds of turns: %d\n", seen[0] >= 100 && seen[1] >= 100);
}

/* ---- A thread sleeps in a set that another arms, one shot at a time: the event comes before the arming thread is back from epoll_ctl. Here on a listener, which
 * never has a ring, as on every socket that is still connecting; on one processor, so that the sleeper goes first. */

static int asleep_in;
static volatile unsigned heard;

static void *sleeper(void *nothing) {
  struct epoll_event event;
  while (epoll_wait(asleep_in, &event, 1, -1) == 1 && event.data.u32 != 0) __atomic_store_n(&heard, event.data.u32, __ATOMIC_SEQ_CST);
  return nothing;
}

static int shoot(int operation, int fd, unsigned events, unsigned number) {
  if (epoll_ctl(asleep_in, operation, fd, &(struct epoll_event){ .events = events | EPOLLONESHOT, .data.u32 = number })) abort();
  for (int i = 0; i < 5000 && (events & EPOLLIN) && heard != number; i++) { sched_yield(); if (i > 100) usleep(1000); }
  return !(events & EPOLLIN) || heard == number;
}

static void shots_while_asleep(int client, int server) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0), pending = socket(AF_INET, SOCK_STREAM, 0), lost = 0;
  pthread_t thread;
  cpu_set_t one;
  (void)client;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length)) abort();
  if (connect(pending, (struct sockaddr *)&address, length)) abort();
  asleep_in = epoll_create1(0);
  pthread_create(&thread, NULL, sleeper, NULL);
  for (unsigned round = 0; round < 1000 && !lost; round++) {
    lost += !shoot(EPOLL_CTL_ADD, listener, EPOLLIN, 3 * round + 1);
    /* A mask that nothing meets, and back: what is heard is the new mask's. */
    lost += !shoot(EPOLL_CTL_MOD, listener, EPOLLPRI, 3 * round + 2);
    lost += !shoot(EPOLL_CTL_MOD, listener, EPOLLIN, 3 * round + 3);
    if (epoll_ctl(asleep_in, EPOLL_CTL_DEL, listener, NULL)) abort();
  }
  printf("shots not heard: %d\n", lost);
  epoll_ctl(asleep_in, EPOLL_CTL_ADD, server, &(struct epoll_event){ .events = EPOLLOUT, .data.u32 = 0 });
  pthread_join(thread, NULL);
}

/* ---- A set that is closed by another thread while one sleeps in it: the sleeper's call has the set, whatever becomes of the number. */

static void *sleep_in_closed_set(void *unused) {
  struct epoll_event event = { 0 };
  (void)unused;
  int count = epoll_wait(asleep_in, &event, 1, 3000);
  printf("sleeper: %d  %x:%x\n", count, event.data.u32, event.events);
  return NULL;
}

static int start_and_close(int server, pthread_t *thread) {
  int closed = asleep_in = epoll_create1(0);
  epoll_ctl(asleep_in, EPOLL_CTL_ADD, server, &(struct epoll_event){ .events = EPOLLIN, .data.u32 = 0x51 });
  pthread_create(thread, NULL, sleep_in_closed_set, NULL);
  settle();
  close(closed);
  return closed;
}

static void close_set_asleep(int client, int server) {
  pthread_t thread;
  start_and_close(server, &thread);
  send(client, "x", 1, 0);
  pthread_join(thread, NULL);
}

static void reuse_set_asleep(int client, int server) {
  pthread_t thread;
  int number = start_and_close(server, &thread), other = epoll_create1(0);
  struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = 0x99 };
  if (other != number && (dup2(other, number) != number || close(other))) abort();
  epoll_ctl(number, EPOLL_CTL_ADD, server, &event);
  send(client, "x", 1, 0);
  pthread_join(thread, NULL);
  int count = epoll_wait(number, &event, 1, 1000);
  printf("the other set: %d  %x:%x\n", count, event.data.u32, event.events);
  close(number);
}

/* Nobody is asleep any more: the set is gone, and its number and its connection are as good as new. */
static void close_set_and_go_on(int client, int server) {
  for (int round = 0; round < 5; round++) {
    pthread_t thread;
    start_and_close(server, &thread);
    send(client, "x", 1, 0);
    pthread_join(thread, NULL);
    report("recv", recv(server, buffer, sizeof buffer, 0));
  }
}

const struct experiment wait_experiments[] = {
  { "wait_fine_timeouts", fine_timeouts }, { "wait_whole_timeouts", whole_timeouts }, { "wait_select_high", select_high },
  { "wait_fair_turns", fair_turns }, { "wait_fair_when_busy", fair_when_busy },
  { "wait_shots_while_asleep", shots_while_asleep }, { "wait_set_closed_asleep", close_set_asleep }, { "wait_set_reused_asleep", reuse_set_asleep },
  { "wait_set_closed_again", close_set_and_go_on }, { NULL, NULL } };
