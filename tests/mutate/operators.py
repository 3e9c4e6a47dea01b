#!/usr/bin/python3
"""operators.py [--count N] [--seed S] [--from K] [--at FILE:LINE] [--again] [PATH...] - changes the code in one place at a time and looks which
test notices.

The places are those of candidates.py in PATHs (daemon/model, daemon/dispatch and daemon/store unless said), the folders in turn, in
an order that the seed alone says: --from 50 goes on where --count 50 ended. The tree is a copy (WORK, build/mutate-code), built with
counters, so that a change is tried only on tests that run its line: unit tests of its folder, the quick ones first, then SEEDS (3)
short seeds of the simulation, then unit tests of other folders, for PATIENCE (60) seconds of tests a change. System and crash tests
are not asked. A test that takes eight times as long as usual is ended: that counts as noticed.
Each change is a line in docs/evidence/mutation.log (LOG; with --at only on the screen). --again tries those that the log calls
survivors once more, after new tests or with more patience. Survivors that tests/mutate/equivalent.tsv explains are named so.
Exit 0: the run went through.
"""
import argparse
import collections
import glob
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
from candidates import candidates  # noqa: E402

WORK = os.path.abspath(os.environ.get("WORK", "build/mutate-code"))
TREE, BUILD, SCRATCH = WORK + "/tree", WORK + "/b", WORK + "/counted"
LOG = os.environ.get("LOG", "docs/evidence/mutation.log")
SIM = "tests/sim/test_sim"
FOLDERS = ("model", "dispatch", "store")
COUNTED = set()  # (file, line) that has counters: a table or the middle of a string has none
SECONDS_MIN, SLOWER = 15, 8
PATIENCE = float(os.environ.get("PATIENCE", "60"))
ENV = dict(os.environ, B=BUILD, SIM_ONLY="1", SIM_SEEDS=os.environ.get("SEEDS", "3"), SIM_STEPS="600",
           GCOV_PREFIX=SCRATCH, GCOV_ERROR_FILE="/dev/null")


def sh(*words):
    return subprocess.run(words, capture_output=True, text=True, check=False)


def copy_tree():
    """The files that git knows or would take, as they stand; what did not change keeps its age, so that little is built again."""
    names = set(filter(os.path.isfile, sh("git", "ls-files", "-co", "--exclude-standard", "-z").stdout.split("\0")))
    for folder, _, there in os.walk(TREE):
        for name in there:
            if os.path.relpath(os.path.join(folder, name), TREE) not in names:
                os.remove(os.path.join(folder, name))
    for name in names:
        to = os.path.join(TREE, name)
        with open(name, "rb") as f:
            data = f.read()
        if os.path.exists(to):
            with open(to, "rb") as f:
                if f.read() == data:
                    continue
        os.makedirs(os.path.dirname(to), exist_ok=True)
        shutil.copyfile(name, to)
        shutil.copymode(name, to)


def build(*targets):
    done = sh("make", "-C", TREE, "--no-print-directory", "-s", "-j2", "VARIANT=coverage", "B=" + BUILD, "EXTRA_CFLAGS=-w", *targets)
    return done.returncode == 0, done.stdout + done.stderr


def run(test, seconds):
    """(why it failed or None, seconds)"""
    began = time.monotonic()
    p = subprocess.Popen([os.path.join(BUILD, test)], cwd=TREE, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        out = p.communicate(timeout=seconds)[0].decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)  # the group that this test began
        p.communicate()
        return "by time", time.monotonic() - began
    took = time.monotonic() - began
    if p.returncode == 0:
        return None, took
    failed = re.search(r"^\[  FAILED  \] ([a-z]\w*)", out, re.M)
    if p.returncode > 0 and failed:
        return failed.group(1), took
    begun = re.findall(r"^\[ RUN      \] (\w+)", out, re.M)
    return "%s ended with %d" % (begun[-1] if begun else "it", p.returncode), took


def reached(test):
    """{file: lines} that the test runs in the folders of interest."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    why, took = run(test, 600)
    lines = {}
    for folder in FOLDERS:
        counted = "%s%s/obj/daemon/%s" % (SCRATCH, BUILD, folder)
        there = sorted(glob.glob(counted + "/*.gcda"))
        for gcda in there:
            note = os.path.basename(gcda)[:-5] + ".gcno"
            os.symlink(os.path.join(BUILD, "obj/daemon", folder, note), os.path.join(counted, note))
        out = subprocess.run(["gcov", "--json-format", "--stdout", *there], cwd=TREE, capture_output=True, text=True, check=False).stdout
        for doc in filter(lambda l: l.startswith("{"), out.splitlines()):
            for f in json.loads(doc)["files"]:
                COUNTED.update((os.path.normpath(f["file"]), l["line_number"]) for l in f["lines"])
                lines.setdefault(os.path.normpath(f["file"]), set()).update(l["line_number"] for l in f["lines"] if l["count"])
    return why, took, lines


def seen_before(test, cache):
    """What the survey knows of this very binary."""
    with open(os.path.join(BUILD, test), "rb") as f:
        key = hashlib.sha256(f.read()).hexdigest()
    if cache.get(test, {}).get("key") != key:
        why, took, lines = reached(test)
        cache[test] = {"key": key, "why": why, "took": took, "lines": {f: sorted(v) for f, v in lines.items()}}
        cache["counted"] = sorted(COUNTED)
        with open(WORK + "/survey.json", "w", encoding="utf-8") as f:
            json.dump(cache, f)
    one = cache[test]
    return one["why"], one["took"], {f: set(v) for f, v in one["lines"].items()}


def survey(tests):
    """Runs each test once as it is. [(test, seconds, lines)]; one that fails without any change is of no use."""
    known, cache = [], {}
    if os.path.exists(WORK + "/survey.json"):
        with open(WORK + "/survey.json", encoding="utf-8") as f:
            cache = json.load(f)
    COUNTED.update(map(tuple, cache.get("counted", ())))
    for test in tests:
        why, took, lines = seen_before(test, cache)
        if why:
            print("left out, it fails as it is: %s (%s)" % (test, why))
            continue
        known.append((test, took, lines))
        print("%6.1f s  %6d lines  %s" % (took, sum(map(len, lines.values())), test), flush=True)
    return known


def order(paths, seed):
    """Candidates of the folders in turn, each folder's shuffled by the seed."""
    per = collections.OrderedDict()
    for path in sorted(paths):
        with open(os.path.join(TREE, path), encoding="utf-8") as f:
            per.setdefault(os.path.dirname(path), []).extend(candidates(path, f.read()))
    for folder, all_ in per.items():
        random.Random("%s %s" % (seed, folder)).shuffle(all_)
    while any(per.values()):
        for folder in per:
            if per[folder]:
                yield per[folder].pop(0)


def whom_to_ask(c, known):
    """Unit tests of the folder, then the simulation, then the others; of each the quick ones first."""
    own = "tests/unit/%s/" % c.path.split("/")[1]
    bare = (c.path, c.line) not in COUNTED  # then whoever runs the file is asked
    asked = [k for k in known if (k[2].get(c.path) if bare else c.line in k[2].get(c.path, ()))]
    return sorted(asked, key=lambda k: (not k[0].startswith(own), k[0] != SIM, k[1]))


def judge(c, known):
    asked = whom_to_ask(c, known)
    if not asked:
        return "not reached by any of these tests"
    budget = PATIENCE
    for i, (test, usual, _) in enumerate(asked):
        budget -= usual
        if budget < 0 and i > 0:
            return "survived %d of the %d tests that run the line" % (i, len(asked))
        built, said = build(os.path.join(BUILD, test))
        if not built:
            why = re.search(r"error: (.*)", said)
            return "does not build: " + (why.group(1) if why else said[-80:])
        shutil.rmtree(SCRATCH, ignore_errors=True)
        why, _ = run(test, max(SECONDS_MIN, SLOWER * usual))
        if why:
            return "killed by %s: %s" % (test, why)
    return "survived all %d tests that run the line" % len(asked)


def attempt(c, known):
    path = os.path.join(TREE, c.path)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    thing = os.path.join(BUILD, "obj", c.path[:-2] + ".o")
    note, stamp = thing[:-2] + ".gcno", os.stat(path).st_mtime_ns
    kept = [(n, n + ".whole") for n in (thing, note)]
    for n, whole in kept:
        shutil.copyfile(n, whole)
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text[:c.begin] + c.new + text[c.end:])
        return judge(c, known)
    finally:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.utime(path, ns=(stamp, stamp))
        for n, whole in kept:
            os.replace(whole, n)
            os.utime(n)


def shown(c):
    """The whole line, stripped, and the change."""
    with open(os.path.join(TREE, c.path), encoding="utf-8") as f:
        text = f.read()
    line = text[text.rfind("\n", 0, c.begin) + 1:text.find("\n", c.begin)].strip()
    squeeze = re.compile(r"\s+")
    return line, "`%s` to `%s`" % (squeeze.sub(" ", text[c.begin:c.end]), squeeze.sub(" ", c.new))


def explained():
    with open("tests/mutate/equivalent.tsv", encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if line.strip() and line[0] != "#"]
    return {tuple(r[:3]): r[3] for r in rows}


def survivors(all_):
    """The candidates that the log calls survivors at their last mention: same file, line of text and change, nearest by number."""
    last, by = {}, collections.defaultdict(list)
    with open(LOG, encoding="utf-8") as f:
        for row in (line.rstrip("\n").split(" | ", 4) for line in f if line[0] != "#"):
            path, number = row[0].split(":")
            last[path, number, row[1].split(": ", 1)[1]] = (row[2], row[-1])
    for c in all_:
        by[(c.path, *shown(c))].append(c)
    found = []
    for (path, number, change), (verdict, line) in last.items():
        near = by.get((path, line, change))
        if verdict_kind(verdict) in ("survived", "not reached") and near:
            found.append(min(near, key=lambda c: abs(c.line - int(number))))
    return found


def verdict_kind(verdict):
    return next((k for k in ("killed", "does not build", "not reached", "explained") if verdict.startswith(k)), "survived")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--count", type=int, default=100)
    p.add_argument("--seed", default="1")
    p.add_argument("--from", dest="first", type=int, default=0)
    p.add_argument("--at")
    p.add_argument("--again", action="store_true")
    p.add_argument("paths", nargs="*", default=["daemon/model", "daemon/dispatch", "daemon/store"])
    a = p.parse_args()
    commit = sh("git", "describe", "--always", "--dirty").stdout.strip()
    copy_tree()
    paths = [f for path in a.paths for f in ([path] if path.endswith(".c") else sorted(glob.glob(path.rstrip("/") + "/*.c")))]
    if a.at:
        paths = [a.at.split(":")[0]]
    tests = sorted(t[:-2] for f in ("model", "store", "dispatch", "plan", "conf", "content", "ctl")
                   for t in glob.glob("tests/unit/%s/test_*.c" % f)) + [SIM]
    built, said = build("all", *[os.path.join(BUILD, t) for t in tests])
    if not built:
        sys.exit("operators.py: the tree does not build:\n" + said[-2000:])
    known = survey(tests)
    all_ = list(order(paths, a.seed))
    take = [c for c in all_ if str(c.line) == a.at.split(":")[1]] if a.at else all_[a.first:a.first + a.count]
    if a.again:
        take = survivors(all_)
    why, tally = explained(), collections.Counter()
    log = sys.stdout if a.at else open(LOG, "a", encoding="utf-8")
    what = "%d survivors again" % len(take) if a.again else "changes %d to %d" % (a.first + 1, a.first + len(take))
    print("# commit %s, %s UTC, seed %s, %s of %d in %s" % (commit, time.strftime("%Y-%m-%d %H:%M", time.gmtime()), a.seed, what,
          len(all_), " ".join(a.paths)), file=log, flush=True)
    for c in take:
        began = time.monotonic()
        line, change = shown(c)
        reason = why.get((c.path, line, change))
        verdict = "explained" if a.again and reason else attempt(c, known)
        if reason and not verdict.startswith("killed"):
            verdict = "explained: " + reason
        tally[c.path.split("/")[1], verdict_kind(verdict)] += 1
        tail = "" if verdict_kind(verdict) == "killed" else " | " + line
        text = "%s:%d | %s: %s | %s | %.0f s%s" % (c.path, c.line, c.kind, change, verdict, time.monotonic() - began, tail)
        for to in {log, sys.stdout}:
            print(text, file=to, flush=True)
    for folder in FOLDERS:
        print("# %s: %s" % (folder, ", ".join("%d %s" % (n, k) for (f, k), n in sorted(tally.items()) if f == folder) or "none"), file=log, flush=True)


main()
