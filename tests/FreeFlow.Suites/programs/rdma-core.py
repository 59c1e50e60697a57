"""Runs the tests that Debian's rdma-core package brings, and says in the Test Anything Protocol how each ended. rdma-core.py FOLDER [arguments of run_tests.py]"""
import gzip
import os
import shutil
import socket
import sys
import unittest

SOURCE = "/usr/share/doc/rdma-core/tests"


def unpack(folder):
    target = os.path.join(folder, "tests")
    os.mkdir(target)
    for name in os.listdir(SOURCE):
        path = os.path.join(SOURCE, name)
        plain = os.path.join(target, name.removesuffix(".gz"))
        with gzip.open(path) if name.endswith(".gz") else open(path, "rb") as packed, open(plain, "wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    sys.path[:0] = [folder, target]


class Tap(unittest.TestResult):
    def say(self, how, test, note=""):
        print(f"{how} - {test.id()}{note}", flush=True)

    def addSuccess(self, test):
        self.say("ok", test)

    def addSkip(self, test, reason):
        self.say("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.say("not ok", test)
        print(self.failures[-1][1], file=sys.stderr, flush=True)

    def addError(self, test, error):
        super().addError(test, error)
        self.say("not ok", test)
        print(self.errors[-1][1], file=sys.stderr, flush=True)


def of_container(self, device, port, index):
    """The virtual device has no place in /sys, where the tests of rdma_cm look for its network interface: it has all of them."""
    name = next(name for _, name in socket.if_nameindex() if name != "lo")
    self.args.append([device, port, index, *self.get_ip_mac_address(name)])


def main():
    unpack(sys.argv.pop(1))
    from args_parser import parser
    parser.parse_args()
    import tests
    from tests.base import RDMATestCase
    RDMATestCase._get_ip_mac = of_container
    unittest.defaultTestLoader.loadTestsFromModule(tests).run(Tap())


main()
