"""A disk that can be made to fail, for a broker in a cluster that people break on purpose."""

import errno
import os

from engine.storage.disk import OsDisk


class TroubledDisk(OsDisk):
    """The operating system's files; while ``full``, they take half of an append at most (reads and cuts still work)."""

    def __init__(self, *, sync: bool) -> None:
        super().__init__(sync=sync)
        self.full = False

    def append(self, handle: int, data: bytes) -> None:
        if self.full:
            super().append(handle, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().append(handle, data)
