"""receiver.py DIR - a portal on loopback: keeps the body of each POST as DIR/post-N, gives files of DIR/files back, and writes its port
to DIR/port. What is posted to /files/NAME is kept there. Ends with SIGTERM."""
import http.server
import os
import sys

folder = sys.argv[1]
os.makedirs(os.path.join(folder, "files"), exist_ok=True)
posts = 0


class Portal(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        global posts
        length = self.headers.get("Content-Length")
        body = self.rfile.read(int(length)) if length else b""
        posts += 1
        name = os.path.join(folder, "post-%d" % posts)
        with open(name + ".new", "wb") as f:
            f.write(body)
        os.rename(name + ".new", name)
        self.answer(200)

    def do_GET(self):
        path = os.path.join(folder, "files", os.path.basename(self.path))
        if not os.path.isfile(path):
            return self.answer(404)
        with open(path, "rb") as f:
            self.answer(200, f.read())

    def log_message(self, *unused):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal)
with open(os.path.join(folder, "port.new"), "w") as f:
    f.write(str(server.server_address[1]))
os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
server.serve_forever()
