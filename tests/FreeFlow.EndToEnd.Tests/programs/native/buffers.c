/*
 * Writers that sleep because there is no room, in every call that may sleep for it: what wakes them, and what they and the next writers hear. Their peer, a process of its own,
 * does not read; it closes, ends or is killed, or a buffer is made larger.
 */
#include "experiment.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

enum { MUCH = 8 << 20 };
static char *much;
static int fd, file, tube[2], set;

/* ---- The peer: a child that dials, and does what it is told. */

static pid_t peer;
static int orders[2];

static void serve(const struct sockaddr *address, socklen_t length, int family) {
  int own = socket(family, SOCK_STREAM, 0);
  char order, byte = 'w';
  close(orders[1]);
  if (connect(own, address, length)) _exit(1);
  for (int i = 0; i < 6; i++)
    if (i % 2 ? send(own, &byte, 1, 0) != 1 : recv(own, &byte, 1, 0) != 1) _exit(2);
  while (read(orders[0], &order, 1) == 1)
    switch (order) {
      case 'c': close(own); break;
      case 'r': setsockopt(own, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger)); close(own); break;
      case 's': shutdown(own, SHUT_RD); close(own); break;
      case 'e': exit(0);
      case '_': _exit(0);
      case 'D': while (recv(own, much, MUCH, 0) > 0) {} break;
      case 'd': while (recv(own, much, MUCH, MSG_DONTWAIT) > 0) {} break;
      default: break;
    }
  _exit(3);
}

static void begin(int family) {
  struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
  socklen_t length = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  int listener = socket(family, SOCK_STREAM, 0), on = 1;
  char byte = 'w';
  if (family == AF_INET) ((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  else ((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
  if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 1) || getsockname(listener, (struct sockaddr *)&address, &length) || pipe(orders)) abort();
  fflush(stdout);
  peer = fork();
  if (peer == 0) { close(listener); serve((struct sockaddr *)&address, length, family); }
  close(orders[0]);
  fd = accept(listener, NULL, NULL);
  close(listener);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (int i = 0; i < 6; i++)
    if (i % 2 ? recv(fd, &byte, 1, 0) != 1 : send(fd, &byte, 1, 0) != 1) abort();
}

static void end(void) {
  close(fd);
  close(orders[1]);
  kill(peer, SIGKILL);
  waitpid(peer, NULL, 0);
}

/* Until the kernel takes no more, and takes no more a while later either. */
static void fill(void) {
  for (int calm = 0; calm < 6; calm++) {
    while (send(fd, much, 65536, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) calm = 0;
    usleep(3000);
  }
}

/* ---- The sleepers. */

static long by_send(void) { return send(fd, much, MUCH, MSG_NOSIGNAL); }
static long by_write(void) { return write(fd, much, MUCH); }
static long by_writev(void) { return writev(fd, (struct iovec[]){ { much, MUCH / 2 }, { much, MUCH / 2 } }, 2); }
static long by_sendmsg(void) { return sendmsg(fd, &(struct msghdr){ .msg_iov = &(struct iovec){ much, MUCH }, .msg_iovlen = 1 }, MSG_NOSIGNAL); }
static long by_sendmmsg(void) { return sendmmsg(fd, &(struct mmsghdr){ .msg_hdr = { .msg_iov = &(struct iovec){ much, MUCH }, .msg_iovlen = 1 } }, 1, MSG_NOSIGNAL); }
static long by_sendfile(void) { return sendfile(fd, file, &(off_t){ 0 }, MUCH); }
static long by_one_byte(void) { return send(fd, "1", 1, MSG_NOSIGNAL); }
static long by_splice(void) { return splice(tube[0], NULL, fd, NULL, 1, 0); }
static long by_poll(void) {
  struct pollfd one = { fd, POLLOUT, 0 };
  long count = poll(&one, 1, -1);
  printf("[%x] ", one.revents);
  return count;
}
static long by_select(void) {
  fd_set writable;
  FD_ZERO(&writable);
  FD_SET(fd, &writable);
  return select(fd + 1, NULL, &writable, NULL, NULL);
}
static long by_epoll(void) {
  struct epoll_event event = { 0 };
  long count = epoll_wait(set, &event, 1, -1);
  printf("[%x] ", event.events);
  return count;
}

static const struct { const char *name; long (*sleep)(void); unsigned events; int whole; } sleepers[] = {
  { "send", by_send, 0, 0 }, { "write", by_write, 0, 0 }, { "writev", by_writev, 0, 0 }, { "sendmsg", by_sendmsg, 0, 0 }, { "sendmmsg", by_sendmmsg, 0, 1 },
  { "sendfile", by_sendfile, 0, 0 }, { "one byte", by_one_byte, 0, 1 }, { "splice", by_splice, 0, 1 }, { "poll", by_poll, 0, 1 }, { "select", by_select, 0, 1 },
  { "epoll", by_epoll, EPOLLOUT, 1 }, { "epoll edge", by_epoll, EPOLLOUT | EPOLLET, 1 }, { "epoll shot", by_epoll, EPOLLOUT | EPOLLONESHOT, 1 } };
enum { SLEEPERS = sizeof sleepers / sizeof *sleepers };

static long by_close(void);
static int chosen, closes, error;
static long result;
static pid_t sleeper;
static void *sleep_in_thread(void *unused) {
  __atomic_store_n(&sleeper, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  result = closes ? by_close() : sleepers[chosen].sleep();
  error = errno;
  return unused;
}

/* Asleep several times in a row: in the call that was meant, and not on its way there. */
static void await_sleep(void) {
  char name[64], text[256], what = 0;
  while (__atomic_load_n(&sleeper, __ATOMIC_SEQ_CST) == 0) usleep(100);
  snprintf(name, sizeof name, "/proc/self/task/%d/stat", sleeper);
  for (int same = 0; same < 20; same = what == 'S' ? same + 1 : 0) {
    FILE *file_of_it = fopen(name, "r");
    if (!file_of_it || !fgets(text, sizeof text, file_of_it) || sscanf(strrchr(text, ')') + 1, " %c", &what) != 1) { printf("AWAKE "); if (file_of_it) fclose(file_of_it); return; }
    fclose(file_of_it);
    usleep(500);
  }
}

static pthread_t start(int which) {
  pthread_t thread;
  chosen = which;
  sleeper = 0;
  errno = 0;
  if (sleepers[which].events) {
    struct epoll_event wanted = { .events = sleepers[which].events };
    set = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(set, EPOLL_CTL_ADD, fd, &wanted);
    /* What a set has told already is not what wakes it. */
    epoll_wait(set, &wanted, 1, 0);
  }
  pthread_create(&thread, NULL, sleep_in_thread, NULL);
  await_sleep();
  return thread;
}

static void tell(const char *what, long answer, int number, int whole) {
  if (answer < 0) printf("%s%s ", what, strerrorname_np(number));
  else if (whole) printf("%s%ld ", what, answer);
  else printf("%s%s ", what, answer == 0 ? "nothing" : answer < MUCH ? "a part" : "all");
}

static void prepare(void) {
  signal(SIGPIPE, SIG_IGN);
  much = mmap(NULL, MUCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  file = memfd_create("bytes", MFD_CLOEXEC);
  if (ftruncate(file, MUCH) || pipe(tube) || write(tube[1], much, 4096) != 4096) abort();
}

static const struct { const char *name; char order; } deeds[] = { { "closed", 'c' }, { "reset", 'r' }, { "deaf, closed", 's' }, { "exit", 'e' }, { "_exit", '_' }, { "killed", 'k' } };
enum { DEEDS = sizeof deeds / sizeof *deeds, DEATHS = 3, FIRST_WAITER = 8 };

static void told_by_all(int first, int beyond) {
  prepare();
  for (int deed = first; deed < beyond; deed++)
    for (int which = 0; which < SLEEPERS; which++) {
      /* That a peer was killed is not certain when its end of stream comes: who waits for room may be told of room first. */
      if (deeds[deed].order == 'k' && which >= FIRST_WAITER) continue;
      int family = (deed + which) % 2;
      begin(family ? AF_INET6 : AF_INET);
      fill();
      printf("%s, %s, %s: ", deeds[deed].name, sleepers[which].name, family ? "IPv6" : "IPv4");
      pthread_t thread = start(which);
      if (deeds[deed].order == 'k') kill(peer, SIGKILL);
      else if (write(orders[1], &deeds[deed].order, 1) != 1) abort();
      pthread_join(thread, NULL);
      if (sleepers[which].events) close(set);
      tell("", result, error, sleepers[which].whole);
      for (int i = 0; i < 3; i++) {
        long next = send(fd, much, MUCH, MSG_NOSIGNAL | (i == 2 ? MSG_DONTWAIT : 0));
        tell("then ", next, errno, 0);
      }
      struct pollfd one = { fd, POLLIN | POLLOUT | POLLRDHUP, 0 };
      poll(&one, 1, 0);
      long got = recv(fd, much, 10, MSG_DONTWAIT);
      tell("read ", got, errno, 1);
      printf("poll %x\n", one.revents);
      end();
    }
}

static void peer_gone(int client, int server) { (void)client, (void)server; told_by_all(0, DEATHS); }
static void peer_ended(int client, int server) { (void)client, (void)server; told_by_all(DEATHS, DEEDS); }

static void more_room(int client, int server) {
  static const char *const ways[] = { "SO_SNDBUF", "SO_SNDBUFFORCE", "by a copy", "by a child", "peer reads" };
  (void)client, (void)server;
  prepare();
  for (int before = 0; before < 2; before++)
    for (int way = 0; way < 5; way++)
      for (int which = 6; which < SLEEPERS; which++) {
        int small = 200000, large = 1 << 30, option = way == 1 ? SO_SNDBUFFORCE : SO_SNDBUF;
        /* Without a size of its own the kernel chooses, and no ring is as large as that may be. */
        if (way == 0 && before) small = 1000000;
        begin(AF_INET);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
        fill();
        printf("%s from %d, %s: ", ways[way], small, sleepers[which].name);
        pthread_t thread = start(which);
        int copy = way == 2 ? dup(fd) : -1;
        pid_t child = way == 3 ? fork() : -1;
        if (child == 0) _exit(setsockopt(fd, SOL_SOCKET, option, &large, sizeof large));
        if (child > 0) waitpid(child, NULL, 0);
        else if (way == 4) { if (write(orders[1], "d", 1) != 1) abort(); }
        else if (setsockopt(copy >= 0 ? copy : fd, SOL_SOCKET, option, &large, sizeof large)) printf("%s ", strerrorname_np(errno));
        pthread_join(thread, NULL);
        tell("", result, error, 1);
        if (way < 4) {
          tell("then ", send(fd, much, 1000, MSG_DONTWAIT | MSG_NOSIGNAL), errno, 1);
          struct pollfd one = { fd, POLLIN | POLLOUT, 0 };
          int count = poll(&one, 1, 0);
          printf("poll %d %x", count, one.revents);
        }
        puts("");
        if (sleepers[which].events) close(set);
        if (copy >= 0) close(copy);
        end();
      }
}

/* Less room wakes nobody, and what is unread is still there. */
static void less_room(int client, int server) {
  (void)client, (void)server;
  prepare();
  for (int which = 6; which < SLEEPERS; which++) {
    int large = 400000, small = 20000;
    begin(AF_INET);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
    fill();
    printf("%s: ", sleepers[which].name);
    pthread_t thread = start(which);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    await_sleep();
    printf("asleep ");
    if (write(orders[1], "dddddddd", 8) != 8) abort();
    pthread_join(thread, NULL);
    tell("", result, error, 1);
    puts("");
    if (sleepers[which].events) close(set);
    end();
  }
}

/* close(2) with SO_LINGER waits until the other side has what was sent. */
static long by_close(void) { return close(fd); }

static void lingering_close(int client, int server) {
  static const struct { int on, seconds; } settings[] = { { 1, 1000 }, { 1, 0x7fffffff }, { 0, 1000 } };
  static const struct { const char *name; char order; } ends[] = { { "read", 'D' }, { "closed", 'c' }, { "reset", 'r' }, { "exit", 'e' } };
  (void)client, (void)server;
  prepare();
  for (size_t setting = 0; setting < sizeof settings / sizeof *settings; setting++)
    for (size_t way = 0; way < sizeof ends / sizeof *ends; way++) {
      struct linger linger = { settings[setting].on, settings[setting].seconds };
      pthread_t thread;
      begin(AF_INET);
      fill();
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
      printf("linger %d for %d s, %s: ", linger.l_onoff, linger.l_linger, ends[way].name);
      if (linger.l_onoff) {
        sleeper = 0;
        closes = 1;
        pthread_create(&thread, NULL, sleep_in_thread, NULL);
        await_sleep();
        closes = 0;
        if (write(orders[1], &ends[way].order, 1) != 1) abort();
        pthread_join(thread, NULL);
      } else result = by_close();
      tell("", result, error, 1);
      puts("");
      fd = -1;
      end();
    }
}

const struct experiment buffer_experiments[] = { { "lingering_close", lingering_close }, { "peer_gone", peer_gone }, { "peer_ended", peer_ended }, { "more_room", more_room }, { "less_room", less_room }, { 0 } };
