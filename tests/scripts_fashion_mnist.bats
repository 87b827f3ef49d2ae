#!/usr/bin/env bats
# scripts/fashion_mnist on 300 images of noise: what it leaves behind, that it goes on where it stopped, what it refuses. What needs h5py is skipped
# where there is none: PEERS_VENV names an environment with numpy and h5py (build/peers).
load program_setup

# idx NAME COUNT: images and labels in data/
idx() {
    mkdir -p data
    "$venv/bin/python" -c "
import numpy, sys
name, count = sys.argv[1], int(sys.argv[2])
def write(path, numbers):
    with open(path, 'wb') as file:
        file.write(bytes([0, 0, 8, numbers.ndim]) + numpy.array(numbers.shape, '>i4').tobytes() + numbers.astype(numpy.uint8).tobytes())
r = numpy.random.default_rng(1)
label = numpy.arange(count) % 10
write(f'data/{name}-images-idx3-ubyte', r.integers(0, 100, (count, 28, 28)) + 15 * label[:, None, None])
write(f'data/{name}-labels-idx1-ubyte', label)" "$1" "$2"
}

study() {
    run --separate-stderr "$SOURCE_DIR/scripts/fashion_mnist" -data "$PWD/data" -out "$PWD/study" -venv "$venv" -no-install -darknet "$darknet" "$@"
}

small_study() {
    idx train 300
    idx t10k 100
    study -sizes "60 300" -updates 3 -seeds "1 2" -teacher-updates 2 "$@"
    equal "status (it said: $stderr)" 0 "$status"
}

@test "every method is trained, and stands in the table" {
    needs_python numpy h5py
    small_study
    equal runs '17 60,plain,1,3 60,kd,1,3 60,attention,1,3 60,sobolev,1,3 ' \
        "$(wc -l <study/runs.csv) $(sed -n 2,5p study/runs.csv | cut -d , -f 1-4 | tr '\n' ' ')"
    equal rows 2 "$(grep -c '^| \(60\|300\) | 3 | ' study/table.md)"
    like output '*teacher: *% of the test images right*' "$output"
    for line in "weight=0" "weight_1=0" "hard_weight=1" "max_batches=3" "seed=2"; do
        grep -qx "$line" study/60/2/plain/run.cfg || { echo "no $line" >&2; return 1; }
    done
    ! cmp -s study/60/2/sobolev/fashion_student_final.weights study/60/2/kd/fashion_student_final.weights
}

@test "it goes on where it stopped" {
    needs_python numpy h5py
    small_study -methods "plain sobolev"
    rm study/300/2/sobolev/summary.json
    small_study -methods "plain sobolev"
    like output '1 students to train*' "$output"
    study -sizes 60 -updates 4 -seeds 1 -methods plain
    equal status 1 "$status"
    like message 'a run of 3 updates on 60 images stands where one of 4 on 60 should: *' "$stderr"
}

@test "files that are no IDX files" {
    needs_python numpy h5py
    idx train 20
    idx t10k 20
    truncate -s -1 data/train-images-idx3-ubyte
    study
    equal status 1 "$status"
    like message '*train-images-idx3-ubyte: error: truncated, *' "$stderr"
    echo nothing >data/train-images-idx3-ubyte
    study
    like message '*train-images-idx3-ubyte: error: not an IDX file of bytes' "$stderr"
    absent study/train.h5
}

@test "words that are wrong" {
    for words in "-size 100" "-sizes many" "-methods magic" "-darknet /nowhere" "-seeds" ""; do
        # shellcheck disable=SC2086
        study $words
        equal "status of $words" 2 "$status"
        like "message of $words" '*scripts/fashion_mnist: error: *' "$stderr"
        absent study
    done
}
