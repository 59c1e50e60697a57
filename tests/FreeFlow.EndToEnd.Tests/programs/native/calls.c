/* Single calls that Python lacks or wraps: lengths, vectors, message headers, several messages, flags, queue sizes. */
#include "experiment.h"

#include <limits.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <sys/uio.h>

static char buffer[200000];

/* Out of the compiler's sight. */
static volatile long minus_one = -1;

static void limit_waiting(int fd) {
  struct timeval time = { .tv_usec = 100000 };
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
}

static void show(const char *what, long length) {
  if (report(what, length) > 0) printf("  %.*s\n", (int)length, buffer);
}

static void zero_lengths(int client, int server) {
  struct iovec nothing[2] = { { buffer, 0 }, { NULL, 0 } };
  struct msghdr empty = { 0 }, two = { .msg_iov = nothing, .msg_iovlen = 2 };
  signal(SIGPIPE, SIG_IGN);
  limit_waiting(server);
  report("read 0, empty", read(server, buffer, 0));
  report("readv 0, empty", readv(server, nothing, 2));
  report("readv no vectors, empty", readv(server, NULL, 0));
  report("recv 0, empty", recv(server, buffer, 0, 0));
  report("recv 0 at once, empty", recv(server, buffer, 0, MSG_DONTWAIT));
  report("recvmsg 0, empty", recvmsg(server, &two, 0));
  send(client, "text", 4, 0);
  settle();
  report("read 0", read(server, buffer, 0));
  report("recv 0", recv(server, buffer, 0, 0));
  report("recvmsg no vectors", recvmsg(server, &empty, 0));
  report("recvfrom 0", recvfrom(server, NULL, 0, 0, NULL, NULL));
  report("write 0", write(client, buffer, 0));
  report("writev 0", writev(client, nothing, 2));
  report("sendmsg 0", sendmsg(client, &two, 0));
  show("recv", recv(server, buffer, 100, 0));
  shutdown(client, SHUT_WR);
  settle();
  report("recv 0 at the end", recv(server, buffer, 0, 0));
  report("write 0 after shutdown", write(client, buffer, 0));
  report("writev 0 after shutdown", writev(client, nothing, 2));
  report("send 0 after shutdown", send(client, buffer, 0, MSG_NOSIGNAL));
}

static void vector_limits(int client, int server) {
  static struct iovec many[1025];
  for (int i = 0; i < 1025; i++) many[i] = (struct iovec){ buffer + i, 1 };
  struct msghdr message = { .msg_iov = many, .msg_iovlen = 1025 };
  memset(buffer, 'm', 1025);
  report("writev 1025", writev(client, many, 1025));
  report("writev -1", writev(client, many, (int)minus_one));
  report("sendmsg 1025", sendmsg(client, &message, 0));
  report("writev 1024", writev(client, many, 1024));
  settle();
  report("readv 1025", readv(server, many, 1025));
  report("recvmsg 1025", recvmsg(server, &message, MSG_DONTWAIT));
  report("readv 1024", readv(server, many, 1024));
  struct iovec negative[2] = { { buffer, 4 }, { buffer, (size_t)-1 } };
  report("writev negative", writev(client, negative, 2));
  report("readv negative", readv(server, negative, 2));
  message = (struct msghdr){ .msg_iov = negative, .msg_iovlen = 2 };
  report("sendmsg negative", sendmsg(client, &message, MSG_NOSIGNAL));
  report("write negative", write(client, buffer, (size_t)minus_one));
  report("read negative", read(server, buffer, (size_t)minus_one));
  /* More than SSIZE_MAX together is no error: the kernel takes what fits. */
  struct iovec huge[3] = { { buffer, 4 }, { buffer + 4, SSIZE_MAX }, { buffer + 8, SSIZE_MAX } };
  send(client, "abcdefgh", 8, 0);
  settle();
  show("readv huge", readv(server, huge, 3));
  send(client, "12345678", 8, 0);
  settle();
  show("recv huge", recv(server, buffer, (size_t)minus_one, 0));
  report("nothing left", recv(server, buffer, 10, MSG_DONTWAIT));
}

static void header(int fd, const char *what, struct msghdr *message, int flags) {
  report(what, recvmsg(fd, message, flags));
  printf("  name %u control %zu flags %x\n", message->msg_namelen, (size_t)message->msg_controllen, (unsigned)message->msg_flags);
}

static void message_headers(int client, int server) {
  char name[128], control[64];
  struct iovec vector = { buffer, 2 };
  send(client, "0123456789abcdef", 16, 0);
  settle();
  header(server, "bare", &(struct msghdr){ .msg_iov = &vector, .msg_iovlen = 1, .msg_namelen = 77, .msg_controllen = 33, .msg_flags = 0x5555 }, 0);
  header(server, "named", &(struct msghdr){ .msg_iov = &vector, .msg_iovlen = 1, .msg_name = name, .msg_namelen = sizeof name, .msg_flags = 0x5555 }, 0);
  header(server, "control", &(struct msghdr){ .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control }, MSG_CMSG_CLOEXEC);
  header(server, "peek", &(struct msghdr){ .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control }, MSG_PEEK | MSG_TRUNC);
  recv(server, buffer, 100, 0);
  header(server, "error", &(struct msghdr){ .msg_iov = &vector, .msg_iovlen = 1, .msg_name = name, .msg_namelen = 77, .msg_control = control, .msg_controllen = 33, .msg_flags = 0x5555 }, MSG_DONTWAIT);
  shutdown(client, SHUT_WR);
  settle();
  header(server, "end", &(struct msghdr){ .msg_iov = &vector, .msg_iovlen = 1, .msg_name = name, .msg_namelen = 77, .msg_control = control, .msg_controllen = 33, .msg_flags = 0x5555 }, 0);
}

static void addresses(int client, int server) {
  struct sockaddr_storage address = { .ss_family = AF_INET };
  socklen_t length = sizeof address;
  report("sendto another", sendto(client, "text", 4, 0, (struct sockaddr *)&address, sizeof address));
  settle();
  show("recvfrom", recvfrom(server, buffer, 100, 0, (struct sockaddr *)&address, &length));
  printf("length %u\n", length);
  report("sendto nowhere", sendto(client, "more", 4, 0, NULL, 100));
  report("recvfrom", recvfrom(server, buffer, 100, 0, NULL, NULL));
  length = 33;
  report("recvfrom nothing", recvfrom(server, buffer, 100, MSG_DONTWAIT, (struct sockaddr *)&address, &length));
  printf("length %u\n", length);
}

static void several(const char *what, int result, struct mmsghdr *messages) {
  report(what, result);
  for (int i = 0; i < 4; i++) printf("  %u", messages[i].msg_len);
  puts("");
}

static void several_messages(int client, int server) {
  struct iovec parts[4] = { { "first", 5 }, { "second", 6 }, { "", 0 }, { "fourth", 6 } }, rooms[4];
  struct mmsghdr out[4] = { 0 }, in[4] = { 0 };
  for (int i = 0; i < 4; i++) {
    out[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    rooms[i] = (struct iovec){ buffer + 10 * i, 4 };
    in[i].msg_hdr = (struct msghdr){ .msg_iov = &rooms[i], .msg_iovlen = 1 };
  }
  report("none", sendmmsg(client, out, 0, 0));
  several("sendmmsg", sendmmsg(client, out, 4, 0), out);
  settle();
  several("recvmmsg", recvmmsg(server, in, 4, MSG_WAITFORONE, NULL), in);
  several("rest", recvmmsg(server, in, 4, MSG_WAITFORONE, NULL), in);
  several("nothing", recvmmsg(server, in, 4, MSG_DONTWAIT, NULL), in);
  struct timespec none = { 0 }, wrong = { .tv_nsec = -1 }, second = { .tv_sec = 1 };
  send(client, "abcdefgh", 8, 0);
  settle();
  several("no time", recvmmsg(server, in, 4, 0, &none), in);
  several("wrong time", recvmmsg(server, in, 4, 0, &wrong), in);
  send(client, "ijkl", 4, 0);
  settle();
  several("in time", recvmmsg(server, in, 2, 0, &second), in);
  printf("less than a second left: %d\n", second.tv_sec == 0 && second.tv_nsec > 0);
  send(client, "end", 3, 0);
  shutdown(client, SHUT_WR);
  settle();
  several("end", recvmmsg(server, in, 4, 0, NULL), in);
  several("after the end", recvmmsg(server, in, 4, 0, NULL), in);
  several("send after shutdown", sendmmsg(client, out, 4, MSG_NOSIGNAL), out);
}

/* Whatever makes the sending end use the kernel for good. */
static void go_back(int fd) {
  int bytes = 2;
  setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

static void peek_on_both_roads(int client, int server) {
  send(client, "one ", 4, 0);
  settle();
  go_back(client);
  send(client, "two", 3, 0);
  settle();
  show("peek", recv(server, buffer, 100, MSG_PEEK));
  show("peek 2", recv(server, buffer, 2, MSG_PEEK));
  show("peek again", recv(server, buffer, 5, MSG_PEEK));
  struct iovec vectors[2] = { { buffer, 3 }, { buffer + 3, 50 } };
  struct msghdr message = { .msg_iov = vectors, .msg_iovlen = 2 };
  show("peek vectors", recvmsg(server, &message, MSG_PEEK));
  show("read", recv(server, buffer, 5, 0));
  show("peek rest", recv(server, buffer, 100, MSG_PEEK));
  show("rest", recv(server, buffer, 100, 0));
}

static void *send_later(void *fd) {
  settle();
  send(*(int *)fd, "second", 6, 0);
  settle();
  shutdown(*(int *)fd, SHUT_WR);
  return NULL;
}

static void peek_and_wait_for_all(int client, int server) {
  pthread_t thread;
  send(client, "first ", 6, 0);
  pthread_create(&thread, NULL, send_later, &client);
  show("all", recv(server, buffer, 12, MSG_PEEK | MSG_WAITALL));
  show("all until the end", recv(server, buffer, 100, MSG_PEEK | MSG_WAITALL));
  show("read", recv(server, buffer, 100, MSG_WAITALL));
  pthread_join(thread, NULL);
}

static void discard(int client, int server) {
  send(client, "0123456789", 10, 0);
  settle();
  report("peek without a buffer", recv(server, NULL, 100, MSG_PEEK | MSG_TRUNC));
  report("discard without a buffer", recv(server, NULL, 4, MSG_TRUNC));
  show("rest", recv(server, buffer, 100, 0));
}

static int mark(int fd) {
  int at = -1;
  ioctl(fd, SIOCATMARK, &at);
  return at;
}

static void urgent(int client, int server, int in_line) {
  if (in_line) setsockopt(server, SOL_SOCKET, SO_OOBINLINE, &in_line, sizeof in_line);
  struct pollfd wait = { .fd = server, .events = POLLIN | POLLPRI };
  printf("mark %d\n", mark(server));
  send(client, "before", 6, 0);
  settle();
  report("send", send(client, "x!", 2, MSG_OOB));
  send(client, "after", 5, 0);
  settle();
  poll(&wait, 1, 0);
  printf("poll %x mark %d\n", (unsigned)wait.revents, mark(server));
  show("urgent", recv(server, buffer, 1, MSG_OOB));
  show("first", recv(server, buffer, 100, 0));
  printf("mark %d\n", mark(server));
  show("second", recv(server, buffer, 100, 0));
  printf("mark %d\n", mark(server));
  report("third", recv(server, buffer, 100, MSG_DONTWAIT));
}

static void urgent_data(int client, int server) { urgent(client, server, 0); }
static void urgent_data_in_line(int client, int server) { urgent(client, server, 1); }

/* The urgent byte is the first that the kernel carries. */
static void urgent_byte_alone(int client, int server) {
  send(client, "before", 6, 0);
  settle();
  send(client, "!", 1, MSG_OOB);
  send(client, "after", 5, 0);
  settle();
  printf("mark %d\n", mark(server));
  show("first", recv(server, buffer, 100, 0));
  printf("mark %d\n", mark(server));
  show("second", recv(server, buffer, 100, 0));
}

static int queue(int fd, unsigned long request) {
  int bytes = -1;
  ioctl(fd, request, &bytes);
  return bytes;
}

static void queue_sizes(int client, int server) {
  printf("%d %d %d\n", queue(server, SIOCINQ), queue(client, SIOCOUTQ), queue(client, SIOCOUTQNSD));
  send(client, buffer, 1000, 0);
  settle();
  printf("%d %d %d\n", queue(server, SIOCINQ), queue(client, SIOCOUTQ), queue(client, SIOCOUTQNSD));
  recv(server, buffer, 300, 0);
  printf("%d %d\n", queue(server, SIOCINQ), queue(client, SIOCOUTQ));
  go_back(client);
  send(client, buffer, 50, 0);
  settle();
  printf("%d %d\n", queue(server, SIOCINQ), queue(client, SIOCOUTQ));
}

static void low_water_mark(int client, int server) {
  int bytes = 5;
  struct pollfd wait = { .fd = server, .events = POLLIN };
  pthread_t thread;
  report("set", setsockopt(server, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes));
  send(client, "abc", 3, 0);
  settle();
  report("poll", poll(&wait, 1, 0));
  show("at once", recv(server, buffer, 100, MSG_DONTWAIT));
  send(client, "def", 3, 0);
  pthread_create(&thread, NULL, send_later, &client);
  show("five at least", recv(server, buffer, 100, 0));
  pthread_join(thread, NULL);
  report("end", recv(server, buffer, 100, 0));
}

static void peek_offset(int client, int server) {
  int offset = 0;
  send(client, "0123456789", 10, 0);
  settle();
  if (report("set", setsockopt(server, SOL_SOCKET, SO_PEEK_OFF, &offset, sizeof offset)) < 0) return;
  settle();
  show("peek", recv(server, buffer, 4, MSG_PEEK));
  show("peek on", recv(server, buffer, 4, MSG_PEEK));
  show("read", recv(server, buffer, 100, 0));
}

static void ancillary_queue_size(int client, int server) {
  int on = 1;
  char control[64];
  struct iovec vector = { buffer, 4 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
  report("set", setsockopt(server, SOL_TCP, TCP_INQ, &on, sizeof on));
  send(client, "0123456789", 10, 0);
  settle();
  report("recvmsg", recvmsg(server, &message, 0));
  struct cmsghdr *told = CMSG_FIRSTHDR(&message);
  if (told) printf("level %d type %d left %d\n", told->cmsg_level, told->cmsg_type, *(int *)CMSG_DATA(told));
}

static void ancillary_data_sent(int client, int server) {
  char control[CMSG_SPACE(sizeof(int))] = { 0 };
  struct iovec vector = { "text", 4 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
  send(client, "before ", 7, 0);
  *CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_len = 3, .cmsg_level = SOL_SOCKET };
  report("too short", sendmsg(client, &message, 0));
  *CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
  report("a descriptor", sendmsg(client, &message, 0));
  *CMSG_FIRSTHDR(&message) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = 77 };
  report("unknown", sendmsg(client, &message, 0));
  settle();
  show("recv", recv(server, buffer, 100, 0));
}

static void positions(int client, int server) {
  struct iovec vector = { buffer, 4 };
  report("pread", pread(server, buffer, 4, 0));
  report("pwrite", pwrite(client, "text", 4, 0));
  report("preadv", preadv(server, &vector, 1, 0));
  report("pwritev", pwritev(client, &vector, 1, 0));
  report("preadv2", preadv2(server, &vector, 1, 0, 0));
  report("lseek", lseek(server, 0, SEEK_CUR));
  report("nothing there", preadv2(server, &vector, 1, -1, RWF_NOWAIT));
  memcpy(buffer, "text", 4);
  report("pwritev2", pwritev2(client, &vector, 1, -1, 0));
  report("pwritev2 at once", pwritev2(client, &vector, 1, -1, RWF_NOWAIT | RWF_DSYNC));
  report("pwritev2 wrong flags", pwritev2(client, &vector, 1, -1, 0x40000000));
  settle();
  show("preadv2", preadv2(server, &vector, 1, -1, 0));
  show("recv", recv(server, buffer, 100, 0));
}

ssize_t __read_chk(int, void *, size_t, size_t);
ssize_t __recv_chk(int, void *, size_t, size_t, int);
ssize_t __recvfrom_chk(int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
int __poll_chk(struct pollfd *, nfds_t, int, size_t);
int __ppoll_chk(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
ssize_t __pread_chk(int, void *, size_t, off_t, size_t);
ssize_t __read(int, void *, size_t);
ssize_t __write(int, const void *, size_t);
ssize_t __send(int, const void *, size_t, int);

static void fortified(int client, int server) {
  struct pollfd wait = { .fd = server, .events = POLLIN };
  send(client, "0123456789abcdef", 16, 0);
  report("__poll_chk", __poll_chk(&wait, 1, 1000, sizeof wait));
  report("__ppoll_chk", __ppoll_chk(&wait, 1, NULL, NULL, sizeof wait));
  show("__read_chk", __read_chk(server, buffer, 4, 4));
  show("__recv_chk", __recv_chk(server, buffer, 4, 4, 0));
  show("__recvfrom_chk", __recvfrom_chk(server, buffer, 4, 4, 0, NULL, NULL));
  report("__pread_chk", __pread_chk(server, buffer, 4, 0, 4));
  show("__read", __read(server, buffer, 4));
  __write(client, "write ", 6);
  __send(client, "send", 4, 0);
  settle();
  show("recv", recv(server, buffer, 100, 0));
}

const struct experiment call_experiments[] = {
  { "zero_lengths", zero_lengths }, { "vector_limits", vector_limits }, { "message_headers", message_headers }, { "addresses", addresses },
  { "several_messages", several_messages }, { "peek_on_both_roads", peek_on_both_roads }, { "peek_and_wait_for_all", peek_and_wait_for_all },
  { "discard", discard }, { "urgent_data", urgent_data }, { "urgent_data_in_line", urgent_data_in_line }, { "urgent_byte_alone", urgent_byte_alone },
  { "queue_sizes", queue_sizes }, { "low_water_mark", low_water_mark }, { "peek_offset", peek_offset }, { "ancillary_queue_size", ancillary_queue_size },
  { "ancillary_data_sent", ancillary_data_sent }, { "positions", positions }, { "fortified", fortified }, { 0 } };
