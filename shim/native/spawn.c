/*
 * posix_spawn(3) with connections for the other program: what their peers cannot send again comes through stand-ins (FreeFlow.Shim.Sockets.Pump), which the program's
 * file actions get in their place. Actions are opaque: how this libc writes them down is learnt from actions with known numbers, once; where they look otherwise
 * there are no stand-ins.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"

int ff_before_spawn(int *fds, int *stand_ins, int count, int most);
void ff_given_away(int fd, int at_once);

enum { MOST_INHERITED = 16, MOST_ACTIONS = 1024 };

/* Java's helper closes all it inherits before it becomes the program it was asked for. */
static int lets_go_of_everything(const char *path) {
  static const char helper[] = "/jspawnhelper";
  char end[sizeof helper] = { 0 };
  /* The last characters, one by one: the path may not be there at all, which is the kernel's to say. */
  for (char next; ff_copy(&next, path, 1) == 0 && next; path++) {
    memmove(end, end + 1, sizeof helper - 2);
    end[sizeof helper - 2] = next;
  }
  return strcmp(end, helper) == 0;
}

/* In ints: from one action to the next, and from an action's beginning to its (first) descriptor; a copy's number is the next int. 0: not known. */
static int stride, first, copying;

static void learn(void) {
  static const int a = 21, b = 22, c = 23, d = 24, e = 25;
  posix_spawn_file_actions_t probe;
  if (stride || posix_spawn_file_actions_init(&probe) != 0) return;
  if (REAL(posix_spawn_file_actions_adddup2)(&probe, a, b) == 0 && REAL(posix_spawn_file_actions_adddup2)(&probe, c, d) == 0
      && posix_spawn_file_actions_addclose(&probe, e) == 0 && probe.__used == 3) {
    const int *at = (const int *)probe.__actions;
    for (int offset = 1; offset <= 2 && !stride; offset++)
      for (int step = 4; step <= 16 && at[offset] == a && at[offset + 1] == b && !stride; step += 2)
        if (at[step + offset] == c && at[step + offset + 1] == d && at[2L * step + offset] == e && at[0] == at[step] && at[0] != at[2L * step]) {
          first = offset;
          copying = at[0];
          __atomic_store_n(&stride, step, __ATOMIC_RELEASE);
        }
  }
  posix_spawn_file_actions_destroy(&probe);
}

static const int *action(const posix_spawn_file_actions_t *actions, int index) {
  return (const int *)actions->__actions + (size_t)index * (size_t)stride;
}

/* The descriptors that the actions copy, once each. */
static int sources(const posix_spawn_file_actions_t *actions, int *fds) {
  int count = 0;
  for (int i = 0; i < actions->__used; i++) {
    int fd = action(actions, i)[first], known = 0;
    if (action(actions, i)[0] != copying || !(FF_FLAGS(fd) & FF_CONNECTION)) continue;
    for (int j = 0; j < count; j++) known |= fds[j] == fd;
    if (!known) fds[count++] = fd;
  }
  return count;
}

/* True if the actions themselves say what becomes of this number in the end. */
static int is_named(const posix_spawn_file_actions_t *actions, int fd) {
  for (int i = 0; actions && i < actions->__used; i++) {
    const int *each = action(actions, i);
    if (each[0] == copying ? each[first + 1] == fd : each[first] == fd) return 1;
  }
  return 0;
}

typedef int spawner(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *, char *const[], char *const[]);

static int spawn(spawner *real, pid_t *child, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
  if (!ff_core_works()) ff_early_before_spawn();
  if (!ff_core_works() || lets_go_of_everything(path)) return real(child, path, actions, attributes, argv, envp);
  int saved = errno, used = actions ? actions->__used : 0;
  learn();
  int can = stride != 0 && used <= MOST_ACTIONS, most = can ? used + MOST_INHERITED : 0;
  int fds[most + 1], stand_ins[most + 1];
  int count = ff_before_spawn(fds, stand_ins, can && used ? sources(actions, fds) : 0, most);
  errno = saved;
  int result = ENOMEM;
  posix_spawn_file_actions_t all;
  if (count <= 0) result = real(child, path, actions, attributes, argv, envp);
  else if (posix_spawn_file_actions_init(&all) == 0) {
    /* First a stand-in takes the number of its connection, then comes what the program asked for. */
    int failed = 0;
    for (int i = 0; i < count; i++) failed |= REAL(posix_spawn_file_actions_adddup2)(&all, stand_ins[i], fds[i]);
    /* Room for the program's own, which are then overwritten by them. */
    for (int i = 0; i < used; i++) failed |= posix_spawn_file_actions_addclose(&all, 0);
    size_t words = (size_t)stride;
    if (!failed && used) memcpy((int *)all.__actions + (size_t)count * words, actions->__actions, (size_t)used * words * sizeof(int));
    for (int i = 0; i < count; i++)
      if ((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) && !is_named(actions, fds[i])) failed |= posix_spawn_file_actions_addclose(&all, fds[i]);
    if (!failed) result = real(child, path, &all, attributes, argv, envp);
    /* What an action of the program points to is still its own. */
    all.__used = 0;
    posix_spawn_file_actions_destroy(&all);
  }
  for (int i = 0; i < count; i++) close(stand_ins[i]);
  return result;
}

FF_EXPORT int posix_spawn(pid_t *child, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
  return spawn(REAL(posix_spawn), child, path, actions, attributes, argv, envp);
}
FF_EXPORT int posix_spawnp(pid_t *child, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
  return spawn(REAL(posix_spawnp), child, file, actions, attributes, argv, envp);
}
FF_EXPORT int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int copy) {
  if (FF_FLAGS(fd) && ff_core_works()) {
    learn();
    ff_given_away(fd, stride == 0);
  } else if (FF_FLAGS(fd)) ff_early_given_away(fd);
  return REAL(posix_spawn_file_actions_adddup2)(actions, fd, copy);
}
