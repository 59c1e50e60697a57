/*
 * Programs that this one becomes or starts: connections that the other program inherits go back to the kernel first. libc's own members
 * call each other from inside, so each has to be met by its name.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freeflow.h"

void ff_before_exec(void);
void ff_before_spawn(void);
void ff_given_away(int fd);

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_open(void) { return __atomic_load_n(&ff_core_is_open, __ATOMIC_ACQUIRE) > 0; }

static void prepare(void) { if (is_open()) ff_before_exec(); }

FF_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) { prepare(); return REAL(execve)(path, argv, envp); }
FF_EXPORT int execv(const char *path, char *const argv[]) { prepare(); return REAL(execv)(path, argv); }
FF_EXPORT int execvp(const char *file, char *const argv[]) { prepare(); return REAL(execvp)(file, argv); }
FF_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) { prepare(); return REAL(execvpe)(file, argv, envp); }
FF_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) { prepare(); return REAL(fexecve)(fd, argv, envp); }
FF_EXPORT int execveat(int folder, const char *path, char *const argv[], char *const envp[], int flags) {
  int (*real)(int, const char *, char *const[], char *const[], int) = (int (*)(int, const char *, char *const[], char *const[], int))dlsym(RTLD_NEXT, "execveat");
  if (!real) { errno = ENOSYS; return -1; }
  prepare();
  return real(folder, path, argv, envp, flags);
}

/* The variadic ones become their array twins; the arguments are counted, then copied with their NULL. */
#define COLLECT(first, argv)                                            \
  va_list list;                                                         \
  int count = 1;                                                        \
  va_start(list, first);                                                \
  while (va_arg(list, char *)) count++;                                 \
  va_end(list);                                                         \
  char *argv[count + 1];                                                \
  va_start(list, first);                                                \
  argv[0] = (char *)first;                                              \
  for (int i = 1; i <= count; i++) argv[i] = va_arg(list, char *);

FF_EXPORT int execl(const char *path, const char *first, ...) { COLLECT(first, argv) va_end(list); return execv(path, argv); }
FF_EXPORT int execlp(const char *file, const char *first, ...) { COLLECT(first, argv) va_end(list); return execvp(file, argv); }
FF_EXPORT int execle(const char *path, const char *first, ...) {
  COLLECT(first, argv)
  char *const *envp = va_arg(list, char *const *);
  va_end(list);
  return execve(path, argv, envp);
}

/* Java's helper closes all it inherits before it becomes the program it was asked for. */
static int lets_go_of_everything(const char *path) {
  static const char helper[] = "/jspawnhelper";
  size_t length = path ? strlen(path) : 0;
  return length >= sizeof helper - 1 && strcmp(path + length - (sizeof helper - 1), helper) == 0;
}

static void prepare_spawn(const char *path) {
  int saved = errno;
  if (is_open() && !lets_go_of_everything(path)) ff_before_spawn();
  errno = saved;
}

FF_EXPORT int posix_spawn(pid_t *child, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
  prepare_spawn(path);
  return REAL(posix_spawn)(child, path, actions, attributes, argv, envp);
}
FF_EXPORT int posix_spawnp(pid_t *child, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]) {
  prepare_spawn(file);
  return REAL(posix_spawnp)(child, file, actions, attributes, argv, envp);
}
FF_EXPORT int posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int fd, int copy) {
  if (FF_FLAGS(fd) && is_open()) ff_given_away(fd);
  return REAL(posix_spawn_file_actions_adddup2)(actions, fd, copy);
}
FF_EXPORT int system(const char *command) {
  if (command) prepare_spawn(NULL);
  return REAL(system)(command);
}
FF_EXPORT FILE *popen(const char *command, const char *mode) {
  prepare_spawn(NULL);
  return REAL(popen)(command, mode);
}
