#!/usr/bin/python3
"""typed.py QUESTION ANSWER BEFORE COMMAND... - COMMAND on a terminal of its own; when it shows QUESTION, BEFORE (a line for the shell) is run, then ANSWER
is typed. The terminal has as many columns as COLUMNS says. Says what stood on it and ends as COMMAND did."""
import fcntl, os, pty, select, struct, subprocess, sys, termios

question, answer, before, command = sys.argv[1].encode(), sys.argv[2], sys.argv[3], sys.argv[4:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 25, int(os.environ.get("COLUMNS", "200")), 0, 0))
    os.execvp(command[0], command)
seen, typed = b"", False
while select.select([fd], [], [], 200)[0]:
    try:
        piece = os.read(fd, 65536)
    except OSError:  # the other end is gone
        piece = b""
    if not piece:
        break
    seen += piece
    if question in seen and not typed:
        typed = True
        subprocess.run(before, shell=True, check=True, stdout=subprocess.DEVNULL)
        os.write(fd, (answer + "\n").encode())
os.close(fd)
print(seen.decode(errors="replace"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
