#include "memory.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char zeros[256];

static void run_getsockopt(struct connection *c) {
  long option = ANY_OF(SO_ERROR, SO_ERROR, SO_TYPE, SO_RCVTIMEO, SO_LINGER, SO_RCVLOWAT);
  socklen_t length = (socklen_t)ANY_OF(4, 16, 0, 1, 3, -1, 1000);
  void *value = place("value", zeros, 16), *length_at = place("length", &length, sizeof length);
  printf(" option=%ld length=%d", option, (int)length);
  answer(CALL(getsockopt, c->subject, SOL_SOCKET, (int)option, value, length_at));
}

/* An error that a receive has put off is told by SO_ERROR, if it can be written. */
static void run_deferred(struct connection *c) {
  char one;
  struct iovec vector = { &one, 1 };
  struct mmsghdr messages[2] = { { { .msg_iov = &vector, .msg_iovlen = 1 }, 0 }, { { .msg_iov = (struct iovec *)1, .msg_iovlen = 1 }, 0 } };
  answer(recvmmsg(c->subject, messages, 2, 0, NULL));
  socklen_t length = (socklen_t)ANY_OF(4, 16, 1);
  void *value = place("value", zeros, 16), *length_at = place("length", &length, sizeof length);
  printf(" length=%d", (int)length);
  if (one_in(2)) answer(CALL(getsockopt, c->subject, SOL_SOCKET, SO_ERROR, value, length_at));
  else answer(recv(c->subject, &one, 1, 0));
}

static void run_setsockopt(struct connection *c) {
  static const int options[][2] = { { SOL_SOCKET, SO_RCVLOWAT }, { SOL_SOCKET, SO_LINGER }, { SOL_SOCKET, SO_SNDBUF }, { SOL_SOCKET, SO_ZEROCOPY }, { SOL_SOCKET, SO_PEEK_OFF },
    { SOL_SOCKET, SO_TIMESTAMP }, { SOL_SOCKET, SO_RCVTIMEO }, { IPPROTO_TCP, TCP_NODELAY }, { IPPROTO_TCP, TCP_INQ }, { IPPROTO_TCP, TCP_ULP }, { SOL_SOCKET, SO_ATTACH_FILTER },
    { IPPROTO_IP, IP_TOS }, { 77, 1 } };
  size_t one = chance(sizeof options / sizeof *options);
  if (c->state == FULL) return;   /* it may make room */
  c->handed_back = 1;
  long numbers[2] = { ANY_OF(0, 1, -1), 0 }, length = ANY_OF(4, 8, 16, 0, 1, 3, -1, 5000);
  void *value = place("value", numbers, sizeof numbers);
  printf(" level=%d option=%d value=%ld length=%ld", options[one][0], options[one][1], numbers[0], length);
  answer(CALL(setsockopt, c->subject, options[one][0], options[one][1], value, (socklen_t)length));
}

static void run_ioctl(struct connection *c) {
  int number = (int)ANY_OF(0, 1), off = 0;
  unsigned long request = (unsigned long)ANY_OF(FIONREAD, FIONREAD, TIOCOUTQ, SIOCATMARK, FIONBIO, FIOASYNC, 0x12345678);
  void *at = place("argument", &number, sizeof number);
  printf(" request=%lx number=%d", request, number);
  /* How much the peer's kernel has acknowledged is a matter of time. */
  if (request == TIOCOUTQ) place_unwatched();
  answer(CALL(ioctl, c->subject, request, at));
  if (request == FIOASYNC) { ioctl(c->subject, FIOASYNC, &off); c->handed_back = 1; }
  number = 1;
  ioctl(c->subject, FIONBIO, &number);
}

static void run_connect(struct connection *c) {
  struct sockaddr_in address = { .sin_family = (sa_family_t)ANY_OF(AF_INET, AF_INET, AF_UNIX) };
  long length = ANY_OF(16, 0, 1, 2, -1, 129);
  void *at = place("address", &address, sizeof address);
  printf(" family=%d length=%ld", address.sin_family, length);
  answer(CALL(connect, c->subject, at, (socklen_t)length));
}

/* To nobody: what the kernel refuses must not end the connection. */
static void run_disconnect(struct connection *c) {
  struct sockaddr_in address = { .sin_family = AF_UNSPEC };
  long length = ANY_OF(1, 0, -1, 129, 1000);
  void *at = place("address", &address, sizeof address);
  printf(" length=%ld", length);
  answer(CALL(connect, c->subject, at, (socklen_t)length));
}

static void run_accept(struct connection *c) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
  (void)c;
  if (listen(listener, 1) || getsockname(listener, (struct sockaddr *)&name, &length) || connect(client, (struct sockaddr *)&name, length)) abort();
  length = (socklen_t)ANY_OF(16, 0, -1, 3, 1000);
  void *address = place("address", zeros, 16), *length_at = place("length", &length, sizeof length);
  /* The port is any. */
  places_end();
  printf(" length=%d", (int)length);
  int four = one_in(2), got = four ? accept4(listener, address, length_at, (int)ANY_OF(0, SOCK_CLOEXEC, 1)) : accept(listener, address, length_at);
  answer(got < 0 ? -1 : 0);
  if (got >= 0) close(got);
  close(client);
  close(listener);
  places_begin();
}

static void run_shutdown(struct connection *c) {
  long how = ANY_OF(3, -1, 100, SHUT_RD);
  printf(" how=%ld", how);
  answer(CALL(shutdown, c->subject, (int)how));
}

static void run_fcntl(struct connection *c) {
  struct flock lock = { .l_type = F_WRLCK };
  long command = ANY_OF(F_GETLK, F_SETLK, F_GETOWN_EX, 0x7777, F_DUPFD);
  void *at = place("argument", &lock, sizeof lock);
  place_unwatched();
  printf(" command=%ld", command);
  if (command == F_DUPFD) answer(fcntl(c->subject, F_DUPFD, (int)ANY_OF(-1, 0x7fffffff)));
  else answer(fcntl(c->subject, (int)command, at));
}

static void run_descriptors(struct connection *c) {
  long which = chance(6);
  printf(" %ld", which);
  switch (which) {
    case 0: answer(dup2(c->subject, (int)ANY_OF(-1, 0x7fffffff))); break;
    case 1: answer(dup3(c->subject, c->subject, 0)); break;
    case 2: answer(dup3(c->subject, 100, 0x1234)); break;
    case 3: answer(close_range(5000, 4999, 0)); break;
    case 4: answer(close_range(0xfffffff0u, 0xffffffffu, (int)ANY_OF(0, 0x1000))); break;
    case 5: answer(dup2((int)ANY_OF(-1, 3000), c->subject)); break;
  }
}

/* What has no stream, or is open for its name alone. */
static void run_other_kind(struct connection *c) {
  int pipes[2], path = open("/", O_PATH), closed = dup(c->subject);
  if (pipe(pipes) != 0) abort();
  close(closed);
  int fd = (int)ANY_OF(pipes[0], pipes[1], path, closed, -1);
  struct msghdr message = { 0 };
  struct mmsghdr messages = { 0 };
  void *at = place("memory", zeros, 64);
  long which = chance(7);
  printf(" %ld of %s", which, fd == path ? "path" : fd < 0 || fd == closed ? "nothing" : "pipe");
  switch (which) {
    case 0: { char bytes[64]; answer(recvfrom(fd, bytes, sizeof bytes, MSG_DONTWAIT, at, NULL)); break; }
    case 1: answer(recvmsg(fd, at, MSG_DONTWAIT)); break;
    case 2: answer(sendmsg(fd, at, MSG_DONTWAIT)); break;
    case 3: answer(recvmmsg(fd, at, 1, MSG_DONTWAIT, NULL)); break;
    case 4: answer(sendmmsg(fd, at, 1, 0)); break;
    case 5: answer(sendmsg(fd, &message, 0)); break;
    case 6: answer(recvmmsg(fd, &messages, 1, MSG_DONTWAIT, at)); break;
  }
  close(pipes[0]); close(pipes[1]); close(path);
}

const struct call option_calls[] = { { "getsockopt", run_getsockopt }, { "deferred", run_deferred }, { "setsockopt", run_setsockopt }, { "ioctl", run_ioctl }, { "connect", run_connect },
  { "disconnect", run_disconnect }, { "accept", run_accept }, { "shutdown", run_shutdown }, { "fcntl", run_fcntl }, { "descriptors", run_descriptors }, { "other-kind", run_other_kind }, { 0 } };
