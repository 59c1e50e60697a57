/*
 * Functions that are found while the program runs: ctypes, JNA, DllImport and the like open libc by its name and ask for its members, past whatever is preloaded.
 * They are answered with ours where the answer lies in libc (or is a call of libibverbs). RTLD_NEXT and RTLD_DEFAULT mean "as seen by the caller", which libc takes from the return address, so
 * that those calls are jumps.
 */
#define _GNU_SOURCE
/* The header says that they cannot be given NULL. */
#define dlsym declared_dlsym
#define dlvsym declared_dlvsym
#include <dlfcn.h>
#undef dlsym
#undef dlvsym
#include <errno.h>
#include <link.h>
#include <stddef.h>

#include "symbols.h"
#include "verbs.h"
#define FF_DEFINES_DLSYM
#include "freeflow.h"

typedef void *lookup(void *, const char *);
typedef void *versioned_lookup(void *, const char *, const char *);

#pragma weak dladdr1   /* musl has none, and no RTLD_DEEPBIND */

int ff_has_deep_bindings;

extern struct r_debug _r_debug __attribute__((weak));
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));

struct search { const char *name; void *found, *before; int passed; };

static void note(struct search *search, uintptr_t base, const ElfW(Dyn) *dynamic) {
  if (dynamic == _DYNAMIC) search->passed = 1;
  else if (search->passed) search->found = ff_defined_by(base, dynamic, search->name);
  else if (!search->before) search->before = ff_defined_by(base, dynamic, search->name);
}

static int look(struct dl_phdr_info *object, size_t size, void *argument) {
  struct search *search = argument;
  (void)size;
  for (int i = 0; i < object->dlpi_phnum; i++)
    if (object->dlpi_phdr[i].p_type == PT_DYNAMIC) note(search, object->dlpi_addr, (const ElfW(Dyn) *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr));
  return search->found != NULL;
}

/*
 * The next definition behind ours, as RTLD_NEXT would have it; one before it where the library was not preloaded, but opened. By the loader's own list: a program may
 * have a dl_iterate_phdr that looks itself up by dlsym. musl, where that list has no name, is asked for it.
 */
static void *next(const char *name) {
  struct search search = { name, NULL, NULL, 0 };
  if (!&_r_debug) dl_iterate_phdr(look, &search);
  else for (const struct link_map *map = _r_debug.r_map; map && !search.found; map = map->l_next) note(&search, map->l_addr, map->l_ld);
  return search.found ? search.found : search.before;
}

void *ff_next_of_all(const char *name) { return next(name); }

static lookup *real_dlsym(void) {
  static lookup *found;
  if (!found) found = (lookup *)next("dlsym");
  return found;
}

static versioned_lookup *real_dlvsym(void) {
  static versioned_lookup *found;
  if (!found) found = (versioned_lookup *)next("dlvsym");
  return found;
}

/* For the library's own calls: whatever else the process has in front of libc's dlsym cannot know who they come from. */
void *ff_dlsym(void *handle, const char *name) { return real_dlsym()(handle, name); }

static void *ours_instead_of(void *found, const char *name, const void *caller) {
  int saved = errno;
  void *ours = found && name ? ff_own_symbol(name) : NULL;
  if (ours && ((!ff_is_in_libc(found) && !ff_is_of_liburing(name) && !ff_is_of_verbs(name)) || ff_wraps(caller, name))) ours = NULL;
  errno = saved;
  return ours ? ours : found;
}

/* A library with RTLD_DEEPBIND sees its own dependencies first, and would find libc's. NULL: nothing of ours. */
static void *ours_seen_deep(const char *name, const void *caller) {
  Dl_info object;
  struct link_map *map;
  if (!name || !ff_own_symbol(name) || !dladdr1 || !dladdr1(caller, &object, (void **)&map, RTLD_DL_LINKMAP)) return NULL;
  void *found = real_dlsym()(map, name), *answer = ours_instead_of(found, name, caller);
  if (!found) dlerror();
  return answer != found ? answer : NULL;
}

FF_EXPORT void *dlsym(void *handle, const char *name) {
  if (handle == RTLD_DEFAULT && ff_has_deep_bindings) {
    void *ours = ours_seen_deep(name, __builtin_return_address(0));
    if (ours) return ours;
  }
  if (handle == RTLD_NEXT || handle == RTLD_DEFAULT) return real_dlsym()(handle, name);
  return ours_instead_of(real_dlsym()(handle, name), name, __builtin_return_address(0));
}

FF_EXPORT void *dlvsym(void *handle, const char *name, const char *version) {
  if (handle == RTLD_NEXT || handle == RTLD_DEFAULT) return real_dlvsym()(handle, name, version);
  return ours_instead_of(real_dlvsym()(handle, name, version), name, __builtin_return_address(0));
}

/*
 * A namespace of its own has a libc of its own, with an errno of its own: what is called there cannot be answered by us, and passes us by. The process keeps its
 * connections in the kernel from then on. A jump, for the caller's own folders.
 */
FF_EXPORT void *dlmopen(Lmid_t space, const char *file, int mode) {
  static void *(*real)(Lmid_t, const char *, int);
  if (!real) real = (void *(*)(Lmid_t, const char *, int))ff_dlsym(RTLD_NEXT, "dlmopen");
  if (space != LM_ID_BASE) ff_stay_out();
  return real(space, file, mode);
}
