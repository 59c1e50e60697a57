#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>

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

/* What of a library's dynamic section tells its symbols. */
struct table {
  const ElfW(Sym) *symbols;
  const char *names;
  const uint32_t *gnu_hash, *hash;
  const ElfW(Half) *versions;   /* may be NULL */
};

/* A name may be there in several versions; all but the newest are hidden, by the highest bit of the version. */
static int is_definition(const struct table *in, uint32_t index, const char *name) {
  const ElfW(Sym) *symbol = in->symbols + index;
  return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 && !(in->versions && in->versions[index] & 0x8000) && is_same(in->names + symbol->st_name, name);
}

static const ElfW(Sym) *find_by_gnu_hash(const struct table *in, const char *name) {
  const uint32_t *table = in->gnu_hash;
  uint32_t hash = 5381, buckets = table[0], first = table[1], words = table[2];
  const ElfW(Addr) *filter = (const ElfW(Addr) *)(table + 4);
  const uint32_t *bucket = (const uint32_t *)(filter + words), *chain = bucket + buckets;
  for (const unsigned char *at = (const unsigned char *)name; *at; at++) hash = hash * 33 + *at;
  if (buckets == 0) return NULL;
  uint32_t index = bucket[hash % buckets];
  if (index < first) return NULL;
  for (;; index++) {
    uint32_t other = chain[index - first];
    if ((other | 1) == (hash | 1) && is_definition(in, index, name)) return in->symbols + index;
    if (other & 1) return NULL;
  }
}

static const ElfW(Sym) *find_by_hash(const struct table *in, const char *name) {
  const uint32_t *table = in->hash;
  uint32_t hash = 0, buckets = table[0];
  const uint32_t *bucket = table + 2, *chain = bucket + buckets;
  for (const unsigned char *at = (const unsigned char *)name; *at; at++) {
    hash = (hash << 4) + *at;
    hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
  }
  if (buckets == 0) return NULL;
  for (uint32_t index = bucket[hash % buckets]; index != 0; index = chain[index])
    if (is_definition(in, index, name)) return in->symbols + index;
  return NULL;
}

/* The kernel's own object, whose tables no loader has moved: it may be linked for another address than it is found at, and defines nothing of ours. */
static int is_the_kernels(const ElfW(Dyn) *dynamic) {
  enum { MOST_BYTES = 1 << 16 };
  uintptr_t object = getauxval(AT_SYSINFO_EHDR);
  return object != 0 && (uintptr_t)dynamic - object < MOST_BYTES;
}

const ElfW(Sym) *ff_symbol_of(uintptr_t base, const ElfW(Dyn) *dynamic, const char *name) {
  struct table in = { 0 };
  if (is_the_kernels(dynamic)) return NULL;
  for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
    if (dynamic->d_tag == DT_SYMTAB) in.symbols = pointer(base, dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_STRTAB) in.names = pointer(base, dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_GNU_HASH) in.gnu_hash = pointer(base, dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_HASH) in.hash = pointer(base, dynamic->d_un.d_ptr);
    if (dynamic->d_tag == DT_VERSYM) in.versions = pointer(base, dynamic->d_un.d_ptr);
  }
  if (!in.symbols || !in.names) return NULL;
  return in.gnu_hash ? find_by_gnu_hash(&in, name) : in.hash ? find_by_hash(&in, name) : NULL;
}

void *ff_defined_by(uintptr_t base, const ElfW(Dyn) *dynamic, const char *name) {
  const ElfW(Sym) *found = ff_symbol_of(base, dynamic, name);
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

/* The libraries that the program starts with are in front of those that it opens, and stay where they are. */
static const struct link_map *own, *last;

const struct link_map *ff_first_map(void) { return own ? _r_debug.r_map : NULL; }

const struct link_map *ff_next_map(const struct link_map *map) { return map == last ? NULL : map->l_next; }

/*
 * As dlsym(3) with RTLD_NEXT, without its lock. dlsym waits for the loader's lock, which a thread holds for as long as the constructors of a library that it opens
 * run; if those wait for another thread's first call on a socket, and that call waits in dlsym, neither goes on.
 */
void *ff_next_symbol(const char *name) {
  for (const struct link_map *map = own ? ff_next_map(own) : NULL; map; map = ff_next_map(map)) {
    const ElfW(Sym) *found = ff_symbol_of(map->l_addr, map->l_ld, name);
    /* One that a function of its own chooses when it is bound is the loader's business. */
    if (found && ELF64_ST_TYPE(found->st_info) == STT_GNU_IFUNC) break;
    if (found) return (void *)(map->l_addr + found->st_value);
  }
  return dlsym(RTLD_NEXT, name);
}

/* Early, while there is one thread and the loader's list does not change. */
__attribute__((constructor)) static void find_family(void) {
  if (family_count != 0) return;
  own = own_map();
  for (const struct link_map *map = own; map; map = map->l_next) last = map;
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

int ff_is_of_liburing(const char *name) {
  const char *rest = behind(name, "__");
  return behind(rest ? rest : name, "io_uring_") != NULL;
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
