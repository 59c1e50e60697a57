/*
 * usage: memory SEED FIRST COUNT [CALL]
 * Cases FIRST to FIRST + COUNT of that seed, a line for each, those of one call only if it is named. A process that one of them has killed is followed by another.
 */
#include "memory.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct call *const groups[] = { receiving_calls, sending_calls, readiness_calls, option_calls, copying_calls };

int by_number;

static const struct call *any_call(void) {
  const struct call *group = groups[chance(sizeof groups / sizeof *groups)];
  int count = 0;
  while (group[count].name) count++;
  return &group[chance((uint32_t)count)];
}

static void run(uint64_t seed, long number, const char *only) {
  struct connection connection;
  chance_begin(seed, (uint64_t)number);
  const struct call *call = any_call();
  enum state state = one_in(2) ? DATA : (enum state)chance(STATES);
  by_number = one_in(4);
  if (only && strcmp(only, call->name) != 0) return;
  connection_begin(&connection, state);
  printf("%ld %s%s %s:", number, call->name, by_number ? " by number" : "", state_names[state]);
  places_begin();
  call->run(&connection);
  places_end();
  connection_end(&connection);
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  uint64_t seed = strtoull(argv[1], NULL, 0);
  long first = atol(argv[2]), end = first + atol(argv[3]);
  volatile long *next = mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  signal(SIGPIPE, SIG_IGN);
  *next = first;
  while (*next < end) {
    pid_t child = fork();
    if (child == 0) {
      /* The kernel's table of descriptors, beyond which select(2) does not look, has room for so many. */
      close(dup2(0, 2047));
      places_prepare();
      while (*next < end) {
        long number = *next;
        *next = number + 1;
        alarm(60);
        run(seed, number, argc > 4 ? argv[4] : NULL);
        fflush(stdout);
      }
      _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child) return 1;
    if (WIFSIGNALED(status)) printf("%ld killed by %s\n", *next - 1, sigabbrev_np(WTERMSIG(status)));
    fflush(stdout);
  }
  return 0;
}
