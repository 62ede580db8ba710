# Attacks on the sandbox. `attack` returns the names of those that succeed. An attack succeeds unless it raises an exception that says that the
# system refuses it.
import errno
import os

REFUSED = {errno.EPERM, errno.EACCES, errno.ENOENT, errno.ESRCH, errno.EROFS, errno.ENOSYS, errno.ENODEV, errno.ECHILD}


def network(target):
    import socket

    socket.create_connection(("127.0.0.1", target["port"]), 1).close()


def write(target):
    os.close(os.open(target["file"], os.O_WRONLY))


def write_beside(target):
    os.close(os.open(target["file"] + ".new", os.O_WRONLY | os.O_CREAT))


def change_mode(target):
    os.chmod(target["file"], 0o777)


def write_to_library(target):
    os.close(os.open(os.__file__, os.O_WRONLY))


def read(target):
    with open(target["file"]) as file:
        file.read()


def list_folder(target):
    os.listdir(os.path.dirname(target["file"]))


def fork(target):
    for _ in range(1000):
        if os.fork() == 0:
            os._exit(0)


def start_process(target):
    import sys

    os.posix_spawn(sys.executable, ["python3", "-c", ""], {})


def new_session(target):
    os.setsid()


def signal_parent(target):
    os.kill(target["parent"], 0)


def signal_group(target):
    os.killpg(target["parent"], 0)


def own_signals(target):
    import fcntl

    fcntl.fcntl(0, fcntl.F_SETOWN, target["parent"])


def choose_signal(target):
    import fcntl

    fcntl.fcntl(0, 10, 0)


def notify(target):
    import array
    import fcntl

    fcntl.ioctl(0, 0x5452, array.array("i", [0]))


def file_in_memory(target):
    os.posix_fallocate(os.memfd_create("x"), 0, 1 << 20)


def memory(target):
    bytearray(target["memory"])


def mapped_memory(target):
    import mmap

    mmap.mmap(-1, target["memory"])


def priority(target):
    os.setpriority(os.PRIO_PROCESS, target["parent"], 19)


def affinity(target):
    os.sched_setaffinity(target["parent"], [0])


def be_root(target):
    if os.getuid() and os.geteuid():
        raise PermissionError(errno.EPERM, "refused")


def see_parent(target):
    if os.getppid() == 0 or not target["isolated"]:
        raise PermissionError(errno.EPERM, "refused")


ATTACKS = [
    network, write, write_beside, change_mode, write_to_library, read, list_folder, fork, start_process, new_session,
    signal_parent, signal_group, own_signals, choose_signal, notify, file_in_memory, memory, mapped_memory, priority,
    affinity, see_parent,
]


def is_refused(attack, target):
    try:
        attack(target)
    except MemoryError:
        return attack in (memory,)
    except OSError as error:
        return error.errno in REFUSED or (error.errno == errno.ENOMEM and attack is mapped_memory)
    except Exception:
        pass
    return False


def attack(target):
    attacks = ATTACKS + ([be_root] if target["isolated"] else [])
    return [attack.__name__ for attack in attacks if not is_refused(attack, target)]
