/* io_urings of other kinds, under other numbers, of several threads, and by liburing. */
#include "uring.h"

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

const struct experiment uring_kind_experiments[] = {
  { "uring_without_index_array", uring_without_index_array }, { "uring_with_large_entries", uring_with_large_entries },
  { "uring_with_a_kernel_thread", uring_with_a_kernel_thread }, { "uring_under_another_number", uring_under_another_number },
  { "uring_by_registered_index", uring_by_registered_index }, { "uring_entered_by_assembly", uring_entered_by_assembly },
  { "uring_of_threads_in_the_ring", uring_of_threads_in_the_ring }, { "uring_in_a_child", uring_in_a_child },
  { "uring_inherited_by_a_child", uring_inherited_by_a_child }, { "uring_told_of_more_than_there_is", uring_told_of_more_than_there_is },
  { "liburing_moves_bytes", liburing_moves_bytes }, { "liburing_epoll_in_the_ring", liburing_epoll_in_the_ring },
  { "liburing_registers_files", liburing_registers_files }, { "uring_ends_with_its_descriptor", uring_ends_with_its_descriptor }, { 0 } };
