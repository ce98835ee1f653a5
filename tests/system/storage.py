"""File systems of a test's own: mounts that nobody else sees and that end with the process, images whose power can be cut."""
import ctypes
import fcntl
import os
import shutil
import struct
import subprocess
import unittest

import fantail

CLONE_NEWNS = 0x00020000
EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32)
EXT4_GOING_FLAGS_NOLOGFLUSH = 2  # what is not on the storage by now is lost
MKFS = shutil.which("mkfs.ext4", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stdout}{done.stderr}".strip())


def need_own_mounts():
    """Whatever this process and its children mount is theirs alone. Raises SkipTest where that cannot be."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("mounting needs root")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise unittest.SkipTest(f"mounting is not possible here: {os.strerror(ctypes.get_errno())}")
    try:
        run("mount", "--make-rprivate", "/")
    except OSError as error:
        raise unittest.SkipTest(f"mounting is not possible here: {error}") from error


def mount_tmpfs(test, folder, size):
    os.makedirs(folder)
    try:
        run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    except OSError as error:
        test.skipTest(f"mounting is not possible here: {error}")
    test.addCleanup(run, "umount", "-l", folder)


class PoweredImage:
    """ext4 on a loop device, which can lose its power."""

    def __init__(self, test, image, folder, megabytes):
        self.test, self.image, self.folder = test, image, folder
        os.makedirs(folder)
        if MKFS is None:
            test.skipTest("mkfs.ext4 is not installed: it is in Debian's e2fsprogs")
        with open(image, "wb") as file:
            file.truncate(megabytes << 20)
        run(MKFS, "-q", "-F", image)
        try:
            self.mount()
        except OSError as error:
            test.skipTest(f"a loop mount is not possible here: {error}")
        test.addCleanup(lambda: subprocess.run(["umount", "-l", folder], capture_output=True, check=False))

    def mount(self):
        run("mount", "-o", "loop", self.image, self.folder)

    def cut(self):
        """From here on nothing reaches the storage. Processes get errors, until they are killed; but a sync that is under way
        may return success for what is not there: ext4 takes a commit that it gave up for one that is over."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", EXT4_GOING_FLAGS_NOLOGFLUSH))
        finally:
            os.close(folder)

    def power_on(self):
        """Requires: nobody has files open on it. The journal is replayed."""

        def unmounted():
            return subprocess.run(["umount", self.folder], capture_output=True, check=False).returncode == 0

        fantail.wait_until(unmounted, 10, f"{self.folder} is not in use")
        self.mount()
