#!/usr/bin/python3
"""sample.py PID METRICS_PORT FILE - "anonymous-KB open-intents" of the daemon, four times a second as long as it lives, each a line of
FILE. One process: a shell that starts others for each look would take more of the processor than what is measured beside it."""
import http.client
import re
import sys
import time

ANONYMOUS = re.compile(rb"^Anonymous: *(\d+)", re.M)
INTENTS = re.compile(rb"^lantoa_open_intents (\d+)", re.M)
metrics = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=5)
with open(sys.argv[3], "w") as out:
    while True:
        try:
            with open("/proc/%s/smaps_rollup" % sys.argv[1], "rb") as f:
                anonymous = ANONYMOUS.search(f.read())
            if not anonymous:
                break  # it has ended
            metrics.request("GET", "/metrics")
            intents = INTENTS.search(metrics.getresponse().read())
        except (FileNotFoundError, ProcessLookupError):
            break
        except (OSError, http.client.HTTPException):
            metrics.close()  # and is opened again by the next look
            intents = None
        print(anonymous[1].decode(), intents[1].decode() if intents else "", file=out, flush=True)
        time.sleep(0.25)
