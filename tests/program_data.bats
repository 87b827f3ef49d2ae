#!/usr/bin/env bats
# Training on a person's own data: files, black boxes, normalisation, what goes wrong with them; the collapse guard at work.
load program_setup

# network DATA SOBOLEV [NET]: a cfg of one input and one output.
network() {
    printf '[net]\ninputs=1\nbatch=16\nmax_batches=400\nlearning_rate=.01\nadam=1\ndecay=0\n%b\n[data]\n%b\n' "${3:-}" "$1"
    printf '[connected]\noutput=24\nactivation=tanh\n[connected]\noutput=1\nactivation=linear\n[sobolev]\n%b\n' "$2"
}

# samples [DERIVATIVE]: sin on [0, 6] as CSV, with its derivative or what awk thinks of it.
samples() {
    awk -v sign="${1:-1}" 'BEGIN { print "x,y,dy_dx"; for (i = 0; i < 120; ++i) { x = i / 20; printf "%.17g,%.17g,%.17g\n", x, sin(x), sign * cos(x) } }'
}

@test "a CSV file is learnt, values and derivatives" {
    samples >sine.csv
    network 'file=sine.csv' 'order=1' >sine.cfg
    trains sine.cfg run
    less_than "$(metric test_value_mse run)" .02
    less_than "$(metric test_gradient_mse run)" .04
    grep -qF '"training_points": 108' run/summary.json
    grep -qE '"kept_inputs": 1$' run/summary.json
    awk -v a="$(sed -n '/"test"/,/}/s/.*"gradient_mse": \([^,]*\),*/\1/p' run/summary.json)" -v b="$(metric test_gradient_mse run)" \
        'BEGIN { exit !(a != "" && (a / b - 1) ^ 2 < 1e-12) }'
    ends 0 valid sine.cfg run/sine_final.weights
    like valid "points 12*value_mse $(metric test_value_mse run)*" "$output"
    ends 0 check sine.cfg
    if command -v gnuplot >/dev/null; then
        ends 0 plot run -out curves.svg
    fi
}

@test "the same samples as CSV and as HDF5, through predict, give the same bits" {
    samples >sine.csv
    network 'file=sine.csv' 'order=1' >sine.cfg
    trains sine.cfg run
    ends 0 predict sine.cfg run/sine_final.weights sine.csv -derivatives -out model.h5
    ends 0 predict sine.cfg run/sine_final.weights sine.csv -derivatives -out model.csv
    network 'file=model.h5' 'order=1' >h5.cfg
    network 'file=model.csv' 'order=1' >csv.cfg
    trains h5.cfg h5
    trains csv.cfg csv
    same_file h5/h5_final.weights csv/csv_final.weights
}

@test "paths may have blanks: in quotes in a cfg, as they are in -set" {
    mkdir 'my data'
    samples >'my data/a sine.csv'
    network 'file="my data/a sine.csv"' 'order=1' >'my data/a b.cfg'
    trains 'my data/a b.cfg' 'first run' -set net.max_batches=20
    equal run.cfg 'file="my data/a sine.csv"' "$(grep ^file= 'first run/run.cfg')"
    trains 'first run/run.cfg' again
    same_file 'first run/a b_final.weights' again/run_final.weights
    network 'file=none.csv' 'order=1' >none.cfg
    trains none.cfg set -set 'data.file=my data/a sine.csv' -set net.max_batches=20
    same_file 'first run/a b_final.weights' set/none_final.weights
    printf '[variant]\nof="a b.cfg"\ndata.file="my data/a sine.csv"\nnet.max_batches=20\n' >'my data/v.cfg'
    trains 'my data/v.cfg' variant
    same_file 'first run/a b_final.weights' variant/v_final.weights
    printf '[variant]\nof=a b.cfg\nnet.batch=3\nnet.batch=4\n' >'my data/twice.cfg'
    refuses 2 'my data/twice.cfg:4:1: error: net.batch= is given twice
my data/twice.cfg: 1 error' train 'my data/twice.cfg'
    (printf '[net]\ninputs=1\nmax_batches=1\n[connected]\noutput=24\nactivation=tanh\n[connected]\noutput=1\nactivation=linear\n'
        printf '[teacher]\ncfg="my data/a b.cfg"\nweights="first run/a b_final.weights"\n[data]\nfile="my data/a sine.csv"\n[sobolev]\norder=1\n') >student.cfg
    trains student.cfg student
    grep -qF '"teacher_weights": "first run/a b_final.weights"' student/summary.json
    ends 2 train none.cfg -set 'net.batch=1 0'
    like message "*-set net.batch=1 0: error: blank inside the value '1 0': Darknet would join its parts*" "$stderr"
}

@test "a black box is learnt; its steps and their errors are reported" {
    network "function=$BUILD_DIR/tests/libblack_boxes.so:price\ndomain=60,140,.25,2,.1,.5\npoints=200\ntest_points=100\nnormalise=all" \
        'order=1\ncomponent_weights=rms' | sed s/inputs=1/inputs=3/ >price.cfg
    trains price.cfg run
    like output '*first derivative by input 1: central differences of step *, error about *' "$output"
    like output '*first derivative by input 3: *' "$output"
    less_than "$(metric test_value_mse run)" 1
    less_than "$(metric test_value_mse run)" "$(awk -v first="$(metric test_value_mse run 1)" 'BEGIN { print first / 100 }')"
    trains price.cfg again -threads 1
    trains price.cfg once -threads 1
    same_file again/price_final.weights once/price_final.weights
}

@test "a black box that fails leaves one message and no run" {
    local box=$BUILD_DIR/tests/libblack_boxes.so
    for symbol in crashes aborts returns_three gives_nan exits exits_well is_terminated; do
        grep -q "($symbol, " "$SOURCE_DIR/tests/black_boxes.c"
        network "function=$box:$symbol\ndomain=-1,15\npoints=50" 'order=1' >bad.cfg
        refuses_like 2 "bad.cfg:10:10: error: \[data\] *$symbol*" train bad.cfg -out run
        absent run
    done
    network "function=$box:nowhere\ndomain=-1,10" 'order=1' >bad.cfg
    refuses_like 2 'bad.cfg:10:10: error: \[data\] *nowhere*' train bad.cfg -out run
    network "function=./nowhere.so:price\ndomain=-1,10" 'order=1' >bad.cfg
    refuses_like 2 'bad.cfg:10:10: error: \[data\] *nowhere.so*' train bad.cfg -out run
    absent run
}

@test "a bad file leaves one message and no run" {
    samples >good.csv
    sed '$s/,.*//' good.csv >short.csv
    sed 5d good.csv | sed 's/^x,y/y,z/' >lost.csv
    sed '7s/,.*/,,1/' good.csv >holes.csv
    printf 'not a file' >text.h5
    for file in short.csv lost.csv holes.csv text.h5 nowhere.csv .; do
        network "file=$file" 'order=1' >bad.cfg
        refuses_like 2 "bad.cfg:10:6: error: \[data\] *" train bad.cfg -out run
        equal "lines about $file" 1 "$(wc -l <<<"$stderr")"
        absent run
    done
    network 'file=holes.csv\nmissing=1' 'order=1' >holes.cfg
    trains holes.cfg run
}

@test "samples without labels are samples left out" {
    samples >all.csv
    awk -F , -v OFS=, 'NR > 1 && NR % 4 == 0 { $2 = $3 = "" } { print }' all.csv >masked.csv
    samples | awk 'NR == 1 || NR % 6 == 0' >test.csv
    # One batch of everything: the order does not matter, and the loss is a sum over the samples that are there.
    network 'file=masked.csv\ntest_file=test.csv\nmissing=1' 'order=1' | sed 's/batch=16/batch=120/; s/max_batches=400/max_batches=30/' >masked.cfg
    awk -F , 'NR == 1 || NR % 4 != 0' all.csv >left.csv
    network 'file=left.csv\ntest_file=test.csv' 'order=1' | sed 's/batch=16/batch=90/; s/max_batches=400/max_batches=30/' >left.cfg
    trains masked.cfg masked -every 10
    trains left.cfg left -every 10
    for row in 2 3 4; do
        awk -v a="$(metric test_value_mse masked $row)" -v b="$(metric test_value_mse left $row)" 'BEGIN { d = (a - b) / b; exit !(d < 1e-3 && d > -1e-3) }'
    done
}

@test "normalised and raw training reach the same function" {
    # The second file is the first with the normalisation done by hand: x' = (x - 5000) / 1000, y' = (y - 7) / .01.
    awk 'BEGIN { print "x,y,dy_dx" > "raw.csv"; print "x,y,dy_dx" > "normal.csv"; n = 64
        for (i = 0; i < n; ++i) { u[i] = sin(3 * i + 1); t[i] = u[i] * u[i] * u[i]; mu += u[i] / n; mt += t[i] / n }
        for (i = 0; i < n; ++i) { su += (u[i] - mu) ^ 2 / n; st += (t[i] - mt) ^ 2 / n } su = sqrt(su); st = sqrt(st)
        for (i = 0; i < n; ++i) { x = (u[i] - mu) / su; y = (t[i] - mt) / st; d = 3 * u[i] * u[i] * su / st
            printf "%.17g,%.17g,%.17g\n", 5000 + 1000 * x, 7 + .01 * y, d * .01 / 1000 > "raw.csv"
            printf "%.17g,%.17g,%.17g\n", x, y, d > "normal.csv" } }'
    network 'file=raw.csv\ntest_file=raw.csv\nnormalise=all' 'order=1' >raw.cfg
    network 'file=normal.csv\ntest_file=normal.csv' 'order=1' >normal.cfg
    trains raw.cfg raw
    trains normal.cfg normal
    ends 0 predict raw.cfg raw/raw_final.weights raw.csv -derivatives -out raw_model.csv
    ends 0 predict normal.cfg normal/normal_final.weights normal.csv -derivatives -out normal_model.csv
    paste -d , raw_model.csv normal_model.csv | awk -F , '
        NR == 1 { for (i = 1; i <= 3; ++i) column[$i] = i; next }
        { y = $(column["y1"] ? column["y1"] : column["y"]); k = column["y1"] ? column["y1"] : column["y"]; g = column["dy1_dx1"] ? column["dy1_dx1"] : column["dy_dx"]
          e = ($k - 7) / .01 - $(k + 3); f = $g * 1000 / .01 - $(g + 3)
          if (!(e < .01 && e > -.01 && f < .02 && f > -.02)) { print "line " NR ": " e " " f; bad = 1 } }
        END { exit bad || NR != 65 }'
}

@test "normalised, balanced training goes on as if it had not stopped" {
    samples >sine.csv
    network 'file=sine.csv\nnormalise=all' 'order=1\nbalance=gradnorm\nbalance_every=30' >sine.cfg
    trains sine.cfg whole -set net.max_batches=400 -every 40
    trains sine.cfg half -set net.max_batches=170 -every 40
    ends 0 train sine.cfg half/sine_last.weights -out rest -no-chart -every 40 -set net.max_batches=400
    same_file whole/sine_final.weights rest/sine_final.weights
    equal 'weight of derivatives' "$(metric weight_gradient whole)" "$(metric weight_gradient rest)"
    less_than "$(metric weight_gradient whole)" .99999
    ends 0 train sine.cfg half/sine_last.weights -out unbalanced -no-chart -every 40 -set net.max_batches=200 -set sobolev.balance=none
    equal 'weights without a balance' '1,1' "$(metric weight_value unbalanced),$(metric weight_gradient unbalanced)"
    refuses_like 1 '*sine_last.state: error: belongs to a run with normalise=' train sine.cfg half/sine_last.weights -out refused \
        -set data.normalise=none -set net.max_batches=500
    absent refused
    # Without the state the raw weights are made normal again: the first test error is the last one's.
    mkdir bare && cp half/sine_last.weights bare
    ends 0 train sine.cfg bare/sine_last.weights -out afresh -no-chart -every 40 -set net.max_batches=200
    like output '*note: no bare/sine_last.state: *' "$output"
    awk -v a="$(metric test_value_mse afresh 1)" -v b="$(metric test_value_mse half)" 'BEGIN { d = (a - b) / b; exit !(d < 1e-3 && d > -1e-3) }'
}

@test "label directions: J v and H v from a file" {
    awk 'BEGIN { print "x1,x2,y,v1,v2,jvp,hvp1_1,hvp1_2"
        for (i = 0; i < 80; ++i) { a = sin(i); b = cos(1.7 * i); p = cos(i * 2.3); q = sin(i * 2.3)
            printf "%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", a, b, a * a * b, p, q, 2 * a * b * p + a * a * q, 2 * b * p + 2 * a * q, 2 * a * p } }' >along.csv
    network 'file=along.csv' 'order=2\nweight_2=.1\nlabel_directions=1' | sed s/inputs=1/inputs=2/ >along.cfg
    trains along.cfg run
    less_than "$(metric test_value_mse run)" .01
    less_than "$(metric test_directional_mse run)" .1
    awk -v a="$(sed -n '/"test"/,/}/s/.*"directional_mse": \([^,]*\),*/\1/p' run/summary.json)" -v b="$(metric test_directional_mse run)" \
        'BEGIN { exit !(a != "" && (a / b - 1) ^ 2 < 1e-12) }'
    less_than "$(metric test_hessian_mse run)" "$(awk -v first="$(metric test_hessian_mse run 1)" 'BEGIN { print .6 * first }')"
    network 'file=along.csv' 'order=2' | sed s/inputs=1/inputs=2/ >without.cfg
    refuses 2 'without.cfg:10:6: error: [data] along.csv has v and hvp instead of d2ydx2: set [sobolev] label_directions=1' train without.cfg -out refused
}

@test "directions from the data alone: outputs that do not change along them" {
    awk 'BEGIN { print "x1,x2,y,v1,v2"
        for (i = 0; i < 80; ++i) { a = sin(i); b = cos(1.7 * i); printf "%.9g,%.9g,%.9g,%.9g,%.9g\n", a, b, (a + b) ^ 2, 1 + a * b, -1 - a * b } }' >along.csv
    network 'file=along.csv' 'order=1\nlabel_directions=1\ntarget=zero' | sed s/inputs=1/inputs=2/ >along.cfg
    trains along.cfg run
    trains along.cfg weak -set sobolev.weight_1=1e-6
    less_than "$(metric test_value_mse run)" .1
    less_than "$(metric loss_gradient run)" "$(awk -v weak="$(metric loss_gradient weak)" 'BEGIN { print weak * 1e6 / 4 }')"
    ends 0 check along.cfg
}

@test "differentiate= needs values, and order=2 the whole Jacobian" {
    samples | cut -d , -f 1,3 >slopes.csv
    samples | sed '5s/,.*,/,,/' >holes.csv
    network 'file=slopes.csv' 'order=1\nweight=0\ndifferentiate=loss' >slopes.cfg
    refuses 2 'slopes.cfg:10:6: error: [data] slopes.csv has no y, which differentiate=log_probabilities and differentiate=loss need' train slopes.cfg -out run
    network 'file=slopes.csv' 'order=1\nweight=0\ndifferentiate=loss\ntarget=zero' >slopes.cfg
    refuses_like 2 '*slopes.csv has no y, *' train slopes.cfg -out run
    network 'file=slopes.csv' 'order=1\nweight=0\ndifferentiate=log_probabilities' | sed s/output=1/output=2/ >slopes.cfg
    printf 'x,dy1_dx,dy2_dx\n1,2,3\n2,3,4\n' >slopes.csv
    refuses_like 2 '*slopes.csv has no y, *' train slopes.cfg -out run
    network 'file=holes.csv\nmissing=1' 'order=1\ndifferentiate=loss' >holes.cfg
    trains holes.cfg holes # a value that is not given is no part of the loss
    less_than "$(metric test_value_mse holes)" "$(metric test_value_mse holes 1)"
    samples >whole.csv
    network 'file=whole.csv\ntest_file=holes.csv\nmissing=1' 'order=1\ndifferentiate=loss' >tests.cfg
    trains tests.cfg tests
    network 'file=holes.csv\nmissing=1' 'order=0\ndifferentiate=loss' >values.cfg
    trains values.cfg values
    printf 'x,y1,y2,v,jvp1,jvp2,hvp1,hvp2\n1,2,3,1,2,3,4,5\n2,3,4,1,2,3,4,5\n' >along.csv
    network 'file=along.csv' 'order=2\ndifferentiate=log_probabilities\nlabel_directions=1' | sed s/output=1/output=2/ >along.cfg
    refuses_like 2 '*along.csv has no dydx, which order=2 of differentiate=log_probabilities or differentiate=loss needs beside hvp' train along.cfg -out run
    absent run
}

@test "weights move with the schedule" {
    samples >sine.csv
    network 'file=sine.csv' 'order=1\nweight_1_end=0\nweight_schedule=swap\nswap_at=200' >swap.cfg
    trains swap.cfg run
    equal 'weights of derivatives' '1,1,0,0,0' "$(for row in 1 2 3 4 5; do metric weight_gradient run $row; done | paste -sd ,)"
    equal 'loss on derivatives' 0 "$(metric loss_gradient run 5)"
    network 'file=sine.csv' 'order=1\nweight_1_end=0\nweight_schedule=rate' 'policy=poly\npower=1' >rate.cfg
    trains rate.cfg rate
    equal 'weights of derivatives' '1,0.75,0.5,0.25' "$(for row in 1 2 3 4; do LC_ALL=C printf '%.2g\n' "$(metric weight_gradient rate $row)"; done | paste -sd ,)"
}

# Derivatives of the wrong sign, whose weight grows: the values are learnt, then lost.
collapsing() {
    samples -3 >wrong.csv
    network 'file=wrong.csv' "order=1\nweight_1=0\nweight_1_end=100\nweight_schedule=swap\nswap_at=1200\non_collapse=$1" | sed s/max_batches=400/max_batches=3000/ >wrong.cfg
}

@test "a collapse is reported, with the update and the cosine" {
    collapsing warn
    trains wrong.cfg run
    like output '*warning: update *: the values have become worse: test error *; the losses on derivatives oppose the loss on values (mean cosine of their gradients -*' "$output"
    like output '*(the values became worse at update 1[3-9]00)*' "$output"
    grep -q '"first_collapse": 1[3-9]00' run/summary.json
    grep -qF '"collapses": 1' run/summary.json
    grep -qF '"rate_factor": 1.0' run/summary.json
    awk -v a="$(sed -n 's/.*"gradient_cosine": \([^,]*\),/\1/p' run/summary.json)" -v b="$(metric gradient_cosine run)" \
        'BEGIN { exit !(a != "" && (a - b) ^ 2 < 1e-12) }'
    best=$(sed -n '/"best"/,/}/s/.*"value_mse": \([^,]*\),/\1/p' run/summary.json)
    less_than "$best" "$(sed -n '/"test"/,/}/s/.*"value_mse": \([^,]*\),/\1/p' run/summary.json)"
    less_than "$(metric gradient_cosine run)" 1
}

@test "on_collapse=rollback goes back and ends with good values" {
    collapsing warn
    trains wrong.cfg warned
    collapsing rollback
    trains wrong.cfg run
    like output '*rollback: on from the weights of update *, derivatives count 0.1 of their weight*' "$output"
    like output '*rollback: on from the weights of update *, on values alone*' "$output"
    less_than "$(metric test_value_mse run)" .01
    less_than .1 "$(metric test_value_mse warned)"
    grep -qF '"trust": 0.0' run/summary.json
    grep -qF '"rate_factor": 1.0' run/summary.json
    equal 'weight of derivatives' 0 "$(metric weight_gradient run)"
    trains wrong.cfg reseeded -seed 3 # where the first reading behind the swap is bad at once
    like output '*, on values alone*' "$output"
    less_than "$(metric test_value_mse reseeded)" .1
}

@test "on_collapse=ignore says nothing, and a training that helps has nothing to say" {
    collapsing ignore
    trains wrong.cfg run
    unlike() { [[ $3 != $2 ]]; }
    unlike output '*warning*' "$output"
    samples >sine.csv
    network 'file=sine.csv' 'order=1' >sine.cfg
    trains sine.cfg good
    unlike output '*warning*' "$output"
    grep -qF '"collapses": 0' good/summary.json
}

@test "a basket in Bachelier's model: noisy payoffs and pathwise derivatives lead to the closed form" {
    "$BUILD_DIR/tests/make_bachelier" 4096 1 training.h5 test.h5 5
    sed -e 's/inputs=50/inputs=5/' -e 's/batch=8192/batch=512/' -e 's/bachelier_t/t/; s/train.h5/training.h5/' "$SOURCE_DIR/cfg/bachelier_basket.cfg" >basket.cfg
    trains basket.cfg both
    trains basket.cfg values -set sobolev.weight_1=0
    less_than "$(metric test_value_mse both)" 2e-5
    less_than "$(metric test_gradient_mse both)" 1e-4
    less_than "$(metric test_value_mse both)" "$(awk -v v="$(metric test_value_mse values)" 'BEGIN { print v / 2 }')"
    # The price depends on the basket alone: one direction of five.
    ends 0 train basket.cfg -set data.differential_pca=1e-3 -out reduced -no-chart -every 100
    like output '*differential PCA: 1 of 5 directions kept*' "$output"
    less_than "$(metric test_value_mse reduced)" 2e-5
    grep -qF '"kept_inputs": 1' reduced/summary.json
    ends 2 train basket.cfg -set data.differential_pca=1e-3 -set data.normalise=none -out refused
    like message '-set data.differential_pca=1e-3: error: \[data\] differential_pca needs normalise=inputs or normalise=all' "$stderr"
    absent refused
}

@test "normalised inputs fold away under any last layer" {
    samples >sine.csv
    network 'file=sine.csv\nnormalise=inputs' 'order=1' | sed 's/^\[sobolev\]/[activation]\nactivation=linear\n[dropout]\nprobability=.1\n&/' >sine.cfg
    trains sine.cfg run
    ends 0 valid sine.cfg run/sine_final.weights
    like valid "*value_mse $(metric test_value_mse run)*" "$output"
    network 'file=sine.csv\nnormalise=all' 'order=1' | sed 's/^\[sobolev\]/[activation]\nactivation=linear\n&/' >sine.cfg
    refuses_like 2 'sine.cfg:*: error: normalise=all in \[data\] is folded into the last layer*' train sine.cfg -out refused
}

@test "test samples without any label are refused before the run" {
    samples >sine.csv
    echo x >bare.csv
    printf '1\n2\n' >>bare.csv
    network 'file=sine.csv\ntest_file=bare.csv' 'order=1' >sine.cfg
    refuses 2 'sine.cfg:11:11: error: [data] bare.csv: none of its 2 test samples has a label that could be used' train sine.cfg -out run
    absent run
    # Without values the first derivatives choose the best weights.
    cut -d , -f 1,3 sine.csv >slopes.csv
    network 'file=slopes.csv' 'order=1\nweight=0' >slopes.cfg
    trains slopes.cfg run
    less_than "$(metric test_gradient_mse run)" .05
    equal value_mse '' "$(metric test_value_mse run)"
    like output '*test: gradient_mse *' "$output"
}

@test "a schedule moves with updates, not with their parts" {
    samples >sine.csv
    network 'file=sine.csv' 'order=1\nweight_1=0\nweight_1_end=1\nweight_schedule=swap\nswap_at=3' | sed 's/max_batches=400/max_batches=4/' >swap.cfg
    trains swap.cfg whole -every 1
    trains swap.cfg parts -every 1 -set net.subdivisions=4
    for row in 2 3 4 5; do
        equal "weight in row $row" "$(metric weight_gradient whole $row)" "$(metric weight_gradient parts $row)"
        awk -v a="$(metric loss_gradient whole $row)" -v b="$(metric loss_gradient parts $row)" 'BEGIN { d = a - b; exit !(d <= 1e-4 * a && d >= -1e-4 * a) }'
    done
    equal 'weights' '0,0,1,1' "$(for row in 2 3 4 5; do metric weight_gradient whole $row; done | paste -sd ,)"
}

@test "a rollback at the last evaluation leaves the good weights, and a run that can go on" {
    collapsing rollback
    trains wrong.cfg run -set net.max_batches=1500
    like output '*rollback: on from the weights of update *' "$output"
    same_file run/wrong_final.weights run/wrong_last.weights
    ends 0 valid wrong.cfg run/wrong_final.weights
    local value
    value=$(sed -n 's/^value_mse //p' <<<"$output")
    less_than "$value" .01
    awk -v a="$value" -v b="$(sed -n '/"test"/,/}/s/.*"value_mse": *\([-+.e0-9]*\).*/\1/p' run/summary.json)" 'BEGIN { d = (a - b) / b; exit !(d < 1e-6 && d > -1e-6) }'
    ends 0 train wrong.cfg run/wrong_final.weights -out rest -no-chart -every 100 -set net.max_batches=1600
    like output '*note: rollbacks of the earlier run still count: derivatives 0.1 of their weight*' "$output"
}

@test "a run that goes on in its own folder keeps its best weights until they are beaten" {
    collapsing warn
    trains wrong.cfg run -set net.max_batches=1500
    cp run/wrong_best.weights kept.weights
    ends 0 train wrong.cfg run/wrong_last.weights -out run -force -no-chart -every 100 -set net.max_batches=2000
    same_file kept.weights run/wrong_best.weights
    sed 's/on_collapse=warn/on_collapse=rollback/' wrong.cfg >back.cfg
    cp run/wrong_last.weights back_last.weights
    cp run/wrong_last.state back_last.state
    ends 0 train back.cfg back_last.weights -out elsewhere -no-chart -every 100 -set net.max_batches=3000
    like output '*no rollback: the best weights are those of an earlier run*' "$output"
}

@test "labels of which none is given are no labels: other ones are tested, or nothing is trained" {
    samples >all.csv
    awk -F , -v OFS=, 'NR > 1 { $2 = "" } { print }' all.csv >gradients.csv
    network 'file=gradients.csv\nmissing=1' 'order=1' >gradients.cfg
    trains gradients.cfg run
    equal 'test error of values' '' "$(metric test_value_mse run)"
    less_than "$(metric test_gradient_mse run)" "$(metric test_gradient_mse run 1)"
    refuses 2 'gradients.cfg:10:6: error: [data] gradients.csv: none of its 108 training samples has a label that could be used' \
        train gradients.cfg -out refused -set sobolev.order=0
    awk -F , -v OFS=, 'NR > 1 { $2 = $3 = "" } { print }' all.csv >nothing.csv
    refuses 2 '-set data.file=nothing.csv: error: [data] nothing.csv: none of its 108 training samples has a label that could be used' \
        train gradients.cfg -out refused -set data.file=nothing.csv
    network 'file=all.csv\ntest_file=nothing.csv\nmissing=1' 'order=1' >untested.cfg
    refuses 2 'untested.cfg:11:11: error: [data] nothing.csv: none of its 120 test samples has a label that could be used' train untested.cfg -out refused
    refuses_like 2 'untested.cfg:11:11: error: \[data\] nothing.csv: *' valid untested.cfg run/gradients_final.weights
    absent refused
}

@test "normalised inputs do not need a last layer with weights" {
    samples >sine.csv
    for last in '[activation]\nactivation=tanh' '[dropout]\nprobability=.1'; do
        network 'file=sine.csv\nnormalise=inputs' 'order=1' | sed "s/^\[sobolev\]/$last\n&/" >last.cfg
        ends 0 train last.cfg -out run -no-chart -force
        less_than "$(metric test_value_mse run)" "$(metric test_value_mse run 1)"
        ends 0 train last.cfg run/last_final.weights -out rest -no-chart -force -set net.max_batches=410
        equal 'first error of the rest' "$(metric test_value_mse run)" "$(metric test_value_mse rest 1)"
    done
}

@test "a state of another normalisation is refused: its weights would not be those that were saved" {
    samples >sine.csv
    samples | awk 'NR < 80' >other.csv
    network 'file=sine.csv\nnormalise=all' 'order=1' >sine.cfg
    trains sine.cfg run
    for change in normalise=inputs file=other.csv; do
        refuses 1 "run/sine_last.state: error: belongs to a run with another normalisation: normalise=, differential_pca= or the training \
samples were others (remove it to start the optimiser afresh)" train sine.cfg run/sine_last.weights -out rest -set net.max_batches=500 -set "data.$change"
    done
    absent rest
    rm run/sine_last.state
    ends 0 train sine.cfg run/sine_last.weights -out rest -no-chart -set net.max_batches=500 -set data.normalise=inputs
    awk -v a="$(metric test_value_mse rest 1)" -v b="$(metric test_value_mse run)" 'BEGIN { d = (a - b) / b; exit !(d < 1e-3 && d > -1e-3) }'
}

@test "weights that leave nothing of a loss, and label directions that a file does not have" {
    samples >sine.csv
    for key in output_weights input_weights; do
        network 'file=sine.csv' "order=1\n$key=0" >zero.cfg
        refuses_like 2 'zero.cfg:19:*: error: all weights of this list are 0: nothing would be left of the losses that they weigh' train zero.cfg -out refused
    done
    network 'file=sine.csv' 'order=1\nlabel_directions=1' >directions.cfg
    refuses 2 'directions.cfg:10:6: error: [data] sine.csv has no v, which [sobolev] label_directions needs' train directions.cfg -out refused
    absent refused
}

@test "a FIFO in the place of a file is no reason to wait" {
    mkfifo fifo.csv
    network 'file=fifo.csv' 'order=1' >fifo.cfg
    refuses 2 'fifo.cfg:10:6: error: [data] fifo.csv: error: cannot be opened: not a file' train fifo.cfg -out refused
    network 'function=./fifo.csv:f\ndomain=0,1' 'order=1' >library.cfg
    refuses 2 'library.cfg:10:10: error: [data] cannot use the function ./fifo.csv:f: ./fifo.csv is not a file' train library.cfg -out refused
    mkdir run && mkfifo run/metrics.csv
    refuses 1 'run/metrics.csv: error: cannot be opened: not a file' plot run
    samples >sine.csv
    network 'file=sine.csv' 'order=1' >sine.cfg
    trains sine.cfg good
    rm good/sine_last.state && mkfifo good/sine_last.state
    refuses 1 'good/sine_last.state: error: cannot be opened: not a file' train sine.cfg good/sine_last.weights -out refused -set net.max_batches=500
    absent refused
}

@test "a CSV file that changes while it is read is not trained on" {
    awk 'BEGIN { print "x,y,dy_dx"; for (i = 0; i < 3000000; ++i) printf "%.6g,%.6g,%.6g\n", i / 1e6, sin(i / 1e6), cos(i / 1e6) }' >long.csv
    network 'file=long.csv' 'order=1' >long.cfg
    "$darknet" sobolev train long.cfg -out refused >out 2>err &
    local pid=$! opened
    until opened=$(readlink "/proc/$pid/fd/"* 2>/dev/null | grep -F long.csv); do
        kill -0 $pid
    done
    truncate -s 1000003 long.csv
    wait $pid && status=0 || status=$?
    equal status 2 "$status"
    equal message 'long.cfg:10:6: error: [data] long.csv: error: it was changed while it was read' "$(cat err)"
    absent refused
}

@test "a run that goes on with worse data says that the best was before it" {
    samples >sine.csv
    samples | awk -F , -v OFS=, 'NR > 1 { $2 = -$2; $3 = -$3 } { print }' >wrong.csv
    network 'file=sine.csv' 'order=1' >sine.cfg
    trains sine.cfg run
    ends 0 train sine.cfg run/sine_last.weights -out rest -no-chart -set net.max_batches=500 -set data.file=wrong.csv
    like output '*warning: update 4*: the values have become worse: test error *, at its best * (before this run); *' "$output"
}

@test "keys of a schedule that change nothing are pointed out" {
    samples >sine.csv
    for case in weight_end=2:19:12:weight_schedule=constant weight_1_end=2:19:14:weight_schedule=constant swap_at=5:19:9:weight_schedule=constant \
        balance_strength=1:19:18:balance=none; do
        IFS=: read -r key line column reason <<<"$case"
        network 'file=sine.csv' "order=1\n$key" | sed s/max_batches=400/max_batches=2/ >idle.cfg
        trains idle.cfg run -force
        equal warning "idle.cfg:$line:$column: warning: '${key%=*}' means nothing with $reason" "$stderr"
    done
    network 'file=sine.csv' 'order=1\nweight_schedule=linear' >still.cfg
    refuses 2 'still.cfg:19:17: error: weight_schedule needs weight_end, weight_1_end or weight_2_end: no weight would move' train still.cfg -out refused
    network 'file=sine.csv' 'order=1\nweight_schedule=swap\nswap_at=400\nweight_1_end=0' >late.cfg
    trains late.cfg late
    like output '*note: the weights do not change: swap_at=400 is not before max_batches=400*' "$output"
    network 'file=sine.csv' 'order=0\non_collapse=rollback' >alone.cfg
    trains alone.cfg alone
    like output '*note: on_collapse=rollback has nothing to watch: *' "$output"
}
