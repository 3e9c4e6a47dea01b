#!/usr/bin/env bash
# test_sandbox.sh - the sandbox's SMTP side does what its script says, and its ledger holds exactly what it took.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
place_new
cat >"$PLACE/script.json" <<'SCRIPT'
{"rules":[
 {"match":"bad@x.vn","at":"rcpt","do":"reply","code":550,"text":"5.1.1 no such user"},
 {"match":"twice@x.vn","at":"rcpt","do":"reply","code":450,"text":"4.2.1 busy","times":2},
 {"match":"third@x.vn","at":"rcpt","do":"reply","code":451,"text":"4.3.0 only the second time","times":1,"skip":1},
 {"match":"lost@x.vn","at":"final","do":"drop_after_dot","times":1},
 {"match":"cut@x.vn","at":"data","do":"cut_body","times":1},
 {"match":"grey@x.vn","at":"rcpt","do":"greylist","delay_ms":300},
 {"match":"slow@x.vn","at":"final","do":"delay","delay_ms":300},
 {"match":"@policy.vn","at":"final","do":"reply","code":554,"text":"5.7.1 content"}]}
SCRIPT
sandbox_start --script "$PLACE/script.json" --store-mails
cat >"$PLACE/send.py" <<'PY'
import smtplib, socket, sys, time
port = int(sys.argv[1])
msg = ("From: a@x.vn\r\nSubject: =?UTF-8?B?VGnhur9uZw==?=\r\n =?UTF-8?B?IFZp4buHdA==?=\r\n"
       "Message-ID: <m-%s@x>\r\n\r\nbody\r\n.dot\r\n")
def send(to):
    start = time.monotonic()
    try:
        s = smtplib.SMTP("127.0.0.1", port, timeout=10)
        s.sendmail("a@x.vn", to.split(","), msg % to.replace("@", "-"))
        s.quit()
        said = "250"
    except smtplib.SMTPRecipientsRefused as e:
        said = str(list(e.recipients.values())[0][0])
    except smtplib.SMTPResponseException as e:
        said = str(e.smtp_code)
    except (smtplib.SMTPServerDisconnected, OSError):
        said = "lost"
    return said + (" late" if time.monotonic() - start >= 0.29 else "")
def raw(*lines):
    s = socket.create_connection(("127.0.0.1", port), 10)
    f = s.makefile("rwb")
    f.readline()
    f.write("".join(l + "\r\n" for l in lines).encode()); f.flush()
    return " ".join(f.readline()[:3].decode() for _ in range(len(lines)))
if sys.argv[2] == "raw":
    print(raw(*sys.argv[3:]))
else:
    print(" ".join(send(to) for to in sys.argv[2:]))
PY
send() { /usr/bin/python3 "$PLACE/send.py" "$SMTP_PORT" "$@"; }
show() { "$B/sandbox" show --dir "$PLACE/sandbox" --json; }

same "a plain mail is taken" "$(send ok@x.vn)" 250
same "a scripted refusal" "$(send bad@x.vn)" 550
same "refused twice, then taken" "$(send twice@x.vn twice@x.vn twice@x.vn)" "450 450 250"
same "refused the second time only" "$(send third@x.vn third@x.vn third@x.vn)" "250 451 250"
same "a lost answer: taken, but nobody is told; the next try is answered" "$(send lost@x.vn lost@x.vn)" "lost 250"
same "a link cut in the middle of the text" "$(send cut@x.vn)" lost
same "greylisted at first" "$(send grey@x.vn)" 450
grey_passes() { [ "$(send grey@x.vn)" = 250 ]; }
check "let through later" until_true 10 grey_passes
same "a slow final reply" "$(send slow@x.vn)" "250 late"
same "a refusal for a whole domain behind the dot" "$(send any@policy.vn)" 554
same "commands out of order, pipelined" "$(send raw 'HELO x' 'RCPT TO:<a@x.vn>' 'DATA' 'MAIL FROM:<a@x.vn>' 'MAIL FROM:<a@x.vn>' 'RSET' 'NOPE' 'QUIT')" "250 503 503 250 503 250 502 221"
same "what was taken" "$(show | json - .mails)" 8
same "who got something twice" "$(show | json - '[.received[] | select(.twice > 0) | .mailbox] | join(" ")')" "lost@x.vn third@x.vn"
same "one answer was lost" "$(show | json - '[.received[].mails[] | select(.answer == "lost")] | length')" 1
same "nothing for who was refused" "$(show | json - '[.received[] | select(.mailbox == "bad@x.vn" or .mailbox == "cut@x.vn")] | length')" 0
same "the subject is decoded" "$(show | json - '.received[] | select(.mailbox == "ok@x.vn") | .mails[0].subject')" "Tiếng Việt"
same "the stored mail is what was sent, without the doubled dot" "$(tail -c 12 "$PLACE/sandbox/mails/S00000001.eml" | tr -d '\r')" $'body\n.dot'
same "its hash stands in the ledger" "$(show | json - '.received[] | select(.mailbox == "ok@x.vn") | .mails[0].sha256')" "$(sha256sum <"$PLACE/sandbox/mails/S00000001.eml" | cut -d' ' -f1)"
refuse "a rule with an unknown key is refused" 1 "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"add","rules":[{"match":"*","foo":1}]}'
refuse "so is what is no JSON" 1 "$B/sandbox" ctl --dir "$PLACE/sandbox" '{'
check "the script can be changed while it runs" "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"rules","rules":[{"match":"*","at":"mail","do":"reply","code":421,"text":"4.3.2 bye"}]}'
same "and counts at once" "$(send ok@x.vn)" 421
check "options too" "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"options","options":{"pipelining":false,"size":1000}}'
"$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"stop"}' >/dev/null
wait "$SANDBOX_PID"
same "it ends cleanly when told" "$?" 0
SANDBOX_PID=
same "the ledger can be read afterwards" "$(show | json - .mails)" 8
tap_end
