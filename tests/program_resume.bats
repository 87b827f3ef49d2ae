#!/usr/bin/env bats
# Stopping and going on: signals, weights and state files, good and damaged.
load program_setup

# interrupt SIGNAL CFG FOLDER [WORD…]: sends the signal when some updates are done; $status is the program's.
interrupt() {
    local signal=$1 cfg=$2 folder=$3 process
    shift 3
    "$darknet" sobolev train "$cfg" -out "$folder" -no-chart -every 300 "$@" >log 3>&- &
    process=$!
    until [ "$(metric step "$folder" 2>/dev/null || echo 0)0" -gt 3000 ]; do
        kill -0 $process || break
        sleep .01
    done
    kill "-$signal" $process
    status=0
    wait $process || status=$?
}

# goes_on NAME SIGNAL UPDATES: a run that was interrupted ends, when it goes on, where an uninterrupted one does.
goes_on() {
    local name=$1 signal=$2 updates=(-set "net.max_batches=$3")
    interrupt "$signal" "$tiny/$name.cfg" half "${updates[@]}"
    equal status 130 "$status"
    grep -qF "\"stopped\": \"interrupted (SIG$signal)\"," half/summary.json
    grep -qF "stopped: interrupted (SIG$signal) after " log
    less_than "$(metric step half)" "$3"
    equal 'last row' "$(metric step half)" "$(sed -n 's/.*"steps": \([0-9]*\),/\1/p' half/summary.json)"
    same_file "half/${name}_last.weights" "half/${name}_final.weights"
    trains "$tiny/$name.cfg" whole "${updates[@]}" -every 5000
    ends 0 train "$tiny/$name.cfg" "half/${name}_last.weights" -out rest -no-chart -every 5000 "${updates[@]}"
    same_file "whole/${name}_final.weights" "rest/${name}_final.weights"
    same_file "whole/${name}_last.state" "rest/${name}_last.state"
}

# A small run to take files from.
run_of() {
    trains "$tiny/gradients.cfg" run -set net.max_batches=20
    weights=run/gradients_last.weights
}

# poke FILE POSITION BYTES: overwrites some bytes; BYTES as printf understands them.
poke() {
    # shellcheck disable=SC2059
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# bad_weights MESSAGE FILE: every verb refuses the file with that message and leaves nothing behind.
bad_weights() {
    refuses 1 "$2: error: $1" train "$tiny/gradients.cfg" "$2" -out refused
    refuses 1 "$2: error: $1" valid "$tiny/gradients.cfg" "$2"
    absent refused
}

bad_state() { # MESSAGE
    refuses 1 "copy.state: error: $1" train "$tiny/gradients.cfg" copy.weights -out refused
    absent refused
}

@test "SIGINT: status 130, everything saved; going on gives the same bits (SGD, random directions)" {
    goes_on projections INT 20000
}

@test "SIGTERM: status 130, everything saved; going on gives the same bits (Adam, dropout)" {
    goes_on dropout TERM 20000
}

@test "going on gives the same bits: rolling means and variances, of normalised training" {
    goes_on batch_normalize INT 8000
}

@test "finished weights: nothing is left to do, until max_batches is raised" {
    run_of
    refuses 2 "$weights: error: these weights have 20 updates already, max_batches is 20: nothing is left to do (raise it with -set net.max_batches=N)" \
        train "$tiny/gradients.cfg" $weights -out again -no-chart -set net.max_batches=20
    absent again
    ends 0 train "$tiny/gradients.cfg" $weights -out last -no-chart -set net.max_batches=25
    ends 0 train "$tiny/gradients.cfg" run/gradients_final.weights -out final -no-chart -set net.max_batches=25
    same_file last/gradients_final.weights final/gradients_final.weights
}

@test "weights without a state: a remark" {
    run_of
    cp $weights alone.weights
    ends 0 train "$tiny/gradients.cfg" alone.weights -out more -no-chart -set net.max_batches=30
    like output 'note: no alone.state: the optimiser starts afresh*' "$output"
    equal steps 30 "$(metric step more)"
}

@test "a run that goes on in its own folder goes on with its tables, and needs no -force" {
    local name seconds
    for name in gradients critic; do
        trains "$tiny/$name.cfg" whole -force -set net.max_batches=30 -every 5
        trains "$tiny/$name.cfg" run -force -set net.max_batches=30 -every 5
        # as it was after 15 updates, by a program that was killed later
        trains "$tiny/$name.cfg" run -force -set net.max_batches=15 -every 5
        awk -F , '$1 > 15' whole/metrics.csv | sed 1d >>run/metrics.csv
        seconds=$(metric seconds run 4)
        ends 0 train "$tiny/$name.cfg" run/${name}_last.weights -out run -no-chart -set net.max_batches=30 -every 5
        same_file whole/${name}_final.weights run/${name}_final.weights
        # the row in which the first part ended has its own losses
        equal "$name: rows" "$(cut -d , -f 1,2,4- whole/metrics.csv)" "$(cut -d , -f 1,2,4- run/metrics.csv)"
        less_than "$seconds" "$(awk -v seconds="$(metric seconds run)" 'BEGIN { print seconds + 1e-9 }')"
    done
    equal 'blocks' "$(cat whole/critics.csv)" "$(cat run/critics.csv)"
    ends 2 train "$tiny/critic.cfg" run/critic_best.weights -out run
    equal 'weights without a state' 'run: error: the folder is not empty; name another with -out, or replace the run in it with -force' "$stderr"
}

@test "weights in the folder that -force replaces" {
    run_of
    ends 0 train "$tiny/gradients.cfg" run/gradients_final.weights -out run -force -no-chart -set net.max_batches=25
    equal steps 25 "$(metric step run)"
}

@test "weights that are no weights of this network are refused" {
    run_of
    local size=$((4 * 697))
    bad_weights 'cannot be opened: No such file or directory' nosuch.weights
    bad_weights 'cannot be opened: not a file' run
    : >empty.weights
    bad_weights 'too short to be a Darknet weights file' empty.weights
    head -c 19 $weights >header.weights
    bad_weights 'too short to be a Darknet weights file' header.weights
    head -c 1000 $weights >short.weights
    bad_weights "holds 980 bytes of weights, the network needs $size: the file is truncated, or belongs to another network" \
        short.weights
    (cat $weights; echo) >long.weights
    bad_weights "holds $((size + 1)) bytes of weights, the network needs $size: the file is too long, or belongs to another network" long.weights
    yes junk | head -c $((size + 20)) >junk.weights
    bad_weights 'not a Darknet weights file (its version makes no sense)' junk.weights
    cp $weights nan.weights
    poke nan.weights 40 '\0\0\300\177'
    bad_weights 'weight 5 is not a finite number' nan.weights
    refuses 1 'nan.weights: error: weight 5 is not a finite number' check "$tiny/gradients.cfg" nan.weights
    trains "$tiny/batch_normalize.cfg" normalised -set net.max_batches=1
    cp normalised/batch_normalize_final.weights negative.weights
    poke negative.weights $((20 + 4 * 120)) '\0\0\200\277'
    for verb in valid check; do
        refuses 1 'negative.weights: error: weight 120 is a rolling variance, and negative (-1)' $verb "$tiny/batch_normalize.cfg" negative.weights
    done
    trains "$tiny/values.cfg" other -set net.max_batches=1
    bad_weights "holds 260 bytes of weights, the network needs $size: the file is truncated, or belongs to another network" \
        other/values_final.weights
}

@test "finite weights whose outputs are not: told before training starts" {
    # 697 times 1e30
    (printf '\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' && printf '\312\362\111\161%.0s' {1..697}) >huge.weights
    ends 1 train "$tiny/gradients.cfg" huge.weights -out run -no-chart
    equal message 'the test error is not a finite number after update 0: training diverged (smaller learning_rate?)' "$stderr"
    absent run/gradients_last.weights run/gradients_final.weights
}

@test "a damaged state, or another one's, is refused" {
    run_of
    cp $weights copy.weights
    cp run/gradients_last.state good.state
    : >copy.state
    bad_state truncated
    head -c 20 good.state >copy.state
    bad_state truncated
    head -c 500 good.state >copy.state
    bad_state 'truncated or damaged'
    (cat good.state; echo) >copy.state
    bad_state 'truncated or damaged'
    cp good.state copy.state
    poke copy.state 300 '\1\2\3'
    bad_state 'truncated or damaged'
    cp good.state copy.state
    poke copy.state 0 'D0X'
    bad_state 'not a state file of this version'
    equal version 3 "$(od -An -tu4 -j8 -N4 good.state | tr -d ' ')"
    cp good.state copy.state
    poke copy.state 8 '\1'
    bad_state 'not a state file of this version'
    cp good.state copy.state
    poke copy.state 40 '\7'
    bad_state 'belongs to another network'
    cp good.state copy.state
    poke copy.state 24 '\7'
    bad_state 'belongs to a run with -seed 7'
    trains "$tiny/gradients.cfg" later -set net.max_batches=21
    cp later/gradients_last.state copy.state
    bad_state 'belongs to other weights (remove it to start the optimiser afresh)'
    trains "$tiny/gradients.cfg" other -set net.max_batches=20 -set net.learning_rate=.002
    cp other/gradients_last.state copy.state
    bad_state 'belongs to other weights (remove it to start the optimiser afresh)'
    cp good.state copy.state
    poke copy.weights 20 '\1' # the first number
    bad_state 'belongs to other weights (remove it to start the optimiser afresh)'
    cp $weights copy.weights
    poke copy.weights 12 '\1' # the samples seen
    bad_state 'belongs to other weights (remove it to start the optimiser afresh)'
    cp $weights copy.weights
    refuses 1 'copy.state: error: belongs to a run without normalise=' train "$tiny/gradients.cfg" copy.weights -out refused -set data.normalise=inputs
    ends 0 train "$tiny/gradients.cfg" copy.weights -out good -no-chart -set net.max_batches=21
    same_file later/gradients_final.weights good/gradients_final.weights
}

@test "a folder into which a run is writing is not taken by another one, not even with -force" {
    "$darknet" sobolev train "$tiny/gradients.cfg" -out run -no-chart -set net.max_batches=100000000 -every 100000 >log 2>&1 3>&- &
    until [ -e run/gradients_last.state ]; do
        kill -0 $!
    done
    refuses 1 'run: error: another run is writing into this folder' train "$tiny/values.cfg" -out run -no-chart -force
    kill -TERM $!
    wait $! && status=0 || status=$?
    equal status 130 "$status"
    absent run/values_final.weights
    ends 0 train "$tiny/values.cfg" -out run -no-chart -force
}
