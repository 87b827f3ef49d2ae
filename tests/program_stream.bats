#!/usr/bin/env bats
# Samples that are read in pieces: frames, classes, pictures; the loader; what goes wrong with them; what `data inspect` says.
load program_setup

make_samples() {
    "$BUILD_DIR/tests/make_samples" "$@"
}

# network DATA [CHANNELS] [NET]
network() {
    printf '[net]\nheight=8\nwidth=8\nchannels=%s\nbatch=16\nmax_batches=120\nlearning_rate=.003\nadam=1\ndecay=0\n%b\n[data]\n%b\n' "${2:-1}" "${3:-}" "$1"
    printf '[connected]\noutput=16\nactivation=tanh\n[connected]\noutput=2\nactivation=linear\n[sobolev]\norder=0\n'
}

summary() {
    sed -n "/\"$1\"/,/}/s/.*\"$2\": \([^,]*\),*/\1/p" run/summary.json
}

# pictures: grey PGM files, bright or dark, in lists
pictures() {
    mkdir -p pictures
    local i kind level
    for ((i = 0; i < 24; ++i)); do
        kind=dark level='\10'
        ((i % 2)) && kind=bright level='\300'
        { printf 'P5\n8 8\n255\n'; printf "$level%.0s" {1..64}; } >"pictures/$i-$kind.pgm"
        echo "pictures/$i-$kind.pgm"
    done >all.list
    head -n 18 all.list >train.list
    tail -n 6 all.list >valid.list
    printf 'dark\nbright\n' >two.names
    printf 'classes = 2\ntrain = train.list\nvalid = valid.list\nnames = two.names\nbackup = nowhere\ntop = 2\n' >two.data
}

@test "frames with a history are learnt; error and kl are measured, reported and plotted" {
    make_samples frames frames.h5
    network 'file=frames.h5\nhistory=4\nsplit=episode\nlabels=logits' 4 >f.cfg
    trains f.cfg run
    less_than "$(metric test_error run)" .05
    less_than "$(metric test_kl run)" .05
    less_than "$(metric test_kl run)" "$(metric test_kl run 1)"
    like output '*test error *, kl *waited for samples: *with 2 loader threads*test: value_mse *, error *, kl * (best *' "$output"
    grep -qE '"waited_seconds": [0-9.]+' run/summary.json
    equal 'error in summary.json' "$(awk -v x="$(metric test_error run)" 'BEGIN { print x + 0 }')" "$(awk -v x="$(summary test error)" 'BEGIN { print x + 0 }')"
    ends 0 valid f.cfg run/f_final.weights
    like valid "*error *kl $(metric test_kl run)*" "$output"
    ends 0 check f.cfg
    ends 0 bench f.cfg -seconds .1
    like bench '*loader *samples/s *MB/s*2 threads*' "$output"
    if command -v gnuplot >/dev/null; then
        ends 0 plot run -column test_kl -out kl.svg
    fi
}

@test "derivatives come in pieces, too, when a file is too large" {
    "$BUILD_DIR/tests/make_bachelier" 20000 1 train.h5 test.h5 5
    cat >d.cfg <<EOF
[net]
inputs=5
batch=32
max_batches=300
learning_rate=.003
adam=1
decay=0
[data]
file=train.h5
test_file=test.h5
cache_mb=1
[connected]
output=32
activation=softplus
[connected]
output=1
activation=linear
[sobolev]
order=1
EOF
    trains d.cfg run
    like output '*waited for samples: *' "$output"
    less_than "$(metric test_gradient_mse run)" .01
    trains d.cfg memory -set data.cache_mb=100 -set data.loaders=7
    same_file run/d_final.weights memory/d_final.weights
    ends 0 valid d.cfg run/d_final.weights
    like valid '*value_mse *gradient_mse *' "$output"
    trains d.cfg slopes -set sobolev.weight=0
    less_than "$(metric test_gradient_mse slopes)" .01
    trains d.cfg values -set sobolev.order=0
    less_than "$(metric test_gradient_mse values)" .1
    refuses_like 2 '-set data.test_file=t.csv: error: \[data\] only HDF5 files *, and a file= that is larger than cache_mb=' train d.cfg -set data.test_file=t.csv -out no
}

# curve FILE NET-KEYS DATA-KEYS SOBOLEV-KEYS
curve() {
    printf '[net]\ninputs=2\nbatch=20\nmax_batches=300\nlearning_rate=.02\nadam=1\ndecay=0\n%b\n[data]\nfile=%s\nloaders=2\n%b\n' "$2" "$1" "$3"
    printf '[connected]\noutput=24\nactivation=softplus\n[connected]\noutput=1\nactivation=linear\n[sobolev]\n%b\n' "$4"
}

@test "second derivatives and products along v come in pieces, too" {
    curve curved.h5 '' 'normalise=all\npoints=600\ntest_points=100' 'order=2\nweight_2=.1' >c.cfg
    curve along.h5 '' 'normalise=all\npoints=600\ntest_points=100' 'order=2\nweight_2=.1\nlabel_directions=2' >v.cfg
    local cfg measure
    for cfg in c v; do
        make_samples curved curved.h5 0 40000
        make_samples along along.h5 0 40000
        trains $cfg.cfg $cfg
        for measure in test_value_mse test_hessian_mse; do
            less_than "$(metric $measure $cfg)" "$(awk -v first="$(metric $measure $cfg 1)" 'BEGIN { print first / 10 }')"
        done
        trains $cfg.cfg $cfg.disk -set data.cache_mb=1 -set data.loaders=5
        make_samples curved curved.h5 16 40000
        make_samples along along.h5 16 40000
        trains $cfg.cfg $cfg.chunks -set data.cache_mb=1
        same_file $cfg/${cfg}_final.weights $cfg.disk/${cfg}_final.weights
        same_file $cfg/${cfg}_final.weights $cfg.chunks/${cfg}_final.weights
        ends 0 valid $cfg.cfg $cfg/${cfg}_final.weights
        like valid "*hessian_mse *" "$output"
        ends 0 check $cfg.cfg
    done
    less_than "$(metric test_gradient_mse c)" "$(awk -v first="$(metric test_gradient_mse c 1)" 'BEGIN { print first / 10 }')"
    less_than "$(metric test_directional_mse v)" "$(awk -v first="$(metric test_directional_mse v 1)" 'BEGIN { print first / 10 }')"
    refuses 2 'v.cfg:10:6: error: [data] along.h5 has v for 2 directions: set [sobolev] label_directions=2' train v.cfg -set sobolev.label_directions=1 -out no
    refuses 2 'v.cfg:10:6: error: [data] along.h5 has v and hvp instead of d2ydx2: set [sobolev] label_directions=2' train v.cfg -set sobolev.label_directions=0 -out no
    refuses 2 'c.cfg:10:6: error: [data] curved.h5 has no v, which [sobolev] label_directions needs' train c.cfg -set sobolev.label_directions=1 -out no
    absent no
}

@test "samples in pieces are made normal like those in memory" {
    make_samples curved curved.h5
    # All samples are tests as well as training samples: both ways look at the same ones.
    curve curved.h5 '' 'test_file=curved.h5\nnormalise=all' 'order=1\ncomponent_weights=rms' >s.cfg
    sed /loaders=/d s.cfg >m.cfg
    trains s.cfg stream -set net.batch=600
    trains m.cfg memory -set net.batch=600
    awk -v a="$(metric test_gradient_mse stream)" -v b="$(metric test_gradient_mse memory)" 'BEGIN { d = (a - b) / b; exit !(d < 1e-3 && d > -1e-3) }'
    awk -v a="$(metric test_gradient_mse stream 1)" -v b="$(metric test_gradient_mse memory 1)" 'BEGIN { d = (a - b) / b; exit !(d < 1e-5 && d > -1e-5) }'
    trains s.cfg pca -set data.differential_pca=1e-4
    like output '*differential PCA: 2 of 2 directions kept*' "$output"
    trains s.cfg whole
    trains s.cfg half -set net.max_batches=100
    ends 0 train s.cfg half/s_last.weights -out rest -no-chart
    same_file whole/s_final.weights rest/s_final.weights
    curve curved.h5 '' 'normalise=inputs' 'order=0' >v.cfg
    trains v.cfg values
    less_than "$(metric test_value_mse values)" "$(awk -v first="$(metric test_value_mse values 1)" 'BEGIN { print first / 10 }')"
}

@test "one, four and seven threads, memory and disk, chunks or none: the same bits" {
    make_samples frames frames.h5
    network 'file=frames.h5\nhistory=4' 4 >f.cfg
    trains f.cfg one -set data.loaders=1
    trains f.cfg four -set data.loaders=4
    trains f.cfg seven -set data.loaders=7
    make_samples frames frames.h5 16
    trains f.cfg chunks -set data.loaders=3
    local other
    for other in four seven chunks; do
        same_file one/f_final.weights $other/f_final.weights
        equal "metrics of $other" "$(cut -d, -f1,2,5-9,17- one/metrics.csv)" "$(cut -d, -f1,2,5-9,17- $other/metrics.csv)"
    done
    trains f.cfg mirror -set data.mirror=1 -set data.loaders=1
    trains f.cfg mirror4 -set data.mirror=1 -set data.loaders=4
    same_file mirror/f_final.weights mirror4/f_final.weights
    run ! cmp -s one/f_final.weights mirror/f_final.weights
    trains f.cfg seed -seed 2
    run ! cmp -s one/f_final.weights seed/f_final.weights
}

@test "a run that goes on sees the samples that it would have seen" {
    make_samples frames frames.h5
    network 'file=frames.h5\nhistory=4' 4 >f.cfg
    trains f.cfg whole
    trains f.cfg half -set net.max_batches=53
    ends 0 train f.cfg half/f_last.weights -out rest -no-chart -set data.loaders=4
    same_file whole/f_final.weights rest/f_final.weights
}

@test "SIGINT ends the threads too, and everything is saved" {
    make_samples frames frames.h5
    network 'file=frames.h5\nhistory=4' 4 >f.cfg
    "$darknet" sobolev train f.cfg -out run -no-chart -every 50 -set net.max_batches=100000000 >log 2>&1 &
    local pid=$! i
    for ((i = 0; i < 200; ++i)); do
        [ -e run/f_best.weights ] && break
        sleep .05
    done
    kill -INT $pid
    local status=0
    wait $pid || status=$?
    equal status 130 $status
    grep -qF 'stopped: interrupted (SIGINT)' log
    [ -s run/f_last.state ]
}

@test "classes: labels, splits, fractions" {
    make_samples classes classes.h5
    network 'file=classes.h5\nfraction=.5\ntest_fraction=.2' >c.cfg
    trains c.cfg run
    grep -qF '"training_points": 120' run/summary.json
    less_than "$(metric test_error run)" .1
    network 'file=classes.h5\nsplit=time\npoints=100\ntest_points=20' >c.cfg
    trains c.cfg time
    grep -qF '"training_points": 100' time/summary.json
    ends 0 valid c.cfg time/c_final.weights
    like valid 'points 20*' "$output"
    network 'file=classes.h5\ntest_file=classes.h5' >c.cfg
    trains c.cfg both
    grep -qF '"training_points": 300' both/summary.json
    network 'file=classes.h5' >c.cfg
    refuses 2 "c.cfg:12:6: error: [data] split=episode needs \`episode\`, the number of each sample's episode" train c.cfg -set data.split=episode -out no
    absent no
}

# same_predictions A B FIRST: from column FIRST on
same_predictions() {
    cmp <(sed 1d "$1" | cut -d , -f "$3-") <(sed 1d "$2" | cut -d , -f "$3-")
}

@test "predict reads frames, bytes and pictures as training does" {
    make_samples frames frames.h5
    make_samples classes pictures.h5
    make_samples unlabelled plain.h5
    network 'file=frames.h5\nhistory=4\nsplit=episode\ntest_fraction=.2\nlabels=logits' 4 >f.cfg
    trains f.cfg run
    ends 0 predict f.cfg run/f_final.weights frames.h5 -out frames.csv
    ends 0 predict f.cfg run/f_final.weights plain.h5 -out plain.csv
    same_predictions frames.csv plain.csv 1
    equal 'samples' 301 "$(wc -l <frames.csv)"
    # Labels are +-1 and its opposite: what the network says has their sign nearly everywhere when it read what it learnt from.
    [ "$(sed 1d frames.csv | cut -d , -f 257,258 | awk -F , '($1 > 0) != ($2 > 0)' | wc -l)" -gt 290 ]
    # Bytes are divided by 255, and numbers with scale= are what bytes are without.
    network 'file=pictures.h5' >p.cfg
    trains p.cfg pictures
    ends 0 predict p.cfg pictures/p_final.weights pictures.h5 -out bytes.csv
    less_than "$(sed 1d bytes.csv | cut -d , -f 1-64 | tr , '\n' | sort -g | tail -n 1)" 1.0000001
    ends 0 predict p.cfg pictures/p_final.weights pictures.h5 -set data.scale=1 -out raw.csv
    less_than 200 "$(sed 1d raw.csv | cut -d , -f 1-64 | tr , '\n' | sort -g | tail -n 1)"
    ends 0 predict p.cfg pictures/p_final.weights raw.csv -set data.scale=.0039215686274509803 -out scaled.csv
    paste -d , <(sed 1d bytes.csv | cut -d , -f 65-) <(sed 1d scaled.csv | cut -d , -f 65-) | awk -F , '($1 - $3) ^ 2 + ($2 - $4) ^ 2 > 1e-8 { exit 1 }'
    refuses_like 1 'frames.h5: error: 1 frames of 8 x 8 (history=1) are 64 numbers, the network takes 256: 4 x 8 x 8' \
        predict f.cfg run/f_final.weights frames.h5 -set data.history=1
}

@test "a student learns from a teacher on frames without labels, and is measured by it" {
    make_samples frames frames.h5
    make_samples unlabelled plain.h5
    network 'file=frames.h5\nhistory=4\nsplit=episode\nlabels=logits' 4 | sed 's/order=0/order=0\nloss=kl/' >teacher.cfg
    trains teacher.cfg teacher
    network 'file=plain.h5\nhistory=4\nsplit=episode' 4 |
        sed 's/^\[sobolev\]/[teacher]\ncfg=teacher.cfg\nweights=teacher\/teacher_final.weights\n[sobolev]/
            s/order=0/order=1\nprojections=2\ndifferentiate=log_probabilities\nloss=kl\nloss_1=norm/' >student.cfg
    trains student.cfg run
    trains student.cfg four -set data.loaders=4
    same_file run/student_final.weights four/student_final.weights
    less_than "$(metric test_kl run)" .01
    less_than "$(metric test_kl run)" "$(awk -v first="$(metric test_kl run 1)" 'BEGIN { print first / 10 }')"
    less_than "$(metric test_error run)" .05
    ends 0 bench student.cfg -seconds .1
    ends 0 valid student.cfg run/student_final.weights
    like valid "*kl $(metric test_kl run)*" "$output"
    mv teacher.cfg away
    refuses 2 'student.cfg:12:6: error: [data] the test samples have no labels, and there is no [teacher] whose files can be read' valid student.cfg run/student_final.weights
    network 'file=plain.h5\nhistory=4' 4 >student.cfg
    refuses 2 'student.cfg:12:6: error: [data] plain.h5: error: holds no y and no label, which the loss on values needs' train student.cfg -out no
}

@test "losses that would misread the labels are refused" {
    make_samples classes classes.h5
    network 'file=classes.h5' | sed 's/order=0/order=0\nloss=cross_entropy/' >c.cfg
    trains c.cfg run
    less_than "$(metric test_error run)" .05
    refuses_like 2 '*kl and kl_reverse compare with logits, and the labels are classes: cross_entropy takes those' train c.cfg -out no -set sobolev.loss=kl
    make_samples frames frames.h5
    network 'file=frames.h5\nlabels=logits' | sed 's/order=0/order=0\nloss=cross_entropy/' >f.cfg
    refuses_like 2 '*cross_entropy compares with probabilities, and the labels are logits*' train f.cfg -out no
}

@test "pictures are learnt, from lists and from a .data file, with the same bits" {
    pictures
    network 'list=two.data' >l.cfg
    trains l.cfg run
    equal error 0 "$(metric test_error run)"
    network 'train=train.list\nvalid=valid.list\nnames=two.names\nloaders=4' >l.cfg
    trains l.cfg lists
    same_file run/l_final.weights lists/l_final.weights
    network 'train=all.list\nnames=two.names\ntest_fraction=.25' >l.cfg
    trains l.cfg split
    grep -qF '"training_points": 18' split/summary.json
}

@test "what is wrong with pictures is one line" {
    pictures
    network 'train=bad.list\nvalid=valid.list\nnames=two.names' >l.cfg
    sed '3s/.*/pictures\/nowhere-dark.pgm/' train.list >bad.list
    refuses 2 'l.cfg:12:7: error: [data] bad.list:3: error: pictures/nowhere-dark.pgm: No such file or directory' train l.cfg -out no
    cp pictures/0-dark.pgm pictures/0-gloomy.pgm
    sed '3s/.*/pictures\/0-gloomy.pgm/' train.list >bad.list
    refuses 2 'l.cfg:12:7: error: [data] bad.list:3: error: pictures/0-gloomy.pgm: its path contains none of the names of classes' train l.cfg -out no
    cp pictures/0-dark.pgm pictures/dark-bright.pgm
    sed '3s/.*/pictures\/dark-bright.pgm/' train.list >bad.list
    refuses_like 2 '*bad.list:3: error: pictures/dark-bright.pgm: its path contains two names of classes, dark and bright' train l.cfg -out no
    : >bad.list
    refuses_like 2 'l.cfg:12:7: error: \[data\] bad.list: error: the file is empty' train l.cfg -out no
    printf '\n \n' >bad.list
    refuses_like 2 'l.cfg:12:7: error: \[data\] bad.list: error: the list names no pictures' train l.cfg -out no
    printf 'not a picture' >pictures/9-dark.pgm
    sed '3s/.*/pictures\/9-dark.pgm/' train.list >bad.list
    ends 1 train l.cfg -out no -no-chart
    equal message 'bad.list:3: error: pictures/9-dark.pgm: error: cannot be read as a picture' "$stderr"
    network 'list=two.data' 2 >l.cfg
    refuses_like 2 'l.cfg:12:6: error: \[data\] pictures have 1 or 3 channels, the network takes 2 x 8 x 8*' train l.cfg -out no -force
    printf 'dark\nbright\ngrey\n' >two.names
    network 'list=two.data' >l.cfg
    refuses_like 2 'l.cfg:12:6: error: \[data\] classes = 2, but two.names holds 3 names' train l.cfg -out no -force
    sed -i 's/^train/trian/' two.data
    refuses_like 2 "*two.data: error: has no line 'train = FILE'" train l.cfg -out no -force
    network 'train=train.list\nvalid=valid.list' >l.cfg
    refuses_like 2 '*train.list: the loss on values needs classes: names= says what they are called' train l.cfg -out no -force
    network 'train=train.list\nnames=two.names\nhistory=4' >l.cfg
    refuses_like 2 "*'history' means nothing beside 'train'*" train l.cfg -out no -force
}

@test "what is wrong with a file is one line, and leaves no run" {
    network 'file=bad.h5\nhistory=4' 4 >f.cfg
    make_samples unordered bad.h5
    refuses_like 2 'f.cfg:12:6: error: \[data\] bad.h5: error: episode\[299\] (counted from 0) is 0 after *: episodes must not decrease' train f.cfg -out no
    for kind in parts wide; do
        make_samples $kind bad.h5
        refuses_like 2 'f.cfg:12:6: error: \[data\] bad.h5: error: episode\[0\] (counted from 0) is no whole number of 32 bits' train f.cfg -out no
    done
    make_samples frames good.h5 16
    head -c 8000 good.h5 >bad.h5
    refuses_like 2 'f.cfg:12:6: error: \[data\] bad.h5: error: cannot be opened: truncated file*' train f.cfg -out no
    cp good.h5 bad.h5
    printf '%2000s' | tr ' ' '\252' | dd of=bad.h5 bs=1 seek=6000 conv=notrunc status=none
    refuses_like 2 'f.cfg:12:6: error: \[data\] bad.h5: error: *' train f.cfg -out no
    printf 'text' >bad.h5
    refuses_like 2 'f.cfg:12:6: error: \[data\] bad.h5: error: not an HDF5 file' train f.cfg -out no
    rm bad.h5
    refuses_like 2 'f.cfg:12:6: error: \[data\] bad.h5*' train f.cfg -out no
    network 'file=good.h5\nhistory=3' 4 >f.cfg
    refuses_like 2 '*3 frames of 8 x 8 (history=3) are 192 numbers, the network takes 256: 4 x 8 x 8' train f.cfg -out no
    network 'file=good.h5\nhistory=4\nfraction=.01' 4 >f.cfg
    refuses 2 'f.cfg:5:7: error: an update takes batch=16 samples, but there are 3 to train on' train f.cfg -out no
    network 'file=good.h5\nhistory=4' 4 | sed 's/order=0/order=1/' >f.cfg
    refuses_like 2 '*good.h5 has no dydx, which the loss on first derivatives needs (weight_1=0 leaves it out)' train f.cfg -out no
    network 'file=good.h5\nhistory=4' 4 | sed 's/order=0/order=2\nweight_1=0/' >f.cfg
    refuses_like 2 '*good.h5 has no d2ydx2, which the loss on second derivatives needs (weight_2=0 leaves it out)' train f.cfg -out no
    network 'file=good.h5\nhistory=4\nlabels=probabilities' 4 | sed 's/order=0/order=1/' >f.cfg
    refuses_like 2 '*labels= cannot stand beside derivatives from the data*' train f.cfg -out no
    printf 'x1,x2,y\n1,2,3\n4,5,6\n' >t.csv
    network 'file=t.csv\nfraction=.5' >f.cfg
    refuses_like 2 'f.cfg:12:6: error: \[data\] only HDF5 files (.h5, .hdf5) can be read in pieces*' train f.cfg -out no
    network 'file=good.h5\nhistory=4' 4 | sed 's/order=0/order=1\nweight=0\ntarget=zero/' >f.cfg
    trains f.cfg penalty
    network 'train=good.list' | sed 's/order=0/order=1\nweight=0\ntarget=zero/' >f.cfg
    pictures
    cp train.list good.list
    refuses_like 2 'f.cfg:12:7: error: \[data\] the test samples have no labels: nothing says how good the network is' train f.cfg -out no
    make_samples none bad.h5
    make_samples classes classes.h5
    network 'file=bad.h5\ntest_file=classes.h5\nmissing=1' >f.cfg
    refuses 2 'f.cfg:12:6: error: [data] none of the training samples has a label that could be used' train f.cfg -out no
    make_samples beyond bad.h5
    network 'file=bad.h5' >f.cfg
    refuses_like 2 '*bad.h5: error: label\[7\] (counted from 0) is beyond the last class*' train f.cfg -out no
    make_samples nan bad.h5
    network 'file=bad.h5\nscale=1' >f.cfg
    refuses_like 2 '*bad.h5: error: x\[123, 45\] (counted from 0) is not a number' train f.cfg -out no
    absent no
}

@test "bytes beside derivatives are numbers as they stand, however they are read" {
    make_samples bytes bytes.h5
    network 'file=bytes.h5\ntest_file=bytes.h5' | sed 's/^order=0/order=1/' >b.cfg
    ends 0 train b.cfg -out run -no-chart -set net.max_batches=1
    run ! grep -q 'loader threads' <<<"$output"
    ends 0 valid b.cfg run/b_final.weights
    local whole=$output
    for how in loaders=1 scale=1; do
        ends 0 valid b.cfg run/b_final.weights -set data.$how
        equal "with $how" "$whole" "$output"
    done
    ends 0 valid b.cfg run/b_final.weights -set data.scale=.5
    run ! equal 'another scale' "$whole" "$output"
}

@test "data inspect says what is there and what is wrong" {
    make_samples frames frames.h5
    ends 0 data inspect frames.h5
    like inspect 'frames.h5: HDF5*episode *int32 *\[300\]*episodes of 1 to 35 samples*frames *uint8 *\[300, 8, 8\]  0 .. 255*y *float32 *\[300, 2\]  -1 .. 1*no problems found' "$output"
    make_samples classes classes.h5
    ends 0 data inspect classes.h5
    like inspect '*label *classes 0 .. 1; samples of 0: *' "$output"
    make_samples nan bad.h5
    ends 1 data inspect bad.h5
    like inspect '*1 of 19200 are NaN*problem: bad.h5: error: x has numbers that are not finite, the first of them in row 123*' "$output"
    make_samples unordered bad.h5
    ends 1 data inspect bad.h5
    like inspect '*problem: bad.h5: error: episode\[299\] (counted from 0) is 0 after *' "$output"
    make_samples parts bad.h5
    ends 1 data inspect bad.h5
    like inspect '*problem: bad.h5: error: episode\[0\] (counted from 0) is no whole number of 32 bits*' "$output"
    make_samples crooked bad.h5
    ends 1 data inspect bad.h5
    like inspect '*problem: bad.h5: error: dydx has the shape \[300, 64, 2\], expected \[300, 2, 64\]: samples, outputs and inputs of the network*problem: bad.h5: error: jvp stands without v' "$output"
    make_samples scalar bad.h5
    ends 1 data inspect bad.h5
    like inspect '*problem: bad.h5: error: x is a single number, not one per sample*y *float32 *' "$output"
    make_samples filtered bad.h5
    ends 1 data inspect bad.h5
    like inspect "*problem: bad.h5: error: x cannot be read at row 0: it was compressed with filter 32000, 'lzf', which this HDF5 library does not have*no values to learn*" "$output"
    make_samples points bad.h5 50
    head -c 100 /dev/zero | tr '\0' '\377' | dd of=bad.h5 bs=1 seek=$(($(stat -c %s bad.h5) - 300)) conv=notrunc status=none
    ends 1 data inspect bad.h5
    like inspect '*problem: bad.h5: error: x cannot be read at row 250: inflate() failed*' "$output"
    head -c 8000 frames.h5 >bad.h5
    ends 1 data inspect bad.h5
    like inspect '*problem: bad.h5: error: cannot be opened: truncated file*' "$output"
    printf 'x1,x2,y\n1,2,3\n4,5,\n' >t.csv
    ends 0 data inspect t.csv
    like inspect 't.csv: CSV*x *\[2, 2\]  1 .. 5*y *1 of 2 are NaN*' "$output"
    pictures
    ends 0 data inspect two.data
    like inspect '*names: two.names, 2 of them*train.list: 18 pictures, 18 of them decoded: 8 x 8 to 8 x 8*class 1 bright: 9 pictures*valid.list: 6 pictures*' "$output"
    rm pictures/3-bright.pgm
    printf 'junk' >pictures/4-dark.pgm
    ends 1 data inspect two.data
    like inspect '*problem: train.list:4: error: pictures/3-bright.pgm: No such file or directory*problem: *pictures/4-dark.pgm: error: cannot be read as a picture*' "$output"
    ends 0 data inspect valid.list
    refuses 2 "darknet sobolev data: error: 'inspcet' is no word of this verb: usage: darknet sobolev data inspect FILE" data inspcet frames.h5
    ends 1 data inspect nowhere.h5
}
