"""filter.py ACTION call,call,... -- program args: runs a program under a seccomp filter that answers ACTION (KILL, or an errno's name) to those calls."""
import ctypes, errno, os, sys

seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
action = 0x80000000 if sys.argv[1] == "KILL" else 0x00050000 | getattr(errno, sys.argv[1])
context = ctypes.c_void_p(seccomp.seccomp_init(0x7fff0000))
for call in sys.argv[2].split(","):
    number = seccomp.seccomp_syscall_resolve_name(call.encode())
    assert number < 0 or seccomp.seccomp_rule_add(context, ctypes.c_uint32(action), number, 0) == 0, call
assert seccomp.seccomp_load(context) == 0
os.execvp(sys.argv[4], sys.argv[4:])
