"""A relay board made of Debian's python3-pymodbus, on a serial port: an implementation that is not ours.

Run with the system's python: pymodbus_slave.py PORT [UNIT ...]
Commands on stdin, one a line:    input UNIT INDEX 0|1     register UNIT ADDRESS VALUE
Lines on stdout, JSON:            {"ready": true}
                                  {"unit": 1, "coils": [0, 1, ...]}            each write of coils
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
from pymodbus.server import StartAsyncSerialServer
from pymodbus.transaction import ModbusRtuFramer

COILS, INPUTS, REGISTERS = 8, 9, 256


def say(message):
    print(json.dumps(message), flush=True)


class Coils(ModbusSequentialDataBlock):
    def __init__(self, unit):
        super().__init__(0, [0] * COILS)
        self.unit = unit

    def setValues(self, address, values):
        super().setValues(address, values)
        say({"unit": self.unit, "coils": [int(value) for value in self.values]})


class Registers(ModbusSequentialDataBlock):
    def __init__(self, unit):
        super().__init__(0, [0] * REGISTERS)
        self.unit = unit

    def setValues(self, address, values):
        super().setValues(address, values)
        say({"unit": self.unit, "register": address, "value": values[0]})


def slave(unit):
    return ModbusSlaveContext(
        co=Coils(unit),
        di=ModbusSequentialDataBlock(0, [0] * INPUTS),
        hr=Registers(unit),
        ir=ModbusSequentialDataBlock(0, [0]),
        zero_mode=True,
    )


async def obey(slaves):
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        verb, unit, address, value = line.decode().split()
        table = {"input": "d", "register": "h"}[verb]
        block = slaves[int(unit)].store[table]
        ModbusSequentialDataBlock.setValues(block, int(address), [int(value)])
    # The test is gone, and so is the board.


async def main():
    port, *units = sys.argv[1:]
    slaves = {int(unit): slave(int(unit)) for unit in units or ["1"]}
    server = await StartAsyncSerialServer(
        context=ModbusServerContext(slaves=slaves, single=False),
        framer=ModbusRtuFramer,
        port=port,
        baudrate=115200,
        # What is for a board that is not there stays unanswered, as on a real line.
        ignore_missing_slaves=True,
        defer_start=True,
    )
    await server.start()
    say({"ready": True})
    await obey(slaves)


asyncio.run(main())
