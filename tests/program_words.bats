#!/usr/bin/env bats
# What the program makes of its words: verbs, flags, and what it says of itself.
load program_setup

unknown_flag() { # FLAG SUGGESTION
    refuses 2 "darknet sobolev train: error: unknown flag '$1', did you mean '$2'?" train "$tiny/values.cfg" "$1"
}

bad_number() { # FLAG VALUE RANGE
    refuses 2 "darknet sobolev train: error: $1: '$2' is not a whole number from $3" train "$tiny/values.cfg" "$1" "$2"
}

@test "no verb: the overview, and status 2" {
    ends 2
    like overview '*train*valid*check*bench*plot*functions*version*help*' "$output"
    equal message '' "$stderr"
}

@test "a wrong verb is refused with the nearest one" {
    refuses 2 "darknet sobolev: error: unknown verb 'trian', did you mean 'train'?" trian
    refuses 2 "darknet sobolev: error: unknown verb 'trai', did you mean 'train'?" trai "$tiny/values.cfg"
    refuses 2 "darknet sobolev: error: unknown verb '--help', did you mean 'help'?" --help
    refuses 2 "darknet sobolev: error: unknown verb 'xyzzy' (darknet sobolev help)" xyzzy
    refuses 2 "darknet sobolev: error: unknown verb '' (darknet sobolev help)" ''
}

@test "a wrong flag is refused with the nearest one" {
    unknown_flag -sead -seed
    unknown_flag -force-it -force
    refuses 2 "darknet sobolev train: error: unknown flag '-sead', did you mean '-seed'?" train "$tiny/values.cfg" --sead=3
    refuses 2 "darknet sobolev train: error: unknown flag '-xyzzy': usage: darknet sobolev train CFG [WEIGHTS] (darknet sobolev help train)" train "$tiny/values.cfg" -xyzzy
    refuses 2 "darknet sobolev valid: error: unknown flag '-out': usage: darknet sobolev valid CFG WEIGHTS (darknet sobolev help valid)" valid "$tiny/values.cfg" w -out x
    refuses 2 "darknet sobolev version: error: unknown flag '-seed': usage: darknet sobolev version (darknet sobolev help version)" version -seed 1
    absent runs
}

@test "values of flags are checked before anything else happens" {
    bad_number -seed x '0 to 9007199254740992'
    bad_number -seed -1 '0 to 9007199254740992'
    bad_number -seed '' '0 to 9007199254740992'
    bad_number -seed 9007199254740993 '0 to 9007199254740992'
    bad_number -threads 0 '1 to 1024'
    bad_number -threads 1025 '1 to 1024'
    bad_number -every 0 '1 to 9223372036854775807'
    refuses 2 "darknet sobolev check: error: -batch: '0' is not a whole number from 1 to 4096" check "$tiny/values.cfg" -batch 0
    for seconds in 0 nan x; do
        refuses 2 "darknet sobolev bench: error: -seconds: '$seconds' is not a number of seconds" bench "$tiny/values.cfg" \
            -seconds "$seconds"
    done
    refuses_like 2 "-backend: error: unknown backend 'onedn'*" train "$tiny/values.cfg" -backend onedn
    absent runs
}

@test "a flag without its value, and a switch with one, are refused" {
    refuses 2 'darknet sobolev train: error: -seed: missing argument' train "$tiny/values.cfg" -seed
    refuses 2 'darknet sobolev train: error: -set: missing argument' train "$tiny/values.cfg" -set
    refuses 2 'darknet sobolev train: error: -force=3: option does not take an argument' train "$tiny/values.cfg" -force=3
}

@test "-set names what is wrong with it" {
    refuses_like 2 "-set net.bach=3: error: unknown key 'bach' in \[net\], did you mean 'batch'?"$'\n'* train \
        "$tiny/values.cfg" -set net.bach=3
    refuses_like 2 "-set momentum: error: *" train "$tiny/values.cfg" -set momentum
    refuses 2 "-set data.function=both: error: [data] unknown function 'both', did you mean 'booth'?" train "$tiny/values.cfg" \
        -set data.function=both
    refuses_like 2 "-set net.backend=cray: error: unknown backend 'cray'*" train "$tiny/values.cfg" -set net.backend=cray
    refuses 2 '-set net.max_batches=0: error: [net] max_batches= must say how many updates to train for' train \
        "$tiny/values.cfg" \
        -set net.max_batches=0
    local many=()
    for i in {1..65}; do many+=(-set net.batch=16); done
    refuses 2 'darknet sobolev train: error: more than 64 -set' train "$tiny/values.cfg" "${many[@]}"
}

@test "missing and extra words are refused with the usage" {
    refuses 2 'darknet sobolev train: error: words are missing: usage: darknet sobolev train CFG [WEIGHTS]' train
    refuses 2 'darknet sobolev train: error: too many words: usage: darknet sobolev train CFG [WEIGHTS]' train a b c
    refuses 2 'darknet sobolev valid: error: words are missing: usage: darknet sobolev valid CFG WEIGHTS' valid a
    refuses 2 'darknet sobolev bench: error: too many words: usage: darknet sobolev bench CFG' bench a b
    refuses 2 'darknet sobolev plot: error: words are missing: usage: darknet sobolev plot RUN [RUN...]' plot
    refuses 2 'darknet sobolev plot: error: too many words: usage: darknet sobolev plot RUN [RUN...]' plot {1..17}
    refuses 2 'darknet sobolev functions: error: too many words: usage: darknet sobolev functions' functions x
    refuses 2 'darknet sobolev help: error: too many words: usage: darknet sobolev help [TOPIC]' help train valid
}

@test "words that popt would expand are refused" {
    refuses 2 "darknet sobolev train: error: 'a!#:+b': a word must not contain '!#:+'" train "$tiny/values.cfg" -out 'a!#:+b'
}

@test "-- ends the flags" {
    cp "$tiny/values.cfg" ./-odd.cfg
    ends 0 train -print-cfg -- -odd.cfg
    like cfg '\[net\]*' "$output"
}

@test "a cfg that cannot be read: one message, status 1, no run folder" {
    : >empty.cfg
    for verb in train check bench; do
        refuses_like 1 'nosuch.cfg:*No such file or directory' $verb nosuch.cfg
        refuses_like 1 '.:*Is a directory' $verb .
    done
    refuses_like 1 'nosuch.cfg:*No such file or directory' valid nosuch.cfg w
    refuses_like 2 'empty.cfg:1:1: error: no sections*' train empty.cfg
    absent runs
}

@test "a cfg without permission" {
    need_nobody
    cp "$tiny/values.cfg" secret.cfg
    chmod 000 secret.cfg
    run --separate-stderr as_nobody "$darknet" sobolev check secret.cfg
    equal status 1 "$status"
    like message 'secret.cfg:*Permission denied' "$stderr"
}

@test "unknown environment variables are refused" {
    DARKNET_EXT_VERBOSE=yes refuses 2 "DARKNET_EXT_VERBOSE: error: 'yes' is neither 0 nor 1" train "$tiny/values.cfg"
    DARKNET_EXT_FAST_PATHS=2 refuses 2 "DARKNET_EXT_FAST_PATHS: error: '2' is neither 0 nor 1" check "$tiny/values.cfg"
    export DARKNET_EXT_UNKNOWN=1
    for verb in train check; do
        refuses_like 2 'unknown environment variable DARKNET_EXT_UNKNOWN*' $verb "$tiny/values.cfg"
    done
    refuses_like 2 'unknown environment variable DARKNET_EXT_UNKNOWN*' valid "$tiny/values.cfg" w
    refuses_like 2 'unknown environment variable DARKNET_EXT_UNKNOWN*' plot x
    unset DARKNET_EXT_UNKNOWN
    DARKNET_EXT_SEEED=1 refuses 2 'unknown environment variable DARKNET_EXT_SEEED, did you mean DARKNET_EXT_SEED?' check \
        "$tiny/values.cfg"
}

@test "values in the environment are checked" {
    DARKNET_EXT_SEED=x refuses_like 2 "DARKNET_EXT_SEED: error: 'x' is not a whole number*" check "$tiny/values.cfg"
    DARKNET_EXT_THREADS=0 refuses_like 2 "DARKNET_EXT_THREADS: error: '0' is not a whole number*" check "$tiny/values.cfg"
    DARKNET_EXT_BACKEND=cray refuses_like 2 "DARKNET_EXT_BACKEND: error: unknown backend 'cray'*" check "$tiny/values.cfg"
}

@test "flags win over the environment, the environment over the cfg, an empty variable says nothing" {
    sed 's/^batch=/seed=3\nbatch=/' "$tiny/values.cfg" >seeded.cfg
    seed_of() { ends 0 train seeded.cfg -print-cfg "$@" && sed -n 's/^seed=//p' <<<"$output"; }
    equal cfg 3 "$(seed_of)"
    equal environment 4 "$(DARKNET_EXT_SEED=4 seed_of)"
    equal flag 5 "$(DARKNET_EXT_SEED=4 seed_of -seed 5)"
    equal 'empty variable' 3 "$(DARKNET_EXT_SEED='' seed_of)"
    DARKNET_EXT_BACKEND='' trains seeded.cfg run -set net.backend=ref -set net.max_batches=1
    grep -q '"backend": "ref"' run/summary.json
}

@test "help: every verb, section and topic; the nearest of a wrong one" {
    ends 0 help
    overview=$output
    for verb in train valid predict check bench plot data functions version help; do
        like "overview on $verb" "*$verb*" "$overview"
        ends 0 help $verb
        like "help $verb" "darknet sobolev $verb*" "$output"
    done
    ends 0 help data
    like 'a verb and a section' 'darknet sobolev data inspect FILE*\[data\]  what to train on*    function * path: *' "$output"
    for topic in net data sobolev sections layers; do
        ends 0 help $topic
        [ ${#output} -gt 50 ]
    done
    ends 0 help environment
    like environment '*DARKNET_EXT_BACKEND*DARKNET_EXT_THREADS*DARKNET_EXT_SEED*DARKNET_EXT_STOCK*' "$output"
    refuses 2 "darknet sobolev help: error: 'conected' is neither a verb nor a section of a cfg, did you mean 'connected'?" \
        help conected
    refuses 2 "darknet sobolev help: error: 'xyzzy' is neither a verb nor a section of a cfg" help xyzzy
}

@test "help describes sections, [variant] too" {
    ends 0 help variant
    like variant '\[variant\]*of *path, required*' "$output"
    ends 0 help sections
    like sections '*\[teacher\]*\[variant\]*' "$output"
}

@test "help names every flag of train" {
    ends 0 help train
    for flag in set seed threads backend out force print-cfg every no-chart; do
        like "-$flag" "*-$flag *" "$output"
    done
}

@test "version names what is loaded" {
    ends 0 version
    like version 'darknet_ext *Darknet *libdarknet.so*OpenMP *json-c *popt *backends *ref*' "$output"
}

@test "functions lists the functions of the paper and others" {
    ends 0 functions
    for name in ackley beale booth bukin mccormick rosenbrock styblinski_tang sphere griewank; do
        grep -q "^$name " <<<"$output"
    done
}

@test "standard output that cannot be written is an error" {
    [ -w /dev/full ] || skip "no /dev/full"
    run --separate-stderr bash -c '"$0" sobolev functions >/dev/full' "$darknet"
    equal status 1 "$status"
    equal message 'darknet sobolev: error: standard output cannot be written: No space left on device' "$stderr"
    run --separate-stderr bash -c '"$0" sobolev help >&-' "$darknet"
    equal status 1 "$status"
    equal message 'darknet sobolev: error: standard output cannot be written: Bad file descriptor' "$stderr"
    run bash -c '"$0" sobolev version <&- >&- 2>&-' "$darknet"
    equal status 1 "$status"
}
