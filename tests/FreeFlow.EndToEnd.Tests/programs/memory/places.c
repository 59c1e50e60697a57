/*
 * Each object has an arena of pages of its own:
 *
 *     none | writable | writable | none | writable | read-only | none | a file that ends before it | none
 */
#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 9, PLACES = 16, FILL = 0xa5 };
enum kind { SOUND, CROSSING, MISALIGNED, EXACT, NOWHERE, FORBIDDEN, READ_ONLY, CUT, HALF_READ_ONLY, ALL_READ_ONLY_EDGE, BEYOND_FILE, OF_KERNEL, NON_CANONICAL, TOP, KINDS };
static const char *const names[] = { "sound", "crossing", "misaligned", "exact", "NULL", "forbidden", "read-only", "cut", "half-read-only", "read-only-cut", "beyond-file",
  "of-kernel", "non-canonical", "top" };

static int file;

static struct placed { char *arena, *at, *before; const char *what; enum kind kind; size_t bytes, watched; int arena_ignored; } all[PLACES];
static int count;

static char *page(struct placed *placed, int number) { return placed->arena + number * PAGE; }

static void make(struct placed *placed) {
  placed->arena = mmap(NULL, PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  placed->before = malloc(PAGES * PAGE);
  if (placed->arena == MAP_FAILED || !placed->before) abort();
  if (mmap(page(placed, 7), PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED) abort();
}

static void protect(struct placed *placed, int first, int pages, int access) {
  if (mprotect(page(placed, first), (size_t)pages * PAGE, access)) abort();
}

void places_prepare(void) { file = memfd_create("empty", MFD_CLOEXEC); }

void places_begin(void) { count = 0; }

static void *put(const char *what, const void *object, size_t bytes, enum kind kind) {
  if (count == PLACES || bytes > PAGE) abort();
  struct placed *placed = &all[count++];
  if (!placed->arena) make(placed);
  size_t cut = bytes < 2 ? 0 : one_in(2) ? (1 + chance((uint32_t)bytes - 1)) & ~(size_t)3 : 1 + chance((uint32_t)bytes - 1);
  protect(placed, 1, 2, PROT_READ | PROT_WRITE);
  protect(placed, 4, 2, PROT_READ | PROT_WRITE);
  memset(page(placed, 1), FILL, 2 * PAGE);
  memset(page(placed, 4), FILL, 2 * PAGE);
  char *there[] = { page(placed, 1) + 64, page(placed, 2) - bytes / 2, page(placed, 1) + 65, page(placed, 3) - bytes, NULL, page(placed, 3) + 64, page(placed, 5) + 64,
    page(placed, 3) - cut, page(placed, 5) - cut, page(placed, 6) - cut, page(placed, 7) + 64, (char *)-4096L, (char *)(1ul << 62), (char *)0x7ffffffff000ul - 8 };
  placed->at = there[kind];
  placed->what = what;
  placed->kind = kind;
  placed->bytes = placed->watched = bytes;
  placed->arena_ignored = 0;
  size_t stored = kind <= EXACT || kind == READ_ONLY || kind == HALF_READ_ONLY ? bytes : kind == CUT || kind == ALL_READ_ONLY_EDGE ? cut : 0;
  memcpy(placed->at, object, stored);
  memcpy(placed->before + PAGE, page(placed, 1), 2 * PAGE);
  memcpy(placed->before + 4 * PAGE, page(placed, 4), 2 * PAGE);
  protect(placed, 5, 1, PROT_READ);
  if (kind == CUT || kind == HALF_READ_ONLY || kind == ALL_READ_ONLY_EDGE) printf(" %s[%zu]=%s(%zu)", what, bytes, names[kind], cut);
  else printf(" %s[%zu]=%s", what, bytes, names[kind]);
  return placed->at;
}

void *place(const char *what, const void *object, size_t bytes) {
  return put(what, object, bytes, one_in(3) ? SOUND : one_in(3) ? HALF_READ_ONLY : (enum kind)chance(KINDS));
}
void *place_sound(const char *what, const void *object, size_t bytes) { return put(what, object, bytes, (enum kind)chance(EXACT + 1)); }

void place_unwatched(void) { all[count - 1].watched = 0; }
void place_ignored(void) { all[count - 1].arena_ignored = 1; }
int place_is_sound(void) { return all[count - 1].kind <= EXACT; }

static void compare(struct placed *placed, int first, int pages) {
  char *from = page(placed, first), *before = placed->before + first * PAGE;
  size_t bytes = (size_t)pages * PAGE, unwatched = placed->at >= from && placed->at < from + bytes ? (size_t)(placed->at - from) : bytes;
  for (size_t i = 0; i < bytes; i++) {
    if (i >= unwatched && i < unwatched + placed->bytes && i - unwatched >= placed->watched) continue;
    if (from[i] == before[i]) continue;
    size_t start = i;
    uint32_t hash = 0;
    for (; i < bytes && from[i] != before[i]; i++) hash = hash * 31 + (unsigned char)from[i];
    printf(" %s@%ld+%zu:%x", placed->what, (long)(from + start - placed->at), i - start, hash);
  }
}

void places_end(void) {
  for (int i = 0; i < count; i++) {
    if (all[i].arena_ignored) continue;
    compare(&all[i], 1, 2);
    compare(&all[i], 4, 1);
  }
}
