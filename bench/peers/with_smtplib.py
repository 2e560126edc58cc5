"""A peer: the standard library's smtplib, one connection per thread; each message built as it is sent."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from email.policy import SMTP as WIRE
from smtplib import SMTP

from clock import arguments, copies, measured
from usual import Letter


def main() -> None:
    asked = arguments(__doc__)
    material = copies(asked.folder)
    letter = Letter(material)
    readers = deque(material["readers"][: asked.messages])
    built = (
        {reader["email"]: letter.message(reader).as_bytes(policy=WIRE) for reader in readers}
        if asked.prebuilt
        else {}
    )

    def connection() -> None:
        with SMTP("127.0.0.1", asked.port) as smtp:
            while True:
                try:
                    reader = readers.popleft()
                except IndexError:
                    return
                if built:
                    smtp.sendmail(material["sender"], [reader["email"]], built[reader["email"]])
                else:
                    smtp.send_message(letter.message(reader))

    with measured(), ThreadPoolExecutor(asked.connections) as pool:
        for done in [pool.submit(connection) for _ in range(asked.connections)]:
            done.result()


if __name__ == "__main__":
    main()
