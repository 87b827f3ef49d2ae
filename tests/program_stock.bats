#!/usr/bin/env bats
# Every first word but `sobolev` goes to the stock program, with all its words.
load program_setup

# A stand-in for the stock program.
stand_in() {
    cat >stock
    chmod +x stock
    export DARKNET_EXT_STOCK=$PWD/stock
}

@test "the words arrive as they are" {
    stand_in <<'SH'
#!/bin/sh
for word in "$@"; do printf '<%s>\n' "$word"; done
SH
    run --separate-stderr "$darknet" detector 'a b' '' '"q"' "it's" '$(touch x)' '*' -sobolev sobolev $'two\nlines'
    equal status 0 "$status"
    equal words $'<detector>\n<a b>\n<>\n<"q">\n<it\'s>\n<$(touch x)>\n<*>\n<-sobolev>\n<sobolev>\n<two\nlines>' "$output"
    run --separate-stderr "$darknet"
    equal 'no words' '' "$output"
    run --separate-stderr "$darknet" Sobolev train
    equal 'another case' $'<Sobolev>\n<train>' "$output"
}

@test "standard streams, environment and status are the stock program's" {
    stand_in <<'SH'
#!/bin/sh
cat
echo "$WORD" >&2
exit 7
SH
    run --separate-stderr env WORD=heard "$darknet" x <<<'said'
    equal status 7 "$status"
    equal output said "$output"
    equal stderr heard "$stderr"
    run env DARKNET_EXT_UNKNOWN=1 "$darknet" x <<<''
    equal status 7 "$status"
}

@test "a signal of the stock program is passed on" {
    stand_in <<'SH'
#!/bin/sh
kill -TERM $$
SH
    run "$darknet" x
    equal status 143 "$status"
}

@test "a signal to the program reaches the stock program" {
    stand_in <<'SH'
#!/bin/sh
trap 'echo caught; exit 9' TERM
: >ready
while :; do sleep .05; done
SH
    "$darknet" x >log 3>&- &
    until [ -e ready ]; do sleep .02; done
    kill -TERM $!
    status=0
    wait $! || status=$?
    equal status 9 "$status"
    equal output caught "$(cat log)"
}

@test "a stock program that is this one, or cannot be started" {
    export DARKNET_EXT_STOCK=$darknet
    run -127 --separate-stderr "$darknet" x
    equal message "darknet: error: $darknet is this program, not the stock one (set DARKNET_EXT_STOCK)" "$stderr"
    ln -s "$darknet" link
    DARKNET_EXT_STOCK=$PWD/link run -127 --separate-stderr "$darknet" x
    like message "darknet: error: $PWD/link is this program*" "$stderr"
    DARKNET_EXT_STOCK=/nosuch run -127 --separate-stderr "$darknet" x
    equal message 'darknet: error: the stock program /nosuch cannot be started: No such file or directory' "$stderr"
    DARKNET_EXT_STOCK=/ run --separate-stderr "$darknet" x
    equal status 126 "$status"
    equal message 'darknet: error: the stock program / cannot be started: Permission denied' "$stderr"
}
