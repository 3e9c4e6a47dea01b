"""portal.py - a proxy that is also every page behind it, for test_needs_link.sh. Started with PORT-FILE LEDGER SWITCH; each address that is
asked for is a line of the ledger; /later answers once the file SWITCH is there."""
import os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT_FILE, LEDGER, SWITCH = sys.argv[1:4]
PAGES = {"/here": (200, None), "/there": (200, None), "/moved": (301, "/there"), "/round": (302, "/round"),
         "/away": (302, "http://elsewhere.example/page"), "/near": (302, "//elsewhere.example/page")}

class Handler(BaseHTTPRequestHandler):
    def log_message(self, *a):
        pass

    def do_GET(self):
        with open(LEDGER, "a") as f:
            f.write(self.path + "\n")
        path = "/" + self.path.split("/", 3)[3] if self.path.startswith("http") else self.path
        status, location = PAGES.get(path, (404, None))
        if path == "/later" and os.path.exists(SWITCH):
            status = 200
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        body = b"x" * 200000 if status == 200 else b""  # a page is larger than what is read of it
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(PORT_FILE + ".new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(PORT_FILE + ".new", PORT_FILE)
server.serve_forever()
