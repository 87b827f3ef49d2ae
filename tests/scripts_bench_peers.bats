#!/usr/bin/env bats
# The comparison with the peers, without them: its table, and what it refuses. Times are not judged, so that a busy machine changes nothing.
load program_setup

# bench STATUS WORD…: scripts/bench_peers with this build ends so.
bench() {
    local expected=$1
    shift
    run --separate-stderr "$SOURCE_DIR/scripts/bench_peers" -peers none -darknet "$darknet" "$@"
    equal "status of bench_peers $* (it said: $stderr)" "$expected" "$status"
}

# complains STATUS MESSAGE WORD…: the message ends so, and there is no table.
complains() {
    local expected=$1 message=$2
    shift 2
    bench "$expected" "$@"
    equal "message of $*" "$message" "${stderr##*error: }" && equal "output of $*" '' "$output"
}

@test "bench_peers -quick prints a row for each small workload" {
    bench 0 -quick -threads 1 -seconds 0.01
    equal header '| workload | darknet_ext: ms plain / Sobolev | ratio | of the matrix-product rate |' "${lines[0]}"
    equal rule '|---|---|---|---|' "${lines[1]}"
    local number='[0-9.]+(e[+-]?[0-9]+)?' row
    for row in 2:mlp_20 3:student_32; do
        [[ ${lines[${row%:*}]} =~ ^\|\ ${row#*:}\ \|\ $number\ /\ $number\ \|\ [0-9]+\.[0-9][0-9]\ \|\ [0-9]+%\ /\ [0-9]+%\ \|$ ]] ||
            { echo "row ${row#*:}: ${lines[${row%:*}]}" >&2; return 1; }
    done
    equal 'line below' 'medians of 2 rounds, 1 threads, float' "${lines[4]}"
    [ ${#lines[@]} -eq 5 ] || like 'last line' 'other programs used the processors meanwhile, the times are too long: *' "${lines[5]}"
}

@test "bench_peers measures the workloads and rounds it is asked for" {
    bench 0 -workloads "mlp_20 mlp_100" -rounds 1 -threads 1 -seconds 0.01
    equal workloads 'mlp_20 mlp_100 ' "$(sed -n 's/^| \(mlp_[0-9]*\) .*/\1/p' <<<"$output" | tr '\n' ' ')"
    equal 'line below' 'medians of 1 rounds, 1 threads, float' "${lines[4]}"
}

@test "bench_peers refuses bad flags" {
    complains 2 'unknown flag -fast' -fast
    complains 2 '-rounds needs a value' -rounds
    complains 2 "-peers: 'tensorflow' is neither torch nor jax" -peers tensorflow
    complains 1 "there is no workload 'mlp': mlp_20 mlp_100 mlp_256 mlp_1024 student_32 student_200 cifar_32 resnet50_4" -workloads mlp
    complains 2 "numpy is not installed in $PWD/none: leave out -no-install to install it with pip, or name an environment with -venv" \
        -peers torch -no-install -venv "$PWD/none"
    complains 2 'argument -rounds: invalid int value: '"'many'" -rounds many
}

@test "bench_peers says which program is missing or does not answer" {
    complains 2 "no program $PWD/none: build with scripts/build, or name one with -darknet" -darknet "$PWD/none"
    printf '#!/bin/sh\necho broken >&2\nexit 3\n' >mute
    chmod +x mute
    bench 1 -darknet "$PWD/mute" -workloads mlp_20
    equal message 'scripts/bench_peers: error: darknet_ext did not answer: broken' "$stderr"
}
