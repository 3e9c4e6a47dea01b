#!/usr/bin/python3
"""parse.py FILE.eml... - what Python's email package sees in each mail: one JSON line a file, the same keys as parse.js."""
import email, email.policy, hashlib, json, os, sys

for path in sys.argv[1:]:
    with open(path, "rb") as f:
        m = email.message_from_binary_file(f, policy=email.policy.default)
    assert not m.defects, (path, m.defects)
    plain = m.get_body(("plain",))
    files = []
    for part in m.walk():
        assert not part.defects, (path, part.defects)
        if part.get_content_maintype() in ("multipart", "text") and not part.get_filename():
            continue
        files.append({"name": part.get_filename(), "type": part.get_content_type(),
                      "cid": (part["Content-ID"] or "").strip("<> ") or None, "disposition": part.get_content_disposition(),
                      "sha256": hashlib.sha256(part.get_content() if part.get_content_maintype() != "text" else part.get_payload(decode=True)).hexdigest()})
    a = m["From"].addresses[0]
    print(json.dumps({"file": os.path.basename(path), "subject": str(m["Subject"]), "from": {"address": a.addr_spec, "name": a.display_name},
                      "to": str(m["To"] or ""), "messageId": str(m["Message-ID"]), "date": m["Date"].datetime.astimezone().isoformat(),
                      "text": plain.get_content() if plain else None, "html": len(m.get_body(("html",)).get_content()) if m.get_body(("html",)) else 0,
                      "files": files}, ensure_ascii=False))
