#!/usr/bin/env python3
"""signal.py SOCKET - for each line "CODE PART" of standard input gives the signal for that part and prints when, in ms since 1970: the
moment before the request is written, on a connection that has answered once. The start of a process is not in what is measured from it."""
import json
import socket
import sys
import time


def ask(f, method, params):
    params["as"] = "Lê Vận Hành"
    f.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
    at = time.time()
    f.flush()
    answer = json.loads(f.readline())
    if "result" not in answer:
        sys.exit("signal: " + str(answer))
    return int(at * 1000)


for line in sys.stdin:
    code, part = line.split()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(sys.argv[1])
        f = s.makefile("rwb")
        ask(f, "version", {})
        print(ask(f, "release.go", {"release": code, "part": part}), flush=True)
