#!/usr/bin/env python3
"""p99_apart.py [--undisturbed] ALONE BESIDE - how far two p99 lie apart, with an interval: lines are ROUND MILLISECONDS STOLEN. Mails of one
round have one fate, so whole rounds are drawn anew (bootstrap, 2000 times, a fixed seed). --undisturbed: rounds with STOLEN 0 only.
Prints "+2 ms (25 and 23 ms, 240 and 60 rounds; 95 % of 2000 draws: -1 to +5)"."""
import collections, random, sys

def rounds(path):
    r = collections.defaultdict(collections.Counter)
    for line in open(path):
        name, ms, stolen = line.split()
        if not undisturbed or stolen == "0":
            r[name][int(ms)] += 1
    return list(r.values())

def p99(drawn):
    total = collections.Counter()
    for counts in drawn:
        for ms, n in counts.items():
            total[ms] += n
    left = sum(total.values()) - -(-sum(total.values()) * 99 // 100)
    for ms in sorted(total, reverse=True):
        left -= total[ms]
        if left < 0:
            return ms

undisturbed = sys.argv[1] == "--undisturbed"
alone, beside = rounds(sys.argv[-2]), rounds(sys.argv[-1])
if not alone or not beside:
    print("no rounds")
    sys.exit()
rng = random.Random(1)
draws = sorted(p99(rng.choices(beside, k=len(beside))) - p99(rng.choices(alone, k=len(alone))) for _ in range(2000))
print("%+d ms (%d and %d ms, %d and %d rounds; 95 %% of 2000 draws: %+d to %+d)" % (p99(beside) - p99(alone), p99(beside), p99(alone),
      len(beside), len(alone), draws[50], draws[1949]))
