/*
 * mixture SEED STEPS: random io_uring operations and calls of libc on a few connections to another process, which uses libc alone. The program
 * knows what must come of each step: the bytes (each has its own value by its place in the stream), results, events, ends of streams. It prints
 * the step that came out otherwise and returns 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CONNECTIONS = 4, MOST = 3000, MOST_UNREAD = 20000 };

static uint64_t state;
static unsigned step_number;
static const char *step_name = "start";

static unsigned draw(unsigned below) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return (unsigned)((state >> 11) % below);
}

static void fail(const char *what, long got, long wanted) {
  printf("step %u, %s: %s is %ld (%s), not %ld\n", step_number, step_name, what, got, got < 0 ? strerror((int)-got) : "", wanted);
  fflush(stdout);
  _exit(1);
}

static void must(const char *what, long got, long wanted) { if (got != wanted) fail(what, got, wanted); }

static long result_of(long result) { return result < 0 ? -errno : result; }

/* ---- Streams: each byte tells its place. */

struct stream { uint64_t sent, read; int ended; };

static char byte_at(int key, uint64_t place) { return (char)((place * 2654435761u >> 9) + (unsigned)key * 37 + place); }

static void fill(char *bytes, unsigned count, int key, uint64_t place) {
  for (unsigned i = 0; i < count; i++) bytes[i] = byte_at(key, place + i);
}

static void check(const char *bytes, long count, int key, uint64_t place) {
  for (long i = 0; i < count; i++) if (bytes[i] != byte_at(key, place + (uint64_t)i)) fail("byte", (unsigned char)bytes[i], (unsigned char)byte_at(key, place + (uint64_t)i));
}

/* ---- The other process. */

enum command { TAKE, SEND, RECEIVE, SHUT, END, CLOSE, QUIT };
struct order { enum command command; int connection; unsigned count; };

static void send_all(int fd, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t done = send(fd, bytes, count, MSG_NOSIGNAL);
    if (done < 0) fail("peer's send", -errno, (long)count);
    bytes += done;
    count -= (size_t)done;
  }
}

/* Between orders it sleeps in a call on its connections, or elsewhere. */
static void peer(int orders, int listener, int sleeps_elsewhere) {
  static char bytes[MOST_UNREAD + MOST];
  int fds[CONNECTIONS], generation[CONNECTIONS] = { 0 };
  struct stream in[CONNECTIONS] = { 0 }, out[CONNECTIONS] = { 0 };
  struct order order;
  step_name = "peer";
  memset(fds, -1, sizeof fds);
  for (;; step_number++) {
    if (!sleeps_elsewhere) {
      struct pollfd all[CONNECTIONS + 1] = { { .fd = orders, .events = POLLIN } };
      for (int i = 0; i < CONNECTIONS; i++) all[i + 1] = (struct pollfd){ .fd = fds[i], .events = POLLPRI };
      for (;;) {
        poll(all, CONNECTIONS + 1, -1);
        if (all[0].revents) break;
        for (int i = 1; i <= CONNECTIONS; i++) if (all[i].revents) all[i].fd = -1;
      }
    }
    if (read(orders, &order, sizeof order) != sizeof order || order.command == QUIT) _exit(0);
    int i = order.connection;
    long answer = 0;
    switch (order.command) {
      case TAKE:
        fds[i] = accept(listener, NULL, NULL);
        generation[i]++;
        in[i] = out[i] = (struct stream){ 0 };
        break;
      case SEND:
        fill(bytes, order.count, i * 2 + 1, out[i].sent);
        send_all(fds[i], bytes, order.count);
        out[i].sent += order.count;
        break;
      case RECEIVE:
        for (unsigned done = 0; done < order.count;) {
          ssize_t step = recv(fds[i], bytes, order.count - done, 0);
          if (step <= 0) fail("peer's recv", step < 0 ? -errno : 0, (long)(order.count - done));
          check(bytes, step, i * 2, in[i].read);
          in[i].read += (uint64_t)step;
          done += (unsigned)step;
        }
        break;
      case SHUT: must("peer's shutdown", result_of(shutdown(fds[i], SHUT_WR)), 0); break;
      case END: must("peer's end of stream", result_of(recv(fds[i], bytes, sizeof bytes, 0)), 0); break;
      case CLOSE: close(fds[i]); fds[i] = -1; break;
      case QUIT: break;
    }
    if (write(orders, &answer, sizeof answer) != sizeof answer) _exit(2);
  }
}

static int orders;

static void order(enum command command, int connection, unsigned count) {
  struct order order = { command, connection, count };
  if (write(orders, &order, sizeof order) != sizeof order) fail("order", -errno, sizeof order);
}

static void await_answer(void) {
  long answer;
  if (read(orders, &answer, sizeof answer) != sizeof answer) fail("peer", -EPIPE, 0);
}

static void tell(enum command command, int connection, unsigned count) {
  order(command, connection, count);
  await_answer();
}

/* ---- Rings: one by raw system calls and one of liburing's. */

struct raw { int fd; struct io_uring_params given; char *rings; size_t bytes; struct io_uring_sqe *entries; };
#define WORD(ring, offset) ((unsigned *)((ring).rings + (ring).given.offset))

static struct raw raw;
static struct io_uring library;
static int uses_library;
static unsigned in_batch;

static void raw_open(void) {
  memset(&raw, 0, sizeof raw);
  raw.fd = (int)syscall(SYS_io_uring_setup, 8L, &raw.given);
  if (raw.fd < 0) { printf("no io_uring here: %s\n", strerror(errno)); exit(77); }
  raw.bytes = raw.given.cq_off.cqes + raw.given.cq_entries * sizeof(struct io_uring_cqe);
  raw.rings = mmap(NULL, raw.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, raw.fd, IORING_OFF_SQ_RING);
  raw.entries = mmap(NULL, raw.given.sq_entries * sizeof *raw.entries, PROT_READ | PROT_WRITE, MAP_SHARED, raw.fd, IORING_OFF_SQES);
}

static void raw_close(void) {
  munmap(raw.entries, raw.given.sq_entries * sizeof *raw.entries);
  munmap(raw.rings, raw.bytes);
  close(raw.fd);
}

static struct io_uring_sqe *entry(unsigned char opcode, int fd, const void *address, unsigned length) {
  struct io_uring_sqe *one;
  if (uses_library) one = io_uring_get_sqe(&library);
  else {
    unsigned place = (*WORD(raw, sq_off.tail) + in_batch) & (raw.given.sq_entries - 1), slot = (place + 3) & (raw.given.sq_entries - 1);
    WORD(raw, sq_off.array)[place] = slot;
    one = raw.entries + slot;
  }
  in_batch++;
  memset(one, 0, sizeof *one);
  one->opcode = opcode;
  one->fd = fd;
  one->addr = (uint64_t)(uintptr_t)address;
  one->len = length;
  one->user_data = in_batch;
  return one;
}

static void submit(int wait) {
  long submitted;
  unsigned count = in_batch;
  in_batch = 0;
  if (uses_library) submitted = wait ? io_uring_submit_and_wait(&library, count) : io_uring_submit(&library);
  else {
    __atomic_store_n(WORD(raw, sq_off.tail), *WORD(raw, sq_off.tail) + count, __ATOMIC_RELEASE);
    submitted = result_of(syscall(SYS_io_uring_enter, (long)raw.fd, (long)count, wait ? (long)count : 0L, wait ? (long)IORING_ENTER_GETEVENTS : 0L, NULL, 0L));
  }
  must("submitted", submitted, (long)count);
}

/* The next completion: its result, and which of the batch it is of. */
static long completion(unsigned *which) {
  long result;
  if (uses_library) {
    struct io_uring_cqe *event;
    int waited;
    while ((waited = io_uring_wait_cqe(&library, &event)) == -EINTR) { }
    must("wait", waited, 0);
    result = event->res;
    if (which) *which = (unsigned)event->user_data;
    io_uring_cqe_seen(&library, event);
    return result;
  }
  unsigned *head = WORD(raw, cq_off.head);
  while (__atomic_load_n(WORD(raw, cq_off.tail), __ATOMIC_ACQUIRE) == *head) syscall(SYS_io_uring_enter, (long)raw.fd, 0L, 1L, (long)IORING_ENTER_GETEVENTS, NULL, 0L);
  struct io_uring_cqe *event = (struct io_uring_cqe *)(raw.rings + raw.given.cq_off.cqes) + (*head & (raw.given.cq_entries - 1));
  result = event->res;
  if (which) *which = (unsigned)event->user_data;
  __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
  return result;
}

static long one(void) {
  submit((int)draw(2));
  return completion(NULL);
}

/* ---- What is known of each connection. */

struct connection { int fd, registered, indexed; uint32_t mask; struct stream out, in; };
static struct connection all[CONNECTIONS];
static int set, sleeps_elsewhere;
static struct sockaddr_in address;
static char bytes[MOST_UNREAD + MOST];

static unsigned unread(const struct connection *c) { return (unsigned)(c->in.sent - c->in.read); }

static void open_connection(int i) {
  struct connection *c = all + i;
  *c = (struct connection){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
  /* The peer is in accept already: neither waits for the other one's join. */
  order(TAKE, i, 0);
  must("connect", result_of(connect(c->fd, (struct sockaddr *)&address, sizeof address)), 0);
  await_answer();
}

static void sent(int i, long got, unsigned count) {
  must("sent", got, (long)count);
  all[i].out.sent += count;
}

static void received(int i, long got, unsigned most) {
  if (got <= 0 || got > (long)most) fail("received", got, (long)most);
  check(bytes, got, i * 2 + 1, all[i].in.read);
  all[i].in.read += (uint64_t)got;
}

/* A random part of one connection's transfers goes by a registered index. */
static void by_index(struct io_uring_sqe *operation, int i) {
  if (!all[i].indexed || draw(2) || uses_library) return;
  operation->fd = i;
  operation->flags |= IOSQE_FIXED_FILE;
}

static struct io_uring_sqe *transfer(int i, int out, unsigned count, struct iovec *vector, struct msghdr *message) {
  static const unsigned char ways[2][4] = { { IORING_OP_RECV, IORING_OP_READ, IORING_OP_READV, IORING_OP_RECVMSG }, { IORING_OP_SEND, IORING_OP_WRITE, IORING_OP_WRITEV, IORING_OP_SENDMSG } };
  unsigned way = draw(4);
  *vector = (struct iovec){ bytes, count };
  *message = (struct msghdr){ .msg_iov = vector, .msg_iovlen = 1 };
  struct io_uring_sqe *operation = entry(ways[out][way], all[i].fd, way == 3 ? (void *)message : way == 2 ? (void *)vector : bytes, way >= 2 ? 1 : count);
  by_index(operation, i);
  return operation;
}

static long send_somehow(int fd, unsigned count) {
  struct iovec vector[2] = { { bytes, count / 2 }, { bytes + count / 2, count - count / 2 } };
  switch (draw(3)) {
    case 0: return result_of(send(fd, bytes, count, 0));
    case 1: return result_of(write(fd, bytes, count));
    default: return result_of(writev(fd, vector, 2));
  }
}

static void control(int i, int by_ring) {
  static const char *const names[] = { "", "add", "delete", "modify" };
  struct connection *c = all + i;
  int operation = 1 + (int)draw(3);
  struct epoll_event wanted = { .events = draw(3) ? EPOLLIN : 0, .data.u64 = (uint64_t)i };
  long expected = operation == EPOLL_CTL_ADD ? c->registered ? -EEXIST : 0 : c->registered ? 0 : -ENOENT, got;
  step_name = names[operation];
  if (!by_ring) got = result_of(epoll_ctl(set, operation, c->fd, &wanted));
  else {
    struct io_uring_sqe *last;
    int links = draw(8) == 0;
    if (links) entry(IORING_OP_NOP, -1, NULL, 0)->flags = IOSQE_IO_LINK;
    last = entry(IORING_OP_EPOLL_CTL, set, &wanted, (unsigned)operation);
    last->off = (uint64_t)c->fd;
    if (links) { submit(0); must("nop", completion(NULL), 0); got = completion(NULL); }
    else got = one();
  }
  must("result", got, expected);
  if (got != 0) return;
  c->registered = operation != EPOLL_CTL_DEL;
  if (operation != EPOLL_CTL_DEL) c->mask = wanted.events;
}

/* Level-triggered: all that is readable shows, as soon as it has arrived, and nothing else does. */
static void look_at_set(void) {
  unsigned expected = 0, seen = 0;
  for (int i = 0; i < CONNECTIONS; i++) if (all[i].registered && (all[i].mask & EPOLLIN) && (unread(all + i) || all[i].in.ended)) expected |= 1u << i;
  do {
    struct epoll_event found[CONNECTIONS];
    seen = 0;
    int count = epoll_wait(set, found, CONNECTIONS, expected ? -1 : 0);
    /* The kernel wakes a thread that has work of its rings to do. */
    if (count < 0 && errno == EINTR) continue;
    must("epoll_wait fails", count < 0 ? -errno : 0, 0);
    for (int k = 0; k < count; k++) if (found[k].events & EPOLLIN) seen |= 1u << found[k].data.u64;
    if (seen & ~expected) fail("events", (long)seen, (long)expected);
  } while (seen != expected);
}

static void finish(int i, int by_ring) {
  struct connection *c = all + i;
  while (unread(c)) received(i, result_of(recv(c->fd, bytes, unread(c), 0)), unread(c));
  if (c->indexed) {
    int none = -1;
    struct io_uring_rsrc_update update = { .offset = (uint32_t)i, .data = (uint64_t)(uintptr_t)&none };
    must("update", result_of(syscall(SYS_io_uring_register, (long)raw.fd, (long)IORING_REGISTER_FILES_UPDATE, &update, 1L)), 1);
  }
  /* A ring that ends may hold the socket for a while, and the set would go on reporting it. */
  if (c->registered) must("delete", result_of(epoll_ctl(set, EPOLL_CTL_DEL, c->fd, NULL)), 0);
  if (by_ring) { entry(IORING_OP_CLOSE, c->fd, NULL, 0); must("close", one(), 0); }
  else must("close", result_of(close(c->fd)), 0);
  tell(RECEIVE, i, (unsigned)(c->out.sent - c->out.read));
  tell(END, i, 0);
  tell(CLOSE, i, 0);
}

static void register_all(void) {
  int files[CONNECTIONS];
  memset(files, -1, sizeof files);
  must("register", result_of(syscall(SYS_io_uring_register, (long)raw.fd, (long)IORING_REGISTER_FILES, files, (long)CONNECTIONS)), 0);
}

/* Steps at the beginning in which the ring names no connection but for epoll_ctl, so that these have their rings. */
static unsigned by_libc_alone;

static void step(void) {
  int i = (int)draw(CONNECTIONS);
  struct connection *c = all + i;
  struct iovec vector;
  struct msghdr message;
  unsigned count = 1 + draw(MOST);
  uses_library = (int)draw(2);
  unsigned what = draw(16);
  if (step_number <= by_libc_alone && (what == 2 || what == 9 || what == 10 || what > 13)) what = 0;
  switch (what) {
    case 0: case 1:
      step_name = "libc sends";
      if (c->out.ended || c->out.sent - c->out.read > MOST_UNREAD) return;
      fill(bytes, count, i * 2, c->out.sent);
      sent(i, send_somehow(c->fd, count), count);
      return;
    case 2:
      step_name = "the ring sends";
      if (c->out.ended || c->out.sent - c->out.read > MOST_UNREAD) return;
      fill(bytes, count, i * 2, c->out.sent);
      transfer(i, 1, count, &vector, &message);
      sent(i, one(), count);
      return;
    case 3: case 4:
      step_name = "the peer receives";
      tell(RECEIVE, i, (unsigned)(c->out.sent - c->out.read));
      c->out.read = c->out.sent;
      return;
    case 5: case 6:
      step_name = "the peer sends";
      if (c->in.ended || unread(c) > MOST_UNREAD - MOST) return;
      tell(SEND, i, count);
      c->in.sent += count;
      return;
    case 7: case 8:
      step_name = "libc receives";
      if (!unread(c)) return;
      count = 1 + draw(unread(c));
      received(i, result_of(draw(2) ? recv(c->fd, bytes, count, 0) : read(c->fd, bytes, count)), count);
      return;
    case 9:
      step_name = "the ring receives";
      if (!unread(c)) return;
      count = 1 + draw(unread(c));
      transfer(i, 0, count, &vector, &message);
      received(i, one(), count);
      return;
    case 10:
      if (c->in.ended || unread(c)) return;
      if (draw(2)) {
        step_name = "the ring waits for bytes";
        transfer(i, 0, count, &vector, &message);
        submit(0);
        tell(SEND, i, count);
        c->in.sent += count;
        received(i, completion(NULL), count);
      } else {
        step_name = "the ring polls";
        entry(IORING_OP_POLL_ADD, c->fd, NULL, 0)->poll32_events = POLLIN;
        submit(0);
        tell(SEND, i, count);
        c->in.sent += count;
        must("events", completion(NULL) & POLLIN, POLLIN);
      }
      return;
    case 11: case 12:
      if (!sleeps_elsewhere) control(i, 1);
      return;
    case 13:
      if (!sleeps_elsewhere) control(i, 0);
      step_name = "epoll_wait";
      if (!sleeps_elsewhere) look_at_set();
      return;
    case 14:
      switch (draw(5)) {
        case 0:
          step_name = "the ring shuts down";
          if (c->out.ended) return;
          entry(IORING_OP_SHUTDOWN, c->fd, NULL, SHUT_WR);
          must("result", one(), 0);
          c->out.ended = 1;
          return;
        case 1:
          step_name = "the peer shuts down";
          if (c->in.ended) return;
          tell(SHUT, i, 0);
          c->in.ended = 1;
          return;
        case 2:
          step_name = "end of stream";
          if (!c->in.ended || unread(c)) return;
          if (draw(2)) { transfer(i, 0, count, &vector, &message); must("end", one(), 0); }
          else must("end", result_of(recv(c->fd, bytes, count, 0)), 0);
          return;
        default:
          step_name = "close and connect anew";
          finish(i, (int)draw(2));
          open_connection(i);
          return;
      }
    default:
      switch (draw(6)) {
        case 0: {
          step_name = "register";
          int fd = c->fd;
          struct io_uring_rsrc_update update = { .offset = (uint32_t)i, .data = (uint64_t)(uintptr_t)&fd };
          must("update", result_of(syscall(SYS_io_uring_register, (long)raw.fd, (long)IORING_REGISTER_FILES_UPDATE, &update, 1L)), 1);
          c->indexed = 1;
          return;
        }
        case 1:
          step_name = "new rings";
          raw_close();
          io_uring_queue_exit(&library);
          raw_open();
          register_all();
          must("queue_init", io_uring_queue_init(8, &library, 0), 0);
          for (int k = 0; k < CONNECTIONS; k++) all[k].indexed = 0;
          return;
        case 2: {
          step_name = "another number";
          /* What is registered in a set stays under the number it was registered by. */
          if (c->registered) return;
          int copy = dup(c->fd);
          entry(IORING_OP_CLOSE, c->fd, NULL, 0);
          must("close", one(), 0);
          c->fd = copy;
          return;
        }
        case 3: {
          step_name = "several at once";
          int other = (i + 1) % CONNECTIONS;
          if (c->out.ended || c->out.sent - c->out.read > MOST_UNREAD || !unread(all + other)) return;
          static char back[MOST_UNREAD + MOST];
          fill(bytes, count, i * 2, c->out.sent);
          entry(IORING_OP_NOP, -1, NULL, 0)->flags = draw(2) ? IOSQE_IO_LINK : 0;
          entry(IORING_OP_SEND, c->fd, bytes, count);
          entry(IORING_OP_RECV, all[other].fd, back, unread(all + other));
          submit((int)draw(2));
          for (int k = 0; k < 3; k++) {
            unsigned which;
            long result = completion(&which);
            if (which == 1) must("nop", result, 0);
            else if (which == 2) sent(i, result, count);
            else { memcpy(bytes, back, sizeof bytes); received(other, result, unread(all + other)); }
          }
          return;
        }
        default:
          step_name = "the ring looks at bytes";
          if (!unread(c)) return;
          count = 1 + draw(unread(c));
          entry(IORING_OP_RECV, c->fd, bytes, count)->msg_flags = MSG_PEEK;
          long got = one();
          if (got <= 0 || got > (long)count) fail("seen", got, (long)count);
          check(bytes, got, i * 2 + 1, c->in.read);
          return;
      }
  }
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  state = strtoull(argv[1], NULL, 10) * 0x9E3779B97F4A7C15u + 1;
  for (int i = 0; i < 8; i++) draw(2);
  sleeps_elsewhere = draw(4) == 0;
  alarm(100);
  int pair[2];
  socklen_t length = sizeof address;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return 2;
  int ready[2];
  if (pipe(ready)) return 2;
  if (fork() == 0) {
    /* The peer makes its listener itself: nothing of the shim is shared. */
    alarm(100);
    close(pair[0]);
    address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int own = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(own, (struct sockaddr *)&address, length) || listen(own, 8) || getsockname(own, (struct sockaddr *)&address, &length)) _exit(2);
    if (write(ready[1], &address, sizeof address) != sizeof address) _exit(2);
    peer(pair[1], own, sleeps_elsewhere);
  }
  close(pair[1]);
  orders = pair[0];
  if (read(ready[0], &address, sizeof address) != sizeof address) return 2;
  /* A ring from before the first connection, or after it. */
  int early = (int)draw(2);
  if (early) raw_open();
  for (int i = 0; i < CONNECTIONS; i++) open_connection(i);
  if (!early) raw_open();
  register_all();
  must("queue_init", io_uring_queue_init(8, &library, 0), 0);
  set = epoll_create1(EPOLL_CLOEXEC);
  unsigned steps = (unsigned)atoi(argv[2]);
  by_libc_alone = draw(2) ? steps / 2 : 0;
  for (step_number = 1; step_number <= steps; step_number++) {
    if (getenv("TRACE")) { printf("%u\n", step_number); fflush(stdout); }
    step();
    if (getenv("TRACE")) { printf("  %s\n", step_name); fflush(stdout); }
  }
  step_name = "end";
  for (int i = 0; i < CONNECTIONS; i++) finish(i, (int)draw(2));
  order(QUIT, 0, 0);
  return 0;
}
