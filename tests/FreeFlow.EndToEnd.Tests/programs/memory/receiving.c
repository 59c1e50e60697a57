#include "memory.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

static char zeros[4096];
static size_t some_length(void) { return (size_t)ANY_OF(0, 1, 3, 5, 16, 100, 4000); }
static long some_flags(void) { return one_in(2) ? 0 : ANY_OF(MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_DONTWAIT, MSG_PEEK | MSG_TRUNC, MSG_CMSG_CLOEXEC, 0x1000000); }

/* Lengths beyond the buffer and beyond what a call can move. */
static size_t hostile_length(size_t length) {
  size_t hostile = one_in(6) ? (size_t)ANY_OF(-1, -4096, 0x7ffff000, 0x7fffffff, 1l << 44, 1l << 50, 0x7fffffffffffffff) : length;
  if (hostile != length) printf(" length=%zx", hostile);
  return hostile;
}

static void *buffer(size_t *length) {
  size_t bytes = some_length();
  void *at = place("buffer", zeros, bytes);
  *length = hostile_length(bytes);
  return at;
}

/* Vectors of which one names memory that is not there, in memory that may not be there. */
static struct iovec *vectors(int *count) {
  struct iovec list[6];
  *count = (int)chance(5);
  for (int i = 0; i < *count; i++) {
    list[i].iov_base = buffer(&list[i].iov_len);
  }
  struct iovec *at = place("vectors", list, (size_t)*count * sizeof *list);
  if (one_in(10)) *count = (int)ANY_OF(-1, 1025, 0x7fffffff, -2147483647);
  return at;
}

static void run_read(struct connection *c) {
  size_t length;
  void *at = buffer(&length);
  answer(CALL(read, c->subject, at, length));
}

static void run_recv(struct connection *c) {
  size_t length;
  void *at = buffer(&length);
  long flags = some_flags();
  printf(" flags=%lx", flags);
  answer(recv(c->subject, at, length, (int)flags));
}

static void run_recvfrom(struct connection *c) {
  size_t length;
  void *at = buffer(&length);
  socklen_t room = (socklen_t)ANY_OF(16, 0, -1, 128, 1000);
  void *address = place("address", zeros, 16), *room_at = place("room", &room, sizeof room);
  long flags = some_flags();
  printf(" room=%d flags=%lx", (int)room, flags);
  answer(CALL(recvfrom, c->subject, at, length, (int)flags, address, room_at));
}

static void run_readv(struct connection *c) {
  int count;
  struct iovec *at = vectors(&count);
  answer(CALL(readv, c->subject, at, count));
}

static void run_preadv2(struct connection *c) {
  int count;
  struct iovec *at = vectors(&count);
  long offset = ANY_OF(-1, -1, -1, 0, -2), flags = ANY_OF(0, 0, RWF_NOWAIT, RWF_HIPRI, RWF_APPEND, RWF_APPEND | 0x20, 0x4000);
  printf(" offset=%ld flags=%lx", offset, flags);
  answer(by_number ? syscall(SYS_preadv2, c->subject, at, count, offset, 0, flags) : preadv2(c->subject, at, count, offset, (int)flags));
}

static struct msghdr header(void) {
  struct msghdr message = { 0 };
  int count;
  message.msg_iov = vectors(&count);
  message.msg_iovlen = count < 0 ? 1025 : (size_t)count;
  if (one_in(2)) { message.msg_name = place("name", zeros, 128); message.msg_namelen = (socklen_t)ANY_OF(128, 16, 0, -1, 1000); }
  else if (one_in(2)) message.msg_namelen = (socklen_t)ANY_OF(16, -1);
  if (one_in(2)) { message.msg_control = place("control", zeros, 64); message.msg_controllen = (size_t)ANY_OF(64, 0, 1, -1, 1l << 40); }
  message.msg_flags = 0x5a5a;
  printf(" namelen=%d controllen=%zd", (int)message.msg_namelen, (ssize_t)message.msg_controllen);
  return message;
}

static void run_recvmsg(struct connection *c) {
  struct msghdr message = header(), *at = place("header", &message, sizeof message);
  long flags = some_flags();
  printf(" flags=%lx", flags);
  answer(CALL(recvmsg, c->subject, at, (int)flags));
}

static void run_recvmmsg(struct connection *c) {
  struct mmsghdr messages[3];
  struct timespec time = { ANY_OF(0, 1, -1, 0x7fffffffffffffff), ANY_OF(0, 1, 999999999, 1000000000, -1) };
  unsigned count = 1 + chance(2);
  for (unsigned i = 0; i < count; i++) {
    size_t length = some_length();
    static struct iovec vector[3];
    vector[i] = (struct iovec){ place("buffer", zeros, length), length };
    messages[i] = (struct mmsghdr){ { .msg_iov = &vector[i], .msg_iovlen = 1 }, 77 };
    if (one_in(4)) messages[i].msg_hdr.msg_namelen = (socklen_t)ANY_OF(0, -1, 16);
    if (one_in(4)) messages[i].msg_hdr.msg_name = place("name", zeros, 16);
  }
  struct mmsghdr *at = place("messages", messages, count * sizeof *messages);
  struct timespec *time_at = one_in(2) ? NULL : place("time", &time, sizeof time);
  if (time_at) place_unwatched();
  if (one_in(6)) count = (unsigned)ANY_OF(0, 3, 1025, 0xffffffff);
  long flags = ANY_OF(0, MSG_WAITFORONE, MSG_PEEK, MSG_TRUNC);
  printf(" time=%ld.%ld count=%x flags=%lx", time.tv_sec, time.tv_nsec, count, flags);
  answer(CALL(recvmmsg, c->subject, at, count, (int)flags, time_at));
}

const struct call receiving_calls[] = { { "read", run_read }, { "recv", run_recv }, { "recvfrom", run_recvfrom }, { "readv", run_readv }, { "preadv2", run_preadv2 },
  { "recvmsg", run_recvmsg }, { "recvmmsg", run_recvmmsg }, { 0 } };
