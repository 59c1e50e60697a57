#include "memory.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

const char *const state_names[] = { "empty", "data", "ended", "data-and-ended", "full", "reset" };

static void check(long result) { if (result < 0) { perror("connection"); abort(); } }

static void warm_up(int from, int to) {
  char one;
  check(send(from, "x", 1, 0));
  check(recv(to, &one, 1, 0));
}

void connection_begin(struct connection *c, enum state state) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  check(bind(listener, (struct sockaddr *)&address, length));
  check(listen(listener, 1));
  check(getsockname(listener, (struct sockaddr *)&address, &length));
  check(c->peer = socket(AF_INET, SOCK_STREAM, 0));
  check(connect(c->peer, (struct sockaddr *)&address, length));
  check(c->subject = accept(listener, NULL, NULL));
  close(listener);
  for (int i = 0; i < 10; i++) { warm_up(c->peer, c->subject); warm_up(c->subject, c->peer); }
  fcntl(c->subject, F_SETFL, O_NONBLOCK);
  c->state = state;
  c->sent = 0;
  c->handed_back = 0;
  if (state == DATA || state == DATA_AND_ENDED) {
    static char bytes[4000];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7 + 1);
    c->sent = (size_t)ANY_OF(1, 5, 16, 100, 4000);
    check(send(c->peer, bytes, c->sent, 0));
    for (int there = 0; there != (int)c->sent;) check(ioctl(c->subject, FIONREAD, &there));
  }
  if (state == ENDED || state == DATA_AND_ENDED) check(shutdown(c->peer, SHUT_WR));
  if (state == FULL) {
    static char much[65536];
    while (send(c->subject, much, sizeof much, 0) > 0) { }
  }
  if (state == RESET) {
    check(send(c->subject, "unread", 6, 0));
    for (int there = 0; there != 6;) check(ioctl(c->peer, FIONREAD, &there));
    close(c->peer);
    c->peer = -1;
  }
  struct pollfd end = { c->subject, POLLRDHUP, 0 };
  if (state == ENDED || state == DATA_AND_ENDED || state == RESET) check(poll(&end, 1, -1));
}

static void drain(const char *who, int fd) {
  char bytes[65536];
  size_t count = 0;
  uint32_t hash = 0;
  ssize_t step;
  while ((step = recv(fd, bytes, sizeof bytes, 0)) > 0) {
    for (ssize_t i = 0; i < step; i++) hash = hash * 31 + (unsigned char)bytes[i];
    count += (size_t)step;
  }
  printf(" %s %zu:%x%s%s", who, count, hash, step < 0 ? " " : "", step < 0 ? strerrorname_np(errno) : "");
}

void connection_end(struct connection *c) {
  int unread = 0, error = 0;
  socklen_t length = sizeof error;
  struct pollfd look = { c->subject, POLLIN | POLLOUT | POLLRDHUP, 0 };
  ioctl(c->subject, FIONREAD, &unread);
  poll(&look, 1, 0);
  getsockopt(c->subject, SOL_SOCKET, SO_ERROR, &error, &length);
  /* A hand-over may make room. */
  if (c->state == FULL) look.revents &= ~POLLOUT;
  if (c->handed_back) printf(" | error %d", error);
  else printf(" | unread %d events %x error %d", unread, look.revents, error);
  fcntl(c->subject, F_SETFL, 0);
  shutdown(c->subject, SHUT_WR);
  /* How much a full connection holds is nobody's business. */
  if (c->state != FULL && c->peer >= 0) drain("peer", c->peer);
  if (c->peer >= 0) shutdown(c->peer, SHUT_WR);
  if (c->state == FULL) { printf("\n"); goto out; }
  drain("subject", c->subject);
  printf("\n");
out:
  if (c->peer >= 0) close(c->peer);
  close(c->subject);
}

long answer(long result) {
  if (result >= 0) printf(" = %ld", result);
  else printf(" = %s", strerrorname_np(errno));
  return result;
}
