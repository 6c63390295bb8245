"""The load of the relay's benchmark, a process of its own: two-way G.711 calls, one packet each 20 ms and way, and what came of them.

Orders come as lines of JSON on standard input, and so does what it says on standard output (rtp-load.ts has both as types). It ends
with its input. Python has no call for many datagrams at once; the C library's sendmmsg(2) and recvmmsg(2) are called through ctypes,
so that two cores carry the load of 800 calls beside what is measured. All packets of a batch share their bytes but for the SSRC.

The delay of a packet is from the reading of the clock right before its batch is given to the kernel, to the instant at which the
kernel took the relayed one (SO_TIMESTAMPNS, socket(7)): however late this process looks, it is not counted to the relay.
"""
import ctypes
import json
import os
import select
import socket
import struct
import sys
import time

PACKET_S = 0.02
DRAIN_S = 0.5
PAYLOAD = 160
PACKET = 12 + PAYLOAD
# In the packet: whether it counts, and the instant of sending.
COUNTS_AT, STAMP_AT = 12, 16
# Packets that share one reading of the clock.
CHUNK = 8
# Between two looks at what is due: so far from its instant a packet may leave.
PAUSE_S = {"even": 0.0001, "bursts": 0.001}
# Of a received packet and of what the kernel says of it.
ROOM, ROOM_SAID, AT_ONCE = 256, 64, 64
RECEIVE_BYTES = 4_000_000
SO_TIMESTAMPNS = 35

LIBC = ctypes.CDLL(None, use_errno=True)


class Part(ctypes.Structure):
    """struct iovec"""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Message(ctypes.Structure):
    """struct mmsghdr"""

    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("parts", ctypes.POINTER(Part)),
        ("part_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        # struct msghdr ends on a word.
        ("room", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
    ]


MESSAGE = ctypes.sizeof(Message)


def say(**said):
    print(json.dumps(said), flush=True)


def room(count):
    """So many octets for the kernel to read or write: as Python sees them, and where they are."""
    octets = bytearray(count)
    return octets, ctypes.addressof((ctypes.c_char * count).from_buffer(octets))


def failed(what):
    code = ctypes.get_errno()
    return OSError(code, f"{what}: {os.strerror(code)}")


class Shared:
    """What all packets of a batch have in common: the header but for its SSRC, and the payload."""

    def __init__(self):
        self.head, self.head_at = room(8)
        self.payload, self.payload_at = room(PAYLOAD)
        self.payload[:] = b"\xd5" * PAYLOAD
        self.stamp = memoryview(self.payload)[STAMP_AT - 12 : STAMP_AT - 4].cast("q")
        self.counts(False)

    def round(self, number):
        struct.pack_into(">BBHI", self.head, 0, 0x80, 8, number & 0xFFFF, (number * PAYLOAD) & 0xFFFFFFFF)

    def counts(self, do):
        self.payload[COUNTS_AT - 12] = 1 if do else 0


class Sender:
    """The streams that leave from one of our sockets."""

    def __init__(self, sock, address, streams, shared):
        self.fd = sock.fileno()
        self.count = len(streams)
        # Kept as long as the kernel is shown them.
        self.names = [struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton(address) + bytes(8) for _, port in streams]
        self.ssrcs, ssrcs_at = room(4 * self.count)
        self.ssrcs[:] = b"".join(struct.pack(">I", index + 1) for index, _ in streams)
        self.parts = (Part * (3 * self.count))()
        self.messages = (Message * self.count)()
        for at in range(self.count):
            parts = ctypes.cast(ctypes.byref(self.parts, 3 * at * ctypes.sizeof(Part)), ctypes.POINTER(Part))
            parts[0] = Part(shared.head_at, 8)
            parts[1] = Part(ssrcs_at + 4 * at, 4)
            parts[2] = Part(shared.payload_at, PAYLOAD)
            name = ctypes.cast(ctypes.c_char_p(self.names[at]), ctypes.c_void_p)
            self.messages[at] = Message(name, len(self.names[at]), parts, 3, None, 0, 0, 0, 0)

    def send(self, at, count):
        while count > 0:
            gone = LIBC.sendmmsg(self.fd, ctypes.byref(self.messages, at * MESSAGE), count, 0)
            if gone < 0:
                raise failed("sendmmsg")
            at += gone
            count -= gone


class Receiver:
    """Takes what has come, and notes of each packet when it left and when it came."""

    def __init__(self, sockets):
        self.poll = select.epoll()
        for sock in sockets:
            self.poll.register(sock.fileno(), select.EPOLLIN)
        self.octets, packets_at = room(ROOM * AT_ONCE)
        saids, saids_at = room(ROOM_SAID * AT_ONCE)
        raw = bytearray(MESSAGE * AT_ONCE)
        self.parts = (Part * AT_ONCE)()
        self.messages = (Message * AT_ONCE).from_buffer(raw)
        for at in range(AT_ONCE):
            self.parts[at] = Part(packets_at + at * ROOM, ROOM)
            part = ctypes.cast(ctypes.byref(self.parts, at * ctypes.sizeof(Part)), ctypes.POINTER(Part))
            self.messages[at] = Message(None, 0, part, 1, saids_at + at * ROOM_SAID, ROOM_SAID, 0, 0, 0)
        # The kernel writes over what it was asked.
        self.asked = bytes(raw)
        self.octets = memoryview(self.octets)
        self.words = self.octets.cast("q")
        self.said_words = memoryview(saids).cast("q")
        self.lengths = memoryview(raw).cast("I")
        self.left, self.came_s, self.came_ns, self.counting, self.sizes = [], [], [], [], []

    def take(self):
        for fd, _ in self.poll.poll(0):
            while self.take_from(fd) == AT_ONCE:
                pass

    def take_from(self, fd):
        ctypes.memmove(self.messages, self.asked, len(self.asked))
        count = LIBC.recvmmsg(fd, self.messages, AT_ONCE, socket.MSG_DONTWAIT, None)
        if count <= 0:
            return 0
        self.left.extend(self.words[STAMP_AT // 8 : count * ROOM // 8 : ROOM // 8].tolist())
        self.counting.extend(self.octets[COUNTS_AT : count * ROOM : ROOM].tolist())
        # A cmsghdr of 16 bytes, then a timespec.
        self.came_s.extend(self.said_words[2 : count * ROOM_SAID // 8 : ROOM_SAID // 8].tolist())
        self.came_ns.extend(self.said_words[3 : count * ROOM_SAID // 8 : ROOM_SAID // 8].tolist())
        field = Message.length.offset // 4
        self.sizes.extend(self.lengths[field : count * MESSAGE // 4 : MESSAGE // 4].tolist())
        return count

    def delays_ms(self):
        """Of the packets that count, in order of size."""
        rows = zip(self.left, self.came_s, self.came_ns, self.counting, self.sizes)
        return sorted((s * 1_000_000_000 + ns - left) / 1e6 for left, s, ns, counts, size in rows if counts == 1 and size == PACKET)


def bind(count, address):
    sockets = []
    for _ in range(count):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        sock.bind((address, 0))
        sockets.append(sock)
    return sockets


def run(sockets, order):
    shared = Shared()
    by_socket = [[] for _ in sockets]
    for index, stream in enumerate(order["streams"]):
        by_socket[stream["socket"]].append((index, stream["port"]))
    senders = [Sender(sock, order["address"], streams, shared) for sock, streams in zip(sockets, by_socket) if streams]
    receiver = Receiver(sockets)
    total = len(order["streams"])
    parent = os.getppid()
    begin = time.monotonic()
    measure = begin + order["warmUpS"]
    end = measure + order["seconds"]
    pause = PAUSE_S[order["pacing"]]
    measuring = False
    gone = sent = number = turn = at = 0
    shared.round(0)
    while True:
        now = time.monotonic()
        if now >= end or os.getppid() != parent:
            break
        if not measuring and now >= measure:
            measuring = True
            shared.counts(True)
            say(says="measuring")
        # Packet k of the whole load is due k/n of an interval after the start, so that the streams are spread evenly.
        due = int((now - begin) / PACKET_S * total) - gone
        while due > 0:
            sender = senders[turn]
            count = min(due, sender.count - at, CHUNK)
            shared.stamp[0] = time.time_ns()
            sender.send(at, count)
            at += count
            due -= count
            gone += count
            if measuring:
                sent += count
            if at < sender.count:
                continue
            at, turn = 0, turn + 1
            if turn == len(senders):
                turn, number = 0, number + 1
                shared.round(number)
        receiver.take()
        time.sleep(pause)
    say(says="measured")
    until = time.monotonic() + DRAIN_S
    while time.monotonic() < until:
        receiver.take()
        time.sleep(0.001)
    delays = receiver.delays_ms()

    def share(part):
        return delays[min(len(delays) - 1, int(len(delays) * part))] if delays else 0

    result = {"sent": sent, "received": len(delays), "p50DelayMs": share(0.5), "p99DelayMs": share(0.99), "maxDelayMs": share(1)}
    say(says="done", result=result)


def main():
    sockets = []
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "bind":
            sockets = bind(order["sockets"], order["address"])
            say(says="bound", ports=[sock.getsockname()[1] for sock in sockets])
        else:
            run(sockets, order)


main()
