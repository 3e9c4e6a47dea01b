#!/usr/bin/env bash
# test_facebook_api.sh - the imitated Graph API itself, by hand: what the tests of the pages lean on behaves as the contract's checklist
# (section 13) says: tokens, photos, posts, encodings, limits, paging, what is scheduled.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib_facebook.sh"
place_new
echo "{$(facebook_script '"need_proof":false')}" >"$PLACE/script.json"
sandbox_start --script "$PLACE/script.json"
U=http://127.0.0.1:$(sandbox_port facebook)/v25.0
P=104200000000 T1=EAAPage${P}101${FB_SYSTEM_TOKEN}n0 T2=EAAPage${P}102${FB_SYSTEM_TOKEN}n0
g() { curl -s -H "Authorization: Bearer ${TOKEN-$T1}" "$@"; } # g URL [curl's]
says() { local want=$1 filter=$2; shift 2; same "$NAME" "$(g "$@" | jq -r "$filter")" "$want"; }
set_() { facebook_ctl "\"do\":\"set\",$1" >/dev/null; }
page_() { facebook_ctl "\"do\":\"page\",\"page\":\"${P}101\",$1" >/dev/null; }
code='"\(.error.code)/\(.error.error_subcode // 0)"'
printf '\xff\xd8\xffJPEG' >"$PLACE/a.jpg"; printf 'II*\0TIFF' >"$PLACE/a.tif"; printf 'no picture' >"$PLACE/a.txt"

NAME="a user's token reads the page's own" TOKEN=$FB_SYSTEM_TOKEN says "$T1" .access_token "$U/${P}101?fields=id,access_token"
page_ '"no_token":true'
NAME="a page may answer without it" TOKEN=$FB_SYSTEM_TOKEN says null .access_token "$U/${P}101?fields=id,access_token"
page_ '"no_token":false,"unlisted":true'
NAME="a page that works may be missing in the list" TOKEN=$FB_SYSTEM_TOKEN says 0 '.data | arrays | length' "$U/me/accounts"
NAME="a user's token does not post" TOKEN=$FB_SYSTEM_TOKEN says 200/0 "$code" "$U/${P}101/feed" -d message=x
facebook_ctl "\"do\":\"page\",\"page\":\"${P}102\"" >/dev/null
NAME="another page's token does not post" TOKEN=$T2 says 200/0 "$code" "$U/${P}101/feed" -d message=x
NAME="no token" TOKEN=EAAnobody says 190/467 "$code" "$U/${P}101/feed" -d message=x
page_ '"revoked":true,"token_sub":463'
NAME="an expired token" says 190/463 "$code" "$U/${P}101/feed" -d message=x
page_ '"revoked":false'
set_ '"need_proof":true'
hmac() { /usr/bin/python3 -c 'import hmac,sys; print(hmac.new(sys.argv[1].encode(), sys.argv[2].encode(), "sha256").hexdigest())' "$FB_APP_SECRET" "$1"; }
NAME="a wrong proof" says 100/0 "$code" "$U/${P}101/feed?appsecret_proof=$(hmac x)" -d message=x
NOW=$(date +%s) OLD=$(($(date +%s) - 900))
NAME="a proof with its time" says true 'has("data")' "$U/${P}101/feed?appsecret_time=$NOW&appsecret_proof=$(hmac "$T1|$NOW")"
NAME="a stale proof" says 100/0 "$code" "$U/${P}101/feed?appsecret_time=$OLD&appsecret_proof=$(hmac "$T1|$OLD")"
set_ '"need_proof":false'

photo() { g "$U/${P}101/photos" -F source=@"$PLACE/a.jpg" -F published=false -F alt_text_custom="$1" | jq -r .id; }
NAME="an unpublished photo has no post" says '["id"]' 'keys | tostring' "$U/${P}101/photos" -F source=@"$PLACE/a.jpg" -F published=false
NAME="a published one has" says '["id","post_id"]' 'keys | tostring' "$U/${P}101/photos" -F source=@"$PLACE/a.jpg"
NAME="a TIFF is a picture" says string '.id | type' "$U/${P}101/photos" -F source=@"$PLACE/a.tif" -F published=false
NAME="a text is none" says 324/0 "$code" "$U/${P}101/photos" -F source=@"$PLACE/a.txt"
set_ '"photo_max_bytes":5'
NAME="one that is too large" says 100/1366046 "$code" "$U/${P}101/photos" -F source=@"$PLACE/a.jpg"
set_ '"photo_max_bytes":4000000'
A=$(photo một) B2=$(photo hai)
POST=$(g "$U/${P}101/feed" --data-urlencode message="Tin" -d published=false --data-urlencode "attached_media[0]={\"media_fbid\":\"$B2\"}" --data-urlencode "attached_media[1]={\"media_fbid\":\"$A\"}" | jq -r .id)
NAME="attachments keep their order" says "$B2 $A" '[.attachments.data[0].subattachments.data[].target.id] | join(" ")' "$U/$POST?fields=id,attachments%7Btarget%7Bid%7D,subattachments%7Btarget%7Bid%7D%7D%7D"
NAME="a photo of a post cannot be deleted" says 100/33 "$code" -X DELETE "$U/$A"
JP=$(photo ba)
NAME="an array of a JSON body" says string '.id | type' "$U/${P}101/feed" -H 'Content-Type: application/json' -d "{\"message\":\"J\",\"attached_media\":[{\"media_fbid\":\"$JP\"}]}"
NAME="the token as a field of the body" TOKEN= says string '.id | type' "$U/${P}101/feed" -d message=f -d access_token="$T1"
for i in 1 2; do NAME="is_published=true, time $i" says true .success "$U/$POST" -d is_published=true; done
same "is one live post" "$(facebook_ctl "\"do\":\"posts\",\"page\":\"${P}101\"" | jq "[.posts[] | select(.post == \"$POST\" and .live)] | length")" 1
HAND=$(facebook_ctl "\"do\":\"post\",\"page\":\"${P}101\",\"message\":\"bằng tay\"" | jq -r .post)
NAME="only the app that made a post edits it" says 200/0 "$code" "$U/$HAND" -d message=y
NAME="a delete" says true .success -X DELETE "$U/$POST"
NAME="a second delete" says 100/33 "$code" -X DELETE "$U/$POST"
set_ '"unpublished_in_feed":false'
D=$(g "$U/${P}101/feed" -d message=nháp -d published=false | jq -r .id)
NAME="drafts may be missing in /feed" says 0 "[.data[] | select(.id == \"$D\")] | length" "$U/${P}101/feed"
set_ '"unpublished_in_feed":true'
page_ '"no_feed":true'
NAME="/feed needs a right of its own" says 10/0 "$code" "$U/${P}101/feed"
NAME="which published_posts does not" says true 'has("data")' "$U/${P}101/published_posts"
page_ '"no_feed":false'
NAME="or stand there" says 1 "[.data[] | select(.id == \"$D\")] | length" "$U/${P}101/feed"
set_ '"photo_life_ms":1'
OLDP=$(photo cũ); sleep 0.05
NAME="an old photo is gone" says 100/33 "$code" "$U/${P}101/feed" -d message=z --data-urlencode "attached_media[0]={\"media_fbid\":\"$OLDP\"}"
set_ '"photo_life_ms":86400000'

AT=$(($(date +%s) + 900))
NAME="five minutes ahead is too soon to schedule" says 100/0 "$code" "$U/${P}101/feed" -d message=s -d published=false -d scheduled_publish_time=$(($(date +%s) + 300))
S=$(g "$U/${P}101/feed" -d message=hẹn -d published=false -d unpublished_content_type=SCHEDULED -d scheduled_publish_time=$AT | jq -r .id)
NAME="what is scheduled stands in its list" says "$S" '.data[].id' "$U/${P}101/scheduled_posts"
set_ '"clock_ms":1000000'
NAME="and is live when its clock says so" says true .is_published "$U/$S?fields=id,is_published"
set_ '"clock_ms":0'

set_ '"fast_posts":1'
NAME="too fast" says 368/1390008 "$code" "$U/${P}101/feed" -d message=q
set_ '"fast_posts":0,"refuse_repeats":true'
NAME="the same again" says 506/0 "$code" "$U/${P}101/feed" -d message=f
set_ '"repeat_sub":1404082'
NAME="or by its other number" says 368/1404082 "$code" "$U/${P}101/feed" -d message=f
set_ '"refuse_repeats":false'
NAME="or taken" says string '.id | type' "$U/${P}101/feed" -d message=f
same "which counts as a double" "$(facebook_state | jq .doubles)" 1
header() { g -D - -o /dev/null "$U/${P}101/feed" | tr -d '\r' | sed -n "s/^$1: //Ip"; }
same "no usage, no header" "$(header x-business-use-case-usage)" ""
page_ '"usage":80'
check "usage comes with its key twice" bash -c "[ \$(grep -o '\"${P}101\"' <<<'$(header x-business-use-case-usage)' | wc -l) = 2 ]"
page_ '"usage":0,"throttle":{"times":2,"headers":true,"minutes":19}'
for i in 1 2; do NAME="throttled, time $i" says 80001/0 "$code" "$U/${P}101/feed"; done
set_ '"app_throttle_ms":60000'
NAME="the app is limited: every page" TOKEN=$T2 says 4/0 "$code" "$U/${P}102/feed"
set_ '"app_throttle_ms":0'

NAME="limit over 100" says 100/0 "$code" "$U/${P}101/feed?limit=101"
NAME="a cursor that means nothing" says 100/0 "$code" "$U/${P}101/feed?after=QVFInothing"
g "$U/${P}101/feed?limit=1" >"$PLACE/page1"
check "cursors are long" bash -c "[ \$(jq -r '.paging.cursors.after | length' '$PLACE/page1') -gt 1000 ]"
check "and next holds the token" grep -q "$T1" "$PLACE/page1"
set_ '"empty_pages":1'
g "$U/${P}101/feed?limit=1" >"$PLACE/page1"
same "a page may be empty and have a next" "$(jq -r '"\(.data | length) \(.paging | has("next"))"' "$PLACE/page1")" "0 true"
NAME="behind it stands what there is" says 1 '.data | length' "$U/${P}101/feed?limit=1&after=$(jq -r .paging.cursors.after "$PLACE/page1")"
tap_end
