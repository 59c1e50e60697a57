/*
 * Whether this is a point at which the core may be opened: what that takes (a thread, memory, the loader) must not be what the program is in the
 * midst of. If it is not, the connection stays in the kernel, and the next one asks again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "early.h"
#include "freeflow.h"
#include "kernel.h"
#include "signals.h"
#include "symbols.h"

/* Child of a process with threads: what those were in the midst of at the fork stays so for ever (fork(2)). */
static int has_lost_threads;

/* glibc 2.32: 0 once there has been a second thread. */
extern char __libc_single_threaded __attribute__((weak));

int ff_may_have_threads(void) { return !&__libc_single_threaded || !__libc_single_threaded; }

int ff_has_threads(void) {
  char text[512];
  if (!ff_may_have_threads()) return 0;
  if (!&__libc_single_threaded || ff_read_file("/proc/self/stat", text, sizeof text) <= 0) return 1;
  /* The twentieth field; the second one is in brackets and may contain blanks. */
  const char *at = strrchr(text, ')');
  for (int field = 2; at && field < 20; field++) at = strchr(at + 1, ' ');
  return !at || strtol(at, NULL, 10) != 1;
}

static int had_threads;

void ff_note_fork(void) { had_threads = &__libc_single_threaded && !__libc_single_threaded; }

void ff_note_child(void) {
  has_lost_threads |= had_threads;
  ff_process_id = getpid();
}

/* ---- The allocator. libc's own calls nothing; one of the program's may report over a socket, with its lock held. */

struct range { uintptr_t start, end; };
enum { MOST_RANGES = 16, WORDS = 256, MOST_STACK = 1 << 20 };

static const struct link_map *definer(const char *name, const ElfW(Sym) **symbol) {
  for (const struct link_map *map = ff_first_map(); map; map = ff_next_map(map))
    if ((*symbol = ff_symbol_of(map->l_addr, map->l_ld, name))) return map;
  return NULL;
}

/* The machine code of a library that is mapped from its file's beginning. */
static int code_of(const struct link_map *map, struct range *range) {
  const ElfW(Ehdr) *file = (const ElfW(Ehdr) *)map->l_addr;
  if (map->l_addr == 0 || memcmp(file->e_ident, ELFMAG, SELFMAG) != 0) return 0;
  const ElfW(Phdr) *segment = (const ElfW(Phdr) *)(map->l_addr + file->e_phoff);
  int count = 0;
  for (int i = 0; i < file->e_phnum && count < MOST_RANGES; i++) {
    if (segment[i].p_type != PT_LOAD || !(segment[i].p_flags & PF_X)) continue;
    range[count].start = map->l_addr + segment[i].p_vaddr;
    range[count].end = range[count].start + segment[i].p_memsz;
    count++;
  }
  return count;
}

/*
 * Where the allocator's code lies, if it is not libc's: all of a library that is there for that, but only the functions themselves where the
 * program brings its own, or a sanitizer stands before every call.
 */
static int allocator(struct range *range) {
  static const char *const names[] = { "malloc", "calloc", "realloc", "free", "memalign", "posix_memalign", "aligned_alloc", "_Znwm", "_ZdlPv" };
  const ElfW(Sym) *symbol;
  const struct link_map *map = definer("malloc", &symbol), *libc = definer("__libc_malloc", &symbol);
  if (!map || map == libc) return 0;
  if (map != ff_first_map() && !ff_symbol_of(map->l_addr, map->l_ld, "recv")) return code_of(map, range);
  int count = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    symbol = ff_symbol_of(map->l_addr, map->l_ld, names[i]);
    if (!symbol) continue;
    range[count].start = map->l_addr + symbol->st_value;
    range[count].end = range[count].start + symbol->st_size;
    count++;
  }
  return count;
}

/* A return address: what stands before it is a call. Other words that happen to look like an address into the code are passed over. */
static int follows_call(uintptr_t at) {
#if defined(__x86_64__)
  const unsigned char *code = (const unsigned char *)at;
  if (code[-5] == 0xe8) return 1;
  for (int length = 2; length <= 7; length++)
    if (code[-length] == 0xff && (code[1 - length] & 0x38) == 0x10) return 1;
  return 0;
#else
  (void)at;
  return 1;
#endif
}

/* True if a caller of this function, however far up the stack, is in one of the ranges. The kernel reads the stack, because its end is not known. */
static int is_called_from(const struct range *range, int count) {
  uintptr_t at = (uintptr_t)__builtin_frame_address(0);
  uintptr_t words[WORDS];
  for (uintptr_t end = at + MOST_STACK; at < end;) {
    /* Up to the end of a page at a time: the next one may not be there. */
    size_t bytes = sizeof words - at % sizeof words;
    struct iovec ours = { words, bytes }, stack = { (void *)at, bytes };
    long got = ff_kernel(SYS_process_vm_readv, getpid(), (long)&ours, 1, (long)&stack, 1, 0);
    if (got < 0 && got != -EFAULT) return 1;   /* Not to be known: as if it were so. EFAULT is the stack's end. */
    if (got != (long)bytes) return 0;
    for (size_t i = 0; i < bytes / sizeof *words; i++)
      for (int j = 0; j < count; j++)
        /* The kernel has written them. NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
        if (words[i] > range[j].start + 8 && words[i] <= range[j].end && follows_call(words[i])) return 1;
    at += bytes;
  }
  return 0;
}

static void allocate(void) {
  void *volatile memory = calloc(1, 1000);
  free(memory);
}

/* What lies on the stack may be left over from an earlier call: then a child allocates without being held up. */
static int is_in_allocator(void) {
  struct range range[MOST_RANGES];
  int count = allocator(range);
  return count > 0 && is_called_from(range, count) && !ff_survives_in_child(allocate);
}

int ff_is_safe_point(void) {
  /* A child of vfork(2) has its parent's memory, and another number. */
  return ff_main_runs && ff_process_id == ff_kernel(SYS_getpid, 0, 0, 0, 0, 0, 0)
      && !ff_exit_has_begun && !has_lost_threads && !ff_is_in_signal_handler() && !is_in_allocator();
}
