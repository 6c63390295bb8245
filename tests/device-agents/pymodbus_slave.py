"""A relay board made of Debian's python3-pymodbus, on a serial port: an implementation that is not ours.

Register 8 is its communication watchdog in seconds, 0 is off: when nobody has asked this unit anything for that long, it
opens its relays by itself. Everything on the wire is pymodbus's own.

Run with the system's python: pymodbus_slave.py PORT [UNIT ...]
Commands on stdin, one a line:    input UNIT INDEX 0|1     register UNIT ADDRESS VALUE
                                  except UNIT COUNT        the next COUNT questions are answered by exceptions
                                  mute UNIT 0|1            it neither hears nor answers
                                  reset UNIT               power off and on: relays open, registers as from the factory
Lines on stdout, JSON:            {"ready": true}
                                  {"unit": 1, "coils": [0, 1, ...]}            each write of coils
                                  {"unit": 1, "coils": [0, 0, ...], "watchdog": true}      the watchdog opened them
                                  {"unit": 1, "register": 8, "value": 3}       each write of a register
"""

import asyncio
import json
import sys

from pymodbus.datastore import (
    ModbusSequentialDataBlock,
    ModbusServerContext,
    ModbusSlaveContext,
)
from pymodbus.exceptions import NoSuchSlaveException
from pymodbus.server import StartAsyncSerialServer
from pymodbus.transaction import ModbusRtuFramer

COILS, INPUTS, REGISTERS = 8, 9, 256
WATCHDOG_REGISTER = 8


def say(message):
    print(json.dumps(message), flush=True)


class Coils(ModbusSequentialDataBlock):
    def __init__(self, unit):
        super().__init__(0, [0] * COILS)
        self.unit = unit

    def setValues(self, address, values):
        super().setValues(address, values)
        self.tell()

    def tell(self, **more):
        say({"unit": self.unit, "coils": [int(value) for value in self.values], **more})

    def open_all(self, **more):
        closed = any(self.values)
        super().setValues(0, [0] * COILS)
        if closed:
            self.tell(**more)


class Registers(ModbusSequentialDataBlock):
    def __init__(self, unit):
        super().__init__(0, [0] * REGISTERS)
        self.unit = unit

    def setValues(self, address, values):
        super().setValues(address, values)
        say({"unit": self.unit, "register": address, "value": values[0]})


class Board(ModbusSlaveContext):
    """One board: what every question to it does, whatever it asks."""

    def __init__(self, unit):
        super().__init__(
            co=Coils(unit),
            di=ModbusSequentialDataBlock(0, [0] * INPUTS),
            hr=Registers(unit),
            ir=ModbusSequentialDataBlock(0, [0]),
            zero_mode=True,
        )
        self.muted = False
        self.exceptions = 0
        self.timer = None

    def validate(self, fc_as_hex, address, count=1):
        if self.muted:
            raise NoSuchSlaveException()
        self.feed()
        if self.exceptions > 0:
            self.exceptions -= 1
            return False
        return super().validate(fc_as_hex, address, count)

    def setValues(self, fc_as_hex, address, values):
        super().setValues(fc_as_hex, address, values)
        # A watchdog that was just written counts from now.
        self.feed()

    def feed(self):
        if self.timer is not None:
            self.timer.cancel()
        seconds = self.store["h"].values[WATCHDOG_REGISTER]
        self.timer = (
            asyncio.get_running_loop().call_later(seconds, self.bark) if seconds else None
        )

    def bark(self):
        self.store["c"].open_all(watchdog=True)

    def reset(self):
        ModbusSequentialDataBlock.setValues(self.store["h"], 0, [0] * REGISTERS)
        self.store["c"].open_all(reset=True)
        self.feed()

    def obey(self, verb, args):
        if verb == "input":
            ModbusSequentialDataBlock.setValues(self.store["d"], args[0], [args[1]])
        elif verb == "register":
            ModbusSequentialDataBlock.setValues(self.store["h"], args[0], [args[1]])
        elif verb == "except":
            self.exceptions = args[0]
        elif verb == "mute":
            self.muted = args[0] == 1
        elif verb == "reset":
            self.reset()
        else:
            raise ValueError(verb)


async def obey(boards):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        verb, unit, *args = line.decode().split()
        boards[int(unit)].obey(verb, [int(arg) for arg in args])
    # The test is gone, and so is the board.


async def main():
    port, *units = sys.argv[1:]
    boards = {int(unit): Board(int(unit)) for unit in units or ["1"]}
    server = await StartAsyncSerialServer(
        context=ModbusServerContext(slaves=boards, single=False),
        framer=ModbusRtuFramer,
        port=port,
        baudrate=115200,
        # What is for a board that is not there stays unanswered, as on a real line.
        ignore_missing_slaves=True,
        defer_start=True,
    )
    await server.start()
    say({"ready": True})
    await obey(boards)


asyncio.run(main())
