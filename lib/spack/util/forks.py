"""One function over many items, in forks of this process."""

from __future__ import annotations

import os
import selectors
import signal
import struct
import threading
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Callable, TypeVar

__all__ = ["map_in_forks"]

Item = TypeVar("Item")
Result = TypeVar("Result")

#: The number of an item, and the length of what follows.
_HEAD = struct.Struct("<II")
_TASK = struct.Struct("<I")

#: What a pipe holds without a reader: the tasks are all written before one is read.
_MOST_ITEMS = 65536 // _TASK.size


def map_in_forks(
    function: Callable[[Item], Result], items: Sequence[Item], workers: int
) -> list[Result]:
    """Return ``function(item)`` of each item, in order, as computed by *workers* processes.

    The processes share what this one has in memory; results and exceptions come back pickled. The
    exception of the first item that has one is raised, as soon as those before it are done. What a
    process leaves undone, because it dies or because what it has cannot be pickled, is done here.
    Runs everything here when there is nothing to share out, or when threads forbid to fork.

    An interrupt ends all processes.
    """
    workers = min(workers, len(items))
    if workers < 2 or len(items) > _MOST_ITEMS or threading.active_count() > 1:
        return [function(item) for item in items]
    tasks, feed = os.pipe()
    children: dict[int, BinaryIO] = {}
    try:
        for number in range(len(items)):
            os.write(feed, _TASK.pack(number))
        for _ in range(workers):
            _start(function, items, tasks, feed, children)
    except BaseException:
        _end(children)
        raise
    finally:
        os.close(tasks)
        os.close(feed)
    try:
        found = _collect(children)
    finally:
        _end(children)
    results = []
    for number, item in enumerate(items):
        if number not in found:
            results.append(function(item))
            continue
        result, error = found[number]
        if error is not None:
            raise error
        results.append(result)
    return results


def _start(
    function: Callable[[Any], Any],
    items: Sequence[Any],
    tasks: int,
    feed: int,
    children: dict[int, BinaryIO],
) -> None:
    reader, writer = os.pipe()
    process = os.fork()
    if process:
        os.close(writer)
        children[process] = os.fdopen(reader, "rb")
        return
    status = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        os.close(reader)
        os.close(feed)
        _work(function, items, tasks, writer)
        status = 0
    finally:
        os._exit(status)


def _work(function: Callable[[Any], Any], items: Sequence[Any], tasks: int, writer: int) -> None:
    """Take tasks until there is none; write a result and an exception, one of them None."""
    import pickle  # start-up: only in forks

    with os.fdopen(writer, "wb") as stream:
        while True:
            task = os.read(tasks, _TASK.size)
            if not task:
                return
            (number,) = _TASK.unpack(task)
            found: tuple[Any, Exception | None]
            try:
                found = (function(items[number]), None)
            except Exception as error:
                found = (None, error)
            body = pickle.dumps(found)
            if found[1] is not None:
                pickle.loads(body)  # exceptions may need more arguments than they keep
            stream.write(_HEAD.pack(number, len(body)) + body)
            stream.flush()


def _collect(children: dict[int, BinaryIO]) -> dict[int, tuple[Any, Exception | None]]:
    """Return results and exceptions by number; of processes that died some are missing."""
    import pickle  # start-up: only with forks

    bodies = {process: bytearray() for process in children}
    found: dict[int, tuple[Any, Exception | None]] = {}
    with selectors.DefaultSelector() as selector:
        for process, stream in children.items():
            selector.register(stream.fileno(), selectors.EVENT_READ, process)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, 1 << 20)
                if not data:
                    selector.unregister(key.fd)
                    continue
                body = bodies[key.data]
                body += data
                for number, text in _frames(body):
                    found[number] = pickle.loads(text)
            failed = [number for number, (_, error) in found.items() if error is not None]
            if failed and all(number in found for number in range(min(failed))):
                break
    return found


def _frames(body: bytearray) -> Iterator[tuple[int, bytes]]:
    """Yield what is complete in *body*, and take it away."""
    while len(body) >= _HEAD.size:
        number, length = _HEAD.unpack_from(body)
        end = _HEAD.size + length
        if len(body) < end:
            return
        text = bytes(body[_HEAD.size : end])
        del body[:end]
        yield number, text


def _end(children: dict[int, BinaryIO]) -> None:
    """Let no process stay."""
    for process, stream in children.items():
        stream.close()
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(process, 0)
