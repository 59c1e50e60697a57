/*
 * System calls made directly, for code that may run while another thread holds a lock of libc's or of the loader's: it looks nothing up, takes no
 * lock, and is seen by no interposed call. Returns what the kernel returns: a negative errno in case of error.
 */
#ifndef FREEFLOW_KERNEL_H
#define FREEFLOW_KERNEL_H

#include <sys/syscall.h>

static inline long ff_kernel(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#endif
}

/* The beginning of a file of /proc, with a NUL behind it; its length, or a negative errno. */
long ff_read_file(const char *path, char *text, long capacity);

#endif
