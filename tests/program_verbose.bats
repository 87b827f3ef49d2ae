#!/usr/bin/env bats
# DARKNET_EXT_VERBOSE=1: what runs each layer.
load program_setup

images() {
    cat >images.cfg <<'END'
[net]
batch=2
channels=3
height=12
width=12
max_batches=1
[convolutional]
filters=16
size=3
stride=2
pad=1
activation=leaky
[convolutional]
filters=32
size=3
pad=1
activation=tanh
[deconvolutional]
filters=16
size=2
stride=2
activation=tanh
[connected]
output=2
activation=linear
[sobolev]
order=1
END
}

# What is said of the last tape of that backend.
explains() { # BACKEND
    ends 0 check images.cfg -backend "$1"
    tape=$(awk -v wanted="^darknet_ext: a tape of [0-9]+ samples on $1, order 1, 2 directions$" '
        /^darknet_ext: / { keep = $0 ~ wanted; if (keep) text = "" }
        keep { text = text $0 "\n" }
        END { printf "%s", text }' <<<"$stderr")
    equal 'layers' '0 1 2 3' "$(sed -n -E 's/^ +([0-9]+) \[[a-z]+\] \(line [0-9]+\): .*/\1/p' <<<"$tape" | xargs)"
    for direction in forward 'backward data' 'backward weights'; do
        equal "$direction" 3 "$(grep -c "^       $direction: ." <<<"$tape")"
    done
    equal 'matrix products' 1 "$(grep -c '^       matrix products (sgemm) in all directions$' <<<"$tape")"
}

@test "verbose names the implementation of every layer and direction" {
    images
    export DARKNET_EXT_VERBOSE=1
    explains ref
    equal 'plain loops' 9 "$(grep -c ': plain loops$' <<<"$tape")"
    explains onednn
    equal 'reference of oneDNN' 0 "$(grep -c 'ref:' <<<"$tape")"
    equal 'layouts' 9 "$(grep -c ': .*x in blocks of [0-9]*.*, y of [0-9]*' <<<"$tape")"
    like 'reason' '*Winograd*' "$tape"
}

@test "verbose says which fast paths are off, and where images are reordered" {
    images
    export DARKNET_EXT_VERBOSE=1 DARKNET_EXT_FAST_PATHS=0
    explains onednn
    equal 'off' 9 "$(grep -c 'DARKNET_EXT_FAST_PATHS=0: nothing faster is tried' <<<"$tape")"
    block=$(sed -n -E '1,/layer|\[connected\]/s/.* in blocks of ([0-9]+)$/\1/p' <<<"$tape" | sed -n 1p)
    like 'border' "*the output of layer 2 is reordered from blocks of ${block:-?} to blocks of 1, its adjoint back*" "$tape"
}

@test "without the variable nothing is said" {
    images
    ends 0 check images.cfg -backend onednn
    equal message '' "$stderr"
    DARKNET_EXT_VERBOSE=0 ends 0 check images.cfg -backend onednn
    equal message '' "$stderr"
}
