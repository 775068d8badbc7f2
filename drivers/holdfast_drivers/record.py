"""Records what a serial device sends, as a tape for a test:

    python -m holdfast_drivers.record --port /dev/serial/by-id/… --seconds 60 > scanner.tape

Listens only. What it hears is redacted: framing, lengths and times stay, letters and digits do not.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from contextlib import suppress

from holdfast_drivers.links.base import Opener
from holdfast_drivers.links.serial import serial_opener
from holdfast_drivers.links.tape import Recorder, Redact, Tape, keep_all, mask_text
from holdfast_drivers.scanners.ssi import mask_packets
from holdfast_drivers.values import DeviceError

_REDACT: dict[str, Redact] = {"text": mask_text, "ssi": mask_packets}


async def record(opener: Opener, seconds: float, redact: Redact) -> Tape:
    """Listen for `seconds`, or until the device is unplugged. Raises what the opener raises."""
    link = await opener()
    recorder = Recorder(link, redact=redact)
    try:
        with suppress(TimeoutError, DeviceError):
            async with asyncio.timeout(seconds):
                while True:
                    await recorder.read(4096)
    finally:
        await link.close()
    return recorder.tape


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m holdfast_drivers.record", description="Record a serial device.")
    parser.add_argument("--port", required=True, metavar="PATH")
    parser.add_argument("--baudrate", type=int, default=9600)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--protocol", choices=_REDACT, default="text", help="what it speaks: redacted packets stay whole"
    )
    parser.add_argument("--unredacted", action="store_true", help="keep every byte: only for codes of your own")
    options = parser.parse_args()
    redact = keep_all if options.unredacted else _REDACT[options.protocol]
    tape = asyncio.run(record(serial_opener(options.port, baudrate=options.baudrate), options.seconds, redact))
    sys.stdout.write(tape.dumps())


if __name__ == "__main__":
    main()
