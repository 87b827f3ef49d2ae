#!/usr/bin/env bats
# Every wrong cfg of cfg/broken, as a user meets it: its first line says what the program must say.
load program_setup

# The reader's errors (`# expect: `) come with a count behind them, those of the network (`# expect-late: `) alone.
check_broken() {
    local cfg=$1 line expected found status=0
    IFS= read -r line <"$cfg"
    case $line in
    '# expect: '*) expected="$cfg:${line#\# expect: }"$'\n'"$cfg: 1 error" ;;
    '# expect-late: '*) expected=$cfg:${line#\# expect-late: } ;;
    *) expected="$cfg has no expectation in its first line" ;;
    esac
    found=$("$darknet" sobolev train "$cfg" -out "$PWD/runs/$(basename "$cfg")" -no-chart 2>&1 </dev/null) || status=$?
    [ "$status" = 2 ] && [ "$found" = "$expected" ] && return
    printf '%s: status %s\nexpected: %s\nfound:    %s\n' "$cfg" "$status" "$expected" "$found"
    return 1
}

# all_broken MARK: every file whose first line begins with the mark, two at a time.
all_broken() {
    export -f check_broken
    export darknet
    grep -lam 1 "^# $1: " "$SOURCE_DIR"/cfg/broken/*.cfg >list
    [ "$(wc -l <list)" -ge "$2" ]
    # shellcheck disable=SC2016
    tr '\n' '\0' <list | xargs -0 -n 1 -P 2 bash -c 'check_broken "$1" || exit 1' _ >&2
    absent runs
}

@test "cfgs that the reader refuses" {
    all_broken expect 100
}

@test "cfgs whose network cannot be built" {
    all_broken expect-late 50
}

@test "every cfg in cfg/broken has an expectation" {
    for cfg in "$SOURCE_DIR"/cfg/broken/*.cfg; do
        head -n 1 "$cfg" | grep -qaE '^# expect(-late)?: ' || { echo "$cfg" >&2; return 1; }
    done
}

@test "the other verbs refuse them too" {
    local broken=$SOURCE_DIR/cfg/broken
    for verb in check bench; do
        refuses_like 2 "$broken/integer_word.cfg:*: error: *" $verb "$broken/integer_word.cfg"
        refuses_like 2 "$broken/late_all_weights_0.cfg:*: error: all weights are 0: there is nothing to train on" $verb \
            "$broken/late_all_weights_0.cfg"
        refuses_like 2 "$broken/late_relu_with_order_2.cfg:*: error: this activation is piecewise linear*" $verb \
            "$broken/late_relu_with_order_2.cfg"
    done
    refuses_like 2 "$broken/late_function_misspelt.cfg:*did you mean 'booth'?" check "$broken/late_function_misspelt.cfg"
    refuses_like 2 "$broken/late_lstm.cfg:*it needs sequences*" bench "$broken/late_lstm.cfg"
    refuses_like 2 "$broken/late_no_data.cfg:*there is no \[data\] section*" valid "$broken/late_no_data.cfg" nosuch.weights
}

@test "all mistakes of a network are reported at once" {
    sed -e 's/^order=1/order=2/' -e 's/^loss_1/weight_2=1\nloss_1/' "$tiny/gradients.cfg" >two.cfg
    refuses_like 2 $'two.cfg:15:1: error: this activation is piecewise linear*\ntwo.cfg:19:1: error: this activation *' train \
        two.cfg
    printf '[net]\ninputs=2\nmax_batches=9\n[data]\nfunction=booth\n[lstm]\noutput=4\n[gru]\noutput=1\n' >three.cfg
    refuses_like 2 $'three.cfg:6:1: error: \\[lstm]*\nthree.cfg:8:1: error: \\[gru]*\nthree.cfg:8:1: error: *no loss*' train \
        three.cfg
    absent runs
}

@test "a backend that this build has not" {
    for name in onedn cray; do
        sed "s/^batch=/backend=$name\nbatch=/" "$tiny/values.cfg" >$name.cfg
        refuses_like 2 "$name.cfg:4:9: error: unknown backend '$name'*" train $name.cfg
    done
    like suggestion "*onedn.cfg:*did you mean 'onednn'*" "onedn.cfg:$(ends 2 train onedn.cfg && echo "$stderr")"
    absent runs
}
