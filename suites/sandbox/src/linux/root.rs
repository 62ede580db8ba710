//! The root of the file system of isolated processes: an empty folder into which the files of the interpreter are mounted read-only.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::failure::{Failure, check};
use crate::interpreter::Interpreter;

/// The home and working folder of programs, in which alone they can write.
pub(super) const TEMPORARY: &CStr = c"/tmp";

/// A file or folder that is mounted.
struct Mount {
    source: CString,
    target: CString,
}

/// The root, prepared before the child exists, which must not allocate.
pub(super) struct Root {
    /// The folder with the mount points, which are empty outside the child.
    folder: TempDir,
    own: CString,
    mounts: Vec<Mount>,
    temporary: CString,
    options: CString,
}

impl Root {
    /// Creates the folder with a mount point for every file of the interpreter.
    ///
    /// # Arguments
    /// * `user`: the owner of the temporary files, as a user outside; the process's own if absent.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn prepare(
        python: &Interpreter,
        temporary_bytes: u64,
        user: Option<u32>,
    ) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("isoflop-root-").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
        let own = folder.path();
        let mut mounts = Vec::new();
        let empty = own.join("empty");
        fs::create_dir(&empty)?;
        fs::create_dir(own.join("tmp"))?;
        let is_in_folder =
            |file: &Path| python.folders.iter().any(|folder| file.starts_with(folder));
        let mut add = |source: &Path, path: &Path, is_folder: bool| -> io::Result<()> {
            let target = inside(own, path);
            if target.exists() {
                return Ok(());
            }
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            match is_folder {
                true => fs::create_dir_all(&target)?,
                false => fs::write(&target, "")?,
            }
            mounts.push(Mount {
                source: text(source)?,
                target: text(&target)?,
            });
            Ok(())
        };
        for path in &python.folders {
            add(path, path, true)?;
        }
        let files = python.files.iter().chain([&python.executable]);
        for path in files.filter(|path| !is_in_folder(path)) {
            add(path, path, false)?;
        }
        for (path, file) in &python.links {
            let link = inside(own, path);
            if is_in_folder(path) || link.exists() {
                continue;
            }
            if let Some(parent) = link.parent() {
                fs::create_dir_all(parent)?;
            }
            std::os::unix::fs::symlink(file, link)?;
        }
        for path in &python.hidden {
            mounts.push(Mount {
                source: text(&empty)?,
                target: text(&inside(own, path))?,
            });
        }
        let mut options = format!("size={temporary_bytes},nr_inodes=1024,mode=700");
        if let Some(user) = user {
            options.push_str(&format!(",uid={user},gid={user}"));
        }
        Ok(Self {
            own: text(own)?,
            temporary: text(&own.join("tmp"))?,
            options: CString::new(options)?,
            mounts,
            folder,
        })
    }

    /// The folder with the mount points.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes this the root of the calling process, which has a mount namespace of its own, without allocation.
    ///
    /// # Errors
    /// If the kernel rejects a call.
    pub fn enter(&self) -> Result<(), Failure> {
        let none = std::ptr::null();
        let mount = |source: &CStr, target: &CStr, kind: *const libc::c_char, flags, data| {
            // SAFETY: all strings end in zero; the pointers are null or to such strings.
            let result =
                unsafe { libc::mount(source.as_ptr(), target.as_ptr(), kind, flags, data) };
            check("mount", result.into())
        };
        mount(
            c"none",
            c"/",
            none,
            libc::MS_REC | libc::MS_PRIVATE,
            std::ptr::null(),
        )?;
        mount(&self.own, &self.own, none, libc::MS_BIND, std::ptr::null())?;
        for part in &self.mounts {
            mount(
                &part.source,
                &part.target,
                none,
                libc::MS_BIND,
                std::ptr::null(),
            )?;
        }
        self.make_read_only()?;
        let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
        let options = self.options.as_ptr().cast();
        mount(c"tmpfs", &self.temporary, c"tmpfs".as_ptr(), flags, options)?;
        // SAFETY: the strings end in zero.
        unsafe {
            check("chdir", libc::chdir(self.own.as_ptr()).into())?;
            // The old root is stacked on the new one, and taken away.
            let here = c".".as_ptr();
            check(
                "pivot_root",
                libc::syscall(libc::SYS_pivot_root, here, here),
            )?;
            check("umount", libc::umount2(here, libc::MNT_DETACH).into())?;
            check("chdir", libc::chdir(TEMPORARY.as_ptr()).into())
        }
    }

    /// Makes all that is mounted so far read-only, without devices and programs of other users.
    fn make_read_only(&self) -> Result<(), Failure> {
        let attributes = MountAttributes {
            set: MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
            clear: 0,
            propagation: 0,
            user_namespace: 0,
        };
        // SAFETY: the string ends in zero and the structure is valid during the call.
        let result = unsafe {
            libc::syscall(
                libc::SYS_mount_setattr,
                libc::AT_FDCWD,
                self.own.as_ptr(),
                libc::AT_RECURSIVE,
                &raw const attributes,
                size_of::<MountAttributes>(),
            )
        };
        check("mount_setattr", result)
    }
}

/// The kernel's `mount_attr`.
#[repr(C)]
struct MountAttributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

const MOUNT_ATTR_RDONLY: u64 = 1;
const MOUNT_ATTR_NOSUID: u64 = 2;
const MOUNT_ATTR_NODEV: u64 = 4;

/// The place of an absolute path in a folder.
fn inside(folder: &Path, path: &Path) -> PathBuf {
    folder.join(path.strip_prefix("/").unwrap_or(path))
}

fn text(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}
