"""A peer: aiosmtplib, every connection a task; EmailMessages built before the clock starts."""

from __future__ import annotations

import asyncio
from collections import deque

from aiosmtplib import SMTP
from clock import arguments, copies, measured
from usual import Letter


async def main() -> None:
    asked = arguments(__doc__)
    material = copies(asked.folder)
    letter = Letter(material)
    messages = deque(letter.message(reader) for reader in material["readers"][: asked.messages])

    async def connection() -> None:
        async with SMTP(hostname="127.0.0.1", port=asked.port, start_tls=False) as smtp:
            while messages:
                await smtp.send_message(messages.popleft())

    with measured():
        await asyncio.gather(*(connection() for _ in range(asked.connections)))


if __name__ == "__main__":
    asyncio.run(main())
