/*
 * AddressSanitizer's runtime ends a program in whose list of libraries it does not come first, which it never does where something is preloaded. It asks a function of
 * this name for options, of which this one says that the order is as it should be: the calls that the runtime watches still come to it, from ours. A program that has a
 * function of this name itself is started by `freeflow run`, which sets the option in the environment.
 */
#include "freeflow.h"

FF_EXPORT const char *__asan_default_options(void);
FF_EXPORT const char *__asan_default_options(void) { return "verify_asan_link_order=0"; }
