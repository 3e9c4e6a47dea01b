"""odd_vendor.py PORT-FILE LEDGER - an SMS gateway whose answers are all 200 and none of them good: HTML, nothing, half a document, 100 MB,
words of the wrong type. Each request goes to the ledger, a JSON line with its phones; what is asked is never refused."""
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KINDS = ["html", "empty", "half", "huge", "types"]
lock = threading.Lock()
count = 0


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, body, content_type="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def huge(self):
        piece = b"x" * 65536
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(1600 * len(piece)))
        self.end_headers()
        try:
            for _ in range(1600):
                self.wfile.write(piece)
        except OSError:
            pass  # the client has read enough
        self.close_connection = True

    def do_POST(self):
        global count
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8", "replace")
        with lock:
            kind = KINDS[count % len(KINDS)]
            count += 1
            with open(sys.argv[2], "a", encoding="utf-8") as ledger:
                ledger.write(json.dumps({"kind": kind, "phones": re.findall(r"(?:84|0)9\d{8}", text)}) + "\n")
        if kind == "html":
            self.answer(b"<html><body>OK</body></html>", "text/html")
        elif kind == "empty":
            self.answer(b"")
        elif kind == "half":
            self.answer(b'{"CodeResult":"10')
        elif kind == "huge":
            self.huge()
        else:
            self.answer(b'{"CodeResult":{"a":[100]},"SMSID":[],"CountRegenerate":"none"}')


server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
with open(sys.argv[1], "w", encoding="ascii") as f:
    f.write(str(server.server_port))
server.serve_forever()
