/* symbols.c: names in the tables of loaded libraries, looked up without the loader, its locks and its allocations. */
#ifndef FREEFLOW_SYMBOLS_H
#define FREEFLOW_SYMBOLS_H

#include <link.h>

/* The address of what the object defines by this name, NULL if it defines nothing of that name. */
void *ff_defined_by(uintptr_t base, const ElfW(Dyn) *dynamic, const char *name);

/* The same for this library. */
void *ff_own_symbol(const char *name);

/* The first definition outside this library, of all libraries that are loaded, whoever sees them; NULL if there is none. */
void *ff_next_of_all(const char *name);

/* True if the address lies in the program's own libc, of which there is one: libc.so, and what glibc before 2.34 kept beside it. */
int ff_is_in_libc(const void *address);

/* True for the names that liburing exports, whose functions ours call in their turn. */
int ff_is_of_liburing(const char *name);

/* True if the caller's library comes between this one and libc where names are looked for, and defines the name: a wrapper that our own calls end up in. */
int ff_wraps(const void *caller, const char *name);

/* True if the caller's library has folders of its own in which the loader looks for what it opens. */
int ff_has_search_path(const void *caller);

/* The libraries that the program has started with, in the order in which names are looked for; NULL behind the last. They can be read at any time. */
const struct link_map *ff_first_map(void);
const struct link_map *ff_next_map(const struct link_map *map);

/* The newest version of a symbol that the library at this address defines; NULL if it does not. Takes no lock. */
const ElfW(Sym) *ff_symbol_of(uintptr_t base, const ElfW(Dyn) *dynamic, const char *name);

#endif
