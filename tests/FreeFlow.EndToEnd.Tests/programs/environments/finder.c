/* Opens a library that lies in a folder of this program's own (RUNPATH), by its bare name. */
#include <dlfcn.h>
#include <stdio.h>

int main(void) {
  void *library = dlopen("libstranger.so", RTLD_NOW);
  printf("%s\n", library ? "found" : dlerror());
  return library == NULL;
}
