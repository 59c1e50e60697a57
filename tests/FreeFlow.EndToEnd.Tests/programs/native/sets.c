/* Epoll sets that others wait for as a whole: inside another set, polled, selected, in a forked child, in another program. */
#include "experiment.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char buffer[1 << 16];

static int new_set(void) { return epoll_create1(EPOLL_CLOEXEC); }

static long control(int set, int operation, int fd, unsigned events, unsigned long data) {
  struct epoll_event event = { .events = events, .data.u64 = data };
  return epoll_ctl(set, operation, fd, &event);
}

static void add(int set, int fd, unsigned events, unsigned long data) {
  if (control(set, EPOLL_CTL_ADD, fd, events, data)) report("EPOLL_CTL_ADD", -1);
}

static int by_data(const void *one, const void *other) {
  unsigned long a = ((const struct epoll_event *)one)->data.u64, b = ((const struct epoll_event *)other)->data.u64;
  return a < b ? -1 : a > b;
}

/* "what: count  data:events ...", in the order of data: epoll promises none. */
static void wait_for(const char *what, int set, int milliseconds) {
  struct epoll_event events[8];
  int count = epoll_wait(set, events, 8, milliseconds);
  printf("%s: %d", what, count);
  if (count > 1) qsort(events, (size_t)count, sizeof *events, by_data);
  for (int i = 0; i < count; i++) printf("  %lx:%x", (unsigned long)events[i].data.u64, events[i].events);
  printf("\n");
}

static void poll_for(const char *what, int fd, int milliseconds) {
  struct pollfd one = { fd, POLLIN | POLLOUT, 0 };
  int count = poll(&one, 1, milliseconds);
  printf("%s: %d %x\n", what, count, one.revents);
}

static void send_one(int fd) {
  if (send(fd, "x", 1, 0) != 1) report("send", -1);
  usleep(20000);
}

static void inside_level(int client, int server) {
  int outer = new_set(), inner = new_set();
  add(inner, server, EPOLLIN, 0x51);
  add(outer, inner, EPOLLIN, 0x1221);
  wait_for("nothing", outer, 0);
  for (int i = 0; i < 3; i++) {
    send_one(client);
    wait_for("outer", outer, 1000);
    wait_for("outer again", outer, 0);
    wait_for("inner", inner, 0);
    report("recv", recv(server, buffer, 10, 0));
    wait_for("outer, read", outer, 0);
    wait_for("outer, read, with time", outer, 30);
    poll_for("polled, read", inner, 0);
    poll_for("outer polled, read", outer, 10);
  }
  send_one(client);
  report("recv without a look", recv(server, buffer, 10, 0));
  wait_for("outer", outer, 20);
  wait_for("inner", inner, 0);
  report("EPOLL_CTL_DEL", control(outer, EPOLL_CTL_DEL, inner, 0, 0));
  send_one(client);
  wait_for("removed", outer, 10);
  report("EPOLL_CTL_ADD", control(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 7));
  report("twice", control(outer, EPOLL_CTL_ADD, inner, EPOLLIN, 8));
  report("a socket twice", control(inner, EPOLL_CTL_ADD, server, EPOLLIN, 8));
  wait_for("added anew", outer, 0);
  report("EPOLL_CTL_MOD", control(outer, EPOLL_CTL_MOD, inner, EPOLLOUT, 9));
  wait_for("another mask", outer, 10);
  report("EPOLL_CTL_MOD", control(outer, EPOLL_CTL_MOD, inner, EPOLLIN, 10));
  wait_for("the mask again", outer, 10);
  report("itself", control(outer, EPOLL_CTL_ADD, outer, EPOLLIN, 0));
  report("in a circle", control(inner, EPOLL_CTL_ADD, outer, EPOLLIN, 0));
  report("exclusive", control(inner, EPOLL_CTL_ADD, new_set(), EPOLLIN | EPOLLEXCLUSIVE, 0));
}

static void inside_edge(int client, int server) {
  int outer = new_set(), inner = new_set();
  add(inner, server, EPOLLIN, 0x51);
  add(outer, inner, EPOLLIN | EPOLLET, 0xe);
  for (int i = 0; i < 3; i++) {
    send_one(client);
    wait_for("outer", outer, 1000);
    wait_for("once an arrival", outer, 10);
  }
  wait_for("inner", inner, 0);
  report("recv", recv(server, buffer, 10, 0));
  wait_for("outer, read", outer, 10);
  send_one(client);
  report("recv", recv(server, buffer, 10, 0));
  wait_for("came and went", outer, 10);
  control(outer, EPOLL_CTL_MOD, inner, EPOLLIN | EPOLLONESHOT, 0x15);
  send_one(client);
  wait_for("one shot", outer, 100);
  send_one(client);
  wait_for("no more", outer, 10);
  report("recv", recv(server, buffer, 10, 0));
  control(outer, EPOLL_CTL_MOD, inner, EPOLLIN | EPOLLONESHOT, 0x16);
  wait_for("nothing to shoot at", outer, 10);
  send_one(client);
  report("recv", recv(server, buffer, 10, 0));
  wait_for("came and went", outer, 10);
  send_one(client);
  wait_for("still loaded", outer, 100);
}

static void inside_edges_kept(int client, int server) {
  int outer = new_set(), inner = new_set(), pipes[2];
  if (pipe(pipes)) abort();
  add(inner, server, EPOLLIN | EPOLLET, 0x51);
  add(inner, pipes[0], EPOLLIN | EPOLLET, 0x9);
  add(inner, client, EPOLLIN | EPOLLRDHUP | EPOLLET, 0xc);
  add(outer, inner, EPOLLIN, 1);
  send_one(client);
  if (write(pipes[1], "x", 1) != 1) abort();
  for (int i = 0; i < 3; i++) { wait_for("outer", outer, 100); poll_for("polled", inner, 0); poll_for("outer polled", outer, 0); }
  wait_for("both", inner, 0);
  wait_for("told", outer, 10);
  poll_for("told", inner, 0);
  report("shutdown", shutdown(server, SHUT_WR));
  settle();
  for (int i = 0; i < 3; i++) { poll_for("an end of stream", inner, 100); wait_for("outer", outer, 0); }
  wait_for("inner", inner, 0);
  wait_for("told", outer, 10);
  poll_for("told", inner, 0);
  close(server);
  settle();
  poll_for("closed", outer, 0);
  wait_for("inner", inner, 0);
}

static void inside_deep(int client, int server) {
  int sets[8];
  for (int i = 0; i < 8; i++) sets[i] = new_set();
  add(sets[0], server, EPOLLIN, 0x51);
  int depth = 1;
  while (depth < 8 && control(sets[depth], EPOLL_CTL_ADD, sets[depth - 1], EPOLLIN, (unsigned long)depth) == 0) depth++;
  if (depth < 8) report("no deeper", -1);
  printf("depth %d\n", depth);
  send_one(client);
  for (int i = depth - 1; i >= 0; i--) wait_for("ready", sets[i], 100);
  poll_for("polled", sets[depth - 1], 0);
  report("recv", recv(server, buffer, 10, 0));
  for (int i = depth - 1; i >= 0; i--) wait_for("read", sets[i], 10);
  poll_for("polled", sets[depth - 1], 10);
}

struct sleeper { int set, kind; pthread_t thread; };

static void *sleep_on(void *argument) {
  struct sleeper *self = argument;
  struct epoll_event event;
  struct pollfd one = { self->set, POLLIN, 0 };
  fd_set readable;
  FD_ZERO(&readable);
  FD_SET(self->set, &readable);
  long count = self->kind == 0 ? epoll_wait(self->set, &event, 1, -1) : self->kind == 1 ? poll(&one, 1, -1) : select(self->set + 1, &readable, NULL, NULL, NULL);
  return (void *)count;
}

/* Bytes that another thread reads at once wake nobody for good: whoever returns has found something. */
static void inside_sleeping(int client, int server) {
  static const char *const kinds[] = { "epoll_wait", "poll", "select" };
  for (int kind = 0; kind < 3; kind++) {
    int outer = new_set(), inner = new_set();
    add(inner, server, EPOLLIN, 0x51);
    add(outer, inner, EPOLLIN, 1);
    struct sleeper on_outer = { outer, kind, 0 }, on_inner = { inner, kind, 0 };
    struct sleeper *sleepers[] = { &on_outer, &on_inner };
    for (int i = 0; i < 2; i++) pthread_create(&sleepers[i]->thread, NULL, sleep_on, sleepers[i]);
    settle();
    send_one(client);
    for (int i = 0; i < 2; i++) {
      void *count;
      pthread_join(sleepers[i]->thread, &count);
      printf("%s on %s: %ld\n", kinds[kind], i ? "inner" : "outer", (long)count);
    }
    report("recv", recv(server, buffer, 10, 0));
    close(outer);
    close(inner);
  }
}

/* The end of a child: after it has read, neither set is ready. */
static void read_and_leave(int server, int inner, int outer) {
  report("recv", recv(server, buffer, 10, 0));
  poll_for("child, read", inner, 10);
  wait_for("child, read", outer, 10);
  fflush(stdout);
  _exit(0);
}

static void in_a_child(int client, int server) {
  int outer = new_set(), inner = new_set();
  add(inner, server, EPOLLIN, 0x51);
  add(outer, inner, EPOLLIN, 1);
  send_one(client);
  fflush(stdout);
  if (fork() == 0) {
    wait_for("child, outer", outer, 100);
    poll_for("child, inner", inner, 0);
    wait_for("child, inner", inner, 0);
    read_and_leave(server, inner, outer);
  }
  wait(NULL);
  poll_for("parent, read", inner, 10);
  wait_for("parent, read", outer, 10);
  wait_for("parent, read", inner, 10);
  send_one(client);
  poll_for("parent", outer, 100);
  wait_for("parent", outer, 100);
  wait_for("parent", inner, 100);
}

/* The first to watch the set as a whole is a child; its parent waits as before. */
static void first_in_a_child(int client, int server) {
  int inner = new_set(), outer = new_set();
  add(inner, server, EPOLLIN, 0x51);
  send_one(client);
  fflush(stdout);
  if (fork() == 0) {
    poll_for("child", inner, 100);
    add(outer, inner, EPOLLIN, 1);
    wait_for("child", outer, 100);
    read_and_leave(server, inner, outer);
  }
  wait(NULL);
  wait_for("parent, read", inner, 20);
  send_one(client);
  wait_for("parent", inner, 1000);
  report("EPOLL_CTL_MOD", control(inner, EPOLL_CTL_MOD, server, EPOLLIN | EPOLLOUT, 0x52));
  wait_for("parent", inner, 1000);
  report("recv", recv(server, buffer, 10, 0));
  report("EPOLL_CTL_DEL", control(inner, EPOLL_CTL_DEL, server, 0, 0));
  poll_for("removed", inner, 10);
}

/* Closed sets, copies of sets. */
static void copies_of_sets(int client, int server) {
  int outer = new_set(), inner = new_set();
  add(inner, server, EPOLLIN, 0x51);
  add(outer, inner, EPOLLIN, 1);
  int copy = dup(inner), other = dup(outer);
  send_one(client);
  wait_for("copy", copy, 100);
  wait_for("other", other, 100);
  report("the copy, too", control(outer, EPOLL_CTL_ADD, copy, EPOLLIN, 2));
  close(inner);
  wait_for("closed one of two", outer, 10);
  report("recv", recv(server, buffer, 10, 0));
  wait_for("read", outer, 10);
  send_one(client);
  wait_for("again", outer, 100);
  close(copy);
  wait_for("closed both", outer, 10);
  close(outer);
  wait_for("the other outer", other, 10);
}

const struct experiment set_experiments[] = {
  { "set_inside_level", inside_level }, { "set_inside_edge", inside_edge }, { "set_inside_edges_kept", inside_edges_kept }, { "set_inside_deep", inside_deep },
  { "set_inside_sleeping", inside_sleeping }, { "set_in_a_child", in_a_child }, { "set_first_in_a_child", first_in_a_child }, { "set_copies", copies_of_sets },
  { NULL, NULL } };
