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

ctl_lines() { "$B/sandbox" ctl --dir "$PLACE/sandbox" $'{"cmd":\n "stats"}\n' | grep -q '"ok":true'; }
check "a document of several lines is one to the control socket" ctl_lines
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
rules_stand() { "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"stats"}' | jq -e '.rules | length == 8'; }
check "and nothing of a refused list is taken" rules_stand
refuse "not even what stands before the wrong one" 1 "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"rules","rules":[{"match":"*","at":"mail"},{"match":"*","do":"explode"}]}'
check "the old rules stand" rules_stand
check "the script can be changed while it runs" "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"rules","rules":[{"match":"*","at":"mail","do":"reply","code":421,"text":"4.3.2 bye"}]}'
same "and counts at once" "$(send ok@x.vn)" 421
check "options too" "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"options","options":{"pipelining":false,"size":1000}}'

# The HTTP side: what arrives, and the faults before and after the effect, against the echo provider.
ECHO=http://127.0.0.1:$(sandbox_port echo)
echoed() { jq -c 'select(.t == "echo") | .request.path' "$LEDGER" | grep -c "\"$1\""; }
status() { curl -s -m 2 -o /dev/null -w '%{http_code} %{exitcode}' "$@"; }
head -c 3000000 /dev/zero >"$PLACE/picture"
same "a query is decoded" "$(curl -s "$ECHO/q?a=%C3%A1+b&c=" | json - '[.fields[] | .name, .value] | join("|")')" "a|á b|c|"
same "a form is decoded" "$(curl -s -d 'x=1%202&y=z' "$ECHO/f" | json - '[.fields[].value] | join("|")')" "1 2|z"
same "parts of a multipart body, 3 MB behind Expect: 100-continue" "$(curl -s -F 'a=b c' -F "source=@$PLACE/picture;type=image/png" "$ECHO/m" | json - '[.fields[] | .value // "\(.type) \(.bytes)"] | join("|")')" "b c|image/png 3000000"
same "JSON in chunks" "$(curl -s -H 'Transfer-Encoding: chunked' -H 'Content-Type: application/json' -d '{"k":[1,2]}' "$ECHO/j" | json - '.json.k[1]')" 2
check "rules for HTTP" "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"http_rules","rules":[{"server":"echo","match":"/v1/*/x","when":"after","code":502,"type":"text/html","body":"<html>","times":1},{"match":"/half","half":true,"when":"after"},{"match":"/after","do":"drop","when":"after"},{"match":"/before","do":"reset"},{"match":"/slow","do":"delay","delay_ms":200},{"match":"/deaf","do":"silent","when":"after"},{"match":"**","has":"canary","code":403,"headers":{"X-Y":"z"}}]}'
same "500 after the effect: refused once, done twice" "$(status "$ECHO/v1/a/x") $(status "$ECHO/v1/a/x") $(echoed /v1/a/x)" "502 0 200 0 2"
same "half a body" "$(status "$ECHO/half") $(echoed /half)" "200 18 1"
same "closed after the effect" "$(status "$ECHO/after") $(echoed /after)" "000 52 1"
same "reset before it" "$(status "$ECHO/before") $(echoed /before)" "000 56 0"
same "a slow answer is an answer" "$(status "$ECHO/slow") $(echoed /slow)" "200 0 1"
same "never an answer" "$(status "$ECHO/deaf") $(echoed /deaf)" "000 28 1"
same "one page's trouble is picked by what it says" "$(status -H 'Authorization: canary' "$ECHO/any") $(status "$ECHO/any")" "403 0 200 0"
refuse "an HTTP rule with an unknown key is refused" 1 "$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"http_rules","rules":[{"foo":1}]}'
check "the sandbox calls others" "$B/sandbox" ctl --dir "$PLACE/sandbox" "{\"cmd\":\"call\",\"url\":\"$ECHO/hook\",\"body\":\"hello\"}"
called() { grep -q '"t":"called","status":200' "$LEDGER"; }
check "and keeps what they said" until_true 10 called
"$B/sandbox" ctl --dir "$PLACE/sandbox" '{"cmd":"stop"}' >/dev/null
wait "$SANDBOX_PID"
same "it ends cleanly when told" "$?" 0
SANDBOX_PID=
same "the ledger can be read afterwards" "$(show | json - .mails)" 8
tap_end
