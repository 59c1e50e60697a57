/* io_uring beside libc's calls on one connection: raw system calls by syscall(2), and liburing. */
#include "experiment.h"

#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

/* Newer than the headers may be. */
enum { OP_EPOLL_WAIT = 59, SETUP_NO_SQARRAY = 1 << 16, REGISTER_RING_FDS = 20, ENTER_REGISTERED_RING = 16 };

static char buffer[200000];

/* ---- A ring by raw system calls. */

struct raw { int fd; struct io_uring_params given; char *rings; struct io_uring_sqe *entries; unsigned queued; };

static int raw_open(struct raw *ring, unsigned entries, unsigned flags) {
  memset(ring, 0, sizeof *ring);
  ring->given.flags = flags;
  ring->fd = (int)syscall(SYS_io_uring_setup, (long)entries, &ring->given);
  if (ring->fd < 0) return 0;
  size_t bytes = ring->given.cq_off.cqes + ring->given.cq_entries * sizeof(struct io_uring_cqe);
  size_t others = ring->given.sq_off.array + ring->given.sq_entries * sizeof(unsigned);
  ring->rings = mmap(NULL, bytes > others ? bytes : others, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
  ring->entries = mmap(NULL, ring->given.sq_entries * sizeof *ring->entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
  return 1;
}

#define WORD(ring, offset) ((unsigned *)((ring)->rings + (ring)->given.offset))

/* The entry that is submitted next. Entries and places of the index array go in opposite directions: who reads one for the other is found out. */
static struct io_uring_sqe *raw_entry(struct raw *ring, unsigned char opcode, int fd) {
  unsigned tail = *WORD(ring, sq_off.tail) + ring->queued++, mask = ring->given.sq_entries - 1;
  unsigned slot = ring->given.flags & SETUP_NO_SQARRAY ? tail & mask : mask - (tail & mask);
  if (!(ring->given.flags & SETUP_NO_SQARRAY)) WORD(ring, sq_off.array)[tail & mask] = slot;
  memset(ring->entries + slot, 0, sizeof *ring->entries);
  ring->entries[slot].opcode = opcode;
  ring->entries[slot].fd = fd;
  return ring->entries + slot;
}

static struct io_uring_sqe *raw_transfer(struct raw *ring, unsigned char opcode, int fd, const void *bytes, unsigned count) {
  struct io_uring_sqe *entry = raw_entry(ring, opcode, fd);
  entry->addr = (uint64_t)(uintptr_t)bytes;
  entry->len = count;
  return entry;
}

static long raw_submit(struct raw *ring, unsigned wait) {
  unsigned count = ring->queued;
  ring->queued = 0;
  __atomic_store_n(WORD(ring, sq_off.tail), *WORD(ring, sq_off.tail) + count, __ATOMIC_RELEASE);
  return syscall(SYS_io_uring_enter, (long)ring->fd, (long)count, (long)wait, wait ? (long)IORING_ENTER_GETEVENTS : 0L, NULL, 0L);
}

/* The result of the oldest completion. */
static long raw_result(struct raw *ring) {
  unsigned *head = WORD(ring, cq_off.head);
  while (__atomic_load_n(WORD(ring, cq_off.tail), __ATOMIC_ACQUIRE) == *head) syscall(SYS_io_uring_enter, (long)ring->fd, 0L, 1L, (long)IORING_ENTER_GETEVENTS, NULL, 0L);
  struct io_uring_cqe *event = (struct io_uring_cqe *)(ring->rings + ring->given.cq_off.cqes) + (*head & (ring->given.cq_entries - 1));
  long result = event->res;
  __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
  return result;
}

static long completion(const char *what, long result) {
  if (result < 0) errno = (int)-result;
  return report(what, result);
}

static long raw_one(struct raw *ring, const char *what) {
  raw_submit(ring, 1);
  return completion(what, raw_result(ring));
}

static void text(const char *what, long length) {
  if (length > 0) printf("%s: %.*s\n", what, (int)length, buffer);
  else report(what, length);
}

#define OPEN(ring) struct raw ring; if (!raw_open(&ring, 8, 0)) { puts("no io_uring here"); return; }

/* ---- Transfers: bytes of libc's calls before and after stay in their order. */

static void transfer(int client, int server, unsigned char out, unsigned char in) {
  struct iovec put = { "by ring ", 8 }, get = { buffer, 100 };
  struct msghdr send_header = { .msg_iov = &put, .msg_iovlen = 1 }, receive_header = { .msg_iov = &get, .msg_iovlen = 1 };
  int vectors = out == IORING_OP_WRITEV, messages = out == IORING_OP_SENDMSG;
  OPEN(ring);
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, out, client, messages ? (void *)&send_header : vectors ? (void *)&put : "by ring ", vectors || messages ? 1 : 8);
  raw_one(&ring, "sent");
  send(client, "end", 3, 0);
  settle();
  raw_transfer(&ring, in, server, messages ? (void *)&receive_header : vectors ? (void *)&get : buffer, vectors || messages ? 1 : 100);
  text("received", raw_one(&ring, "result"));
  send(client, "more", 4, 0);
  send(server, "back", 4, 0);
  settle();
  text("by recv", recv(server, buffer, 100, 0));
  text("by recv", recv(client, buffer, 100, 0));
  raw_transfer(&ring, in == IORING_OP_READV || messages ? IORING_OP_RECV : in, client, buffer, 100);
  raw_submit(&ring, 0);
  send(server, "late", 4, 0);
  text("waited for", completion("result", raw_result(&ring)));
}

static void uring_send_recv(int client, int server) { transfer(client, server, IORING_OP_SEND, IORING_OP_RECV); }
static void uring_write_read(int client, int server) { transfer(client, server, IORING_OP_WRITE, IORING_OP_READ); }
static void uring_writev_readv(int client, int server) { transfer(client, server, IORING_OP_WRITEV, IORING_OP_READV); }
static void uring_sendmsg_recvmsg(int client, int server) { transfer(client, server, IORING_OP_SENDMSG, IORING_OP_RECVMSG); }

static void uring_zero_copy(int client, int server) {
  OPEN(ring);
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, IORING_OP_SEND_ZC, client, "zero copy", 9);
  raw_one(&ring, "sent");
  settle();
  text("received", recv(server, buffer, 100, 0));
}

static void uring_splice(int client, int server) {
  int pipes[2];
  OPEN(ring);
  if (pipe(pipes)) return;
  send(client, "spliced out ", 12, 0);
  settle();
  struct io_uring_sqe *out = raw_transfer(&ring, IORING_OP_SPLICE, pipes[1], NULL, 100);
  out->splice_fd_in = server;
  out->splice_off_in = out->off = UINT64_MAX;
  raw_one(&ring, "from the connection");
  text("pipe", read(pipes[0], buffer, 100));
  if (write(pipes[1], "spliced in", 10) != 10) return;
  struct io_uring_sqe *in = raw_transfer(&ring, IORING_OP_SPLICE, server, NULL, 100);
  in->splice_fd_in = pipes[0];
  in->splice_off_in = in->off = UINT64_MAX;
  raw_one(&ring, "into the connection");
  settle();
  text("recv", recv(client, buffer, 100, 0));
}

/* ---- Readiness. */

static void uring_poll(int client, int server) {
  OPEN(ring);
  raw_entry(&ring, IORING_OP_POLL_ADD, server)->poll32_events = POLLIN;
  raw_submit(&ring, 0);
  settle();
  printf("silent %d\n", *WORD(&ring, cq_off.tail) == *WORD(&ring, cq_off.head));
  send(client, "x", 1, 0);
  completion("armed, then sent", raw_result(&ring));
  text("recv", recv(server, buffer, 100, 0));
  struct io_uring_sqe *many = raw_entry(&ring, IORING_OP_POLL_ADD, server);
  many->poll32_events = POLLIN;
  many->len = IORING_POLL_ADD_MULTI;
  raw_submit(&ring, 0);
  for (int i = 0; i < 3; i++) {
    send(client, "y", 1, 0);
    completion("multishot", raw_result(&ring));
    text("recv", recv(server, buffer, 100, 0));
  }
}

static void uring_poll_what_is_there(int client, int server) {
  OPEN(ring);
  send(client, "there", 5, 0);
  settle();
  raw_entry(&ring, IORING_OP_POLL_ADD, server)->poll32_events = POLLIN | POLLOUT;
  raw_one(&ring, "poll");
  text("recv", recv(server, buffer, 100, 0));
}

/* A set of the program's own that holds a connection, polled by the ring, and waited for there. */
static void uring_poll_set(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(0);
  struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 0x1234567890 }, found;
  epoll_ctl(set, EPOLL_CTL_ADD, server, &wanted);
  raw_entry(&ring, IORING_OP_POLL_ADD, set)->poll32_events = POLLIN;
  raw_submit(&ring, 0);
  send(client, "x", 1, 0);
  completion("set", raw_result(&ring));
  report("epoll_wait", epoll_wait(set, &found, 1, 1000));
  printf("%x %llx\n", found.events, (unsigned long long)found.data.u64);
  struct io_uring_sqe *wait = raw_transfer(&ring, OP_EPOLL_WAIT, set, &found, 1);
  memset(&found, 0, sizeof found);
  wait->off = 0;
  raw_submit(&ring, 1);
  long result = raw_result(&ring);
  if (result != -EINVAL) completion("by the ring", result), printf("%x %llx\n", found.events, (unsigned long long)found.data.u64);
}

static long control(struct raw *ring, const char *what, int set, int operation, int fd, unsigned events, uint64_t data) {
  struct epoll_event wanted = { .events = events, .data.u64 = data };
  raw_transfer(ring, IORING_OP_EPOLL_CTL, set, &wanted, (unsigned)operation)->off = (uint64_t)fd;
  return raw_one(ring, what);
}

static void show_set(const char *what, int set, int timeout) {
  struct epoll_event found[4];
  int count = epoll_wait(set, found, 4, timeout);
  report(what, count);
  for (int i = 0; i < count; i++) printf("  %x %llx\n", found[i].events, (unsigned long long)found[i].data.u64);
}

/* As libuv does: the connection stays in its ring. */
static void uring_epoll_ctl_in_the_ring(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC), plain = socket(AF_INET, SOCK_STREAM, 0);
  control(&ring, "add", set, EPOLL_CTL_ADD, server, EPOLLIN, 1);
  control(&ring, "add again", set, EPOLL_CTL_ADD, server, EPOLLIN, 2);
  show_set("nothing", set, 0);
  send(client, "x", 1, 0);
  show_set("something", set, 1000);
  text("recv", recv(server, buffer, 100, 0));
  control(&ring, "modify", set, EPOLL_CTL_MOD, server, EPOLLIN | EPOLLOUT, 3);
  show_set("room", set, 1000);
  control(&ring, "delete", set, EPOLL_CTL_DEL, server, 0, 0);
  control(&ring, "delete again", set, EPOLL_CTL_DEL, server, 0, 0);
  control(&ring, "modify what is not there", set, EPOLL_CTL_MOD, server, EPOLLIN, 0);
  control(&ring, "another kind", set, EPOLL_CTL_ADD, plain, EPOLLIN, 4);
  control(&ring, "not a set", server, EPOLL_CTL_ADD, client, EPOLLIN, 4);
  control(&ring, "itself", set, EPOLL_CTL_ADD, set, EPOLLIN, 4);
  control(&ring, "closed", set, EPOLL_CTL_ADD, 1000, EPOLLIN, 4);
  control(&ring, "another kind", set, EPOLL_CTL_DEL, plain, 0, 0);
  control(&ring, "one-shot", set, EPOLL_CTL_ADD, server, EPOLLIN | EPOLLONESHOT, 5);
  send(client, "y", 1, 0);
  settle();
  for (int i = 0; i < 2; i++) show_set("one-shot", set, 0);
  control(&ring, "rearm", set, EPOLL_CTL_MOD, server, EPOLLIN | EPOLLET, 6);
  for (int i = 0; i < 2; i++) show_set("edge", set, 0);
  for (int i = 0; i < 100; i++)
    if (send(client, buffer, 1000, 0) != 1000 || receive_all(server, buffer, 1000) != 1000) puts("lost");
}

/* Many at once, one of them wrong, and the same entries submitted once more as they are. */
static void uring_batch_in_the_ring(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event wanted[3] = { { .events = EPOLLIN, .data.u64 = 1 }, { .events = EPOLLIN, .data.u64 = 2 }, { .events = EPOLLIN, .data.u64 = 3 } };
  int operations[4] = { EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL };
  for (int i = 0; i < 4; i++) raw_transfer(&ring, IORING_OP_EPOLL_CTL, set, wanted + i % 3, (unsigned)operations[i])->off = (uint64_t)server;
  for (int round = 0; round < 2; round++) {
    report("submitted", raw_submit(&ring, 4));
    for (int i = 0; i < 4; i++) completion("result", raw_result(&ring));
    for (int i = 0; i < 4; i++) {
      /* The places of the index array go on; the entries are where they were. */
      unsigned tail = *WORD(&ring, sq_off.tail) + (unsigned)i, mask = ring.given.sq_entries - 1;
      WORD(&ring, sq_off.array)[tail & mask] = mask - (unsigned)i;
      printf("opcode %d\n", ring.entries[mask - (unsigned)i].opcode);
    }
    ring.queued = 4;
  }
  for (int i = 0; i < 100; i++)
    if (send(client, buffer, 1000, 0) != 1000 || receive_all(server, buffer, 1000) != 1000) puts("lost");
}

static void uring_linked_epoll_ctl(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 7 };
  raw_entry(&ring, IORING_OP_NOP, -1)->flags = IOSQE_IO_LINK;
  raw_transfer(&ring, IORING_OP_EPOLL_CTL, set, &wanted, EPOLL_CTL_ADD)->off = (uint64_t)server;
  raw_submit(&ring, 2);
  completion("nop", raw_result(&ring));
  completion("add", raw_result(&ring));
  send(client, "x", 1, 0);
  show_set("linked", set, 1000);
  text("recv", recv(server, buffer, 100, 0));
  report("libc", epoll_ctl(set, EPOLL_CTL_ADD, server, &wanted));
  report("libc", epoll_ctl(set, EPOLL_CTL_DEL, server, &wanted));
}

/* ---- Ends. */

static void uring_shutdown(int client, int server) {
  OPEN(ring);
  send(client, "last", 4, 0);
  raw_transfer(&ring, IORING_OP_SHUTDOWN, client, NULL, SHUT_WR);
  raw_one(&ring, "shutdown");
  report("send", send(client, "x", 1, MSG_NOSIGNAL));
  text("recv", recv(server, buffer, 100, 0));
  report("end", recv(server, buffer, 100, 0));
  raw_transfer(&ring, IORING_OP_SHUTDOWN, client, NULL, 7);
  raw_one(&ring, "no such direction");
  send(server, "back", 4, 0);
  settle();
  text("recv", recv(client, buffer, 100, 0));
}

static void uring_close(int client, int server) {
  OPEN(ring);
  int set = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 7 };
  epoll_ctl(set, EPOLL_CTL_ADD, client, &wanted);
  send(client, "last", 4, 0);
  raw_entry(&ring, IORING_OP_CLOSE, client);
  raw_one(&ring, "close");
  report("send", send(client, "x", 1, 0));
  text("recv", recv(server, buffer, 100, 0));
  report("end", recv(server, buffer, 100, 0));
  show_set("closed", set, 0);
  int pipes[2];
  if (pipe(pipes)) return;
  printf("same number %d\n", pipes[0] == client);
  report("write", write(pipes[1], "pipe", 4));
  text("pipe", read(pipes[0], buffer, 100));
  raw_entry(&ring, IORING_OP_CLOSE, 999);
  raw_one(&ring, "nothing there");
  raw_entry(&ring, IORING_OP_CLOSE, ring.fd);
  raw_one(&ring, "the ring itself");
}

static void uring_linked_close(int client, int server) {
  OPEN(ring);
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, IORING_OP_SEND, client, "linked", 6)->flags = IOSQE_IO_LINK;
  raw_entry(&ring, IORING_OP_SHUTDOWN, client)->flags = IOSQE_IO_LINK;
  raw_entry(&ring, IORING_OP_CLOSE, client);
  ring.entries[ring.given.sq_entries - 2].len = SHUT_WR;
  raw_submit(&ring, 3);
  for (int i = 0; i < 3; i++) completion("result", raw_result(&ring));
  printf("%zu", receive_all(server, buffer, 14));
  text("", 14);
  report("end", recv(server, buffer, 100, 0));
  report("send", send(client, "x", 1, 0));
}

static void uring_close_duplicate_in_the_ring(int client, int server) {
  OPEN(ring);
  int copy = dup(client);
  raw_entry(&ring, IORING_OP_CLOSE, copy);
  raw_one(&ring, "close");
  report("send", send(copy, "x", 1, 0));
  for (int i = 0; i < 100; i++)
    if (send(client, buffer, 1000, 0) != 1000 || receive_all(server, buffer, 1000) != 1000) puts("lost");
}

/* ---- Registered files. */

static void registered(int client, int server, int way) {
  OPEN(ring);
  int files[4] = { -1, -1, client, -1 }, one = client;
  struct io_uring_rsrc_update update = { .offset = 2, .data = (uint64_t)(uintptr_t)&one };
  struct io_uring_rsrc_update2 update2 = { .offset = 2, .data = (uint64_t)(uintptr_t)&one, .nr = 1 };
  struct io_uring_rsrc_register all = { .nr = 4, .data = (uint64_t)(uintptr_t)files };
  if (way != 0 && way != 2) files[2] = -1;
  send(client, "by send ", 8, 0);
  if (way == 2) report("register", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES2, &all, (long)sizeof all));
  else report("register", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES, files, 4L));
  if (way == 1) report("update", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES_UPDATE, &update, 1L));
  if (way == 3) report("update", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES_UPDATE2, &update2, (long)sizeof update2));
  if (way == 4) {
    raw_transfer(&ring, IORING_OP_FILES_UPDATE, -1, &one, 1)->off = 2;
    raw_one(&ring, "update");
  }
  report("close", close(client));
  raw_transfer(&ring, IORING_OP_SEND, 2, "by index ", 9)->flags = IOSQE_FIXED_FILE;
  raw_one(&ring, "sent");
  settle();
  text("recv", recv(server, buffer, 100, 0));
  send(server, "back", 4, 0);
  raw_transfer(&ring, IORING_OP_RECV, 2, buffer, 100)->flags = IOSQE_FIXED_FILE;
  text("received", raw_one(&ring, "result"));
  report("unregister", syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_UNREGISTER_FILES, NULL, 0L));
  report("end", recv(server, buffer, 100, 0));
}

static void uring_register_files(int client, int server) { registered(client, server, 0); }
static void uring_files_update(int client, int server) { registered(client, server, 1); }
static void uring_register_files2(int client, int server) { registered(client, server, 2); }
static void uring_files_update2(int client, int server) { registered(client, server, 3); }
static void uring_files_update_operation(int client, int server) { registered(client, server, 4); }

/* A descriptor passed by a message that the ring sends. */
static void uring_passes_a_descriptor(int client, int server) {
  OPEN(ring);
  int pair[2];
  char byte = 'x';
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr header; } sent, got;
  struct iovec vector = { &byte, 1 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &sent, .msg_controllen = sizeof sent };
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return;
  sent.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
  memcpy(CMSG_DATA(&sent.header), &server, sizeof server);
  send(client, "before ", 7, 0);
  raw_transfer(&ring, IORING_OP_SENDMSG, pair[0], &message, 1);
  raw_one(&ring, "passed");
  message.msg_control = &got;
  raw_transfer(&ring, IORING_OP_RECVMSG, pair[1], &message, 1);
  raw_one(&ring, "taken");
  int taken;
  memcpy(&taken, CMSG_DATA(&got.header), sizeof taken);
  close(server);
  send(client, "after", 5, 0);
  settle();
  text("recv", syscall(SYS_read, taken, buffer, 100L));
}

/* ---- Every operation that there is or will be, on a connection of its own that has bytes unread in both directions. */

static void every_operation(int registered) {
  for (int opcode = 0; opcode < 80; opcode++) {
    int client, server;
    struct raw ring;
    if (!raw_open(&ring, 8, 0)) { puts("no io_uring here"); return; }
    connection(&client, &server);
    if (registered) syscall(SYS_io_uring_register, (long)ring.fd, (long)IORING_REGISTER_FILES, &client, 1L);
    send(client, "by send ", 8, 0);
    send(server, "back", 4, 0);
    memset(buffer, 0, 64);
    printf("operation %d", opcode);
    raw_transfer(&ring, (unsigned char)opcode, registered ? 0 : client, buffer, 8)->flags = registered ? IOSQE_FIXED_FILE : 0;
    raw_submit(&ring, 0);
    for (int i = 0; i < 500 && __atomic_load_n(WORD(&ring, cq_off.tail), __ATOMIC_ACQUIRE) == 0; i++) usleep(1000);
    if (*WORD(&ring, cq_off.tail) == 0) fputs(" waits", stdout);
    else printf(" %ld", raw_result(&ring));
    /* What is still to come of it comes before the end. */
    send(client, "after", 5, MSG_NOSIGNAL);
    shutdown(client, SHUT_WR);
    shutdown(server, SHUT_WR);
    size_t there = receive_all(server, buffer, 1000);
    printf(": there %.*s", (int)there, buffer);
    size_t back = receive_all(client, buffer, 1000);
    printf(", back %.*s\n", (int)back, buffer);
    close(client);
    close(server);
    munmap(ring.entries, ring.given.sq_entries * sizeof *ring.entries);
    close(ring.fd);
  }
}

static void uring_every_operation(int client, int server) { every_operation(0); (void)client; (void)server; }
static void uring_every_operation_by_index(int client, int server) { every_operation(1); (void)client; (void)server; }

/* ---- Rings of other kinds, and rings under other numbers. */

static void through(struct raw *ring, int client, int server) {
  send(client, "by send ", 8, 0);
  raw_transfer(ring, IORING_OP_SEND, client, "by ring ", 8);
  raw_one(ring, "sent");
  send(client, "end", 3, 0);
  settle();
  text("recv", recv(server, buffer, 100, 0));
}

static void uring_without_index_array(int client, int server) {
  struct raw ring;
  if (!raw_open(&ring, 8, SETUP_NO_SQARRAY) && !raw_open(&ring, 8, 0)) { puts("no io_uring here"); return; }
  through(&ring, client, server);
}

static void uring_with_large_entries(int client, int server) {
  struct io_uring ring;
  struct io_uring_cqe *event;
  if (io_uring_queue_init(8, &ring, IORING_SETUP_SQE128) < 0) { puts("no io_uring here"); return; }
  send(client, "by send ", 8, 0);
  for (int i = 0; i < 3; i++) {
    io_uring_prep_send(io_uring_get_sqe(&ring), client, "by ring ", 8, 0);
    report("submit", io_uring_submit_and_wait(&ring, 1));
    io_uring_wait_cqe(&ring, &event);
    completion("sent", event->res);
    io_uring_cqe_seen(&ring, event);
  }
  io_uring_queue_exit(&ring);
  settle();
  text("recv", recv(server, buffer, 100, 0));
}

static void uring_with_a_kernel_thread(int client, int server) {
  struct raw ring;
  if (!raw_open(&ring, 8, IORING_SETUP_SQPOLL)) { puts("no io_uring here"); return; }
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, IORING_OP_SEND, client, "by ring ", 8);
  __atomic_store_n(WORD(&ring, sq_off.tail), 1, __ATOMIC_RELEASE);
  syscall(SYS_io_uring_enter, (long)ring.fd, 0L, 1L, (long)(IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP), NULL, 0L);
  completion("sent", raw_result(&ring));
  send(client, "end", 3, 0);
  settle();
  text("recv", recv(server, buffer, 100, 0));
}

static void uring_under_another_number(int client, int server) {
  OPEN(ring);
  int first = ring.fd;
  ring.fd = dup(first);
  close(first);
  through(&ring, client, server);
}

static void uring_by_registered_index(int client, int server) {
  OPEN(ring);
  struct io_uring_rsrc_update one = { .offset = UINT32_MAX, .data = (uint64_t)ring.fd };
  if (report("register", syscall(SYS_io_uring_register, (long)ring.fd, (long)REGISTER_RING_FDS, &one, 1L)) != 1) return;
  close(ring.fd);
  send(client, "by send ", 8, 0);
  raw_transfer(&ring, IORING_OP_SEND, client, "by ring ", 8);
  __atomic_store_n(WORD(&ring, sq_off.tail), 1, __ATOMIC_RELEASE);
  report("enter", syscall(SYS_io_uring_enter, (long)one.offset, 1L, 1L, (long)(IORING_ENTER_GETEVENTS | ENTER_REGISTERED_RING), NULL, 0L));
  settle();
  text("recv", recv(server, buffer, 100, 0));
}

/* Nobody sees a submission by an instruction of the program's own: the connection is returned once it shows. */
static void uring_entered_by_assembly(int client, int server) {
#if defined(__x86_64__)
  OPEN(ring);
  send(client, "by send ", 8, 0);
  settle();
  text("recv", recv(server, buffer, 100, 0));
  raw_transfer(&ring, IORING_OP_NOP, -1, NULL, 0);
  __atomic_store_n(WORD(&ring, sq_off.tail), 1, __ATOMIC_RELEASE);
  long result;
  register long flags __asm__("r10") = IORING_ENTER_GETEVENTS, mask __asm__("r8") = 0, bytes __asm__("r9") = 0;
  __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_io_uring_enter), "D"(ring.fd), "S"(1), "d"(1), "r"(flags), "r"(mask), "r"(bytes) : "rcx", "r11", "memory");
  report("entered", result);
  completion("nop", raw_result(&ring));
  through(&ring, client, server);
#else
  OPEN(ring);
  through(&ring, client, server);
#endif
}

/* A child with a ring of its own, and with its parent's; the connection is both processes'. */
static void in_a_child(int client, int server, int inherited) {
  OPEN(ring);
  send(client, "before ", 7, 0);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    struct raw own;
    if (!inherited && !raw_open(&own, 8, 0)) _exit(1);
    raw_transfer(inherited ? &ring : &own, IORING_OP_SEND, client, "child's ", 8);
    raw_one(inherited ? &ring : &own, "child");
    fflush(stdout);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child ended with %d\n", status);
  send(client, "after ", 6, 0);
  raw_transfer(&ring, IORING_OP_SEND, client, "parent's", 8);
  raw_one(&ring, "parent");
  settle();
  text("recv", recv(server, buffer, 100, 0));
}

static void uring_in_a_child(int client, int server) { in_a_child(client, server, 0); }
static void uring_inherited_by_a_child(int client, int server) { in_a_child(client, server, 1); }

/* ---- Threads that submit to one ring together. */

struct crowd { struct raw *ring; int fd, set; pthread_mutex_t lock; };

static void *submit_often(void *argument) {
  struct crowd *crowd = argument;
  struct epoll_event wanted = { .events = EPOLLIN };
  for (int i = 0; i < 500; i++) {
    pthread_mutex_lock(&crowd->lock);
    raw_transfer(crowd->ring, IORING_OP_EPOLL_CTL, crowd->set, &wanted, EPOLL_CTL_MOD)->off = (uint64_t)crowd->fd;
    long submitted = raw_submit(crowd->ring, 1), result = raw_result(crowd->ring);
    pthread_mutex_unlock(&crowd->lock);
    if (submitted != 1 || result != 0) { printf("submitted %ld, result %ld\n", submitted, result); break; }
  }
  return NULL;
}

static void uring_of_threads_in_the_ring(int client, int server) {
  OPEN(ring);
  pthread_t threads[3];
  struct epoll_event wanted = { .events = EPOLLIN };
  struct crowd crowd = { .ring = &ring, .fd = server, .set = epoll_create1(EPOLL_CLOEXEC), .lock = PTHREAD_MUTEX_INITIALIZER };
  epoll_ctl(crowd.set, EPOLL_CTL_ADD, server, &wanted);
  for (int i = 0; i < 3; i++) pthread_create(threads + i, NULL, submit_often, &crowd);
  for (int i = 0; i < 500; i++) {
    if (send(client, buffer, 100, 0) != 100) puts("lost");
    show_set("set", crowd.set, 1000);
    if (receive_all(server, buffer, 100) != 100) puts("lost");
  }
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
}

/* The kernel does not wait for completions where it could not submit as many as it was told to. */
static void uring_told_of_more_than_there_is(int client, int server) {
  OPEN(ring);
  raw_transfer(&ring, IORING_OP_RECV, server, buffer, 100);
  __atomic_store_n(WORD(&ring, sq_off.tail), 1, __ATOMIC_RELEASE);
  report("submitted", syscall(SYS_io_uring_enter, (long)ring.fd, 5L, 1L, (long)IORING_ENTER_GETEVENTS, NULL, 0L));
  report("submitted", syscall(SYS_io_uring_enter, (long)ring.fd, 5L, 1L, (long)IORING_ENTER_GETEVENTS, NULL, 0L));
  send(client, "x", 1, 0);
  text("received", completion("result", raw_result(&ring)));
  report("no such ring", syscall(SYS_io_uring_enter, (long)client, 1L, 0L, 0L, NULL, 0L));
  report("no such ring", syscall(SYS_io_uring_enter, -1L, 1L, 0L, 0L, NULL, 0L));
}

/* ---- liburing. */

static void liburing_moves_bytes(int client, int server) {
  struct io_uring ring;
  struct io_uring_cqe *event;
  struct __kernel_timespec second = { .tv_sec = 1 };
  if (io_uring_queue_init(8, &ring, 0) < 0) { puts("no io_uring here"); return; }
  send(client, "by send ", 8, 0);
  io_uring_prep_send(io_uring_get_sqe(&ring), client, "submit ", 7, 0);
  report("submit", io_uring_submit(&ring));
  io_uring_wait_cqe(&ring, &event);
  completion("sent", event->res);
  io_uring_cqe_seen(&ring, event);
  send(client, "by send ", 8, 0);
  settle();
  io_uring_prep_recv(io_uring_get_sqe(&ring), server, buffer, 100, 0);
  report("submit_and_wait_timeout", io_uring_submit_and_wait_timeout(&ring, &event, 1, &second, NULL));
  text("received", completion("result", event->res));
  io_uring_cqe_seen(&ring, event);
  report("submit nothing", io_uring_submit(&ring));
  io_uring_prep_poll_add(io_uring_get_sqe(&ring), server, POLLIN);
  io_uring_submit(&ring);
  send(client, "later", 5, 0);
  io_uring_wait_cqe(&ring, &event);
  completion("poll", event->res);
  io_uring_cqe_seen(&ring, event);
  text("recv", recv(server, buffer, 100, 0));
  io_uring_queue_exit(&ring);
}

static void liburing_epoll_in_the_ring(int client, int server) {
  struct io_uring ring;
  struct io_uring_cqe *event;
  struct epoll_event wanted = { .events = EPOLLIN, .data.u64 = 9 };
  int set = epoll_create1(EPOLL_CLOEXEC);
  if (io_uring_queue_init(8, &ring, 0) < 0) { puts("no io_uring here"); return; }
  report("ring fd", io_uring_register_ring_fd(&ring) == 1 ? 1 : 0);
  for (int i = 0; i < 3; i++) {
    io_uring_prep_epoll_ctl(io_uring_get_sqe(&ring), set, server, i == 2 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, &wanted);
    report("submit", i == 0 ? io_uring_submit(&ring) : io_uring_submit_and_wait(&ring, 1));
    io_uring_wait_cqe(&ring, &event);
    completion("result", event->res);
    io_uring_cqe_seen(&ring, event);
  }
  send(client, "x", 1, 0);
  show_set("set", set, 1000);
  io_uring_queue_exit(&ring);
  text("recv", recv(server, buffer, 100, 0));
  for (int i = 0; i < 100; i++)
    if (send(client, buffer, 1000, 0) != 1000 || receive_all(server, buffer, 1000) != 1000) puts("lost");
}

static void liburing_registers_files(int client, int server) {
  struct io_uring ring;
  struct io_uring_cqe *event;
  int files[2] = { client, -1 };
  if (io_uring_queue_init(8, &ring, 0) < 0) { puts("no io_uring here"); return; }
  send(client, "by send ", 8, 0);
  report("register", io_uring_register_files(&ring, files, 2));
  report("update", io_uring_register_files_update(&ring, 1, &server, 1));
  struct io_uring_sqe *entry = io_uring_get_sqe(&ring);
  io_uring_prep_send(entry, 0, "by index", 8, 0);
  entry->flags |= IOSQE_FIXED_FILE;
  report("submit", io_uring_submit_and_wait(&ring, 1));
  io_uring_wait_cqe(&ring, &event);
  completion("sent", event->res);
  io_uring_cqe_seen(&ring, event);
  settle();
  entry = io_uring_get_sqe(&ring);
  io_uring_prep_recv(entry, 1, buffer, 100, 0);
  entry->flags |= IOSQE_FIXED_FILE;
  report("submit", io_uring_submit_and_wait(&ring, 1));
  io_uring_wait_cqe(&ring, &event);
  text("received", completion("result", event->res));
  io_uring_queue_exit(&ring);
}

/* Pending operations end with the ring, as they do where nobody else has it mapped. */
static void uring_ends_with_its_descriptor(int client, int server) {
  OPEN(ring);
  int pipes[2];
  if (pipe(pipes)) return;
  raw_transfer(&ring, IORING_OP_READ, pipes[0], buffer, 100);
  raw_submit(&ring, 0);
  close(pipes[0]);
  munmap(ring.entries, ring.given.sq_entries * sizeof *ring.entries);
  munmap(ring.rings, ring.given.cq_off.cqes + ring.given.cq_entries * sizeof(struct io_uring_cqe));
  close(ring.fd);
  signal(SIGPIPE, SIG_IGN);
  /* The operation holds the reading end: it goes with the ring, though not at once. */
  long written;
  for (int i = 0; (written = write(pipes[1], "x", 1)) == 1 && i < 200; i++) usleep(10000);
  report("write", written);
  send(client, "x", 1, 0);
  text("recv", recv(server, buffer, 100, 0));
}

const struct experiment uring_experiments[] = {
  { "uring_send_recv", uring_send_recv }, { "uring_write_read", uring_write_read }, { "uring_writev_readv", uring_writev_readv },
  { "uring_sendmsg_recvmsg", uring_sendmsg_recvmsg }, { "uring_zero_copy", uring_zero_copy }, { "uring_splice", uring_splice },
  { "uring_poll", uring_poll }, { "uring_poll_what_is_there", uring_poll_what_is_there }, { "uring_poll_set", uring_poll_set },
  { "uring_epoll_ctl_in_the_ring", uring_epoll_ctl_in_the_ring }, { "uring_batch_in_the_ring", uring_batch_in_the_ring },
  { "uring_linked_epoll_ctl", uring_linked_epoll_ctl }, { "uring_shutdown", uring_shutdown }, { "uring_close", uring_close },
  { "uring_linked_close", uring_linked_close }, { "uring_close_duplicate_in_the_ring", uring_close_duplicate_in_the_ring },
  { "uring_register_files", uring_register_files }, { "uring_files_update", uring_files_update }, { "uring_register_files2", uring_register_files2 },
  { "uring_files_update2", uring_files_update2 }, { "uring_files_update_operation", uring_files_update_operation },
  { "uring_passes_a_descriptor", uring_passes_a_descriptor }, { "uring_without_index_array", uring_without_index_array },
  { "uring_with_large_entries", uring_with_large_entries }, { "uring_with_a_kernel_thread", uring_with_a_kernel_thread },
  { "uring_under_another_number", uring_under_another_number }, { "uring_by_registered_index", uring_by_registered_index },
  { "uring_entered_by_assembly", uring_entered_by_assembly }, { "uring_of_threads_in_the_ring", uring_of_threads_in_the_ring },
  { "uring_every_operation", uring_every_operation }, { "uring_every_operation_by_index", uring_every_operation_by_index },
  { "uring_in_a_child", uring_in_a_child }, { "uring_inherited_by_a_child", uring_inherited_by_a_child },
  { "uring_told_of_more_than_there_is", uring_told_of_more_than_there_is },
  { "liburing_moves_bytes", liburing_moves_bytes }, { "liburing_epoll_in_the_ring", liburing_epoll_in_the_ring },
  { "liburing_registers_files", liburing_registers_files }, { "uring_ends_with_its_descriptor", uring_ends_with_its_descriptor }, { 0 } };
