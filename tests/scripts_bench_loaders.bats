#!/usr/bin/env bats
# The comparison of loaders: its table, and what it refuses. Times are not judged, so that a busy machine changes nothing.
load program_setup

# loaders STATUS WORD…: scripts/bench_loaders with this build ends so.
loaders() {
    local expected=$1
    shift
    run --separate-stderr "$SOURCE_DIR/scripts/bench_loaders" -darknet "$darknet" "$@"
    equal "status of bench_loaders $* (it said: $stderr)" "$expected" "$status"
}

complains() {
    local message=$1
    shift
    loaders 2 "$@"
    equal "message of $*" "$message" "${stderr##*error: }"
}

pictures() {
    local i
    for i in 1 2 3; do
        { printf 'P5\n40 50\n255\n'; head -c 2000 /dev/zero; } >"$i.pgm"
        echo "$PWD/$i.pgm"
    done >all.list
}

@test "bench_loaders prints a row for each loader" {
    pictures
    local number='[0-9]+' kind
    for kind in inception pad_crop; do
        loaders 0 -list all.list -peers none -rounds 1 -samples 64 -augment $kind
        equal header '| loader | images/s by the clock | per core (processor time) |' "${lines[0]}"
        [[ ${lines[2]} =~ ^\|\ darknet_ext\ \|\ $number\ \|\ $number\ \|$ ]]
        equal 'line below' "augment=$kind, 1 rounds of 64 images each in turn, one thread or worker process" "${lines[3]}"
    done
}

@test "bench_loaders beside torchvision" {
    needs_python torch torchvision
    pictures
    loaders 0 -list all.list -venv "$venv" -no-install -rounds 1 -samples 64
    like table '*| darknet_ext | *| torchvision (torchvision *) | *darknet_ext / torchvision, median of the rounds: *' "$output"
}

@test "bench_loaders refuses bad flags and pictures" {
    complains '-list FILE must name the pictures'
    complains "-list: $PWD/none cannot be read" -list none
    complains "-peers: 'jax' is not none" -peers jax
    complains 'unknown flag -fast' -fast
    complains "no program $PWD/none: build with scripts/build, or name one with -darknet" -darknet "$PWD/none"
    echo "$PWD/none.jpg" >all.list
    loaders 1 -list all.list -peers none
    like message 'scripts/bench_loaders: error: darknet_ext *' "$stderr"
}
