/*
 * How long calls wait, at the edges: no time, negative time, more time than the clock will ever run, times that are none; on every call that takes one, with a signal that
 * waits to be let in. What is called "asleep" has been seen asleep for longer than a time-out that wraps would last.
 */
#include "experiment.h"

#include <fcntl.h>
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

static int fd, peer, tube[2], set;
static char buffer[64];

/* ---- A signal that is blocked waits, and the call's mask lets it in. */

static volatile int handled;
static void handle(int number) { (void)number; handled++; }

static int by_ppoll(const struct timespec *time, const sigset_t *mask) {
  struct pollfd two[2] = { { fd, POLLIN, 0 }, { tube[0], POLLIN, 0 } };
  return ppoll(two, 2, time, mask);
}
static int by_pselect(const struct timespec *time, const sigset_t *mask) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  FD_SET(tube[0], &readable);
  return pselect((fd > tube[0] ? fd : tube[0]) + 1, &readable, NULL, NULL, time, mask);
}
static int by_epoll_pwait(const struct timespec *time, const sigset_t *mask) {
  struct epoll_event events[2];
  return epoll_pwait(set, events, 2, time ? (int)(time->tv_sec * 1000 + time->tv_nsec / 1000000) : -1, mask);
}
static int by_epoll_pwait2(const struct timespec *time, const sigset_t *mask) {
  struct epoll_event events[2];
  return epoll_pwait2(set, events, 2, time, mask);
}
static int by_ppoll_of_the_set(const struct timespec *time, const sigset_t *mask) {
  struct pollfd one = { set, POLLIN, 0 };
  return ppoll(&one, 1, time, mask);
}

static void signals_let_in(int client, int server) {
  static const struct { const char *name; int (*wait)(const struct timespec *, const sigset_t *); } calls[] = { { "ppoll", by_ppoll }, { "pselect", by_pselect },
    { "epoll_pwait", by_epoll_pwait }, { "epoll_pwait2", by_epoll_pwait2 }, { "ppoll of a set", by_ppoll_of_the_set } };
  static const struct timespec none = { 0, 0 }, some = { 0, 20000000 };
  static const struct { const char *name; const struct timespec *time; } times[] = { { "no time", &none }, { "some time", &some }, { "all time", NULL } };
  sigset_t blocked, empty;
  sigemptyset(&empty);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &blocked, NULL);
  fd = server;
  peer = client;
  set = epoll_create1(EPOLL_CLOEXEC);
  if (pipe(tube)) abort();
  struct epoll_event wanted = { .events = EPOLLIN };
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted);
  epoll_ctl(set, EPOLL_CTL_ADD, tube[0], &wanted);
  for (size_t call = 0; call < sizeof calls / sizeof *calls; call++)
    for (size_t time = 0; time < sizeof times / sizeof *times; time++)
      for (int ready = 0; ready < 4; ready++)
        for (int pending = 0; pending < 2; pending++)
          for (int lets = 0; lets < 3; lets++)
            for (int restart = 0; restart < 2; restart++) {
              if (!times[time].time && !ready && !(pending && lets == 1)) continue;
              sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = handle, .sa_flags = restart ? SA_RESTART : 0 }, NULL);
              if (ready & 1 && send(peer, "r", 1, 0) != 1) abort();
              if (ready & 2 && write(tube[1], "k", 1) != 1) abort();
              for (int bytes = 0; ready & 1 && bytes < 1;) ioctl(fd, FIONREAD, &bytes);
              if (pending) raise(SIGUSR1);
              handled = 0;
              errno = 0;
              int result = calls[call].wait(times[time].time, lets == 0 ? NULL : lets == 1 ? &empty : &blocked);
              printf("%s, %s, %s%s, %s, %s, %s: %d %s, handled %d\n", calls[call].name, times[time].name, ready & 1 ? "ring " : "", ready & 2 ? "pipe" : "", pending ? "pending" : "none pending",
                lets == 0 ? "no mask" : lets == 1 ? "let in" : "kept out", restart ? "restart" : "interrupt", result, result < 0 ? strerrorname_np(errno) : "", handled);
              pthread_sigmask(SIG_UNBLOCK, &blocked, NULL);
              pthread_sigmask(SIG_BLOCK, &blocked, NULL);
              if (ready & 1 && recv(fd, buffer, 1, 0) != 1) abort();
              if (ready & 2 && read(tube[0], buffer, 1) != 1) abort();
            }
}

/* ---- SO_RCVTIMEO and SO_SNDTIMEO. */

static ssize_t by_read(void) { return read(fd, buffer, 8); }
static ssize_t by_recv(void) { return recv(fd, buffer, 8, 0); }
static ssize_t by_recv_peek(void) { return recv(fd, buffer, 8, MSG_PEEK); }
static ssize_t by_recv_all(void) { return recv(fd, buffer, 8, MSG_WAITALL); }
static ssize_t by_recvfrom(void) { return recvfrom(fd, buffer, 8, 0, NULL, NULL); }
static ssize_t by_readv(void) { return readv(fd, &(struct iovec){ buffer, 8 }, 1); }
static ssize_t by_recvmsg(void) { return recvmsg(fd, &(struct msghdr){ .msg_iov = &(struct iovec){ buffer, 8 }, .msg_iovlen = 1 }, 0); }
static ssize_t by_recvmmsg(void) {
  struct mmsghdr two[2] = { { .msg_hdr = { .msg_iov = &(struct iovec){ buffer, 8 }, .msg_iovlen = 1 } }, { .msg_hdr = { .msg_iov = &(struct iovec){ buffer, 8 }, .msg_iovlen = 1 } } };
  return recvmmsg(fd, two, 2, 0, NULL);
}
static ssize_t by_splice(void) { return splice(fd, NULL, tube[1], NULL, 8, 0); }
static const struct { const char *name; ssize_t (*call)(void); } receives[] = { { "read", by_read }, { "recv", by_recv }, { "recv peek", by_recv_peek }, { "recv all", by_recv_all },
  { "recvfrom", by_recvfrom }, { "readv", by_readv }, { "recvmsg", by_recvmsg }, { "recvmmsg", by_recvmmsg }, { "splice", by_splice } };
enum { RECEIVES = sizeof receives / sizeof *receives };

static int listener = -1;
static struct sockaddr_in address = { .sin_family = AF_INET };
static void set_time(int option, int of, const struct timeval *time) { printf("%s", setsockopt(of, SOL_SOCKET, option, time, sizeof *time) ? strerrorname_np(errno) : "set"); }

/* where: the time-out is set on the connection, a copy, the socket before it is connected, the listener, a copy of it, in a child. */
static const char *const places[] = { "connection", "copy", "socket", "listener", "listener's copy", "child" };
enum { PLACES = sizeof places / sizeof *places };
static void make(int where, int option, const struct timeval *time) {
  socklen_t length = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4) || getsockname(listener, (struct sockaddr *)&address, &length)) abort();
  int copy = -1;
  if (where == 3) set_time(option, listener, time);
  if (where == 4) set_time(option, copy = dup(listener), time);
  int one = socket(AF_INET, SOCK_STREAM, 0);
  if (where == 2) set_time(option, one, time);
  /* Without time to wait it goes on by itself. */
  if (connect(one, (struct sockaddr *)&address, length) && errno != EINPROGRESS) abort();
  int other = accept(listener, NULL, NULL);
  fd = where == 3 || where == 4 ? other : one;
  peer = fd == one ? other : one;
  if (where == 0) set_time(option, fd, time);
  if (where == 1) set_time(option, copy = dup(fd), time);
  fflush(stdout);
  if (where == 5) {
    pid_t child = fork();
    if (child == 0) { set_time(option, fd, time); fflush(stdout); _exit(0); }
    waitpid(child, NULL, 0);
  }
  for (int i = 0; i < 6; i++) {
    if (send(i % 2 ? fd : peer, "w", 1, 0) != 1) abort();
    while (recv(i % 2 ? peer : fd, buffer, 1, MSG_DONTWAIT) != 1) if (errno != EAGAIN) abort();
  }
  if (copy >= 0) close(copy);
}
static void unmake(void) { close(fd); close(peer); close(listener); }

static long fill(int to) {
  long sent = 0;
  int calm = 0;
  while (calm < 3) {
    ssize_t step = send(to, (char[32768]){ 0 }, 32768, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (step > 0) { sent += step; calm = 0; continue; }
    calm++;
    usleep(2000);
  }
  return sent;
}

static void time_outs_below_zero(int client, int server) {
  static const struct timeval times[] = { { -1, 0 }, { -1, 999999 }, { LONG_MIN, 5 }, { -1, 1000000 }, { 1, -1 }, { 1, 1000000 } };
  (void)client, (void)server;
  if (pipe(tube)) abort();
  for (size_t time = 0; time < sizeof times / sizeof *times; time++)
    for (int where = 0; where < PLACES; where++) {
      int waits = times[time].tv_sec >= 0 || times[time].tv_usec >= 1000000;
      printf("receive, %s, %ld.%ld: ", places[where], (long)times[time].tv_sec, (long)times[time].tv_usec);
      make(where, SO_RCVTIMEO, &times[time]);
      if (waits) { puts(""); unmake(); continue; }
      for (int call = 0; call < RECEIVES; call++) {
        ssize_t got = receives[call].call();
        printf(" %s %s", receives[call].name, got < 0 ? strerrorname_np(errno) : "SOMETHING");
      }
      send(peer, "abc", 3, 0);
      printf(" bytes %zd", recv(fd, buffer, 8, MSG_WAITALL));
      struct timeval now;
      socklen_t length = sizeof now;
      getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &now, &length);
      printf(" told %ld.%ld\n", (long)now.tv_sec, (long)now.tv_usec);
      unmake();
      printf("send, %s: ", places[where]);
      make(where, SO_SNDTIMEO, &times[time]);
      fill(fd);
      char *many = calloc(1, 1 << 20);
      printf(" send %s", send(fd, many, 1 << 20, MSG_NOSIGNAL) < 0 ? strerrorname_np(errno) : "SOMETHING");
      printf(" writev %s", writev(fd, &(struct iovec){ many, 1 << 20 }, 1) < 0 ? strerrorname_np(errno) : "SOMETHING");
      printf(" sendmsg %s\n", sendmsg(fd, &(struct msghdr){ .msg_iov = &(struct iovec){ many, 1 << 20 }, .msg_iovlen = 1 }, MSG_NOSIGNAL) < 0 ? strerrorname_np(errno) : "SOMETHING");
      free(many);
      unmake();
    }
  /* Taken back: it waits again. */
  printf("taken back: ");
  make(0, SO_RCVTIMEO, &times[0]);
  set_time(SO_RCVTIMEO, fd, &(struct timeval){ 0, 1000 });
  printf(" %s\n", recv(fd, buffer, 1, 0) < 0 ? strerrorname_np(errno) : "SOMETHING");
  unmake();
}

/* ---- More time than there is: S seconds are 2 ms in nanoseconds that have wrapped, 2^64 of them to the round. */

enum { HUGE_TIMES = 3 };
#define S 5017514388049L
static const struct timespec huge[HUGE_TIMES] = { { S, 0 }, { LONG_MAX, 999999999 }, { LONG_MAX / 1000000000, 5 } };
static const struct timespec *asked;
static long left;

static long sleep_in_recv(void) {
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){ asked->tv_sec, asked->tv_nsec / 1000 }, sizeof(struct timeval));
  return recv(fd, buffer, 1, 0);
}
static long sleep_in_send(void) {
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){ asked->tv_sec, asked->tv_nsec / 1000 }, sizeof(struct timeval));
  return send(fd, "x", 1, 0);
}
static long sleep_in_ppoll(void) { return ppoll(&(struct pollfd){ fd, POLLIN, 0 }, 1, asked, NULL); }
static long sleep_in_select(void) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  struct timeval time = { asked->tv_sec, asked->tv_nsec / 1000 };
  int result = select(fd + 1, &readable, NULL, NULL, &time);
  /* What the clock has run does not matter much. */
  left = time.tv_sec >= asked->tv_sec - 100000000 && time.tv_usec >= 0 && time.tv_usec < 1000000;
  return result;
}
static long sleep_in_pselect(void) {
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(fd, &readable);
  return pselect(fd + 1, &readable, NULL, NULL, asked, NULL);
}
static long sleep_in_epoll_pwait2(void) { return epoll_pwait2(set, &(struct epoll_event){ 0 }, 1, asked, NULL); }
static long sleep_in_poll(void) { return poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, -2); }
static long sleep_in_longest_poll(void) { return poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, INT_MAX); }
static long sleep_in_epoll_wait(void) { return epoll_wait(set, &(struct epoll_event){ 0 }, 1, -5); }
static long sleep_in_longest_epoll_wait(void) { return epoll_wait(set, &(struct epoll_event){ 0 }, 1, INT_MAX); }
static long sleep_in_epoll_pwait(void) { return epoll_pwait(set, &(struct epoll_event){ 0 }, 1, INT_MIN, NULL); }
static long sleep_in_recvmmsg(void) {
  struct mmsghdr two[2] = { { .msg_hdr = { .msg_iov = &(struct iovec){ buffer, 1 }, .msg_iovlen = 1 } }, { .msg_hdr = { .msg_iov = &(struct iovec){ buffer, 1 }, .msg_iovlen = 1 } } };
  struct timespec time = *asked;
  send(peer, "1", 1, 0);
  int result = recvmmsg(fd, two, 2, 0, &time);
  left = time.tv_sec >= asked->tv_sec - 100000000 && time.tv_nsec >= 0 && time.tv_nsec < 1000000000;
  return result;
}

static long result;
static int error;
static pid_t sleeper;
static long (*sleeps)(void);
static void *sleep_in_thread(void *unused) {
  __atomic_store_n(&sleeper, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  result = sleeps();
  error = errno;
  __atomic_store_n(&sleeper, -1, __ATOMIC_SEQ_CST);
  return unused;
}

static void time_outs_without_end(int client, int server) {
  static const struct { const char *name; long (*sleep)(void); int takes_time; } calls[] = { { "SO_RCVTIMEO", sleep_in_recv, 1 }, { "SO_SNDTIMEO", sleep_in_send, 1 }, { "ppoll", sleep_in_ppoll, 1 },
    { "select", sleep_in_select, 1 }, { "pselect", sleep_in_pselect, 1 }, { "epoll_pwait2", sleep_in_epoll_pwait2, 1 }, { "recvmmsg", sleep_in_recvmmsg, 1 }, { "poll", sleep_in_poll, 0 },
    { "longest poll", sleep_in_longest_poll, 0 }, { "epoll_wait", sleep_in_epoll_wait, 0 }, { "longest epoll_wait", sleep_in_longest_epoll_wait, 0 }, { "epoll_pwait", sleep_in_epoll_pwait, 0 } };
  (void)client, (void)server;
  for (size_t call = 0; call < sizeof calls / sizeof *calls; call++)
    for (int time = 0; time < (calls[call].takes_time ? HUGE_TIMES : 1); time++) {
      pthread_t thread;
      printf("%s, %ld s: ", calls[call].name, calls[call].takes_time ? (long)huge[time].tv_sec : -1L);
      make(0, SO_RCVTIMEO, &(struct timeval){ 0, 0 });
      set = epoll_create1(EPOLL_CLOEXEC);
      epoll_ctl(set, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN });
      int sends = calls[call].sleep == sleep_in_send;
      long full = sends ? fill(fd) : 0;
      asked = &huge[time];
      sleeps = calls[call].sleep;
      sleeper = 0;
      left = 1;
      pthread_create(&thread, NULL, sleep_in_thread, NULL);
      settle();
      printf(" %s", __atomic_load_n(&sleeper, __ATOMIC_SEQ_CST) < 0 ? "OVER" : "asleep");
      if (!sends) send(peer, "2", 1, 0);
      while (sends && __atomic_load_n(&sleeper, __ATOMIC_SEQ_CST) >= 0) if ((full -= recv(peer, (char[65536]){ 0 }, 65536, MSG_DONTWAIT)) < 0) abort();
      pthread_join(thread, NULL);
      printf(" %ld %s left %ld\n", result, result < 0 ? strerrorname_np(error) : "", left);
      close(set);
      unmake();
    }
}

/* ---- Times that are none, and select's that are too many microseconds. */
static void times_that_are_none(int client, int server) {
  static const struct timespec times[] = { { -1, 0 }, { 0, -1 }, { 0, 1000000000 }, { 0, LONG_MAX }, { LONG_MIN, 0 }, { 0, 999999999 } };
  (void)client;
  fd = server;
  set = epoll_create1(EPOLL_CLOEXEC);
  epoll_ctl(set, EPOLL_CTL_ADD, fd, &(struct epoll_event){ .events = EPOLLIN });
  send(client, "x", 1, 0);
  for (int bytes = 0; bytes < 1;) ioctl(fd, FIONREAD, &bytes);
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    printf("%ld.%ld: ", (long)times[i].tv_sec, times[i].tv_nsec);
    fd_set readable;
    struct mmsghdr one = { .msg_hdr = { .msg_iov = &(struct iovec){ buffer, 1 }, .msg_iovlen = 1 } };
    struct timespec time = times[i];
    report("ppoll", ppoll(&(struct pollfd){ fd, POLLIN, 0 }, 1, &times[i], NULL));
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    report("pselect", pselect(fd + 1, &readable, NULL, NULL, &times[i], NULL));
    report("epoll_pwait2", epoll_pwait2(set, &(struct epoll_event){ 0 }, 1, &times[i], NULL));
    report("recvmmsg", recvmmsg(fd, &one, 1, MSG_PEEK, &time));
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    report("select", select(fd + 1, &readable, NULL, NULL, &(struct timeval){ times[i].tv_sec, times[i].tv_nsec }));
    report("select of nothing", select(0, NULL, NULL, NULL, &(struct timeval){ 0, i == 0 ? 0 : i == 1 ? -1 : 0 }));
  }
  report("epoll_pwait, no room", epoll_pwait(set, &(struct epoll_event){ 0 }, 0, 0, NULL));
  volatile int less = -1;
  report("epoll_pwait, less than no room", epoll_pwait(set, &(struct epoll_event){ 0 }, less, 0, NULL));
}

const struct experiment limit_experiments[] = { { "signals_let_in", signals_let_in }, { "time_outs_below_zero", time_outs_below_zero },
  { "time_outs_without_end", time_outs_without_end }, { "times_that_are_none", times_that_are_none }, { 0 } };
