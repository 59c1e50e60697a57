/*
 * Programs that this one becomes or starts (posix_spawn: spawn.c): connections that the other program inherits go back to the kernel first. libc's own members
 * call each other from inside, so each has to be met by its name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"

void ff_before_exec(void);
int ff_before_spawn(int *fds, int *stand_ins, int count, int most);

void ff_prepare_exec(void) {
  if (ff_core_works()) ff_before_exec();
  else ff_early_before_spawn();
}

FF_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) { ff_prepare_exec(); return REAL(execve)(path, argv, envp); }
FF_EXPORT int execv(const char *path, char *const argv[]) { ff_prepare_exec(); return REAL(execv)(path, argv); }
FF_EXPORT int execvp(const char *file, char *const argv[]) { ff_prepare_exec(); return REAL(execvp)(file, argv); }
FF_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) { ff_prepare_exec(); return REAL(execvpe)(file, argv, envp); }
FF_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) { ff_prepare_exec(); return REAL(fexecve)(fd, argv, envp); }
FF_EXPORT int execveat(int folder, const char *path, char *const argv[], char *const envp[], int flags) {
  int (*real)(int, const char *, char *const[], char *const[], int) = (int (*)(int, const char *, char *const[], char *const[], int))ff_next_symbol("execveat");
  if (!real) { errno = ENOSYS; return -1; }
  ff_prepare_exec();
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

static void prepare_spawn(void) {
  int saved = errno;
  if (ff_core_works()) ff_before_spawn(NULL, NULL, 0, 0);
  else ff_early_before_spawn();
  errno = saved;
}

FF_EXPORT int system(const char *command) {
  if (command) prepare_spawn();
  return REAL(system)(command);
}
FF_EXPORT FILE *popen(const char *command, const char *mode) {
  prepare_spawn();
  return REAL(popen)(command, mode);
}
