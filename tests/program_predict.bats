#!/usr/bin/env bats
# predict: the numbers of a network that is a formula, in both formats; bad input.
load program_setup

# m_1 = tanh(x_1 - x_2 / 2), m_2 = tanh(x_1 / 4 + 2 x_2)
make_network() {
    printf '[net]\ninputs=2\nbatch=3\n[connected]\noutput=2\nactivation=tanh\n' >tanh.cfg
    printf '\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\xbf\0\0\x80\x3e\0\0\0\x40' >tanh.weights
}

# points N: that many lines of x and v.
points() {
    awk -v n="$1" 'BEGIN { print "x1,x2,v1,v2"; for (i = 0; i < n; ++i) printf "%.17g,%.17g,%.17g,%.17g\n", sin(i), cos(2 * i), cos(i), sin(3 * i) }'
}

# follows FILE POINTS COLUMN…: exactly these columns, in any order, one line for each point, every number what the formula says.
follows() {
    local file=$1 points=$2
    shift 2
    equal "columns of $file" "$(printf '%s\n' "$@" | sort)" "$(head -1 "$file" | tr , '\n' | sort)"
    awk -F , -v points="$points" '
        function tanh(z) { return 1 - 2 / (exp(2 * z) + 1) }
        function first(k, i) { return (1 - t[k] * t[k]) * w[k, i] }
        function second(k, i, j) { return -2 * t[k] * first(k, i) * w[k, j] }
        function expected(name, n) {
            if (name ~ /^[xv][12]$/) return $column[name]
            n = name; gsub(/[^0-9]+/, " ", n); sub(/^ /, "", n); split(n, d, " ")
            if (name ~ /^y/) return t[d[1]]
            if (name ~ /^dy/) return first(d[1], d[2])
            if (name ~ /^d2y/) return second(d[2], d[3], d[4])
            if (name ~ /^jvp/) return first(d[1], 1) * $column["v1"] + first(d[1], 2) * $column["v2"]
            return second(d[1], d[2], 1) * $column["v1"] + second(d[1], d[2], 2) * $column["v2"]
        }
        BEGIN { w[1, 1] = 1; w[1, 2] = -.5; w[2, 1] = .25; w[2, 2] = 2 }
        NR == 1 { for (i = 1; i <= NF; ++i) { names[i] = $i; column[$i] = i } next }
        {
            for (k = 1; k <= 2; ++k) t[k] = tanh(w[k, 1] * $column["x1"] + w[k, 2] * $column["x2"])
            for (i = 1; i <= NF; ++i) {
                difference = $i - expected(names[i])
                if ($i == "" || !(difference < 5e-6 && difference > -5e-6)) { print "line " NR ", " names[i] ": " $i " instead of " expected(names[i]); bad = 1 }
            }
        }
        END { if (NR != points + 1) print NR " lines"; exit bad || NR != points + 1 }' "$file" >&2
}

derivatives=(dy1_dx1 dy1_dx2 dy2_dx1 dy2_dx2)
products=(v1 v2 jvp1 jvp2 hvp1_1 hvp1_2 hvp2_1 hvp2_2)
hessians=(d2y1_dx1_dx1 d2y1_dx1_dx2 d2y1_dx2_dx1 d2y1_dx2_dx2 d2y2_dx1_dx1 d2y2_dx1_dx2 d2y2_dx2_dx1 d2y2_dx2_dx2)

@test "predictions follow the formula, for a point and for many" {
    make_network
    for n in 1 1500; do
        points $n >in.csv
        ends 0 predict tanh.cfg tanh.weights in.csv
        echo "$output" >out.csv
        follows out.csv $n x1 x2 y1 y2
        ends 0 predict tanh.cfg tanh.weights in.csv -derivatives -out derivatives$n.csv
        equal 'standard output' '' "$output$stderr"
        follows derivatives$n.csv $n x1 x2 y1 y2 "${derivatives[@]}" "${products[@]}"
        ends 0 predict tanh.cfg tanh.weights in.csv -hessian -derivatives -out all$n.csv -backend ref
        follows all$n.csv $n x1 x2 y1 y2 "${derivatives[@]}" "${products[@]}" "${hessians[@]}"
        cut -d , -f 1,2 in.csv >x.csv
        ends 0 predict tanh.cfg tanh.weights x.csv -hessian -out hessian$n.csv
        follows hessian$n.csv $n x1 x2 y1 y2 "${hessians[@]}"
        ends 0 predict tanh.cfg tanh.weights x.csv -derivatives -out jacobian$n.csv
        follows jacobian$n.csv $n x1 x2 y1 y2 "${derivatives[@]}"
    done
}

@test "HDF5 in and out say the same as CSV" {
    make_network
    points 20 >in.csv
    ends 0 predict tanh.cfg tanh.weights in.csv -derivatives -hessian -out first.h5
    ends 0 predict tanh.cfg tanh.weights first.h5 -derivatives -hessian -out second.csv
    follows second.csv 20 x1 x2 y1 y2 "${derivatives[@]}" "${products[@]}" "${hessians[@]}"
    ends 0 predict tanh.cfg tanh.weights in.csv -derivatives -hessian
    equal 'second.csv' "$output" "$(cat second.csv)"
}

@test "layers of Darknet give values only" {
    trains "$tiny/host_layers.cfg" run -set net.max_batches=2
    awk 'BEGIN { for (i = 1; i <= 16; ++i) printf "x%d%s", i, i < 16 ? "," : "\n"; for (i = 1; i <= 16; ++i) printf ".1%s", i < 16 ? "," : "\n" }' >in.csv
    ends 0 predict "$tiny/host_layers.cfg" run/host_layers_final.weights in.csv
    equal lines 2 "$(wc -l <<<"$output")"
    refuses 2 "$tiny/host_layers.cfg:18:1: error: [convolutional] has no derivatives of order 1: weights of two values have no derivative" \
        predict "$tiny/host_layers.cfg" run/host_layers_final.weights in.csv -derivatives -out out.csv
    absent out.csv out.csv.part
}

@test "an existing file is replaced with -force only" {
    make_network
    points 2 >in.csv
    echo old >out.csv
    refuses 2 'out.csv: error: there is such a file; name another with -out, or replace it with -force' \
        predict tanh.cfg tanh.weights in.csv -out out.csv
    equal out.csv old "$(cat out.csv)"
    ends 0 predict tanh.cfg tanh.weights in.csv -out out.csv -force
    follows out.csv 2 x1 x2 y1 y2
}

@test "bad input: one message, nothing left behind" {
    make_network
    points 2 >in.csv
    refuses_one() { # STATUS PATTERN WORD…
        refuses_like "$@" -out out.csv && equal 'lines of the message' 1 "$(wc -l <<<"$stderr")" && absent out.csv out.csv.part
    }
    refuses_one 1 'nowhere.csv: *' predict tanh.cfg tanh.weights nowhere.csv
    refuses_one 1 'nowhere.weights: error: *' predict tanh.cfg nowhere.weights in.csv
    refuses_one 1 'tanh.cfg: error: *' predict tanh.cfg tanh.weights tanh.cfg
    printf 'x1\n1\n' >narrow.csv
    refuses_one 1 'narrow.csv*' predict tanh.cfg tanh.weights narrow.csv
    printf 'x1,x2\n1,nan\n' >nan.csv
    refuses_one 1 'nan.csv:2*' predict tanh.cfg tanh.weights nan.csv
    printf 'x1,x2\n1,2\n3,1e39\n' >large.csv
    refuses_one 1 'large.csv: x: error: number 1 of point 1 (from 0) is not finite, or too large for float' predict tanh.cfg tanh.weights large.csv
    refuses_one 1 "nowhere.cfg*" predict nowhere.cfg tanh.weights in.csv
    refuses_like 1 'out.txt: *' predict tanh.cfg tanh.weights in.csv -out out.txt
    refuses_like 1 'nowhere/out.csv*' predict tanh.cfg tanh.weights in.csv -out nowhere/out.csv
    refuses 2 "darknet sobolev predict: error: words are missing: usage: darknet sobolev predict CFG WEIGHTS INPUT" predict tanh.cfg tanh.weights
    refuses 2 "darknet sobolev predict: error: unknown flag '-seed', did you mean '-set'?" predict tanh.cfg tanh.weights in.csv -seed 3
    absent out.txt nowhere
}

@test "the input is not overwritten, and a wrong ending is seen before anything is read" {
    make_network
    points 2 >in.csv
    cp in.csv kept.csv
    ln -s in.csv link.csv
    for out in in.csv ./in.csv link.csv; do
        refuses 2 "$out: error: is the input: what else it holds would be lost; name another file with -out" \
            predict tanh.cfg tanh.weights in.csv -out "$out" -force
    done
    same_file in.csv kept.csv
    refuses 1 'out.txt: error: the name of a data set must end in .h5, .hdf5 or .csv' predict tanh.cfg nowhere.weights in.csv -out out.txt
}

@test "a damaged HDF5 file gives one line, the library's own last words included" {
    make_network
    points 20 >in.csv
    ends 0 predict tanh.cfg tanh.weights in.csv -derivatives -out damaged.h5
    head -c 200 /dev/zero | tr '\0' '\377' | dd of=damaged.h5 bs=1 seek=100 conv=notrunc status=none
    refuses_like 1 'damaged.h5: error: *' predict tanh.cfg tanh.weights damaged.h5
    equal lines 1 "$(wc -l <<<"$stderr")"
}

@test "an interrupted prediction leaves no file" {
    make_network
    points 200000 >in.csv
    for signal in INT TERM HUP; do
        # A job in the background would ignore SIGINT.
        env --default-signal="$signal" "$darknet" sobolev predict tanh.cfg tanh.weights in.csv -derivatives -hessian -out out.csv 3>&- &
        until [ -e out.csv.part ]; do
            kill -0 $!
        done
        kill -s "$signal" $!
        wait $! && status=0 || status=$?
        [ "$status" -gt 128 ]
        absent out.csv out.csv.part
    done
}

@test "a [softmax] with a loss, below other layers, is in the way of training alone" {
    printf '[net]\ninputs=2\nbatch=4\nmax_batches=1\n[data]\nfunction=booth\npoints=8\n[connected]\noutput=5\n[softmax]\n[connected]\noutput=1\nactivation=linear\n[cost]\n' >net.cfg
    sed 's/^\[softmax]/&\nnoloss=1/' net.cfg >quiet.cfg
    trains quiet.cfg run
    printf 'x1,x2\n1,2\n-3,.5\n' >points.csv
    ends 0 predict quiet.cfg run/quiet_final.weights points.csv -out quiet.csv
    ends 0 predict net.cfg run/quiet_final.weights points.csv -out net.csv
    same_file quiet.csv net.csv
    ends 0 valid net.cfg run/quiet_final.weights
    refuses 2 'net.cfg:10:1: error: [softmax] is a loss on 5 labels, and the network has 1: use noloss=1' train net.cfg
}
