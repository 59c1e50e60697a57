/*
 * A connection that goes from program to program, as inetd, CGI, shells and job runners use it. A seed makes a scenario: what the peer sends and how it ends, and who reads
 * which part of it, one after the other. Every reader says what it got; on the kernel's path and in a ring the transcripts must be the same.
 *
 *   inherit FIRST COUNT         the scenarios of so many seeds
 *   inherit read FD BYTES ...   what the readers are: see reader()
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { WORDS = 48, QUESTIONS = 24, REPORT = 200, SECONDS = 60 };
enum { HALF_CLOSES, CLOSES, EXITS, BUSY, READS, BECOMES, KILLED, ENDINGS };
static const char *const endings[] = { "half-closes", "closes", "exits", "is busy", "waits for answers", "becomes another program", "is killed" };

/* ---- one seed, one sequence of numbers */

static uint64_t state;
static unsigned chance(unsigned below) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % below;
}

/* Everybody writes whole lines to one pipe or file; nothing here goes through a socket. */
static void say(const char *format, ...) {
  char line[1024];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line - 1, format, list);
  va_end(list);
  line[n++] = '\n';
  if (write(REPORT, line, n) != n) _exit(90);
}

static void broken(const char *what) {
  say("broken: %s: %s", what, strerrorname_np(errno));
  _exit(91);
}

static void tick(int fd) { if (write(fd, "x", 1) != 1) broken("tick"); }
static void tock(int fd) {
  char c;
  ssize_t n;
  while ((n = read(fd, &c, 1)) < 0 && errno == EINTR) { }
  if (n != 1) broken("tock");
}

/* ---- the stream: the byte at each place is known, so a reader needs no copy to compare with */

static unsigned char byte_at(size_t place) { return (unsigned char)(place * 31 + (place >> 8) * 7 + (place >> 16)); }

static int send_bytes(int fd, size_t from, size_t count) {
  char buffer[65536];
  while (count) {
    size_t piece = count < sizeof buffer ? count : sizeof buffer;
    for (size_t i = 0; i < piece; i++) buffer[i] = (char)byte_at(from + i);
    ssize_t n = send(fd, buffer, piece, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    from += n;
    count -= n;
  }
  return 0;
}

/* Reads so many bytes, or all to the end of the stream (count < 0): how many of them, and what ended it. */
static void receive(const char *who, int fd, long place, long count, int way) {
  char buffer[65536];
  long got = 0, wrong = -1;
  const char *end = "";
  while (count < 0 || got < count) {
    size_t most = count >= 0 && (size_t)(count - got) < sizeof buffer ? (size_t)(count - got) : sizeof buffer;
    struct iovec two[2] = { { buffer, most / 2 }, { buffer + most / 2, most - most / 2 } };
    if (way == 3) (void)!recv(fd, buffer, most, MSG_PEEK | MSG_DONTWAIT);
    ssize_t n = way == 1 ? recv(fd, buffer, most, 0) : way == 2 ? readv(fd, two, 2) : read(fd, buffer, most);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) { end = n ? strerrorname_np(errno) : ", end"; break; }
    for (ssize_t i = 0; i < n && wrong < 0; i++) if ((unsigned char)buffer[i] != byte_at(place + got + i)) wrong = got + i;
    got += n;
  }
  if (wrong >= 0) say("%s: WRONG byte at %ld of %ld from %ld", who, wrong, got, place);
  else say("%s: %ld bytes from %ld%s", who, got, place, end);
}

/* ---- readers: programs of their own, which know of the connection only by its number */

static int reader(char **arguments) {
  /* read FD PLACE BYTES ANSWER OUT WHO */
  int fd = atoi(arguments[2]), answer = atoi(arguments[5]), out = atoi(arguments[6]);
  receive(arguments[7], fd, atol(arguments[3]), atol(arguments[4]), 0);
  char text[64];
  memset(text, 'r', sizeof text);
  if (answer && write(out, text, answer) != answer) say("%s: answer: %s", arguments[7], strerrorname_np(errno));
  return 0;
}

/* peer FD FROM BYTES ENDING GO DONE: what a peer becomes sends more, and ends. */
static int another_peer(char **arguments) {
  int fd = atoi(arguments[2]), go = atoi(arguments[5]), done = atoi(arguments[6]);
  int failed = send_bytes(fd, atol(arguments[3]), atol(arguments[4]));
  if (failed) say("another peer: send: %s", strerrorname_np(failed));
  shutdown(fd, SHUT_WR);
  tick(done);
  tock(go);
  return 0;
}

static const char *self;
static int connection, next_number;
static long place, total;
static int ended, answers, steps;

static char *text(const char *format, ...) {
  char *result;
  va_list list;
  va_start(list, format);
  if (vasprintf(&result, format, list) < 0) _exit(92);
  va_end(list);
  return result;
}

static char **command(int fd, int out, long count, int answer, const char *who) {
  char **a = calloc(9, sizeof *a);
  a[0] = (char *)self; a[1] = "read"; a[2] = text("%d", fd); a[3] = text("%ld", place); a[4] = text("%ld", count);
  a[5] = text("%d", answer); a[6] = text("%d", out); a[7] = (char *)who;
  return a;
}

static void await(pid_t child, const char *who) {
  int status;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) { }
  if (status) say("%s: status %x", who, status);
}

/* How much the next one reads: nothing, part, all that there is, or to the end. */
static long part(void) {
  switch (chance(5)) {
    case 0: return 0;
    case 1: return ended && chance(2) ? -1 : total - place;
    default: return total > place ? 1 + (long)chance((unsigned)(total - place)) : 0;
  }
}

static void inherit_flag(int fd, int on) { fcntl(fd, F_SETFD, on ? 0 : FD_CLOEXEC); }

/* The copies that a child makes before it becomes the reader: one or two of the standard descriptors, in either order, or none. */
static int arrange(int fd, int *out) {
  switch (chance(6)) {
    case 0: dup2(fd, 0); dup2(fd, 1); *out = 1; return 0;
    case 1: dup2(fd, 1); dup2(fd, 0); *out = 1; return 0;
    case 2: dup2(fd, 0); *out = 0; return 0;
    case 3: dup2(fd, 1); dup3(fd, 5, 0); *out = 1; return 5;
    case 4: { int copy = fcntl(fd, F_DUPFD, 30); *out = copy; return copy; }
    default: inherit_flag(fd, 1); *out = fd; return fd;
  }
}

static int pass(int over, int fd) {
  char control[CMSG_SPACE(sizeof fd)] = { 0 }, one = 'x';
  struct iovec vector = { &one, 1 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET; header->cmsg_type = SCM_RIGHTS; header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return sendmsg(over, &message, 0) == 1;
}

static int take(int over) {
  char control[CMSG_SPACE(sizeof(int))], one;
  struct iovec vector = { &one, 1 };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
  int fd = -1;
  if (recvmsg(over, &message, 0) == 1 && CMSG_FIRSTHDR(&message)) memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return fd;
}

/* One step of the program that has the connection. */
static void step(void) {
  char who[64];
  long count = part();
  int answer = answers && chance(3) == 0 ? 1 + (int)chance(40) : 0, what = chance(11);
  if (what == 7 && connection <= 2) what = 6;   /* popen puts its pipe there */
  snprintf(who, sizeof who, "%d:%s", ++steps, (const char *[]) { "self", "fork", "exec", "vfork", "spawn", "spawn-inherit", "system", "popen", "passed", "copy", "move" }[what]);
  switch (what) {
    case 0:
      receive(who, connection, place, count, (int)chance(4));
      answer = 0;
      break;
    case 1: {
      pid_t child = fork();
      if (!child) { receive(who, connection, place, count, 1); _exit(0); }
      answer = 0;
      await(child, who);
      break;
    }
    case 2: {
      unsigned keep = chance(1u << 20);
      pid_t child = fork();
      if (!child) {
        state = keep;
        int out, fd = arrange(connection, &out);
        /* A copy to its own number stays what it was. */
        inherit_flag(fd, 1); inherit_flag(out, 1);
        if (fd != connection && connection > 2 && chance(2)) close(connection);
        char **a = command(fd, out, count, answer, who);
        execv(self, a);
        _exit(9);
      }
      await(child, who);
      break;
    }
    case 3: {
      int order = chance(2);
      char **a = command(0, 1, count, answer, who);
      pid_t child = vfork();
      if (!child) {
        dup2(connection, order); dup2(connection, 1 - order);
        inherit_flag(0, 1); inherit_flag(1, 1);
        execv(self, a);
        _exit(9);
      }
      await(child, who);
      break;
    }
    case 4: case 5: {
      pid_t child;
      int standard = what == 4, order = chance(2);
      posix_spawn_file_actions_t actions;
      posix_spawn_file_actions_init(&actions);
      if (standard) {
        posix_spawn_file_actions_adddup2(&actions, connection, order);
        if (chance(2)) posix_spawn_file_actions_adddup2(&actions, connection, 1 - order);
        else order = -1 - order;
      }
      else inherit_flag(connection, 1);
      int fd = !standard ? connection : order < 0 ? -1 - order : 0, out = !standard ? connection : order < 0 ? -1 - order : 1;
      char **a = command(fd, out, count, answer, who);
      errno = posix_spawn(&child, self, &actions, NULL, a, environ);
      if (errno) broken("posix_spawn");
      posix_spawn_file_actions_destroy(&actions);
      await(child, who);
      inherit_flag(connection, 0);
      break;
    }
    case 6: {
      inherit_flag(connection, 1);
      char *line = text("exec %s read %d %ld %ld %d %d %s", self, connection, place, count, answer, connection, who);
      int status = system(line);
      if (status) say("%s: status %x", who, status);
      inherit_flag(connection, 0);
      break;
    }
    case 7: {
      inherit_flag(connection, 1);
      char *line = text("exec %s read %d %ld %ld %d %d %s", self, connection, place, count, answer, connection, who), rest[64];
      FILE *stream = popen(line, "r");
      if (!stream) broken("popen");
      while (fgets(rest, sizeof rest, stream)) say("%s: out: %s", who, rest);
      int status = pclose(stream);
      if (status) say("%s: status %x", who, status);
      inherit_flag(connection, 0);
      break;
    }
    case 8: {
      int over[2];
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, over)) broken("socketpair");
      int becomes = chance(2);
      pid_t child = fork();
      if (!child) {
        close(connection);
        int fd = take(over[1]);
        if (fd < 0) broken("take");
        if (becomes) { inherit_flag(fd, 1); execv(self, command(fd, fd, count, answer, who)); _exit(9); }
        receive(who, fd, place, count, 0);
        char bytes[64];
        memset(bytes, 'r', sizeof bytes);
        if (answer && write(fd, bytes, answer) != answer) say("%s: answer: %s", who, strerrorname_np(errno));
        _exit(0);
      }
      if (!pass(over[0], connection)) broken("pass");
      await(child, who);
      close(over[0]); close(over[1]);
      break;
    }
    case 9: {
      int copy = chance(2) ? dup(connection) : fcntl(connection, F_DUPFD_CLOEXEC, 40);
      receive(who, copy, place, count, (int)chance(4));
      close(copy);
      answer = 0;
      break;
    }
    default: {
      /* Another number for it, of the lowest three or not, and the old one is closed. */
      static const int numbers[] = { 0, 1, 2, 60, 61, 62 };
      int number = numbers[next_number++ % 6];
      if (number == connection) break;
      if (dup2(connection, number) < 0) broken("dup2");
      inherit_flag(number, 0);
      close(connection);
      connection = number;
      count = 0;
      answer = 0;
      say("%s: to %d", who, number);
    }
  }
  place = count < 0 ? total : place + count;
  answers += answer;
  if (count < 0) ended = 2;
}

/* ---- a scenario */

static int listen_here(int *port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t length = sizeof at;
  if (fd < 0 || bind(fd, (void *)&at, length) || listen(fd, 8) || getsockname(fd, (void *)&at, &length)) broken("listen");
  *port = ntohs(at.sin_port);
  return fd;
}

static void exchange(int fd, int asks) {
  char words[WORDS];
  for (int i = 0; i < QUESTIONS; i++)
    for (int turn = 0; turn < 2; turn++) {
      memset(words, 'q', sizeof words);
      if (turn == asks) { for (size_t got = 0; got < sizeof words;) { ssize_t n = recv(fd, words, sizeof words - got, 0); if (n <= 0) broken("exchange"); got += n; } }
      else if (send(fd, words, sizeof words, MSG_NOSIGNAL) != sizeof words) broken("exchange");
    }
}

static void peer(int port, int ending, int early, int kept, long bytes, long more, const int *go, const int *done) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  if (fd < 0 || connect(fd, (void *)&at, sizeof at)) broken("connect");
  exchange(fd, 1);
  int failed = send_bytes(fd, 0, bytes);
  if (failed) say("peer: send: %s", strerrorname_np(failed));
  if (ending == HALF_CLOSES) shutdown(fd, SHUT_WR);
  if (ending == CLOSES) close(fd);
  if (ending == EXITS) { if (!early) tick(done[1]); exit(0); }
  if (ending == KILLED) { if (!early) tick(done[1]); raise(SIGKILL); }
  if (ending == BECOMES) {
    inherit_flag(fd, 1); inherit_flag(go[0], 1); inherit_flag(done[1], 1);
    execl(self, self, "peer", text("%d", fd), text("%ld", bytes), text("%ld", more), text("%d", go[0]), text("%d", done[1]), (char *)NULL);
    _exit(9);
  }
  if (!early) tick(done[1]);
  if (ending == READS || (ending == HALF_CLOSES && kept)) {
    long got = 0;
    char buffer[256];
    ssize_t n;
    while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) got += n;
    say("peer: %ld bytes of answers%s", got, n ? strerrorname_np(errno) : ", end");
    return;
  }
  tock(go[0]);
  if (ending != BUSY) return;
  long got = 0;
  char buffer[256];
  ssize_t n;
  while ((n = recv(fd, buffer, sizeof buffer, 0)) > 0) got += n;
  say("peer: %ld bytes of answers%s", got, n ? strerrorname_np(errno) : ", end");
}

static void scenario(unsigned seed) {
  state = seed * 2654435761u + 1;
  for (int i = 0; i < 8; i++) chance(2);
  static const unsigned sizes[] = { 1, 16, 200, 3000, 5000, 40000, 120000, 300000 };
  int ending = chance(ENDINGS), early = ending != BUSY && ending != READS && chance(2) && ending != KILLED, port, go[2], done[2];
  int kept = chance(2);
  long bytes = 1 + chance(sizes[chance(8)]), more = ending == BECOMES ? 1 + chance(2000) : 0;
  total = bytes + more;
  ended = ending != BUSY && ending != READS;
  answers = ending == BUSY || ending == READS || (ending == HALF_CLOSES && kept);
  int sends = answers;
  say("seed %u: the peer sends %ld bytes and %s%s", seed, total, endings[ending], early ? ", unawaited" : "");
  if (pipe2(go, O_CLOEXEC) || pipe2(done, O_CLOEXEC)) broken("pipe");
  int listener = listen_here(&port);
  pid_t child = fork();
  if (!child) {
    close(listener);
    peer(port, ending, early, kept, bytes, more, go, done);
    exit(0);
  }
  connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) broken("accept");
  close(listener);
  exchange(connection, 0);
  if (!early) tock(done[0]);
  siginfo_t gone;
  if (ending == KILLED && waitid(P_PID, (id_t)child, &gone, WEXITED | WNOWAIT)) broken("waitid");
  int most = 1 + chance(6);
  for (int i = 0; i < most && ended < 2; i++) step();
  if (chance(4) != 0 && ended < 2) {
    receive("rest", connection, place, ended ? -1 : total - place, 1);
    place = total;
  }
  /* Unread bytes make the close a reset, which may overtake answers: then nobody looks at them. */
  say("unread %ld", total - place);
  if (sends && place != total) receive("rest", connection, place, total - place, 0);
  if (ending == BECOMES && early) tock(done[0]);
  close(connection);
  tick(go[1]);
  await(child, "peer");
}

int main(int count, char **arguments) {
  self = "/proc/self/exe";
  static char path[512];
  ssize_t length = readlink(self, path, sizeof path - 1);
  if (length > 0) { path[length] = 0; self = path; }
  if (count == 8 && !strcmp(arguments[1], "read")) return reader(arguments);
  if (count == 7 && !strcmp(arguments[1], "peer")) return another_peer(arguments);
  if (count != 3 || dup2(1, REPORT) < 0) return 2;
  signal(SIGPIPE, SIG_IGN);
  for (unsigned seed = (unsigned)atoi(arguments[1]), left = (unsigned)atoi(arguments[2]); left; seed++, left--) {
    pid_t child = fork();
    if (!child) {
      alarm(SECONDS);
      int null = open("/dev/null", O_RDWR);
      dup2(null, 0);
      dup2(null, 1);
      scenario(seed);
      exit(0);
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) { }
    if (status) say("seed %u: ended by %x", seed, status);
  }
  return 0;
}
