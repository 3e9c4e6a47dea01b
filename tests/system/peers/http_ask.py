"""http_ask.py METHOD PORT PATH [BODY] - one request to 127.0.0.1; prints the status, then the body."""
import http.client
import sys

method, port, path = sys.argv[1:4]
body = sys.argv[4] if len(sys.argv) > 4 else None
c = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
c.request(method, path, body, {"Content-Type": "application/x-www-form-urlencoded"} if body else {})
r = c.getresponse()
print(r.status)
try:
    sys.stdout.write(r.read().decode("utf-8", "replace"))
    sys.stdout.flush()
except BrokenPipeError:  # only the status was wanted
    sys.stdout = None
