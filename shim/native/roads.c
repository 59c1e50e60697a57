/*
 * Calls that move a connection's bytes past the interposed ones. Those that end in write(2) inside libc do it through ours; for the
 * others the connection goes back to the kernel before the first byte.
 */
#define _GNU_SOURCE
#include <aio.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "freeflow.h"

#pragma GCC diagnostic ignored "-Wnonnull-compare"   /* What a program passes is not known to be what the header demands. */

void ff_by_another_road(int fd);

/* ---- dprintf(3): formatted here, written by write. */

static int write_all(int fd, const char *text, int length) {
  for (int done = 0; done < length;) {
    ssize_t step = write(fd, text + done, (size_t)(length - done));
    if (step < 0) return -1;
    done += (int)step;
  }
  return length;
}

static int print(int fd, const char *format, va_list list) {
  char small[1024], *text = small;
  va_list again;
  va_copy(again, list);
  int length = vsnprintf(small, sizeof small, format, list);
  if (length >= (int)sizeof small) length = vasprintf(&text, format, again);
  va_end(again);
  int result = length < 0 ? -1 : write_all(fd, text, length);
  if (text != small && length >= 0) { int saved = errno; free(text); errno = saved; }
  return result;
}

FF_EXPORT int vdprintf(int fd, const char *format, va_list list) {
  static int (*real)(int, const char *, va_list);
  if (FF_FLAGS(fd) & FF_CONNECTION) return print(fd, format, list);
  if (!real) real = (int (*)(int, const char *, va_list))ff_next_symbol("vdprintf");
  return real(fd, format, list);
}

FF_EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list list) {
  static int (*real)(int, int, const char *, va_list);
  if (FF_FLAGS(fd) & FF_CONNECTION) return print(fd, format, list);
  if (!real) real = (int (*)(int, int, const char *, va_list))ff_next_symbol("__vdprintf_chk");
  return real(fd, flag, format, list);
}

FF_EXPORT int dprintf(int fd, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int result = vdprintf(fd, format, list);
  va_end(list);
  return result;
}

FF_EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...) {
  va_list list;
  va_start(list, format);
  int result = __vdprintf_chk(fd, flag, format, list);
  va_end(list);
  return result;
}

/* ---- aio(7), whose helper threads read and write inside libc. */

static void leave(int fd) {
  if (FF_FLAGS(fd) & FF_CONNECTION) ff_by_another_road(fd);
}

/* A control block that cannot be read is libc's to meet. */
static void leave_for(const struct aiocb *one) {
  int fd;
  if (ff_core_works() && ff_copy(&fd, &one->aio_fildes, sizeof fd) == 0) leave(fd);
}

#define AIO(name) \
  FF_EXPORT int name(struct aiocb *one) { \
    static int (*real)(struct aiocb *); \
    leave_for(one); \
    if (!real) real = (int (*)(struct aiocb *))ff_next_symbol(#name); \
    return real(one); \
  } \
  FF_EXPORT int name##64(struct aiocb64 *one) { return name((struct aiocb *)one); }
AIO(aio_read)
AIO(aio_write)

FF_EXPORT int lio_listio(int mode, struct aiocb *const *list, int count, struct sigevent *event) {
  static int (*real)(int, struct aiocb *const *, int, struct sigevent *);
  struct aiocb *one;
  if (mode == LIO_WAIT || mode == LIO_NOWAIT)
    /* A pointer is what is copied. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    for (int i = 0; i < count && ff_core_works() && ff_copy(&one, &list[i], sizeof one) == 0; i++) leave_for(one);
  if (!real) real = (int (*)(int, struct aiocb *const *, int, struct sigevent *))ff_next_symbol("lio_listio");
  return real(mode, list, count, event);
}
FF_EXPORT int lio_listio64(int mode, struct aiocb64 *const *list, int count, struct sigevent *event) { return lio_listio(mode, (struct aiocb *const *)list, count, event); }

/* ---- libaio's entry. */

FF_EXPORT int io_submit(void *context, long count, void **list) {
  /* As libaio's: the errno comes back negative. raw.c sees the descriptors. */
  long result = syscall(SYS_io_submit, context, count, list);
  return result < 0 ? -errno : (int)result;
}
