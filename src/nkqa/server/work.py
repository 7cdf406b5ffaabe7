"""Where questions are answered: a few threads beside the event loop, and a bound on how many may wait."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import TypeVar

import anyio
import anyio.to_thread

from nkqa.llm import CANCELLED
from nkqa.server.problems import Problem

T = TypeVar("T")


class Work:
    """Runs the engine's blocking calls in threads; one request over `in_flight` is refused with 503.

    Slow calls (a language model's) have threads of their own, so that they never hold up the quick ones.
    """

    def __init__(self, in_flight: int, threads: int = 2, slow_threads: int = 4) -> None:
        self.in_flight = in_flight
        self.running = 0
        self._threads = {False: threads, True: slow_threads}
        self._limiters: dict[bool, anyio.CapacityLimiter] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def _limiter(self, slow: bool) -> anyio.CapacityLimiter:
        if slow not in self._limiters:
            self._limiters[slow] = anyio.CapacityLimiter(self._threads[slow])
        return self._limiters[slow]

    def _enter(self) -> None:
        if self.running >= self.in_flight:
            raise Problem("overloaded", f"{self.running} requests are in flight.", {"retry-after": "1"})
        self.running += 1

    async def run(self, call: Callable[[], T], slow: bool = False, gone: threading.Event | None = None) -> T:
        """Return `call()`, made in a thread, which a language model is to leave soon after `gone` is set.

        Raises:
            Problem: too many calls are running or waiting.
        """
        self._enter()
        CANCELLED.set(gone)
        try:
            return await anyio.to_thread.run_sync(call, limiter=self._limiter(slow))
        finally:
            self.running -= 1

    async def iterate(self, start: Callable[[], Iterator[T]], slow: bool = False) -> AsyncGenerator[T]:
        """Yield what `start()` yields, each as soon as it is there; its error is raised here.

        When the caller stops, the thread stops at its next item and only then frees its place.

        Raises:
            Problem: too many calls are running or waiting.
        """
        self._enter()
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[T | None] = asyncio.Queue()
        gone = threading.Event()
        CANCELLED.set(gone)

        def feed() -> None:
            for item in start():
                if gone.is_set():
                    return
                loop.call_soon_threadsafe(queue.put_nowait, item)

        async def work() -> None:
            try:
                await anyio.to_thread.run_sync(feed, limiter=self._limiter(slow))
            finally:
                self.running -= 1
                queue.put_nowait(None)

        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        try:
            while (item := await queue.get()) is not None:
                yield item
            await task
        finally:
            gone.set()

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # read, so that an abandoned one is not reported at exit
