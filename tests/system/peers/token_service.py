"""token_service.py - a provider with rotating tokens, for test_tokens.sh: single-use refresh tokens, a new pair ends the old access token
at once, and a ledger of what was truly asked. Started with PORT-FILE LEDGER; steered by GET /ctl?name=value."""
import json, random, socketserver, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler

class State:
    def __init__(self, ledger):
        self.lock = threading.Lock()
        self.ledger = open(ledger, "a", buffering=1)
        self.n = 0
        self.refresh = "RT-0-canary"
        self.access = None
        self.spent = {}
        self.codes = {}
        self.ctl = {"before": 0, "after": 0, "life": 3600, "lose": 0, "busy": 0, "consent": 0}

    def note(self, **kw):
        kw["at"] = time.time()
        self.ledger.write(json.dumps(kw) + "\n")

    def pair(self):
        self.n += 1
        if self.refresh:
            self.spent[self.refresh] = 0
        self.refresh, self.access = f"RT-{self.n}-canary-{random.randrange(1 << 40):x}", f"AT-{self.n}-canary-{random.randrange(1 << 40):x}"
        return f"access_token={self.access}&refresh_token={self.refresh}&expires_in={self.ctl['life']}"

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *a):
        pass

    def answer(self, status, body):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        s, url = self.server.state, urllib.parse.urlparse(self.path)
        q = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/ctl":
            with s.lock:
                for k, v in q.items():
                    if k == "revoke":
                        s.access = None
                    elif k == "kill":
                        s.spent[s.refresh], s.refresh, s.access = 0, None, None
                    elif k == "code":
                        s.codes[v] = True
                    else:
                        s.ctl[k] = int(v)
            return self.answer(200, "ok")
        if q.get("check"):
            with s.lock:
                good = s.access and self.headers.get("access_token") == s.access
                soon = int(time.time() * 1000) + s.ctl["consent"] * 86400000
            return self.answer(200, f"followers=4200&quota_left=17&consent_expires_at_ms={soon}" if good and s.ctl["consent"] else
                               "followers=4200&quota_left=17" if good else "") if good else self.answer(401, "")
        return self.answer(404, "")

    def token(self, q):
        s, lose = self.server.state, False
        time.sleep(s.ctl["before"] / 1000)
        with s.lock:
            if s.ctl["busy"]:
                s.ctl["busy"] -= 1
                return self.answer(503, "busy")
            kind, t = q.get("grant_type"), q.get("refresh_token")
            if kind == "authorization_code":
                good = s.codes.pop(q.get("code"), False) and len(q.get("verifier", "")) == 32
                body = s.pair() if good else "error=code"
                s.note(ev="login", good=good)
            elif t and t == s.refresh:
                body = s.pair()
                s.note(ev="rotate", spent=t, given=s.refresh)
            elif t in s.spent:
                s.spent[t] += 1
                s.note(ev="reuse", token=t, times=s.spent[t])
                body = "error=spent"
            else:
                s.note(ev="unknown", token=t)
                body = "error=unknown"
            if s.ctl["lose"]:
                s.ctl["lose"] -= 1
                lose = True
        time.sleep(s.ctl["after"] / 1000)
        if lose:
            self.close_connection = True
            return
        self.answer(200, body)

    def change(self, what):
        s = self.server.state
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")
        time.sleep(s.ctl["before"] / 1000)
        with s.lock:
            s.note(ev=what, ref=self.headers.get("X-Ref"), body=body)
            busy = s.ctl["busy"]
            s.ctl["busy"] = max(0, busy - 1)
        time.sleep(s.ctl["after"] / 1000)
        self.answer(503 if busy else 200, "")

    def do_DELETE(self):
        self.change("delete")

    def do_PUT(self):
        self.change("edit")

    def do_POST(self):
        s, url = self.server.state, urllib.parse.urlparse(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if url.path == "/token":
            return self.token(dict(urllib.parse.parse_qsl(body)))
        with s.lock:
            good = s.ctl.get("open") or (s.access and self.headers.get("access_token") == s.access)
            s.note(ev="publish" if good else "unauthorised", ref=self.headers.get("X-Ref"))
        self.answer(200 if good else 401, "")

class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    def handle_error(self, *a):
        pass  # a killed daemon leaves broken connections

server = Server(("127.0.0.1", 0), Handler)
server.state = State(sys.argv[2])
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(server.server_address[1]))
import os
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
