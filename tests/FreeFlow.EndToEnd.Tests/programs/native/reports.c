/*
 * What one report of readiness tells. All that happens to a connection, times all that may be waited for, times all ways to wait, with room for one report: a one-shot
 * or edge-triggered one must tell everything at once.
 */
#include "experiment.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/syscall.h>

static int listener = -1;
static struct sockaddr_in address = { .sin_family = AF_INET };

/* A connection with itself, both ends in rings. */
static void pair(int *one, int *other) {
  socklen_t length = sizeof address;
  if (listener < 0) {
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4) || getsockname(listener, (struct sockaddr *)&address, &length)) abort();
  }
  *one = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(*one, (struct sockaddr *)&address, length)) abort();
  *other = accept(listener, NULL, NULL);
  int ends[2] = { *one, *other }, on = 1;
  char byte = 'w';
  for (int i = 0; i < 2; i++) setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (int i = 0; i < 6; i++)
    if (send(ends[i % 2], &byte, 1, 0) != 1 || recv(ends[(i + 1) % 2], &byte, 1, 0) != 1) abort();
}

static int state(int fd) {
  struct tcp_info facts = { 0 };
  socklen_t length = sizeof facts;
  return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &facts, &length) ? -1 : facts.tcpi_state;
}
static int unread(int fd) {
  int bytes = 0;
  return ioctl(fd, FIONREAD, &bytes) ? -1 : bytes;
}
static void await_bytes(int fd, int bytes) { while (unread(fd) < bytes) usleep(100); }
static void await_state(int fd, int other_than) { while (state(fd) == other_than) usleep(100); }

/* ---- What the peer does. */

static void put(int fd) { if (send(fd, "x", 1, MSG_NOSIGNAL) != 1) abort(); }
static void reset(int fd) {
  struct linger at_once = { 1, 0 };
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close(fd);
}
static void nothing(int one, int other) { (void)one, (void)other; }
static void byte(int one, int other) { put(other); await_bytes(one, 1); }
static void end(int one, int other) { shutdown(other, SHUT_WR); await_state(one, TCP_ESTABLISHED); }
static void byte_end(int one, int other) { byte(one, other); end(one, other); }
static void closed(int one, int other) { close(other); await_state(one, TCP_ESTABLISHED); }
static void byte_closed(int one, int other) { byte(one, other); closed(one, other); }
static void was_reset(int one, int other) { reset(other); await_state(one, TCP_ESTABLISHED); }
static void byte_was_reset(int one, int other) { byte(one, other); was_reset(one, other); }
static void unread_closed(int one, int other) { put(one); await_bytes(other, 1); closed(one, other); }
static void unread_byte_closed(int one, int other) { put(one); await_bytes(other, 1); byte_closed(one, other); }
static void own_end(int one, int other) { (void)other; shutdown(one, SHUT_WR); }
static void own_end_byte(int one, int other) { own_end(one, other); byte(one, other); }
static void both_ends(int one, int other) { shutdown(one, SHUT_WR); await_state(other, TCP_ESTABLISHED); shutdown(other, SHUT_WR); await_state(one, TCP_FIN_WAIT2); }
static void byte_both_ends(int one, int other) { byte(one, other); both_ends(one, other); }
static void deaf(int one, int other) { (void)other; shutdown(one, SHUT_RD); }
static void byte_deaf(int one, int other) { byte(one, other); deaf(one, other); }

static const struct { const char *name; void (*happen)(int one, int other); int closes; } deeds[] = {
  { "nothing", nothing, 0 }, { "a byte", byte, 0 }, { "an end", end, 0 }, { "a byte, an end", byte_end, 0 }, { "closed", closed, 1 }, { "a byte, closed", byte_closed, 1 },
  { "reset", was_reset, 1 }, { "a byte, reset", byte_was_reset, 1 }, { "closed with a byte unread", unread_closed, 1 },
  { "a byte, closed with one unread", unread_byte_closed, 1 }, { "own end", own_end, 0 }, { "own end, a byte", own_end_byte, 0 }, { "both ends", both_ends, 0 },
  { "a byte, both ends", byte_both_ends, 0 }, { "deaf", deaf, 0 }, { "a byte, deaf", byte_deaf, 0 } };
enum { DEEDS = sizeof deeds / sizeof *deeds };

static const unsigned masks[] = { EPOLLIN, EPOLLOUT, EPOLLIN | EPOLLOUT, EPOLLIN | EPOLLRDHUP, EPOLLRDHUP, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI, 0 };
static const struct { const char *name; unsigned flags; } modes[] = { { "level", 0 }, { "edge", EPOLLET }, { "shot", EPOLLONESHOT }, { "edge shot", EPOLLET | EPOLLONESHOT },
  { "exclusive", EPOLLEXCLUSIVE }, { "exclusive edge", EPOLLEXCLUSIVE | EPOLLET } };
enum { MASKS = sizeof masks / sizeof *masks, MODES = sizeof modes / sizeof *modes };

static void tell(int set, int room, int times) {
  for (int i = 0; i < times; i++) {
    struct epoll_event events[4] = { { 0 } };
    int count = epoll_wait(set, events, room, 0);
    printf(" %d", count);
    for (int at = 0; at < count; at++) printf(":%x", events[at].events);
    /* What is not reported is not touched. */
    for (int at = count < 0 ? 0 : count; at < 1; at++) if (events[at].events || events[at].data.u64) printf(" TOUCHED");
  }
}

/* before: registered before it happens; taken: and looked at, too. */
static void one_report(int deed, unsigned mask, const char *mode, unsigned flags, int before, int taken, int nested) {
  int one, other, set = epoll_create1(EPOLL_CLOEXEC), outer = nested ? epoll_create1(EPOLL_CLOEXEC) : -1;
  pair(&one, &other);
  struct epoll_event wanted = { .events = mask | flags, .data.u64 = 7 }, whole = { .events = EPOLLIN, .data.u64 = 8 };
  if (nested) epoll_ctl(outer, EPOLL_CTL_ADD, set, &whole);
  if (!before) deeds[deed].happen(one, other);
  if (epoll_ctl(set, EPOLL_CTL_ADD, one, &wanted)) { printf("%s\n", strerrorname_np(errno)); goto out; }
  printf("%s, %s, mask %x%s%s%s:", deeds[deed].name, mode, mask, before ? ", registered before" : "", taken ? ", looked at" : "", nested ? ", nested" : "");
  if (taken) tell(set, 1, 2);
  if (before) deeds[deed].happen(one, other);
  if (nested) { printf(" outer"); tell(outer, 1, 2); printf(" inner"); }
  tell(set, 1, 3);
  if (flags & EPOLLONESHOT) {
    printf(" again");
    epoll_ctl(set, EPOLL_CTL_MOD, one, &wanted);
    tell(set, 1, 2);
  }
  puts("");
out:
  close(one);
  if (!deeds[deed].closes) close(other);
  close(set);
  if (nested) close(outer);
}

static void one_event(int client, int server) {
  (void)client, (void)server;
  for (int deed = 0; deed < DEEDS; deed++)
    for (int mask = 0; mask < MASKS; mask++)
      for (int mode = 0; mode < MODES; mode++) {
        if (modes[mode].flags & EPOLLEXCLUSIVE && masks[mask] & (EPOLLRDHUP | EPOLLPRI)) continue;
        one_report(deed, masks[mask], modes[mode].name, modes[mode].flags, 0, 0, 0);
      }
}

static void one_event_registered_before(int client, int server) {
  (void)client, (void)server;
  for (int deed = 0; deed < DEEDS; deed++)
    for (int mask = 0; mask < MASKS; mask++)
      for (int mode = 0; mode < MODES; mode++)
        /* What has gone through several states meanwhile may have been reported in each. */
        one_report(deed, masks[mask], modes[mode].name, modes[mode].flags, 1, !(modes[mode].flags & EPOLLONESHOT), 0);
}

static void one_event_of_an_inner_set(int client, int server) {
  (void)client, (void)server;
  for (int deed = 0; deed < DEEDS; deed++)
    for (int mask = 0; mask < MASKS; mask++)
      for (int mode = 0; mode < 3; mode += 2) one_report(deed, masks[mask], modes[mode].name, modes[mode].flags, 0, 0, 1);
}

/* Several are ready, of rings and of the kernel, and there is room for fewer: everything is told, once each where it is told once. */
static void several_events(int client, int server) {
  (void)client, (void)server;
  for (int deed = 0; deed < DEEDS; deed++)
    for (int mode = 1; mode < 4; mode++)
      for (int room = 1; room < 4; room++) {
        int ones[3], others[3], tube[2], set = epoll_create1(EPOLL_CLOEXEC);
        unsigned told[4] = { 0 };
        int times[4] = { 0 };
        if (pipe(tube) || write(tube[1], "x", 1) != 1) abort();
        for (int i = 0; i < 3; i++) {
          pair(&ones[i], &others[i]);
          deeds[deed].happen(ones[i], others[i]);
        }
        for (int i = 0; i < 4; i++) {
          struct epoll_event wanted = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | modes[mode].flags, .data.u32 = (unsigned)i };
          epoll_ctl(set, EPOLL_CTL_ADD, i < 3 ? ones[i] : tube[0], &wanted);
        }
        for (int wait = 0; wait < 8; wait++) {
          struct epoll_event events[4];
          int count = epoll_wait(set, events, room, 0);
          for (int i = 0; i < count; i++) told[events[i].data.u32] |= events[i].events, times[events[i].data.u32]++;
        }
        printf("%s, %s, room for %d:", deeds[deed].name, modes[mode].name, room);
        for (int i = 0; i < 4; i++) printf(" %x in %d", told[i], times[i]);
        puts("");
        for (int i = 0; i < 3; i++) {
          close(ones[i]);
          if (!deeds[deed].closes) close(others[i]);
        }
        close(tube[0]);
        close(tube[1]);
        close(set);
      }
}

/* poll, ppoll, select and pselect of the same. */
static void polled(int client, int server) {
  (void)client, (void)server;
  for (int deed = 0; deed < DEEDS; deed++) {
    int one, other;
    pair(&one, &other);
    deeds[deed].happen(one, other);
    printf("%s:", deeds[deed].name);
    for (int mask = 0; mask < MASKS; mask++) {
      struct pollfd first = { one, (short)masks[mask], 0x5a5a }, second = first;
      int found = poll(&first, 1, 0), precise = ppoll(&second, 1, &(struct timespec){ 0, 0 }, NULL);
      printf(" %d:%x%s", found, first.revents, found == precise && first.revents == second.revents ? "" : " AND ANOTHER");
    }
    for (int which = 1; which < 8; which++) {
      fd_set sets[2][3];
      int found[2];
      for (int call = 0; call < 2; call++) {
        for (int i = 0; i < 3; i++) {
          FD_ZERO(&sets[call][i]);
          if (which & 1 << i) FD_SET(one, &sets[call][i]);
        }
        found[call] = call ? pselect(one + 1, &sets[1][0], &sets[1][1], &sets[1][2], &(struct timespec){ 0, 0 }, NULL)
          : select(one + 1, &sets[0][0], &sets[0][1], &sets[0][2], &(struct timeval){ 0, 0 });
      }
      printf(" %d", found[0]);
      for (int i = 0; i < 3; i++) printf("%s", FD_ISSET(one, &sets[0][i]) ? "+" : "-");
      if (found[0] != found[1] || memcmp(sets[0], sets[1], sizeof sets[0])) printf(" AND ANOTHER");
    }
    puts("");
    close(one);
    if (!deeds[deed].closes) close(other);
  }
}

/* ---- A number whose descriptor another thread closes while a call waits for it. */

static int (*waits)(int fd, int beside);
static int waited, beside, answered, how_closed;
static pid_t sleeper;

static int in_poll(int fd, int also) {
  struct pollfd two[2] = { { fd, POLLIN, 0 }, { also, POLLIN, 0 } };
  int count = poll(two, also < 0 ? 1 : 2, -1);
  /* Whether it is woken before the number is closed or behind that is chance: of what was shut down only the count is told. */
  printf(" %d: %x %x;", count, how_closed ? two[0].revents : 0, two[1].revents);
  return count;
}
static int in_select(int fd, int also, int precise) {
  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(fd, &readable);
  if (also >= 0) FD_SET(also, &readable);
  int limit = (fd > also ? fd : also) + 1;
  int count = precise ? pselect(limit, &readable, &writable, NULL, NULL, NULL) : select(limit, &readable, &writable, NULL, NULL);
  printf(" %s: %d %d;", count < 0 ? strerrorname_np(errno) : count == 1 ? "1" : "more", FD_ISSET(fd, &readable) != 0, also >= 0 && FD_ISSET(also, &readable));
  return count;
}
static int in_plain_select(int fd, int also) { return in_select(fd, also, 0); }
static int in_pselect(int fd, int also) { return in_select(fd, also, 1); }

static void *wait_in_thread(void *unused) {
  __atomic_store_n(&sleeper, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
  answered = waits(waited, beside);
  return unused;
}

static void await_sleep(void) {
  char name[64], text[256], what = 0;
  int same = 0;
  while (__atomic_load_n(&sleeper, __ATOMIC_SEQ_CST) == 0) usleep(100);
  snprintf(name, sizeof name, "/proc/self/task/%d/stat", sleeper);
  /* Seen asleep several times in a row: in the call that was meant, and not on its way there. */
  while (same < 20) {
    FILE *file = fopen(name, "r");
    if (!file || !fgets(text, sizeof text, file) || sscanf(strrchr(text, ')') + 1, " %c", &what) != 1) abort();
    fclose(file);
    same = what == 'S' ? same + 1 : 0;
    usleep(500);
  }
}

static void closed_meanwhile(int client, int server) {
  static const struct { const char *name; int (*wait)(int, int); } calls[] = { { "poll", in_poll }, { "select", in_plain_select }, { "pselect", in_pselect } };
  (void)client, (void)server;
  for (size_t call = 0; call < sizeof calls / sizeof *calls; call++)
    for (int also = 0; also < 3; also++)
      for (int how = 0; how < 3; how++) {
        /* The kernel's call keeps the closed end open until it returns. One that looks at a ring in between lets go of it, and may find the other end at its end already. */
        if (also == 2 && how < 2) continue;
        int one, other, tube[2];
        pthread_t thread;
        pair(&one, &other);
        if (pipe(tube)) abort();
        printf("%s, %s, %s:", calls[call].name, also == 0 ? "alone" : also == 1 ? "beside a pipe" : "beside the other end", how == 0 ? "shut down and closed" : how == 1 ? "closed, then a byte" : "closed before");
        fflush(stdout);
        waits = calls[call].wait;
        how_closed = how;
        waited = one;
        beside = also == 0 ? -1 : also == 1 ? tube[0] : other;
        sleeper = 0;
        if (how == 2) {
          close(one);
          answered = waits(one, beside);
        } else {
          pthread_create(&thread, NULL, wait_in_thread, NULL);
          await_sleep();
          if (how == 0) { shutdown(one, SHUT_RDWR); close(one); }
          else { close(one); send(other, "x", 1, MSG_NOSIGNAL); }
          pthread_join(thread, NULL);
        }
        puts("");
        close(other);
        close(tube[0]);
        close(tube[1]);
      }
}

const struct experiment report_experiments[] = { { "one_event", one_event }, { "one_event_registered_before", one_event_registered_before },
  { "one_event_of_an_inner_set", one_event_of_an_inner_set }, { "several_events", several_events }, { "polled", polled }, { "closed_meanwhile", closed_meanwhile }, { 0 } };
