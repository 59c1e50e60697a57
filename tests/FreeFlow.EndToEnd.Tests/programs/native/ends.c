/* How connections end and begin anew: exit without close, reset, dissolved and made again, connected to themselves. */
#include "experiment.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

static char buffer[100000];

static void show(const char *what, long length) {
  if (report(what, length) > 0) printf("  %.*s\n", (int)length, buffer);
}

static int state(int fd) {
  struct pollfd wait = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
  poll(&wait, 1, 0);
  return wait.revents;
}

static int listening(struct sockaddr_in *address) {
  socklen_t length = sizeof *address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  if (bind(listener, (struct sockaddr *)address, length) || listen(listener, 5) || getsockname(listener, (struct sockaddr *)address, &length)) abort();
  return listener;
}

/* A connection to another process, which goes on with what it is to do; the connection to it. */
static int peer_process(void (*what)(int fd), pid_t *child) {
  struct sockaddr_in address;
  int listener = listening(&address);
  signal(SIGPIPE, SIG_IGN);
  *child = fork();
  if (*child == 0) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) _exit(1);
    for (int i = 0; i < 10; i++)
      if (send(fd, "warm up", 7, 0) != 7 || receive_all(fd, buffer, 7) != 7) _exit(1);
    send(fd, "last words", 10, 0);
    what(fd);
    _exit(0);
  }
  int fd = accept(listener, NULL, NULL);
  close(listener);
  for (int i = 0; i < 10; i++)
    if (receive_all(fd, buffer, 7) != 7 || send(fd, "warm up", 7, 0) != 7) abort();
  return fd;
}

/* The peer ends, with bytes it has never read; last is how. */
static void peer_ends(int unread, void (*last)(int fd)) {
  pid_t child;
  int fd = peer_process(last, &child);
  if (unread) send(fd, "never read", 10, 0);
  waitpid(child, NULL, 0);
  settle();
  show("recv", recv(fd, buffer, 100, 0));
  report("recv", recv(fd, buffer, 100, 0));
  report("recv", recv(fd, buffer, 100, 0));
  report("send", send(fd, "x", 1, 0));
  settle();
  report("send", send(fd, "x", 1, 0));
  printf("poll %x\n", (unsigned)state(fd));
}

static void leave(int fd) { (void)fd; settle(); exit(0); }
static void leave_at_once(int fd) { (void)fd; settle(); _exit(0); }
static void be_killed(int fd) { (void)fd; settle(); kill(getpid(), SIGKILL); }
static void close_and_leave(int fd) { settle(); close(fd); }

#define ENDS(name, unread, last) static void name(int client, int server) { (void)client, (void)server; peer_ends(unread, last); }
ENDS(exit_with_unread_bytes, 1, leave)
ENDS(exit_with_nothing_unread, 0, leave)
ENDS(quick_exit_with_unread_bytes, 1, leave_at_once)
ENDS(killed_with_unread_bytes, 1, be_killed)
ENDS(killed_with_nothing_unread, 0, be_killed)
ENDS(closed_with_unread_bytes, 1, close_and_leave)

static void read_on(int fd) { while (recv(fd, buffer, 100, 0) > 0) { } }
static void read_no_more(int fd) { (void)fd; for (;;) pause(); }

/* A program that only sends, every now and then, hears of a peer that was killed. */
static void slow_sender(void (*peer)(int fd)) {
  pid_t child;
  int fd = peer_process(peer, &child), sent = 0;
  send(fd, "x", 1, 0);
  settle();
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  settle();
  memset(buffer, 'x', 500);
  while (sent < 200 && send(fd, buffer, 500, 0) == 500) { sent++; usleep(5000); }
  printf("in time %d\n", sent < 50);
  printf("fails %d\n", send(fd, "x", 1, 0) < 0);
}

static void slow_sender_and_killed_reader(int client, int server) { (void)client, (void)server; slow_sender(read_on); }
static void slow_sender_and_killed_peer(int client, int server) { (void)client, (void)server; slow_sender(read_no_more); }

static void error_is_told_once(int client, int server) {
  int error = -1;
  socklen_t length = sizeof error;
  struct linger reset = { 1, 0 };
  send(client, "bytes", 5, 0);
  settle();
  setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  close(client);
  settle();
  printf("poll %x\n", (unsigned)state(server));
  show("recv", recv(server, buffer, 3, 0));
  getsockopt(server, SOL_SOCKET, SO_ERROR, &error, &length);
  printf("error %d\n", error);
  show("recv", recv(server, buffer, 100, 0));
  report("recv", recv(server, buffer, 100, 0));
  getsockopt(server, SOL_SOCKET, SO_ERROR, &error, &length);
  printf("error %d\n", error);
}

static void talk(int a, int b) {
  for (int i = 0; i < 3; i++) {
    report("send", send(a, "ping", 4, 0));
    show("recv", recv(b, buffer, 100, 0));
    report("send", send(b, "pong", 4, 0));
    show("recv", recv(a, buffer, 100, 0));
  }
}

/* connect(2): AF_UNSPEC dissolves the association. */
static void dissolved_and_connected_again(int client, int server) {
  struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
  struct sockaddr_in address;
  struct linger linger;
  socklen_t length = sizeof linger;
  int listener = listening(&address), copy = dup(client);
  signal(SIGPIPE, SIG_IGN);
  send(client, "before", 6, 0);
  send(server, "unread", 6, 0);
  settle();
  report("dissolve", connect(client, &nowhere, sizeof nowhere));
  settle();
  show("peer", recv(server, buffer, 100, 0));
  report("peer", recv(server, buffer, 100, 0));
  report("peer", send(server, "x", 1, 0));
  report("recv", recv(client, buffer, 100, MSG_DONTWAIT));
  report("send", send(client, "x", 1, 0));
  report("copy", send(copy, "x", 1, 0));
  getsockopt(client, SOL_SOCKET, SO_LINGER, &linger, &length);
  printf("linger %d %d\n", linger.l_onoff, linger.l_linger);
  report("connect", connect(client, (struct sockaddr *)&address, sizeof address));
  int other = accept(listener, NULL, NULL);
  talk(client, other);
  report("copy", send(copy, "copy", 4, 0));
  show("recv", recv(other, buffer, 100, 0));
  close(copy);
  close(client);
  report("end", recv(other, buffer, 100, 0));
}

static void dissolved_and_listening(int client, int server) {
  struct sockaddr nowhere = { .sa_family = AF_UNSPEC };
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  (void)server;
  report("dissolve", connect(client, &nowhere, sizeof nowhere));
  report("bind", bind(client, (struct sockaddr *)&address, length));
  report("listen", listen(client, 5));
  getsockname(client, (struct sockaddr *)&address, &length);
  int other = socket(AF_INET, SOCK_STREAM, 0);
  report("connect", connect(other, (struct sockaddr *)&address, length));
  talk(other, accept(client, NULL, NULL));
}

/* Both ends are one socket. */
static void connected_to_itself(int client, int server) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int self = socket(AF_INET, SOCK_STREAM, 0);
  (void)client, (void)server;
  bind(self, (struct sockaddr *)&address, length);
  getsockname(self, (struct sockaddr *)&address, &length);
  report("connect", connect(self, (struct sockaddr *)&address, length));
  for (int i = 0; i < 20; i++) {
    send(self, "to myself", 9, 0);
    show("recv", recv(self, buffer, 100, 0));
  }
  report("nothing", recv(self, buffer, 100, MSG_DONTWAIT));
  shutdown(self, SHUT_WR);
  report("end", recv(self, buffer, 100, 0));
}

static void connect_without_waiting(int client, int server) {
  struct sockaddr_in address;
  int listener = listening(&address), end = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = -1;
  socklen_t length = sizeof error;
  (void)client, (void)server;
  report("send", send(end, "x", 1, MSG_NOSIGNAL));
  report("connect", connect(end, (struct sockaddr *)&address, sizeof address));
  struct pollfd wait = { .fd = end, .events = POLLOUT };
  report("poll", poll(&wait, 1, 5000));
  getsockopt(end, SOL_SOCKET, SO_ERROR, &error, &length);
  printf("error %d\n", error);
  report("again", connect(end, (struct sockaddr *)&address, sizeof address));
  report("and again", connect(end, (struct sockaddr *)&address, sizeof address));
  int other = accept(listener, NULL, NULL);
  report("recv", recv(end, buffer, 10, 0));
  fcntl(end, F_SETFL, 0);
  talk(end, other);
  close(listener);
  int refused = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  report("refused", connect(refused, (struct sockaddr *)&address, sizeof address));
  wait.fd = refused;
  report("poll", poll(&wait, 1, 5000));
  report("send", send(refused, "x", 1, MSG_NOSIGNAL));
  report("send", send(refused, "x", 1, MSG_NOSIGNAL));
}

static void *send_much(void *fd) {
  static char bytes[50000];
  for (int i = 0; i < 40; i++)
    for (size_t done = 0; done < sizeof bytes;) {
      ssize_t step = send(*(int *)fd, bytes, sizeof bytes - done, 0);
      if (step <= 0) return NULL;
      done += (size_t)step;
    }
  shutdown(*(int *)fd, SHUT_WR);
  return NULL;
}

static void half_closed_in_full_flight(int client, int server) {
  pthread_t one, two;
  size_t count[2] = { 0 };
  int ends[2] = { client, server };
  pthread_create(&one, NULL, send_much, &client);
  pthread_create(&two, NULL, send_much, &server);
  for (int open = 3; open;)
    for (int i = 0; i < 2; i++) {
      if (!(open & (1 << i))) continue;
      ssize_t got = recv(ends[i], buffer, sizeof buffer, 0);
      if (got > 0) count[i] += (size_t)got;
      else { report("end", got); open &= ~(1 << i); }
    }
  pthread_join(one, NULL);
  pthread_join(two, NULL);
  printf("%zu %zu poll %x %x\n", count[0], count[1], (unsigned)state(client), (unsigned)state(server));
}

static void closed_at_the_same_time(int client, int server) {
  int copies[2] = { dup(client), dup(server) };
  shutdown(client, SHUT_RDWR);
  shutdown(server, SHUT_RDWR);
  settle();
  for (int i = 0; i < 2; i++) {
    report("recv", recv(copies[i], buffer, 10, 0));
    report("send", send(copies[i], "x", 1, MSG_NOSIGNAL));
    printf("poll %x\n", (unsigned)state(copies[i]));
    report("shutdown", shutdown(copies[i], SHUT_RDWR));
  }
}

static void bytes_after_the_end_of_reading(int client, int server) {
  send(client, "before", 6, 0);
  settle();
  report("shutdown", shutdown(server, SHUT_RD));
  show("recv", recv(server, buffer, 3, 0));
  printf("poll %x\n", (unsigned)state(server));
  show("recv", recv(server, buffer, 100, 0));
  report("recv", recv(server, buffer, 100, 0));
  report("send", send(client, "after", 5, 0));
  settle();
  show("recv", recv(server, buffer, 100, 0));
  report("recv", recv(server, buffer, 100, 0));
  report("send back", send(server, "back", 4, 0));
  show("recv", recv(client, buffer, 100, 0));
}

static void waiting_close(int client, int server) {
  struct linger wait = { 1, 5 };
  setsockopt(client, SOL_SOCKET, SO_LINGER, &wait, sizeof wait);
  send(client, buffer, 50000, 0);
  report("close", close(client));
  settle();
  printf("%zu\n", receive_all(server, buffer, sizeof buffer));
  report("end", recv(server, buffer, 10, 0));
}

const struct experiment end_experiments[] = {
  { "exit_with_unread_bytes", exit_with_unread_bytes }, { "exit_with_nothing_unread", exit_with_nothing_unread },
  { "quick_exit_with_unread_bytes", quick_exit_with_unread_bytes }, { "killed_with_unread_bytes", killed_with_unread_bytes },
  { "killed_with_nothing_unread", killed_with_nothing_unread }, { "closed_with_unread_bytes", closed_with_unread_bytes },
  { "slow_sender_and_killed_reader", slow_sender_and_killed_reader }, { "slow_sender_and_killed_peer", slow_sender_and_killed_peer }, { "error_is_told_once", error_is_told_once },
  { "dissolved_and_connected_again", dissolved_and_connected_again }, { "dissolved_and_listening", dissolved_and_listening },
  { "connected_to_itself", connected_to_itself }, 
  { "connect_without_waiting", connect_without_waiting }, { "half_closed_in_full_flight", half_closed_in_full_flight },
  { "closed_at_the_same_time", closed_at_the_same_time }, { "bytes_after_the_end_of_reading", bytes_after_the_end_of_reading },
  { "waiting_close", waiting_close }, { 0 } };
