"""bad_zip.py KIND FILE - writes a bundle as a zip that must be refused."""
import sys
import zipfile

KIND, PATH = sys.argv[1:3]
MAIN = """---
code: XX-1
kind: notice
category: public_notice
title: Thông báo
images: [{file: anh.png, alt: "Ảnh"}]
parts: {all: {to: offices, channels: [email], at: now}}
---
A
"""


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


with zipfile.ZipFile(PATH, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("release.txt" if KIND == "no-release" else "release.md", MAIN)
    if KIND == "slip":
        z.writestr("../lantoa-slip.png", b"x")
    elif KIND == "absolute":
        z.writestr("/tmp/lantoa-slip.png", b"x")
    elif KIND == "symlink":
        z.writestr(entry("anh.png", 0o120777), "/etc/hostname")
    elif KIND == "bomb":
        for i in range(8):  # 480 MB of nothing in half a megabyte
            with z.open(entry(f"bom{i}.png", 0o100644), "w") as f:
                for _ in range(60):
                    f.write(bytes(1 << 20))
    elif KIND == "many":
        for i in range(5000):
            z.writestr(f"tep{i}.txt", b"x")
    elif KIND == "twice":
        import warnings
        warnings.simplefilter("ignore")
        z.writestr("release.md", MAIN.replace("Thông báo", "Khác"))
    elif KIND == "backslash":
        z.writestr("..\\anh.png", b"x")
    elif KIND == "encrypted":
        z.writestr(entry("anh.png", 0o100644), bytes(4096))
    elif KIND == "case":
        z.writestr("Release.MD", MAIN)
    else:
        z.writestr("anh.png", bytes(4096))
if KIND == "encrypted":  # the bit that says so, in the entry's own head and in the directory
    with open(PATH, "rb") as f:
        data = bytearray(f.read())
    for sign, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.rindex(sign) + at] |= 1
    with open(PATH, "wb") as f:
        f.write(data)
if KIND == "truncated":
    with open(PATH, "rb") as f:
        data = f.read()
    with open(PATH, "wb") as f:
        f.write(data[: len(data) // 2])
