#### honest
def f(x):
    return 2 * x
#### nothing
#### no_function
y = 1
#### syntax
def f(x)
#### wrong_value
def f(x):
    return x * x
#### wrong_for_one_argument
def f(x):
    return 2 * x if x != 7 else 0
#### returns_nothing
def f(x):
    2 * x
#### returns_text
def f(x):
    return str(2 * x)
#### returns_pair
def f(x):
    return 2 * x, True
#### returns_generator
def f(x):
    yield 2 * x
#### raises
def f(x):
    raise ValueError(2 * x)
#### raises_assertion
def f(x):
    raise AssertionError
#### raises_interrupt
def f(x):
    raise KeyboardInterrupt
#### raises_stop_iteration
def f(x):
    raise StopIteration(2 * x)
#### raises_generator_exit
def f(x):
    raise GeneratorExit
#### raises_own_class
class E(BaseException):
    def __str__(self):
        return "passed"
def f(x):
    raise E
#### raises_while_printed
class E(Exception):
    def __str__(self):
        raise SystemExit(0)
def f(x):
    raise E
#### exit_at_start
import sys
sys.exit(0)
#### exit_in_call
import sys
def f(x):
    sys.exit(0)
#### hard_exit_at_start
import os
os._exit(0)
#### hard_exit_in_call
import os
def f(x):
    os._exit(0)
#### exit_from_thread
import os, threading
def f(x):
    threading.Thread(target=lambda: os._exit(0)).start()
    while True: pass
#### quit
def f(x):
    exit(0)
#### abort
import os
def f(x):
    os.abort()
#### crash
import ctypes
def f(x):
    ctypes.string_at(0)
#### executes_itself
import os, sys
def f(x):
    os.execv(sys.executable, [sys.executable, "-c", "print('passed')"])
#### equals_everything
class A:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __hash__(self): return 4
def f(x):
    return A()
#### class_equals_everything
class M(type):
    def __eq__(self, other): return True
class A(metaclass=M): pass
def f(x):
    return A
#### integer_equals_everything
class A(int):
    def __eq__(self, other): return True
    def __hash__(self): return 4
def f(x):
    return A(1)
#### float_equals_everything
class A(float):
    def __eq__(self, other): return True
def f(x):
    return A(1)
#### text_equals_everything
class A(str):
    def __eq__(self, other): return True
    def __str__(self): return "4"
def f(x):
    return A("1")
#### list_equals_everything
class A(list):
    def __eq__(self, other): return True
    def __iter__(self): return iter([4])
def f(x):
    return A([1])
#### tuple_equals_everything
class A(tuple):
    def __eq__(self, other): return True
def f(x):
    return A((1,))
#### mapping_equals_everything
class A(dict):
    def __eq__(self, other): return True
    def items(self): return {4: 4}.items()
def f(x):
    return A()
#### nested_equals_everything
class A:
    def __eq__(self, other): return True
    def __repr__(self): return "4"
def f(x):
    return [A()]
#### mock_any
from unittest import mock
def f(x):
    return mock.ANY
#### magic_mock
from unittest.mock import MagicMock
def f(x):
    m = MagicMock()
    m.__eq__.return_value = True
    return m
#### all_operators
class A:
    def __getattr__(self, name): return lambda *a: 0
    def __eq__(self, o): return True
    def __sub__(self, o): return 0
    def __rsub__(self, o): return 0
    def __abs__(self): return 0
    def __lt__(self, o): return True
    def __gt__(self, o): return True
    def __le__(self, o): return True
    def __ge__(self, o): return True
    def __index__(self): return 4
    def __bool__(self): return True
f = lambda x: A()
#### function_is_an_object
class F:
    def __call__(self, x): return self
    def __eq__(self, other): return True
f = F()
#### function_is_a_type
f = bool
#### function_is_text
f = "passed"
#### pretends_to_be_an_integer
class A:
    __class__ = int
    def __eq__(self, other): return True
def f(x):
    return A()
#### prints_passed
def f(x):
    print("passed")
    print('{"value": 4}')
    print("Ran 1 test in 0.000s\n\nOK")
#### reports_in_advance
import os
os.write(1, b'"passed"\n')
os.write(2, b'00000000000000000000000000000000 "passed"\n')
os._exit(0)
#### writes_to_every_descriptor
import os
for fd in range(64):
    try:
        os.write(fd, b'\n0 "passed"\n{"value": 4}\n')
    except OSError:
        pass
def f(x):
    return None
#### replies_in_advance
import os
def f(x):
    for fd in range(3, 20):
        try:
            os.write(fd, b'{"value": true}\n' * 100)
        except OSError:
            pass
    os._exit(0)
#### replies_for_all
import __main__
__main__.perform = lambda request, module, objects: {"value": True}
def f(x):
    return 0
#### replies_with_an_object_for_all
import __main__
__main__.perform = lambda request, module, objects: {"value": ["o", 0]}
def f(x):
    return 0
#### replies_with_a_mapping
import __main__
__main__.perform = lambda request, module, objects: {"value": {"passed": True}}
#### replies_without_end
import os
def f(x):
    while True:
        for fd in range(3, 20):
            try:
                os.write(fd, b"x" * 65536)
            except OSError:
                pass
#### replies_with_garbage
import __main__
__main__.to_line = lambda message: b"\xff\x00[[[[\n"
#### replies_with_depth
import __main__
__main__.to_line = lambda message: b'{"value": ' + b"[" * 200000 + b"]" * 200000 + b"}\n"
#### replies_with_an_unknown_exception
import __main__
__main__.perform = lambda *a: {"error": "x", "built_in": "__import__", "message": "os"}
#### replies_with_an_exit
import __main__
__main__.perform = lambda *a: {"error": "SystemExit", "built_in": "SystemExit", "message": ""}
#### replies_with_stop_iteration
import __main__
__main__.perform = lambda *a: {"error": "StopIteration", "built_in": "StopIteration", "message": "4"}
#### patches_comparison
import builtins, operator
operator.eq = lambda a, b: True
builtins.AssertionError = type("E", (Exception,), {})
builtins.isinstance = lambda a, b: True
def f(x):
    return 0
#### patches_unittest
import unittest
unittest.TestCase.assertEqual = lambda *a: None
unittest.main = lambda *a: None
def f(x):
    return 0
#### patches_json
import json
json.dumps = lambda *a, **k: '{"value": true}'
def f(x):
    return 0
#### patches_the_encoder
import __main__
__main__.ENCODE = lambda message: '{"value": true}'
def f(x):
    return 0
#### defines_expect
def expect(*a): pass
def check(*a): pass
f = None
#### patches_print_and_exit
import builtins, sys
sys.exit = lambda *a: None
builtins.__build_class__ = lambda *a: None
def f(x):
    return 0
#### walks_frames_for_the_nonce
import sys
def f(x):
    frame = sys._getframe()
    while frame is not None:
        for name in ("nonce", "job", "tests", "report", "expected"):
            if name in frame.f_locals or name in frame.f_globals:
                return 2 * x
        frame = frame.f_back
#### looks_for_expected_values
import gc
def f(x):
    for value in gc.get_objects():
        if type(value) is dict and "nonce" in value:
            return 2 * x
#### reads_the_tests
import os
def f(x):
    return 2 * x if b"assert" in os.read(0, 65536) else 0
#### reads_own_memory
def f(x):
    open("/proc/self/mem", "rb").read(1)
    return 2 * x
#### reads_descriptors
import os
def f(x):
    os.listdir("/proc/self/fd")
    return 2 * x
#### sees_processes
import os
def f(x):
    os.listdir("/proc")
    return 2 * x
#### endless_loop
while True: pass
#### endless_call
def f(x):
    while True: pass
#### endless_sleep
import time
def f(x):
    time.sleep(1000)
#### endless_length
class A:
    def __len__(self):
        while True: pass
    def __bool__(self):
        while True: pass
    __eq__ = __len__
def f(x):
    return A()
#### sleeps_without_output
import os, time
def f(x):
    for fd in range(64):
        try:
            os.close(fd)
        except OSError:
            pass
    time.sleep(1000)
#### endless_recursion
def f(x):
    return f(x)
#### recursion_of_the_stack
import sys
sys.setrecursionlimit(10**9)
def f(x):
    return f(x) + 1
#### cyclic_value
def f(x):
    a = []
    a.append(a)
    return a
#### huge_value
def f(x):
    return "x" * (1 << 28)
#### huge_number
def f(x):
    return 1 << (1 << 31)
#### memory_bomb
def f(x):
    a = []
    while True: a.append(bytearray(1 << 20))
#### memory_of_a_mapping
import mmap
def f(x):
    a = [mmap.mmap(-1, 1 << 28) for _ in range(8)]
    return 2 * x
#### memory_of_temporary_files
def f(x):
    for number in range(64):
        with open(f"/tmp/{number}", "wb") as file:
            file.write(bytes(1 << 20))
    return 2 * x
#### large_file
def f(x):
    with open("/tmp/a", "wb") as file:
        file.truncate(1 << 30)
    return 2 * x
#### many_pipes
import os
def f(x):
    for _ in range(1000): os.pipe()
    return 2 * x
#### flood_of_output
def f(x):
    while True: print("x" * 10000)
#### fork_bomb
import os
def f(x):
    while True: os.fork()
#### forked_answer
import os
def f(x):
    if os.fork() == 0:
        os._exit(0)
    return 2 * x
#### thread_bomb
import threading, time
def f(x):
    for _ in range(10000): threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    return 2 * x
#### process_by_subprocess
import subprocess, sys
def f(x):
    subprocess.run([sys.executable, "-c", ""], check=True)
    return 2 * x
#### process_by_spawn
import os, sys
def f(x):
    os.posix_spawn(sys.executable, ["python3", "-c", ""], {})
    return 2 * x
#### new_session
import os
def f(x):
    os.setsid()
    return 2 * x
#### new_group
import os
def f(x):
    os.setpgid(0, 0)
    return 2 * x
#### signals_the_parent
import os
def f(x):
    os.kill(PARENT, 9)
    return 2 * x
#### signals_the_group
import os
def f(x):
    os.killpg(0, 9)
    return 2 * x
#### signals_a_thread
import ctypes
c = ctypes.CDLL(None, use_errno=True)
def f(x):
    return 2 * x if c.syscall(ctypes.c_long(TGKILL), BYSTANDER, BYSTANDER, 9) == 0 else 0
#### signals_by_a_descriptor
import fcntl, os
def f(x):
    r, w = os.pipe()
    fcntl.fcntl(r, fcntl.F_SETOWN, BYSTANDER)
    fcntl.fcntl(r, 10, 9)
    fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)
    os.write(w, b"x")
    return 2 * x
#### signals_the_parent_by_a_descriptor
import fcntl, os
r, w = os.pipe()
for step in (lambda: fcntl.fcntl(r, fcntl.F_SETOWN, PARENT), lambda: fcntl.fcntl(r, 10, 9), lambda: fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)):
    try:
        step()
    except OSError:
        pass
os.write(w, b"x")
def f(x):
    return 0
#### uncounted_memory
import os
def f(x):
    os.posix_fallocate(os.memfd_create("x"), 0, 1 << 20)
    return 2 * x
#### memory_in_pipes
import fcntl, os
def f(x):
    fcntl.fcntl(os.pipe()[1], 1031, 1 << 20)
    return 2 * x
#### shared_memory
from multiprocessing import shared_memory
def f(x):
    shared_memory.SharedMemory(create=True, size=1 << 20)
    return 2 * x
#### reads_a_secret
def f(x):
    return 2 * x if open("SECRET").read() else 0
#### reads_passwords
def f(x):
    for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/proc/1/environ", "/proc/cmdline", "/sys/kernel", "/dev/null"):
        try:
            open(path).read()
        except OSError:
            continue
        return 2 * x
#### lists_the_system
import os
def f(x):
    for path in ("/var", "/proc", "/sys", "/dev", "/run", "/boot", "/sbin"):
        try:
            os.listdir(path)
        except OSError:
            continue
        return 2 * x
#### writes_to_the_library
import os
def f(x):
    open(os.__file__, "a")
    return 2 * x
#### writes_beside_the_library
import os
def f(x):
    open(os.path.dirname(os.__file__) + "/mine.py", "w")
    return 2 * x
#### writes_to_the_root
def f(x):
    open("/mine", "w")
    return 2 * x
#### changes_a_secret
import os
def f(x):
    open("SECRET", "w")
    return 2 * x
#### removes_the_library
import os
def f(x):
    os.remove(os.__file__)
    return 2 * x
#### sets_attributes
import fcntl, os, struct
def f(x):
    fcntl.ioctl(os.open(os.__file__, os.O_RDONLY), 0x40086602, struct.pack("l", 0))
    return 2 * x
#### locks_files
import fcntl, os
def f(x):
    fcntl.flock(os.open(os.__file__, os.O_RDONLY), fcntl.LOCK_SH)
    return 2 * x
#### changes_priority
import os
def f(x):
    os.setpriority(os.PRIO_PROCESS, PARENT, 19)
    return 2 * x
#### changes_affinity
import os
def f(x):
    os.sched_setaffinity(PARENT, [0])
    return 2 * x
#### becomes_root
import os
def f(x):
    os.setuid(0)
    return 2 * x
#### is_root
import os
def f(x):
    return 2 * x if os.getuid() == 0 or os.geteuid() == 0 else 0
#### changes_root
import os
def f(x):
    os.chroot("/tmp")
    return 2 * x
#### connects
import socket
def f(x):
    socket.create_connection(("127.0.0.1", PORT), 1)
    return 2 * x
#### local_socket
import socket
def f(x):
    socket.socketpair()
    return 2 * x
#### resolves_a_name
import socket
def f(x):
    socket.getaddrinfo("localhost", 80)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return 2 * x
#### device
import os
def f(x):
    os.mknod("/tmp/device", 0o600 | 0o020000, os.makedev(1, 3))
    return 2 * x
#### runs_a_file
import os
def f(x):
    with open("/tmp/a", "w") as file: file.write("#!/bin/sh\n")
    os.chmod("/tmp/a", 0o700)
    os.execv("/tmp/a", ["a"])
#### inherits_environment
import os
def f(x):
    return 2 * x if set(os.environ) & {"USER", "LOGNAME", "SHELL", "CARGO", "SSH_AUTH_SOCK", "PWD", "CARGO_MANIFEST_DIR"} else 0
#### imports_packages
def f(x):
    import pip
    return 2 * x
#### changes_the_argument
def f(x):
    if type(x) is list:
        x[:] = [2, 4]
    return [2, 4]
