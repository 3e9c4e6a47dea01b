#!/usr/bin/python3
"""control_abuse.py SOCKET - a hostile client of the control socket. Prints TAP lines; a ping from outside runs all the while."""
import hashlib, json, os, socket, sys, threading, time, resource

path, n = sys.argv[1], 0
resource.setrlimit(resource.RLIMIT_NOFILE, (min(20000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)


def tap(good, what):
    global n
    n += 1
    print(("ok %d - %s" if good else "not ok %d - %s") % (n, what), flush=True)


def connect(timeout=20):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(path)
    return s


def call(s, method, params=None, ident=1):
    s.sendall((json.dumps({"jsonrpc": "2.0", "id": ident, "method": method, "params": params or {}}) + "\n").encode())
    return answer(s)


def answer(s):
    data = b""
    while not data.endswith(b"\n"):
        piece = s.recv(65536)
        if not piece:
            return None
        data += piece
    return json.loads(data)


def raw(text, timeout=20):
    s = connect(timeout)
    s.sendall(text)
    return answer(s)


worst, pings, stop = [0.0], [0], threading.Event()


def ping():
    s = connect()
    while not stop.is_set():
        t = time.monotonic()
        call(s, "version")
        worst[0] = max(worst[0], time.monotonic() - t)
        pings[0] += 1
        time.sleep(0.01)


pinger = threading.Thread(target=ping, daemon=True)
pinger.start()

crawled = []


def crawl():
    """A byte at a time, for ever: a line has thirty seconds from its first one."""
    s, t = connect(60), time.monotonic()
    s.settimeout(1)
    while time.monotonic() - t < 50:
        try:
            s.sendall(b"{")
            if s.recv(1) == b"":
                break
        except socket.timeout:
            continue
        except OSError:
            break
    crawled.append(time.monotonic() - t)


crawler = threading.Thread(target=crawl, daemon=True)
crawler.start()

tap(call(connect(), "version")["result"]["abi_major"] == 1, "version answers without a role")
tap(raw(b'{"jsonrpc": "2.0", "id": 1, "method"\n')["error"]["code"] == -32700, "half a JSON document is a parse error")
tap(raw(b'[1,2,3]\n')["error"]["code"] == -32600, "an array is no request")
tap(raw(b'{"jsonrpc":"2.0","id":1,"method":"version","method":"status"}\n')["error"]["code"] == -32700, "a key that stands twice is refused")
tap(raw(b'{"jsonrpc":"2.0","id":1,"method":"no.such"}\n')["error"]["code"] == -32601, "an unknown method is named")
tap(raw(b'\xff\xfe{}\n')["error"]["code"] == -32700, "bytes that are no UTF-8 are refused")
tap(raw(b"[" * 5000 + b"\n")["error"]["code"] == -32700, "deep nesting is refused")
tap(call(connect(), "status")["error"]["code"] == 3, "status needs a role")
r = call(connect(), "delivery.show", {"as": "Lê Vận Hành", "delivery": 9007199254740993})
tap("error" in r and "9007199254740993" in r["error"]["message"], "a delivery of more than 2^53 is not rounded to another one")
r = raw(b'{"jsonrpc":"2.0","id":1,"method":"delivery.show","params":{"as":"L\xc3\xaa V\xe1\xba\xadn H\xc3\xa0nh","delivery":123456789012345678901234567890}}\n')
tap("error" in r and "123456789012345678901234567890" in r["error"]["message"], "an integer of thirty digits is refused and named")
tap("1.5" in call(connect(), "delivery.show", {"as": "Lê Vận Hành", "delivery": 1.5})["error"]["message"], "half a delivery is refused and named")
r = call(connect(), "delivery.retry", {"as": "Lê Vận Hành", "deliveries": [-7], "why": "x"})
tap("-7" in r["error"]["message"], "one below nothing, too")

s = connect()
got = None
try:
    for _ in range(1600):  # 100 MB without a line end
        s.sendall(b"x" * 65536)
    got = answer(s)
except (BrokenPipeError, ConnectionResetError):
    got = "closed"
tap(got == "closed" or got is None or "error" in got, "a line of 100 MB is cut off")

idle = []
for _ in range(10000):
    c = socket.socket(socket.AF_UNIX)
    c.settimeout(5)
    try:
        c.connect(path)
        idle.append(c)
    except OSError:
        c.close()
first, told = pings[0], None
try:
    told = answer(idle[-1])
except OSError:
    pass
tap(told is not None and "too many connections" in told["error"]["message"], "10,000 idle connections: the last one is told that there are too many")
time.sleep(0.5)
tap(pinger.is_alive() and pings[0] > first, "the one that was there goes on")
for c in idle:
    c.close()
good = False
for _ in range(200):
    try:
        good = call(connect(), "version")["result"]["version"] != ""
        break
    except (OSError, TypeError, KeyError):
        time.sleep(0.05)
tap(good, "after them a new client is served")

s = connect()
b = call(s, "upload.begin", {"as": "Quản Trị", "name": "x", "bytes": 10, "what": "bundle"})
up = b["result"]["id"]
tap("error" in call(s, "upload.chunk", {"as": "Quản Trị", "id": up, "offset": 5, "data": "AAAA"}), "a chunk at a wrong offset is refused")
tap("error" in call(s, "upload.chunk", {"as": "Quản Trị", "id": up, "offset": 0, "data": "!!!"}), "a chunk that is no base64 is refused")
tap("error" in call(s, "upload.chunk", {"as": "Quản Trị", "id": up, "offset": 0, "data": "QUFBQUFBQUFBQUFBQUFBQUFBQQ=="}), "more bytes than were announced are refused")
mine = {"as": "Quản Trị", "id": up, "sha256": hashlib.sha256(b"A" * 10).hexdigest()}
call(s, "upload.chunk", {"as": "Quản Trị", "id": up, "offset": 0, "data": "QUFBQUFBQUFBQQ=="})
tap("error" in call(connect(), "upload.end", mine) and "result" in call(s, "upload.end", mine), "an upload belongs to its connection")
tap("error" in call(s, "upload.begin", {"as": "Quản Trị", "name": "x", "bytes": 1 << 40, "what": "bundle"}), "a bundle of a terabyte is refused")
s2 = connect()
tap(call(s2, "upload.begin", {"as": "Nguyễn Thị Biên", "name": "x", "bytes": 10, "what": "import"}).get("error", {}).get("code") == 3, "who may import no list takes no room for one")
begun = [call(s2, "upload.begin", {"as": "Nguyễn Thị Biên", "name": "x", "bytes": 10, "what": "bundle"}) for _ in range(9)]
tap([("result" in b) for b in begun] == [True] * 8 + [False] and begun[8]["error"]["code"] == 7, "nobody takes all places of uploads")
tap("result" in call(s2, "upload.begin", {"as": "Quản Trị", "name": "x", "bytes": 10, "what": "import"}), "another person still has one")
s2.close()
s.sendall(b'{"jsonrpc":"2.0","id":7,"method":"vers')  # and dies in the middle of a line
s.close()
many = connect()
for i in range(200):  # more than may be in flight: all are answered, in time
    many.sendall((json.dumps({"jsonrpc": "2.0", "id": i, "method": "version"}) + "\n").encode())
buf = b""
while buf.count(b"\n") < 200:
    buf += many.recv(65536)
tap(len({json.loads(l)["id"] for l in buf.splitlines()}) == 200, "200 calls at once are all answered")
# Long lines are parsed beside the loop: those behind them wait, and one that goes away meanwhile leaves nothing behind.
long = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "version", "params": {"x": "y" * 500000}}) + "\n"
bad = "{" + "z" * 500000 + "\n"
s = connect()
s.sendall((long + json.dumps({"jsonrpc": "2.0", "id": 2, "method": "version"}) + "\n" + bad + long.replace('"id": 1', '"id": 4')).encode())
buf = b""
while buf.count(b"\n") < 4:
    buf += s.recv(65536)
told = {t["id"]: t for t in map(json.loads, buf.splitlines())}
tap(set(told) == {1, 2, None, 4} and told[None]["error"]["code"] == -32700, "long lines, good and bad, and short ones behind them are all answered")
for i in range(40):
    s = connect()
    s.sendall(long.encode())
    s.close()
tap("result" in call(connect(), "version"), "40 that went away behind a long line are forgotten")
up = call(connection := connect(), "upload.begin", {"as": "Quản Trị", "name": "x", "bytes": 8, "what": "bundle"})["result"]["id"]
tap("error" in call(connection, "upload.chunk", {"as": "Quản Trị", "id": up, "offset": 0, "data": "*" * 100000}) and
    call(connection, "upload.chunk", {"as": "Quản Trị", "id": up, "offset": 0, "data": "QUFBQUFBQUE="})["result"]["received"] == 8, "behind a chunk that was no good the right one is taken")
crawler.join(60)
tap(crawled and 25 < crawled[0] < 45, "a line of one byte a second has its thirty seconds, no more")
stop.set()
pinger.join(10)
print("# slowest ping meanwhile: %.1f ms" % (worst[0] * 1000))
