"""Debian's ovsdb-server and weft-dbd side by side, each with a file of tests/data/ovsdb/interop.ovsschema."""
import json
import os
import socket
import subprocess
import time

BIN = os.environ.get("WEFT_BIN", "build/asan/bin")
SRC = os.environ.get("WEFT_SRC", ".")
SCHEMA = os.path.join(SRC, "tests/data/ovsdb/interop.ovsschema")


class Server:
    """A server process with one database, and a connection to it."""

    def __init__(self, top, name, server, tool):
        self.dir = os.path.join(top, name)
        os.mkdir(self.dir)
        path = os.path.join(self.dir, "interop.db")
        subprocess.run([tool, "create", path, SCHEMA], check=True)
        sock = os.path.join(self.dir, "sock")
        self.log = open(os.path.join(self.dir, "log"), "w")
        self.process = subprocess.Popen(
            [server, "--no-chdir", f"--unixctl={self.dir}/ctl", f"--remote=punix:{sock}", path],
            stdout=self.log, stderr=self.log)
        for _ in range(200):
            if os.path.exists(sock):
                break
            time.sleep(0.05)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(sock)
        self.buffer = ""
        self.id = 0

    def transact(self, operations):
        return self.call("transact", ["Interop"] + operations)

    def call(self, method, params):
        """The result of a request."""
        return self.ask(method, params)["result"]

    def ask(self, method, params):
        """The reply to a request."""
        self.id += 1
        self.updates = []  # notifications before the reply
        self.socket.sendall(json.dumps({"id": self.id, "method": method, "params": params}).encode())
        while True:
            self.buffer = self.buffer.lstrip()
            try:
                message, end = json.JSONDecoder().raw_decode(self.buffer)
            except ValueError:
                more = self.socket.recv(1 << 20)
                if not more:
                    raise ConnectionError("the server closed the connection")
                self.buffer += more.decode()
                continue
            self.buffer = self.buffer[end:]
            if message.get("method") == "echo":
                self.socket.sendall(json.dumps({"id": message["id"], "result": message["params"], "error": None}).encode())
            elif message.get("method"):
                self.updates.append([message["method"], message["params"]])
            elif message.get("id") == self.id:
                return message

    def stop(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.log.close()


def theirs(top):
    return Server(top, "theirs", "ovsdb-server", "ovsdb-tool")


def ours(top):
    return Server(top, "ours", os.path.join(BIN, "weft-dbd"), os.path.join(BIN, "weft-dbctl"))
