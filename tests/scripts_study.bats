#!/usr/bin/env bats
# The scripts that confront the paper, in miniature: what they leave behind, that they go on where they stopped, what they refuse.
load program_setup

# script NAME WORD…: runs scripts/NAME with this build.
script() {
    local name=$1
    shift
    run --separate-stderr "$SOURCE_DIR/scripts/$name" "$@"
    equal "status of scripts/$name $* (it said: $stderr)" 0 "$status"
}

small_regression() {
    script paper_regression -functions booth -points 20 -seeds "1 2" -updates 200 -out "$PWD/study" -darknet "$darknet" "$@"
}

# is_picture FILE: a PNG, where pictures can be drawn.
is_picture() {
    command -v gnuplot >/dev/null || return 0
    equal "$1" 89504e470d0a1a0a "$(od -A n -t x1 -N 8 "$1" | tr -d ' \n')"
}

@test "paper_regression leaves runs, tables and pictures" {
    small_regression
    equal runs '5 booth,20,regular,1,200 booth,20,sobolev,1,200 booth,20,regular,2,200 booth,20,sobolev,2,200 ' \
        "$(wc -l <study/runs.csv) $(sed 1d study/runs.csv | cut -d , -f 1-5 | tr '\n' ' ')"
    equal groups 'booth,20,regular,2 booth,20,sobolev,2 ' "$(sed 1d study/table.csv | cut -d , -f 1-4 | tr '\n' ' ')"
    equal 'rows of table.md' 1 "$(grep -c '^| booth | 20 | ' study/table.md)"
    grep -q '^booth .* 20 points: ' study/claims.txt
    is_picture study/figure.png
    is_picture study/surface_booth_20.png
}

@test "paper_regression gives each size its updates and its rate" {
    small_regression -points "20 30" -seeds 1 -updates "20 40" -rate "1e-4 1e-3"
    for size in "20 20 1e-4" "30 40 1e-3"; do
        read -r points updates rate <<<"$size"
        for line in "points=$points" "max_batches=$updates" "learning_rate=$rate" batch=20 policy=poly power=1; do
            grep -qx "$line" "study/booth/$points/1/sobolev/run.cfg" || { echo "no $line" >&2; return 1; }
        done
    done
}

@test "the medians of paper_regression are those of its runs" {
    small_regression -seeds "1 2 3"
    for method in regular sobolev; do
        middle=$(for seed in 1 2 3; do
            sed -n '/"test"/,/}/ s/.*"value_mse": \([0-9.e+]*\),/\1/p' "study/booth/20/$seed/$method/summary.json"
        done | sort -g | sed -n 2p)
        equal "$method" "$(printf '%.6g' "$middle")" "$(awk -F , -v m=$method '$3 == m { printf "%.6g", $6 }' study/table.csv)"
    done
}

@test "paper_regression goes on where it stopped, and repeats nothing" {
    small_regression
    equal first '4 runs to do, 2 at a time' "${lines[0]}"
    rm study/booth/20/2/sobolev/summary.json
    cp study/table.csv before.csv
    touch study/mark
    small_regression
    equal again '1 runs to do, 2 at a time' "${lines[0]}"
    equal 'runs touched' study/booth/20/2/sobolev/summary.json "$(find study -name summary.json -newer study/mark)"
    same_file before.csv study/table.csv
    small_regression
    equal last '0 runs to do, 2 at a time' "${lines[0]}"
}

@test "paper_regression does not mix runs of different lengths" {
    small_regression
    cp study/runs.csv before.csv
    run --separate-stderr "$SOURCE_DIR/scripts/paper_regression" -functions booth -points 20 -seeds 1 -updates 300 -out "$PWD/study" \
        -darknet "$darknet"
    equal status 1 "$status"
    like message 'a run of 200 updates stands where one of 300 should: *' "$stderr"
    same_file before.csv study/runs.csv
}

@test "paper_regression refuses what it does not know" {
    for words in "-function booth" "-activation tanh" "-functions nowhere" "-seeds one" "-darknet /nowhere" "-seeds"; do
        # shellcheck disable=SC2086
        run --separate-stderr "$SOURCE_DIR/scripts/paper_regression" -out "$PWD/study" -darknet "$darknet" $words
        equal "status of $words" 2 "$status"
        like "message of $words" '*scripts/paper_regression: error: *' "$stderr"
        absent study
    done
}

@test "order_study trains three orders and leaves its table" {
    script order_study -functions booth -points 20 -seeds 1 -updates 20 -out "$PWD/study" -darknet "$darknet"
    equal groups 'booth,20,K=0,1 booth,20,K=1,1 booth,20,K=2,1 ' "$(sed 1d study/table.csv | cut -d , -f 1-4 | tr '\n' ' ')"
    for order in 0 1 2; do
        grep -qx "order=$order" "study/booth/20/1/K=$order/run.cfg"
        equal activations 2 "$(grep -cx activation=softplus "study/booth/20/1/K=$order/run.cfg")"
    done
    equal rows 1 "$(grep -c '^| booth | 20 |' study/table.md)"
}

@test "sample_complexity: every claim holds" {
    script sample_complexity "$PWD/study"
    equal claims 24 "$(printf '%s\n' "$output" | grep -c '^ok ')"
    like output '*N(2.847*, 1.641*)*' "$output"
    for name in piecewise_linear gaussians polynomials; do
        is_picture study/$name.png
    done
}

@test "decoupled_study measures every way" {
    script decoupled_study -rounds 1 -updates 4 -out "$PWD/study" -darknet "$darknet"
    equal ways 'locked_1 locked_2 lockstep queue_1 queue_2 queue_8 drop ' "$(cut -d , -f 1 study/runs.csv | tr '\n' ' ')"
    like 'row of lockstep' '| lockstep | * | * | * | *, *, *, * | 1.0, 1.0, 1.0 |' "$(grep '^| lockstep ' study/table.md)"
    run "$SOURCE_DIR/scripts/decoupled_study" -rounds many
    equal status 2 "$status"
}
