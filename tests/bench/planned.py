#!/usr/bin/python3
"""planned.py SOCKET CODE SECONDS EVERY - waits until all parts of a release are planned; asks every so many seconds on one connection, so
that what waits takes next to nothing of the processor. Exits with 1 when the time is over."""
import json
import socket
import sys
import time

path, code, seconds, every = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
s = socket.socket(socket.AF_UNIX)
s.connect(path)
f = s.makefile("rwb")
until = time.monotonic() + seconds
while time.monotonic() < until:
    request = {"jsonrpc": "2.0", "id": 1, "method": "release.show", "params": {"as": "Lê Vận Hành", "release": code}}
    f.write(json.dumps(request).encode() + b"\n")
    f.flush()
    answer = json.loads(f.readline())
    if "result" not in answer:
        sys.exit("planned: " + str(answer))
    if all(part["planned"] == "yes" for part in answer["result"]["parts"]):
        sys.exit(0)
    time.sleep(every)
sys.exit("planned: %s is not after %s s" % (code, seconds))
