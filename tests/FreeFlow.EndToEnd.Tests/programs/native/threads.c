/* Several threads on one socket; close and cancellation while one of them sleeps in it. */
#include "experiment.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

enum { RECORD = 64, RECORDS = 20000, WRITERS = 4 };

static int shared;
static char buffer[1000];

static void say(void *what) { printf("cleanup: %s\n", (const char *)what); }

static void print_mask(const char *what) {
  sigset_t mask;
  int count = 0;
  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  for (int i = 1; i < 32; i++) count += sigismember(&mask, i);
  printf("%s: %d blocked\n", what, count);
}

static void say_and_mask(void *what) { say(what); print_mask("mask in cleanup"); }

static void *in_recv(void *unused) {
  pthread_cleanup_push(say_and_mask, "recv");
  report("recv", recv(shared, buffer, sizeof buffer, 0));
  pthread_cleanup_pop(0);
  return unused;
}

static void *in_send(void *unused) {
  static char block[1 << 16];
  pthread_cleanup_push(say_and_mask, "send");
  while (send(shared, block, sizeof block, MSG_NOSIGNAL) > 0) { }
  pthread_cleanup_pop(0);
  return unused;
}

static void *in_poll(void *unused) {
  struct pollfd wait = { shared, POLLIN, 0 };
  pthread_cleanup_push(say_and_mask, "poll");
  report("poll", poll(&wait, 1, -1));
  pthread_cleanup_pop(0);
  return unused;
}

static void *in_epoll(void *unused) {
  struct epoll_event event = { .events = EPOLLIN };
  int epoll = epoll_create1(0);
  epoll_ctl(epoll, EPOLL_CTL_ADD, shared, &event);
  pthread_cleanup_push(say_and_mask, "epoll_wait");
  report("epoll_wait", epoll_wait(epoll, &event, 1, -1));
  pthread_cleanup_pop(0);
  return unused;
}

static void cancel_in(void *(*body)(void *), int client, int server) {
  pthread_t thread;
  void *result;
  shared = server;
  pthread_create(&thread, NULL, body, NULL);
  settle();
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("%s\n", result == PTHREAD_CANCELED ? "cancelled" : "returned");
  report("send", send(client, "afterwards", 10, 0));
  report("recv", recv(server, buffer, 10, 0));
  /* Whoever was cancelled counts no more: a close is a close. */
  close(server);
  if (body == in_send) { report("read to end", (long)(receive_all(client, malloc(64 << 20), 64 << 20) > 0)); return; }
  report("end", recv(client, buffer, 10, 0));
}

static void cancel_recv(int client, int server) { cancel_in(in_recv, client, server); }
static void cancel_poll(int client, int server) { cancel_in(in_poll, client, server); }
static void cancel_epoll_wait(int client, int server) { cancel_in(in_epoll, client, server); }
static void cancel_send(int client, int server) { cancel_in(in_send, client, server); }

static int began;
static void *recv_when_cancelled(void *unused) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
  __atomic_store_n(&began, 1, __ATOMIC_SEQ_CST);
  settle();
  pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
  report("recv", recv(shared, buffer, sizeof buffer, 0));
  return unused;
}

/* recv is a cancellation point also when it would not sleep; the bytes stay (pthreads(7)). */
static void cancel_before_recv(int client, int server) {
  pthread_t thread;
  void *result;
  shared = server;
  send(client, "unread", 6, 0);
  pthread_create(&thread, NULL, recv_when_cancelled, NULL);
  while (!__atomic_load_n(&began, __ATOMIC_SEQ_CST)) usleep(1000);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("%s\n", result == PTHREAD_CANCELED ? "cancelled" : "returned");
  report("still there", recv(server, buffer, sizeof buffer, MSG_DONTWAIT));
}

/* The kernel keeps a socket until the call that sleeps in it has returned. */
static void close_during_recv(int client, int server) {
  pthread_t thread;
  shared = server;
  pthread_create(&thread, NULL, in_recv, NULL);
  settle();
  report("close", close(server));
  settle();
  report("not closed yet", recv(client, buffer, 10, MSG_DONTWAIT));
  if (send(client, "late", 4, 0) != 4) abort();
  pthread_join(thread, NULL);
  report("peer's end", recv(client, buffer, 10, 0));
}

static void nothing(int signal) { (void)signal; }

static void signal_after_close_during_recv(int client, int server) {
  pthread_t thread;
  struct sigaction action = { .sa_handler = nothing };
  sigaction(SIGUSR1, &action, NULL);
  shared = server;
  pthread_create(&thread, NULL, in_recv, NULL);
  settle();
  close(server);
  settle();
  pthread_kill(thread, SIGUSR1);
  pthread_join(thread, NULL);
  report("peer's end", recv(client, buffer, 10, 0));
}

/* Another descriptor of the same socket stays: the sleeper goes on. */
static void close_one_of_two_during_recv(int client, int server) {
  pthread_t thread;
  shared = server;
  int copy = dup(server);
  pthread_create(&thread, NULL, in_recv, NULL);
  settle();
  close(server);
  settle();
  send(client, "later", 5, 0);
  pthread_join(thread, NULL);
  send(client, "again", 5, 0);
  report("by the copy", recv(copy, buffer, sizeof buffer, 0));
  close(copy);
  report("peer's end", recv(client, buffer, 10, 0));
}

/* The number belongs to another file meanwhile. */
static void reuse_during_recv(int client, int server) {
  pthread_t thread;
  int pipes[2];
  shared = server;
  pthread_create(&thread, NULL, in_recv, NULL);
  settle();
  if (pipe(pipes) || write(pipes[1], "not for you", 11) != 11) abort();
  dup2(pipes[0], server);
  settle();
  send(client, "late", 4, 0);
  pthread_join(thread, NULL);
  printf("%.4s\n", buffer);
  report("the pipe's", read(server, buffer, sizeof buffer));
  report("peer's end", recv(client, buffer, 10, 0));
}

static void shutdown_during_recv(int client, int server) {
  pthread_t thread;
  shared = server;
  pthread_create(&thread, NULL, in_recv, NULL);
  settle();
  shutdown(server, SHUT_RD);
  pthread_join(thread, NULL);
  report("other way", send(server, "x", 1, 0));
  report("peer", recv(client, buffer, 10, 0));
}

static void peer_closes_during_recv(int client, int server) {
  pthread_t thread;
  shared = server;
  pthread_create(&thread, NULL, in_recv, NULL);
  settle();
  close(client);
  pthread_join(thread, NULL);
}

static void *write_records(void *who) {
  char record[RECORD];
  memset(record, (int)(long)who, sizeof record);
  for (int i = 0; i < RECORDS; i++) if (send(shared, record, sizeof record, 0) != sizeof record) abort();
  return NULL;
}

static long counted[256], torn;
static int reading;
static void *read_records(void *unused) {
  char record[RECORD];
  while (recv(reading, record, sizeof record, MSG_WAITALL) == sizeof record) {
    for (int i = 1; i < RECORD; i++) if (record[i] != record[0]) __atomic_add_fetch(&torn, 1, __ATOMIC_SEQ_CST);
    __atomic_add_fetch(&counted[(unsigned char)record[0]], 1, __ATOMIC_SEQ_CST);
  }
  return unused;
}

/* One sender's bytes stay together; every byte goes to one reader. */
static void many_writers_one_reader(int client, int server) {
  pthread_t writers[WRITERS], reader;
  shared = client;
  reading = server;
  pthread_create(&reader, NULL, read_records, NULL);
  for (long i = 0; i < WRITERS; i++) pthread_create(&writers[i], NULL, write_records, (void *)(i + 1));
  for (int i = 0; i < WRITERS; i++) pthread_join(writers[i], NULL);
  shutdown(client, SHUT_WR);
  pthread_join(reader, NULL);
  for (int i = 1; i <= WRITERS; i++) printf("writer %d: %ld\n", i, counted[i]);
  printf("torn: %ld\n", torn);
}

static void *read_some(void *unused) {
  char piece[512];
  ssize_t length;
  while ((length = recv(reading, piece, sizeof piece, 0)) > 0)
    for (ssize_t i = 0; i < length; i++) __atomic_add_fetch(&counted[(unsigned char)piece[i]], 1, __ATOMIC_SEQ_CST);
  return unused;
}

static void many_writers_many_readers(int client, int server) {
  pthread_t writers[WRITERS], readers[3];
  shared = client;
  reading = server;
  for (int i = 0; i < 3; i++) pthread_create(&readers[i], NULL, read_some, NULL);
  for (long i = 0; i < WRITERS; i++) pthread_create(&writers[i], NULL, write_records, (void *)(i + 1));
  for (int i = 0; i < WRITERS; i++) pthread_join(writers[i], NULL);
  shutdown(client, SHUT_WR);
  for (int i = 0; i < 3; i++) pthread_join(readers[i], NULL);
  for (int i = 1; i <= WRITERS; i++) printf("bytes of writer %d: %ld\n", i, counted[i]);
}

const struct experiment thread_experiments[] = {
  { "cancel_recv", cancel_recv }, { "cancel_poll", cancel_poll }, { "cancel_epoll_wait", cancel_epoll_wait }, { "cancel_send", cancel_send },
  { "cancel_before_recv", cancel_before_recv }, { "close_during_recv", close_during_recv }, { "close_one_of_two_during_recv", close_one_of_two_during_recv },
  { "signal_after_close_during_recv", signal_after_close_during_recv }, { "reuse_during_recv", reuse_during_recv },
  { "shutdown_during_recv", shutdown_during_recv }, { "peer_closes_during_recv", peer_closes_during_recv },
  { "many_writers_one_reader", many_writers_one_reader }, { "many_writers_many_readers", many_writers_many_readers }, { NULL, NULL },
};
