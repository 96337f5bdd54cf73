"""A limit on waiting, for many coroutines at once."""

import asyncio

from data_engine.http.deadline import DeadlineWatcher


def test_who_waits_too_long_is_told_so_and_nobody_else():
    limit = DeadlineWatcher(0.05)

    async def waits(arrived):
        with limit:
            await arrived.wait()
        return "read"

    async def scene():
        never, soon = asyncio.Event(), asyncio.Event()
        slow, quick, gone = (asyncio.create_task(waits(event)) for event in (never, soon, never))
        await asyncio.sleep(0)
        soon.set()
        gone.cancel()
        found = await asyncio.gather(slow, quick, gone, return_exceptions=True)
        assert slow.cancelling() == 0
        return found

    for _ in range(2):  # in another event loop too
        late, read, cancelled = asyncio.run(scene())
        assert (
            isinstance(late, TimeoutError)
            and read == "read"
            and isinstance(cancelled, asyncio.CancelledError)
        )
