/*
 * The exec family: connections that the next program inherits go back to the kernel first. libc's own members call each other from
 * inside, so each has to be met by its name.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "freeflow.h"

void ff_before_exec(void);

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void prepare(void) {
  if (__atomic_load_n(&ff_core_is_open, __ATOMIC_ACQUIRE) > 0) ff_before_exec();
}

FF_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) { prepare(); return REAL(execve)(path, argv, envp); }
FF_EXPORT int execv(const char *path, char *const argv[]) { prepare(); return REAL(execv)(path, argv); }
FF_EXPORT int execvp(const char *file, char *const argv[]) { prepare(); return REAL(execvp)(file, argv); }
FF_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) { prepare(); return REAL(execvpe)(file, argv, envp); }
FF_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) { prepare(); return REAL(fexecve)(fd, argv, envp); }

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
