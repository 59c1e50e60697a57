#include "memory.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Short: of more the kernel may have sent a part, up to the end of a page of its own, before it meets the fault. */
static size_t fill(char *bytes) {
  size_t length = (size_t)ANY_OF(0, 1, 3, 5, 16, 60);
  for (size_t i = 0; i < length; i++) bytes[i] = (char)(i * 5 + length);
  return length;
}
static long some_flags(void) { return one_in(2) ? 0 : ANY_OF(MSG_MORE, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_EOR, MSG_CONFIRM, 0x1000000); }

static void *buffer(size_t *length) {
  char bytes[64];
  size_t count = fill(bytes);
  void *at = place("buffer", bytes, count);
  *length = one_in(6) && !place_is_sound() ? (size_t)ANY_OF(-1, 0x7fffffff, 1l << 44, 1l << 50) : count;
  if (*length != count) printf(" length=%zx", *length);
  return at;
}

static struct iovec *vectors(int *count) {
  struct iovec list[6];
  *count = (int)chance(5);
  for (int i = 0; i < *count; i++) list[i].iov_base = buffer(&list[i].iov_len);
  struct iovec *at = place("vectors", list, (size_t)*count * sizeof *list);
  if (one_in(10)) *count = (int)ANY_OF(-1, 1025, 0x7fffffff, -2147483647);
  return at;
}

static void run_write(struct connection *c) {
  size_t length;
  void *at = buffer(&length);
  answer(CALL(write, c->subject, at, length));
}

static void run_send(struct connection *c) {
  size_t length;
  void *at = buffer(&length);
  long flags = some_flags();
  printf(" flags=%lx", flags);
  answer(send(c->subject, at, length, (int)flags));
}

static struct sockaddr_in target(void) { return (struct sockaddr_in){ .sin_family = (sa_family_t)ANY_OF(AF_INET, AF_UNSPEC, AF_UNIX, 77), .sin_port = 1 }; }

static void run_sendto(struct connection *c) {
  size_t length;
  void *at = buffer(&length);
  struct sockaddr_in to = target();
  void *address = place("address", &to, sizeof to);
  long flags = some_flags(), bytes = ANY_OF(16, 0, -1, 3, 128, 129, 1000);
  printf(" length=%ld flags=%lx", bytes, flags);
  answer(CALL(sendto, c->subject, at, length, (int)flags, address, (socklen_t)bytes));
}

static void run_writev(struct connection *c) {
  int count;
  struct iovec *at = vectors(&count);
  answer(CALL(writev, c->subject, at, count));
}

static void run_pwritev2(struct connection *c) {
  int count;
  struct iovec *at = vectors(&count);
  long offset = ANY_OF(-1, -1, -1, 0, -2), flags = ANY_OF(0, 0, RWF_NOWAIT, RWF_DSYNC, RWF_APPEND, RWF_APPEND | 0x20, 0x4000);
  printf(" offset=%ld flags=%lx", offset, flags);
  answer(by_number ? syscall(SYS_pwritev2, c->subject, at, count, offset, 0, flags) : pwritev2(c->subject, at, count, offset, (int)flags));
}

static struct msghdr header(void) {
  struct msghdr message = { 0 };
  struct sockaddr_in to = target();
  char control[64];
  int count;
  memset(control, (int)ANY_OF(0, 255, 1), sizeof control);
  message.msg_iov = vectors(&count);
  message.msg_iovlen = count < 0 ? 1025 : (size_t)count;
  if (one_in(2)) { message.msg_name = place("name", &to, sizeof to); message.msg_namelen = (socklen_t)ANY_OF(16, 0, -1, 3, 128, 1000); }
  else if (one_in(2)) message.msg_namelen = (socklen_t)ANY_OF(16, -1);
  if (one_in(4)) { message.msg_control = place("control", control, sizeof control); message.msg_controllen = (size_t)ANY_OF(64, 0, 1, 1l << 32, 1l << 40); }
  printf(" namelen=%d controllen=%zd", (int)message.msg_namelen, (ssize_t)message.msg_controllen);
  return message;
}

static void run_sendmsg(struct connection *c) {
  struct msghdr message = header(), *at = place("header", &message, sizeof message);
  long flags = some_flags();
  printf(" flags=%lx", flags);
  answer(CALL(sendmsg, c->subject, at, (int)flags));
}

static void run_sendmmsg(struct connection *c) {
  static struct iovec vector[3];
  struct mmsghdr messages[3];
  unsigned count = 1 + chance(2);
  for (unsigned i = 0; i < count; i++) {
    vector[i].iov_base = buffer(&vector[i].iov_len);
    messages[i] = (struct mmsghdr){ { .msg_iov = &vector[i], .msg_iovlen = 1 }, 77 };
    if (one_in(4)) messages[i].msg_hdr.msg_namelen = (socklen_t)ANY_OF(0, -1, 16);
    if (one_in(4)) messages[i].msg_hdr.msg_name = place("name", "0123456789abcdef", 16);
  }
  struct mmsghdr *at = place("messages", messages, count * sizeof *messages);
  if (one_in(6)) count = (unsigned)ANY_OF(0, 3, 1025, 0xffffffff);
  long flags = some_flags();
  printf(" count=%x flags=%lx", count, flags);
  answer(CALL(sendmmsg, c->subject, at, count, (int)flags));
}

const struct call sending_calls[] = { { "write", run_write }, { "send", run_send }, { "sendto", run_sendto }, { "writev", run_writev }, { "pwritev2", run_pwritev2 },
  { "sendmsg", run_sendmsg }, { "sendmmsg", run_sendmmsg }, { 0 } };
