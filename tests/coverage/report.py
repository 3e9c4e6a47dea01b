#!/usr/bin/python3
"""report.py BUILD [LOG] - what the tests of a coverage build reached, by file (lowest first) and in total by folder.

Reads every .gcno below BUILD/obj with gcc's gcov; a file that no test ran counts as 0. Lines and branches of a header are
added up over the files that include it. A process that was killed by a test has written nothing: its share is missing.
The table is printed; with LOG it is written there too. Exit 1: nothing was counted.
"""
import json
import os
import subprocess
import sys
import time

MEASURED = ("daemon/", "adapters/")
AT_ONCE = 40  # files a call of gcov


def objects(build):
    for folder, _, names in sorted(os.walk(os.path.join(build, "obj"))):
        for name in sorted(names):
            if name.endswith(".gcno") and "/obj/tests/" not in folder:
                yield os.path.join(folder, name)


def documents(paths):
    """gcov's JSON, one document an object; the .gcda beside a .gcno is found by gcov itself."""
    for i in range(0, len(paths), AT_ONCE):
        done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *paths[i:i + AT_ONCE]],
                              capture_output=True, text=True, check=False)
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                yield json.loads(line)


def count(build):
    """{file: ({line: runs}, {(line, index): taken})}"""
    files = {}
    for doc in documents(list(objects(build))):
        for f in doc["files"]:
            name = os.path.normpath(f["file"])
            if not name.startswith(MEASURED):
                continue
            lines, branches = files.setdefault(name, ({}, {}))
            for line in f["lines"]:
                n = line["line_number"]
                lines[n] = lines.get(n, 0) + line["count"]
                for i, b in enumerate(line["branches"]):
                    branches[n, i] = branches.get((n, i), 0) + b["count"]
    return files


def share(counts):
    hit = sum(1 for c in counts.values() if c > 0)
    return hit, len(counts), 100.0 * hit / len(counts) if counts else 100.0


def row(name, lines, branches):
    return "%-46s %5d/%5d %6.1f %%  %6d/%6d %6.1f %%" % (name, *lines, *branches)


def added(parts):
    hit, all_ = sum(p[0] for p in parts), sum(p[1] for p in parts)
    return hit, all_, 100.0 * hit / all_ if all_ else 100.0


def table(files):
    head = "%-46s %11s %8s  %13s %8s" % ("", "lines", "", "branches", "")
    rows, folders = [], {}
    for name, (lines, branches) in files.items():
        one = (name, share(lines), share(branches))
        rows.append(one)
        folders.setdefault(os.path.dirname(name), []).append(one)
    yield "By folder" + head[9:]
    for folder in sorted(folders, key=lambda f: added([r[1] for r in folders[f]])[2]):
        yield row(folder, added([r[1] for r in folders[folder]]), added([r[2] for r in folders[folder]]))
    yield row("all", added([r[1] for r in rows]), added([r[2] for r in rows]))
    yield ""
    yield "By file" + head[7:]
    for name, lines, branches in sorted(rows, key=lambda r: (r[1][2], r[2][2], r[0])):
        yield row(name, lines, branches)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: report.py BUILD [LOG]")
    files = count(sys.argv[1])
    if not any(c > 0 for lines, _ in files.values() for c in lines.values()):
        sys.exit("report.py: %s has counted nothing: build with VARIANT=coverage and run the tests" % sys.argv[1])
    commit = subprocess.run(["git", "log", "-1", "--format=%h of %cd", "--date=format:%Y-%m-%d"], capture_output=True,
                            text=True, check=False).stdout.strip()
    text = "Coverage of commit %s, counted %s UTC: unit, conformance, simulation (20 seeds), corpus of the fuzz targets, system tests.\n" % (
        commit, time.strftime("%Y-%m-%d %H:%M", time.gmtime()))
    text += "\n".join(table(files)) + "\n"
    sys.stdout.write(text)
    if len(sys.argv) == 3:
        with open(sys.argv[2], "w", encoding="utf-8") as log:
            log.write(text)


main()
