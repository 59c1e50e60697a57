"""profile.py PROFILE.json -- program args: runs a program under a container engine's seccomp profile, as a container without capabilities gets it."""
import ctypes, json, os, sys
profile = json.load(open(sys.argv[1]))
seccomp = ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
OPS = {"SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, "SCMP_CMP_EQ": 4, "SCMP_CMP_GE": 5, "SCMP_CMP_GT": 6, "SCMP_CMP_MASKED_EQ": 7}
def action(rule, default=None):
    kind = rule.get("action") or rule["defaultAction"]
    if kind == "SCMP_ACT_ALLOW": return 0x7fff0000
    if kind == "SCMP_ACT_ERRNO": return 0x00050000 | rule.get("errnoRet", rule.get("defaultErrnoRet", 1))
    return 0x80000000
context = ctypes.c_void_p(seccomp.seccomp_init(action(profile)))
rules = 0
for rule in profile["syscalls"]:
    includes, excludes = rule.get("includes", {}), rule.get("excludes", {})
    if includes.get("caps") or ("arches" in includes and "amd64" not in includes["arches"] and "x86_64" not in includes["arches"]): continue
    if "amd64" in excludes.get("arches", []) : continue
    if action(rule) == action(profile): continue
    for name in rule["names"]:
        number = seccomp.seccomp_syscall_resolve_name(name.encode())
        if number < 0: continue
        comparisons = (Comparison * 6)(*[Comparison(a["index"], OPS[a["op"]], a["value"], a.get("valueTwo", 0)) for a in rule.get("args") or []])
        rules += seccomp.seccomp_rule_add_array(context, ctypes.c_uint32(action(rule)), number, len(rule.get("args") or []), comparisons) == 0
assert rules > 200, rules

assert seccomp.seccomp_load(context) == 0
os.execvp(sys.argv[3], sys.argv[3:])
