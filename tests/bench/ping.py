#!/usr/bin/python3
"""ping.py SOCKET STOP_FILE - asks the control socket for its version every 5 ms until STOP_FILE is there; prints times in ms as JSON."""
import json
import os
import socket
import sys
import time

s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
f = s.makefile("rwb")
took = []
while not os.path.exists(sys.argv[2]) or not took:
    began = time.monotonic()
    f.write(b'{"jsonrpc":"2.0","id":%d,"method":"version","params":{"as":"L\xc3\xaa V\xe1\xba\xadn H\xc3\xa0nh"}}\n' % len(took))
    f.flush()
    answer = json.loads(f.readline())
    if "result" not in answer:
        sys.exit("ping: " + str(answer))
    took.append((time.monotonic() - began) * 1000)
    time.sleep(0.005)
took.sort()
print(json.dumps({"pings": len(took), "p50_ms": round(took[len(took) // 2], 2), "p999_ms": round(took[min(len(took) - 1, int(len(took) * 0.999))], 2), "max_ms": round(took[-1], 2)}))
