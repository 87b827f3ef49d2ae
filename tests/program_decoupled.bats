#!/usr/bin/env bats
# Decoupled training: the parts of a network between its [critic] blocks in threads of their own.
load program_setup

# same_run A B NAME: weights and state, and all that was measured but for the seconds.
same_run() {
    same_file "$1/$3_final.weights" "$2/$3_final.weights"
    same_file "$1/$3_last.state" "$2/$3_last.state"
    cmp <(cut -d , -f 1,2,4- "$1/metrics.csv") <(cut -d , -f 1,2,4- "$2/metrics.csv")
    cmp <(cut -d , -f 1-4,6,7 "$1/critics.csv") <(cut -d , -f 1-4,6,7 "$2/critics.csv")
}

@test "in lockstep it is locked training, bit for bit: Adam, SGD with subdivisions and a policy, every mode" {
    local lock=(-set net.decoupled=1 -set net.lockstep=1 -set net.queue=1) sgd=(-set net.adam=0 -set net.momentum=.9 -set net.decay=.001
        -set net.subdivisions=4 -set net.policy=exp -set net.gamma=.99 -set net.learning_rate=.001 -set net.max_batches=60 -every 20)
    trains "$tiny/decoupled.cfg" locked -set net.decoupled=0 -threads 1
    trains "$tiny/decoupled.cfg" lockstep "${lock[@]}" -threads 1
    same_run locked lockstep decoupled
    for mode in noprop vfbn critic sobolev local; do
        local block='critic[1]'
        [ $mode = noprop ] && block='critic[*]' # nothing below it could learn
        trains "$tiny/decoupled.cfg" "locked_$mode" "${sgd[@]}" -set "$block.mode=$mode" -set net.decoupled=0 -threads 1
        trains "$tiny/decoupled.cfg" "lockstep_$mode" "${sgd[@]}" -set "$block.mode=$mode" "${lock[@]}" -threads 1
        same_run "locked_$mode" "lockstep_$mode" decoupled
    done
    trains "$tiny/critic_direct.cfg" locked_direct -threads 1
    trains "$tiny/critic_direct.cfg" lockstep_direct "${lock[@]}" -threads 1
    same_run locked_direct lockstep_direct critic_direct
}

@test "a run reports its parts, their queues and how stale lessons were" {
    trains "$tiny/decoupled.cfg" run -threads 4
    like report '*critic of layer 1: *, staleness * updates (at most *)
critic of layer 3: *, staleness * updates (at most *)
decoupled: 3 parts, queue 2, * seconds, 0.05 MB more than locked training
part 0, layers 0 to 1, 2 threads: 300 minibatches, 300 updates, busy *%, waited *% for minibatches and *% for room above, had the processor *%, * in its queue
part 1, layers 2 to 3, 1 thread: 300 minibatches, 300 updates, *
part 2, layers 4 to 5, 1 thread: 300 minibatches, 300 updates, *
stopped: max_batches reached *' "$output"
    grep -q '"queue_full": "wait",' run/summary.json
    [ "$(grep -c '"busy_seconds": ' run/summary.json)" = 3 ]
    [ "$(tail -n 1 run/critics.csv | cut -d , -f 1-4)" = "300,3,40,sobolev" ]
    less_than "$(tail -n 1 run/critics.csv | cut -d , -f 9)" 10
    trains "$tiny/decoupled.cfg" warm -threads 4 -set critic[0].warm_up=30 -set critic[1].warm_up=100
    like note '*note: the first 100 updates are locked: blocks warm up*' "$output"
    like report '*part 0, layers 0 to 1, 2 threads: 200 minibatches, 200 updates, *' "$output"
    trains "$tiny/decoupled.cfg" cold -threads 4 -set critic[0].warm_up=1000
    like note '*note: decoupled=1 comes too late: blocks warm up for 1000 updates, and there are 300*' "$output"
    [[ $output != *'decoupled: '* ]]
}

@test "a full queue drops minibatches when it may" {
    trains "$tiny/decoupled.cfg" run -set net.queue=1 -set net.queue_full=drop -set net.max_batches=2000
    like report '*part 0, *: 2000 minibatches, 2000 updates, *' "$output"
    local dropped reached
    dropped=$(sed -n 's/.*"dropped": \([0-9]*\),/\1/p' run/summary.json | awk '{ n += $1 } END { print n }')
    reached=$(sed -n 's/.*"minibatches": \([0-9]*\),/\1/p' run/summary.json | tail -n 1)
    equal 'minibatches' 2000 $((dropped + reached))
}

@test "a run that goes on: in lockstep where an uninterrupted one ends, and from a signal" {
    trains "$tiny/decoupled.cfg" whole -set net.lockstep=1 -set net.max_batches=60
    trains "$tiny/decoupled.cfg" half -set net.lockstep=1 -set net.max_batches=30
    trains "$tiny/decoupled.cfg" rest half/decoupled_last.weights -set net.lockstep=1 -set net.max_batches=60
    same_file whole/decoupled_final.weights rest/decoupled_final.weights
    for signal in INT TERM; do
        rm -rf stopped
        "$darknet" sobolev train "$tiny/decoupled.cfg" -out stopped -no-chart -every 300 -set net.max_batches=10000000 >log 3>&- &
        local process=$! result=0
        until [ "$(metric step stopped 2>/dev/null || echo 0)0" -gt 3000 ]; do
            kill -0 $process
            sleep .01
        done
        kill "-$signal" $process
        wait $process || result=$?
        equal status 130 "$result"
        local steps
        steps=$(metric step stopped)
        same_file stopped/decoupled_last.weights stopped/decoupled_final.weights
        trains "$tiny/decoupled.cfg" "on_$signal" stopped/decoupled_last.weights -set "net.max_batches=$((steps + 20))"
    done
}

@test "what it cannot do beside, and keys that mean nothing" {
    sed '/^\[critic\]/,/^\[end\]/d; /^normalise=/d; /^decoupled=/d; /^queue=/d' "$tiny/decoupled.cfg" >teacher.cfg
    sed -e '/^normalise=/d' "$tiny/decoupled.cfg" | awk '/^\[connected\]/ && !n++ { print "[teacher]\ncfg=teacher.cfg\n" } 1' >taught.cfg
    refuses 2 'taught.cfg:17:1: error: decoupled=1 trains without a teacher network' train taught.cfg -out no -set critic[0].mode=noprop \
        -set critic[1].mode=backprop
    absent no
    trains "$tiny/decoupled.cfg" off -set net.decoupled=0 -set net.max_batches=5
    like warning "*decoupled.cfg:10:7: warning: 'queue' means nothing without decoupled=1*" "$stderr"
    run ! grep -q '"decoupled"' off/summary.json
}
