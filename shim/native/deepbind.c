/*
 * A library opened with RTLD_DEEPBIND (PHP's extensions are) finds libc's calls before ours, and would work on connections unseen: close one, say, whose number
 * comes back as that of a file. So what it and the libraries that came with it have bound to libc is bound to us.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbols.h"
#include "verbs.h"
#include "freeflow.h"

#if defined(__x86_64__)
enum { ABSOLUTE = R_X86_64_64, GLOBAL = R_X86_64_GLOB_DAT, JUMP = R_X86_64_JUMP_SLOT };
#elif defined(__aarch64__)
enum { ABSOLUTE = R_AARCH64_ABS64, GLOBAL = R_AARCH64_GLOB_DAT, JUMP = R_AARCH64_JUMP_SLOT };
#endif

/* What dl_iterate_phdr(3) is asked for. */
struct binding {
  void *opened, *self;      /* handles: the library, in whose scope a name is looked up as the loader did; ours */
  uintptr_t from, base;     /* load addresses: the library's, ours */
  int reached;              /* it, or one that was loaded after it */
};

static uintptr_t base_of(void *address) {
  Dl_info found;
  return address && dladdr(address, &found) ? (uintptr_t)found.dli_fbase : 0;
}

/* Our call of that name, if the library's scope ends in the same libc as ours, liburing or libibverbs. */
static void *call_for(const struct binding *binding, const char *name) {
  void *ours = dlsym(binding->self, name);
  if (!ours || base_of(ours) != binding->base) return NULL;
  void *real = dlsym(RTLD_NEXT, name);
  if (!real && (ff_is_of_liburing(name) || ff_is_of_verbs(name))) real = ff_next_of_all(name);
  uintptr_t library = base_of(real);
  return library && base_of(dlsym(binding->opened, name)) == library ? ours : NULL;
}

/* The loader has made some of the pages read-only once it had written to them (PT_GNU_RELRO). */
static void set(const struct dl_phdr_info *library, void **slot, void *value) {
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = (uintptr_t)slot & -page;
  int is_sealed = 0;
  for (int i = 0; i < library->dlpi_phnum; i++) {
    uintptr_t first = library->dlpi_addr + library->dlpi_phdr[i].p_vaddr;
    is_sealed |= library->dlpi_phdr[i].p_type == PT_GNU_RELRO && (uintptr_t)slot >= first && (uintptr_t)slot < first + library->dlpi_phdr[i].p_memsz;
  }
  if (is_sealed && mprotect((void *)start, page, PROT_READ | PROT_WRITE) != 0) return;
  __atomic_store_n(slot, value, __ATOMIC_RELEASE);
  if (is_sealed) mprotect((void *)start, page, PROT_READ);
}

static void bind_all(const struct binding *binding, const struct dl_phdr_info *library, const ElfW(Rela) *relocation, size_t bytes, const ElfW(Sym) *symbols, const char *names) {
  for (size_t i = 0; relocation && i < bytes / sizeof *relocation; i++) {
    unsigned type = (unsigned)ELF64_R_TYPE(relocation[i].r_info);
    const ElfW(Sym) *symbol = symbols + ELF64_R_SYM(relocation[i].r_info);
    if ((type != JUMP && type != GLOBAL && (type != ABSOLUTE || relocation[i].r_addend != 0)) || symbol->st_shndx != SHN_UNDEF || names[symbol->st_name] == 0) continue;
    void *call = call_for(binding, names + symbol->st_name);
    if (call) set(library, (void **)(library->dlpi_addr + relocation[i].r_offset), call);
  }
}

static int bind(struct dl_phdr_info *library, size_t size, void *argument) {
  struct binding *binding = argument;
  const ElfW(Dyn) *entry = NULL;
  const ElfW(Rela) *relocations = NULL, *calls = NULL;
  const ElfW(Sym) *symbols = NULL;
  const char *names = NULL;
  size_t relocation_bytes = 0, call_bytes = 0;
  (void)size;
  binding->reached |= library->dlpi_addr == binding->from;
  if (!binding->reached) return 0;
  for (int i = 0; i < library->dlpi_phnum; i++)
    if (library->dlpi_phdr[i].p_type == PT_DYNAMIC) entry = (const ElfW(Dyn) *)(library->dlpi_addr + library->dlpi_phdr[i].p_vaddr);
  /* glibc has added the load address to what points into the library. */
  for (; entry && entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_RELA) relocations = (const ElfW(Rela) *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_RELASZ) relocation_bytes = entry->d_un.d_val;
    if (entry->d_tag == DT_JMPREL) calls = (const ElfW(Rela) *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_PLTRELSZ) call_bytes = entry->d_un.d_val;
    if (entry->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRTAB) names = (const char *)entry->d_un.d_ptr;
  }
  if (!symbols || !names) return 0;
  bind_all(binding, library, relocations, relocation_bytes, symbols, names);
  bind_all(binding, library, calls, call_bytes, symbols, names);
  return 0;
}

static void bind_to_us(void *opened, void *(*real)(const char *, int)) {
  Dl_info own;
  struct link_map *map;
  int saved = errno;
  if (!dladdr((void *)bind_to_us, &own) || dlinfo(opened, RTLD_DI_LINKMAP, &map) != 0) return;
  struct binding binding = { opened, real(own.dli_fname, RTLD_LAZY | RTLD_NOLOAD), map->l_addr, (uintptr_t)own.dli_fbase, 0 };
  if (binding.self) {
    dl_iterate_phdr(bind, &binding);
    dlclose(binding.self);
  }
  dlerror();
  errno = saved;
}

/* A name that means the same file whoever asks for it. */
static int is_plain(const char *file, const void *caller) { return !strchr(file, '$') && (strchr(file, '/') || !ff_has_search_path(caller)); }

/*
 * libc takes from the return address who calls, whose own folders a name without a slash (RUNPATH), or with $ORIGIN in it, is looked for in: that call is a jump. Where
 * it does not matter who calls, and only there, there is time to do something behind it.
 */
FF_EXPORT void *dlopen(const char *file, int mode) {
  static void *(*real)(const char *, int);
  if (!real) real = (void *(*)(const char *, int))ff_next_symbol("dlopen");
  if (mode & RTLD_DEEPBIND) ff_has_deep_bindings = 1;
  if (FF_LIKELY(!(mode & RTLD_DEEPBIND)) || !file || !is_plain(file, __builtin_return_address(0))) return real(file, mode);
  void *before = real(file, RTLD_LAZY | RTLD_NOLOAD), *opened = real(file, mode);
  if (before) dlclose(before);
  else if (opened) bind_to_us(opened, real);
  return opened;
}
