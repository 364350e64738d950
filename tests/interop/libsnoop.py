"""libsnoop.py - who listens at BRIDGE.snoop sees what the bridge and its controller say to one another, and the controller's probes do
not disturb it; with ovs-ofctl and weft-ofctl."""
import os
import socket
import struct
import subprocess

import libopenflow as lib


class Controller:
    """The controller's end of one connection in OpenFlow 1.3."""

    def __init__(self, switch):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.settimeout(30)
        switch.vsctl("set-controller", "br0", "tcp:127.0.0.1:%d" % listener.getsockname()[1])
        self.sock, _ = listener.accept()
        self.sock.settimeout(30)
        listener.close()
        self.sock.sendall(struct.pack(">BBHI", 4, 0, 8, 1))
        self.data = b""

    def message(self):
        while len(self.data) < 8 or len(self.data) < struct.unpack(">H", self.data[2:4])[0]:
            self.data += self.sock.recv(65536)
        n = struct.unpack(">H", self.data[2:4])[0]
        m, self.data = self.data[:n], self.data[n:]
        return m

    def features(self):
        self.sock.sendall(struct.pack(">BBHI", 4, 5, 8, 77))
        while self.message()[1] != 6:
            pass


def main(checks, switch):
    controller = Controller(switch)
    for tool in ("ovs-ofctl", os.path.join(lib.BIN, "weft-ofctl")):
        path = os.path.join(switch.dir, "snooped")
        with open(path, "w") as out:
            p = subprocess.Popen([tool, "-O", "OpenFlow13", "snoop", "br0"], env=switch.env, stdout=out, stderr=out)
        try:
            def seen():
                controller.features()
                text = open(path).read()
                return "OFPT_FEATURES_REQUEST (OF1.3) (xid=0x4d)" in text and "OFPT_FEATURES_REPLY (OF1.3) (xid=0x4d)" in text
            lib.wait(seen)
        finally:
            p.kill()
            p.wait()
        checks.true("%s snoop shows both ways" % os.path.basename(tool), seen())
    switch.vsctl("del-controller", "br0")
    controller.sock.close()
