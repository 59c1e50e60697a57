#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>

#include "symbols.h"
#include "freeflow.h"

/* glibc's; musl has it not, and nothing is looked for there. */
extern struct r_debug _r_debug __attribute__((weak));
extern ElfW(Dyn) _DYNAMIC[] __attribute__((visibility("hidden")));
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

enum { MOST_LIBRARIES = 8 };

/* Of our own, because sanitizers stand in for libc's and look names up before they can serve them. The rest of a text behind the beginning that it must have. */
static const char *behind(const char *text, const char *beginning) {
  while (*beginning)
    if (*text++ != *beginning++) return NULL;
  return text;
}

static int is_same(const char *text, const char *other) {
  const char *rest = behind(text, other);
  return rest && !*rest;
}

static const char *file_name(const char *path) {
  const char *name = path;
  for (; *path; path++)
    if (*path == '/') name = path + 1;
  return name;
}

/* Load addresses of libc and its companions, found once: they are never unloaded. */
static uintptr_t family[MOST_LIBRARIES];
static int family_count;

/* glibc adds the load address to what points into a library; musl, and the kernel for its own object, do not. */
static const void *pointer(uintptr_t base, ElfW(Addr) value) { return (const void *)(value < base ? value + base : value); }

static int is_definition(const ElfW(Sym) *symbol, const char *names, const char *name) {
  return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 && is_same(names + symbol->st_name, name);
}

static const ElfW(Sym) *find_by_gnu_hash(const uint32_t *table, const ElfW(Sym) *symbols, const char *names, const char *name) {
  uint32_t hash = 5381, buckets = table[0], first = table[1], words = table[2];
  const ElfW(Addr) *filter = (const ElfW(Addr) *)(table + 4);
  const uint32_t *bucket = (const uint32_t *)(filter + words), *chain = bucket + buckets;
  for (const unsigned char *at = (const unsigned char *)name; *at; at++) hash = hash * 33 + *at;
  if (buckets == 0) return NULL;
  uint32_t index = bucket[hash % buckets];
  if (index < first) return NULL;
  for (;; index++) {
    uint32_t other = chain[index - first];
    if ((other | 1) == (hash | 1) && is_definition(symbols + index, names, name)) return symbols + index;
    if (other & 1) return NULL;
  }
}

static const ElfW(Sym) *find_by_hash(const uint32_t *table, const ElfW(Sym) *symbols, const char *names, const char *name) {
  uint32_t hash = 0, buckets = table[0];
  const uint32_t *bucket = table + 2, *chain = bucket + buckets;
  for (const unsigned char *at = (const unsigned char *)name; *at; at++) {
    hash = (hash << 4) + *at;
    hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
  }
  if (buckets == 0) return NULL;
  for (uint32_t index = bucket[hash % buckets]; index != 0; index = chain[index])
    if (is_definition(symbols + index, names, name)) return symbols + index;
  return NULL;
}

void *ff_defined_by(uintptr_t base, const ElfW(Dyn) *dynamic, const char *name) {
  const ElfW(Sym) *symbols = NULL, *found = NULL;
  const uint32_t *gnu_hash = NULL, *hash = NULL;
  const char *names = NULL;
  for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
    if (dynamic->d_tag == DT_SYMTAB) symbols = pointer(base, dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_STRTAB) names = pointer(base, dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_GNU_HASH) gnu_hash = pointer(base, dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_HASH) hash = pointer(base, dynamic->d_un.d_ptr);
  }
  if (!symbols || !names) return NULL;
  if (gnu_hash) found = find_by_gnu_hash(gnu_hash, symbols, names, name);
  else if (hash) found = find_by_hash(hash, symbols, names, name);
  return found ? (void *)(base + found->st_value) : NULL;
}

void *ff_own_symbol(const char *name) { return ff_defined_by((uintptr_t)__ehdr_start, _DYNAMIC, name); }

/* libc.so.6, and libc-2.31.so, where a name was followed to what it links to. */
static int is_family(const char *path) {
  static const char *const names[] = { "libc", "libpthread", "libdl", "librt", "libanl", "libutil" };
  for (unsigned i = 0; path && i < sizeof names / sizeof *names; i++) {
    const char *rest = behind(file_name(path), names[i]);
    if (rest && (behind(rest, ".so") || (rest[0] == '-' && rest[1] >= '0' && rest[1] <= '9'))) return 1;
  }
  return 0;
}

static const struct link_map *own_map(void) {
  if (!&_r_debug) return NULL;
  for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next)
    if (map->l_ld == _DYNAMIC) return map;
  return NULL;
}

/* Early, while there is one thread and the loader's list does not change. */
__attribute__((constructor)) static void find_family(void) {
  if (family_count != 0) return;
  for (const struct link_map *map = own_map(); map; map = map->l_next)
    if (family_count < MOST_LIBRARIES && is_family(map->l_name)) family[family_count++] = map->l_addr;
}

static int is_member(uintptr_t base) {
  find_family();
  for (int i = 0; i < family_count; i++)
    if (family[i] == base) return 1;
  return 0;
}

int ff_is_in_libc(const void *address) {
  Dl_info found;
  return address && &_r_debug && dladdr(address, &found) && is_member((uintptr_t)found.dli_fbase);
}

int ff_wraps(const void *caller, const char *name) {
  Dl_info found;
  if (!dladdr(caller, &found)) return 0;
  for (const struct link_map *map = own_map(); map && !is_member(map->l_addr); map = map->l_next)
    if (map->l_ld != _DYNAMIC && map->l_addr == (uintptr_t)found.dli_fbase) return ff_defined_by(map->l_addr, map->l_ld, name) != NULL;
  return 0;
}

int ff_has_search_path(const void *caller) {
  Dl_info found;
  if (!&_r_debug || !dladdr(caller, &found)) return 1;
  for (const struct link_map *map = _r_debug.r_map; map; map = map->l_next) {
    if (map->l_addr != (uintptr_t)found.dli_fbase && !(map == _r_debug.r_map && map->l_addr == 0)) continue;
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++)
      if (entry->d_tag == DT_RPATH || entry->d_tag == DT_RUNPATH) return 1;
    if (map->l_addr == (uintptr_t)found.dli_fbase) return 0;
  }
  return 1;
}
