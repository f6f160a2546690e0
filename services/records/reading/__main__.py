"""The host of the readers: holds what they need ready, and forks one for each file.

It is told what to do over its standard input, a socket, and gets the file and the way out along
with it. It ends when that socket does.
"""

import encodings
import gc
import importlib
import os
import pkgutil
import signal
import socket

from pydantic import TypeAdapter

from services.records.reading import child

_TASKS = TypeAdapter(child.Task)
_NOT_EVERYWHERE = frozenset({"mbcs", "oem"})
_LONGEST_TASK = 64 * 1024


def main() -> None:
    """Fork until nobody is there to ask any more."""
    control = socket.socket(fileno=os.dup(0))
    _import_all_that_can_be_needed()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        asked, files, _, _ = socket.recv_fds(control, _LONGEST_TASK, 2)
        if not asked:
            return
        if os.fork() == 0:
            control.close()
            _be_a_reader(asked, files)
        for file in files:
            os.close(file)


def _be_a_reader(asked: bytes, files: list[int]) -> None:
    """In the child: whatever happens, this ends here, and silently."""
    try:
        task = _TASKS.validate_json(asked)
        child.shut_in(*files, size=task.size)
        child.work(task)
    except BaseException:  # noqa: BLE001  (that there was no END says it all)
        os._exit(1)
    os._exit(0)


def _import_all_that_can_be_needed() -> None:
    """A reader can open no file, so what is imported late is imported now."""
    for codec in pkgutil.iter_modules(encodings.__path__):
        if codec.name not in _NOT_EVERYWHERE:
            importlib.import_module(f"encodings.{codec.name}")
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
