/* Opens a library that lies in this program's own folder: by its bare name, which RUNPATH finds, and by a name that the loader expands. */
#include <dlfcn.h>
#include <stdio.h>

static int finds(const char *name, int mode) {
  void *library = dlopen(name, mode);
  printf("%s: %s\n", name, library ? "found" : dlerror());
  return library != NULL && dlclose(library) == 0;
}

int main(void) {
  return !(finds("libstranger.so", RTLD_NOW) && finds("$ORIGIN/libstranger.so", RTLD_NOW) && finds("$ORIGIN/libstranger.so", RTLD_NOW | RTLD_DEEPBIND));
}
