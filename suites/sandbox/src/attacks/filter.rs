//! Programs whose system calls must be denied.

use super::{assert_calls_fail, assert_refused, sandbox};

#[test]
fn network_files_and_other_processes_are_inaccessible() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").expect("writes");
    let attempts = [
        format!("open({victim:?}, 'w')"),
        format!("open({victim:?}, 'a')"),
        format!("os.remove({victim:?})"),
        format!("os.rename({victim:?}, 'x')"),
        format!("os.kill({}, 0)", std::process::id()),
        "os.kill(os.getppid(), 9)".to_owned(),
        "os.system('true') and os.fork()".to_owned(),
        "socket.socket(socket.AF_UNIX)".to_owned(),
        "socket.socketpair()".to_owned(),
    ];
    let attempts: Vec<&str> = attempts.iter().map(String::as_str).collect();
    assert_refused(&sandbox, "import os, socket", &attempts);
    assert_eq!(std::fs::read_to_string(&victim).expect("reads"), "precious");
}

#[test]
fn the_interpreters_files_cannot_be_changed() {
    use std::os::unix::fs::MetadataExt;

    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let python = crate::interpreter::find().expect("is there");
    let folder = python
        .folders
        .iter()
        .find(|path| path.join("os.py").exists());
    let file = folder.expect("a library").join("os.py");
    let before = std::fs::metadata(&file).expect("is there");
    let setup = "import fcntl, os, struct\npath = os.__file__\nfd = os.open(path, os.O_RDONLY)";
    assert_refused(
        &sandbox,
        setup,
        &[
            "open(path, 'a')",
            "os.remove(path)",
            "os.rename(path, path + '2')",
            "os.truncate(path, 0)",
            "os.ftruncate(fd, 0)",
            "os.fchmod(fd, 0o777)",
            "os.chmod(path, 0o777)",
            "os.fchown(fd, os.getuid(), os.getgid())",
            "os.chown(path, os.getuid(), os.getgid())",
            "os.lchown(path, os.getuid(), os.getgid())",
            "os.utime(fd, (1, 1))",
            "os.utime(path, (1, 1))",
            "os.setxattr(fd, 'user.mark', b'1')",
            "os.setxattr(path, 'user.mark', b'1', follow_symlinks=False)",
            "os.removexattr(path, 'user.mark')",
            "os.link(path, '/tmp/link')",
            "os.symlink(path, '/tmp/link')",
            "os.mkdir(os.path.dirname(path) + '/folder')",
            // FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR.
            "fcntl.ioctl(fd, 0x40086602, struct.pack('l', 0))",
            "fcntl.ioctl(fd, 0x401c5820, bytes(28))",
            "fcntl.flock(fd, fcntl.LOCK_SH)",
            "fcntl.lockf(fd, fcntl.LOCK_SH)",
            "fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)",
        ],
    );
    let after = std::fs::metadata(&file).expect("is there");
    assert_eq!(
        (before.mode(), before.mtime(), before.ctime_nsec()),
        (after.mode(), after.mtime(), after.ctime_nsec())
    );
}

#[test]
fn calls_that_are_not_listed_fail() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let calls = [
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_socket,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_setuid,
        libc::SYS_setresuid,
        libc::SYS_capset,
        libc::SYS_bpf,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_memfd_create,
        libc::SYS_fallocate,
        libc::SYS_vmsplice,
        libc::SYS_splice,
        libc::SYS_io_setup,
        libc::SYS_userfaultfd,
        libc::SYS_perf_event_open,
        libc::SYS_inotify_init1,
        libc::SYS_fanotify_init,
        libc::SYS_setrlimit,
        libc::SYS_shmget,
        libc::SYS_msgget,
        libc::SYS_semget,
        libc::SYS_mq_open,
        libc::SYS_timer_create,
        libc::SYS_timerfd_create,
        libc::SYS_signalfd4,
        libc::SYS_mlock,
        libc::SYS_personality,
        libc::SYS_syslog,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_setsid,
        libc::SYS_setpgid,
        libc::SYS_setpriority,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
        libc::SYS_ioprio_set,
        libc::SYS_open_by_handle_at,
        libc::SYS_mknodat,
        libc::SYS_seccomp,
    ]
    .map(|call| (call, "0, 0, 0, 0, 0"));
    assert_calls_fail(&sandbox, &calls, libc::EPERM);
}

#[test]
fn arguments_of_listed_calls_are_checked() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let calls = [
        // A process: without flags, with the signal of a child, and with new namespaces.
        (libc::SYS_clone, "0, 0, 0, 0, 0"),
        (libc::SYS_clone, "17, 0, 0, 0, 0"),
        (libc::SYS_clone, "0x10000000 | 17, 0, 0, 0, 0"),
        (
            libc::SYS_clone,
            "0x10000 | 0x800 | 0x100 | 0x20000000, 0, 0, 0, 0",
        ),
        // A signal to another process than the first of the namespace.
        (libc::SYS_tgkill, "2, 2, 9"),
        // PR_SET_MM, PR_SET_PTRACER, PR_SET_DUMPABLE, PR_SET_PDEATHSIG.
        (libc::SYS_prctl, "35, 0, 0, 0, 0"),
        (libc::SYS_prctl, "0x59616d61, 0, 0, 0, 0"),
        (libc::SYS_prctl, "4, 1, 0, 0, 0"),
        (libc::SYS_prctl, "1, 0, 0, 0, 0"),
        // Changing a limit, and reading that of another process.
        (libc::SYS_prlimit64, "0, 7, struct.pack('QQ', 9, 9), 0"),
        (libc::SYS_prlimit64, "2, 7, 0, bytes(16)"),
        // TIOCSTI, FIOASYNC, FIOSETOWN, SIOCSPGRP.
        (libc::SYS_ioctl, "0, 0x5412, bytes(8)"),
        (libc::SYS_ioctl, "0, 0x5452, bytes(8)"),
        (libc::SYS_ioctl, "0, 0x8901, bytes(8)"),
        (libc::SYS_ioctl, "0, 0x8902, bytes(8)"),
    ];
    assert_calls_fail(&sandbox, &calls, libc::EPERM);
}

#[test]
fn newer_calls_appear_absent_and_x32_calls_are_denied() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    // clone3, openat2, pidfd_open, pidfd_send_signal, io_uring_setup, memfd_secret, fchmodat2, setxattrat, file_setattr, and two that no
    // kernel has yet.
    let calls = [435, 437, 434, 424, 425, 447, 452, 463, 469, 470, 900];
    assert_calls_fail(
        &sandbox,
        &calls.map(|call| (call, "0, 0, 0, 0")),
        libc::ENOSYS,
    );
    if cfg!(target_arch = "x86_64") {
        assert_calls_fail(&sandbox, &[(0x4000_0027, "0, 0, 0, 0")], libc::EPERM);
    }
}
