"""long_number.py SOCKET - a long integer as id and as a delivery number comes back as it went, digit by digit."""
import json
import socket
import sys

NUMBER = 9007199254740993  # 2^53 + 1: a double would make it even
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.settimeout(10)
s.connect(sys.argv[1])
f = s.makefile("rwb")


def call(method, params, id_):
    f.write(json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode() + b"\n")
    f.flush()
    return f.readline().decode()


answer = call("version", {}, NUMBER)
if str(NUMBER) not in answer:
    sys.exit("the id came back as " + answer)
call("as", {"person": "Lê Vận Hành"}, 1)
answer = call("delivery.show", {"as": "Lê Vận Hành", "delivery": str(NUMBER)}, 2)
if str(NUMBER) not in answer:
    sys.exit("the number was rounded: " + answer)
