#!/usr/bin/env python3
"""Makes sms_table.c: per character its plain rendering, its GSM 03.38 code, and whether it is stable under NFC.
Run: python3 adapters/common/sms_table.py > adapters/common/sms_table.c
The unit tests hold the table against utf8proc, so nobody has to trust this file."""
import unicodedata as u

BASE = ("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ" + " !\"#¤%&'()*+,-./0123456789:;<=>?"
        + "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà")
EXT = {0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€"}
GSM = {c: i for i, c in enumerate(BASE) if c != "\x1b"}
GSM.update({c: 0x80 | i for i, c in EXT.items()})
NONE, KEEP, DROP = 0, 1, 2
MULTI = ["...", "->", "<-", "=>", "<=", ">=", "1/2", "1/4", "3/4", "No", "TM", "(c)", "(r)", "+-", "!="]
ONE = {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ɖ": "d", "Ɖ": "D", "ł": "l", "Ł": "L", "ı": "i", "`": "'", "´": "'", "ʻ": "'", "ʼ": "'",
       "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"', "″": '"', "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "‹": "<", "›": ">",
       "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "⁃": "-", "•": "-", "·": "-", "‣": "-", "∙": "-",
       "×": "x", "÷": "/", "⁄": "/", "∕": "/", "∶": ":", "₫": "d", "\t": " ", "¦": "|", "¬": "-", "²": "2", "³": "3", "¹": "1", "º": "o", "ª": "a",
       "∗": "*", "∼": "~", "¨": "\"", "¸": ",", "‧": "-"}
MANY = {"…": "...", "→": "->", "←": "<-", "⇒": "=>", "≤": "<=", "≥": ">=", "½": "1/2", "¼": "1/4", "¾": "3/4", "№": "No", "™": "TM",
        "©": "(c)", "®": "(r)", "±": "+-", "≠": "!="}
LATIN = {"Ø", "ø", "Æ", "æ", "ß"}  # letters of the alphabet that have no plain form of one letter: they stay


def plain(c):
    n = ord(c)
    if c in MANY:
        return 0x80 + MULTI.index(MANY[c])
    if c in ONE:
        return ord(ONE[c])
    if n < 0x80:
        return n if c in GSM and c != "\f" else NONE
    if 0x300 <= n <= 0x36F or c in "\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\u00ad":
        return DROP
    if u.category(c) == "Zs" or n in (0x2028, 0x2029):
        return 0x20 if n < 0x2028 or n == 0x202f or n == 0x205f else 0x0a
    d = "".join(x for x in u.normalize("NFD", c) if not 0x300 <= ord(x) <= 0x36F)
    if d != c and len(d) == 1 and d in GSM and ord(d) < 0x80:
        return ord(d)
    return KEEP if c in GSM else NONE


def entry(n):
    c = chr(n)
    if u.category(c) in ("Cn", "Cs"):
        return 0xFF00
    flags = 0
    if u.is_normalized("NFC", c) and u.combining(c) == 0:
        flags |= 1
    if u.category(c) in ("Mn", "Me", "Mc") or n == 0x200D:
        flags |= 2
    if n == 0x200D:
        flags |= 4
    if GSM.get(c, 0) >= 0x80 and plain(c) == KEEP or n != 0 and plain(c) > 2 and plain(c) < 0x80 and GSM[chr(plain(c))] >= 0x80:
        flags |= 8
    return plain(c) | GSM.get(c, 0xFF) << 8 | flags << 16


PAGES = list(range(0, 16)) + list(range(0x1E00 >> 6, 0x1F00 >> 6)) + list(range(0x2000 >> 6, 0x2300 >> 6))
print("/* sms_table.c - made by sms_table.py; do not edit. What the characters of the pages below are: see sms_table.h.")
print(" * Thread: any; constant. */")
print('#include "sms_table.h"')
print("/* clang-format off */")
print("const char sms_multi[SMS_MULTI_N][5] = { %s };" % ", ".join('"%s"' % m for m in MULTI))
print("/* Page of 64 characters -> place in sms_char; 0 where nothing is known. By the length of the sequence: see sms_table.h. */")
index = [0] * 1088
for i, p in enumerate(PAGES):
    if p >= 32:
        index[p] = i + 1
    elif p >= 2:
        index[1024 + p] = i + 1
index[1056], index[1057] = 1, 2
print("const uint8_t sms_page[SMS_PAGE_INDEX] = {")
for i in range(0, 1088, 32):
    print("\t" + ", ".join("%d" % x for x in index[i:i + 32]) + ",")
print("};")
print("const uint32_t sms_char[SMS_PAGES][64] = {")
for p in [None] + PAGES:
    vals = [0xFF00] * 64 if p is None else [entry(p * 64 + k) for k in range(64)]
    print("\t{ /* %s */" % ("unknown" if p is None else "U+%04X" % (p * 64)))
    for i in range(0, 64, 16):
        print("\t\t" + ", ".join("0x%x" % v for v in vals[i:i + 16]) + ",")
    print("\t},")
print("};")
print("const uint16_t sms_lead_page[256] = {")
lead = [1056 + (i >> 6) if i < 0x80 else 0 if i < 0xC2 else 1024 + (i & 31) if i < 0xE0 else (i & 15) << 6 if i < 0xF0 else 0 for i in range(256)]
length = [1 if i < 0x80 else 0 if i < 0xC2 else 2 if i < 0xE0 else 3 if i < 0xF0 else 4 if i < 0xF5 else 0 for i in range(256)]
for name, values in (("", lead), ("const uint8_t sms_lead_len[256] = {", length),
                     ("const uint8_t sms_lead_mask[256] = {", [63 if 0xE0 <= i < 0xF0 else 0 for i in range(256)])):
    if name:
        print(name)
    for i in range(0, 256, 32):
        print("\t" + ", ".join("%d" % x for x in values[i:i + 32]) + ",")
    print("};")
print("/* clang-format on */")
