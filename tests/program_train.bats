#!/usr/bin/env bats
# `darknet sobolev train`: what a run leaves behind, and what it depends on.
load program_setup

header=step,images,seconds,rate,loss,loss_value,loss_gradient,loss_hessian,test_value_mse,test_gradient_mse,test_hessian_mse
header+=,test_directional_mse,weight_value,weight_gradient,weight_hessian,gradient_cosine,test_error,test_kl,test_top_error

# learns NAME MEASURE…: training the tiny cfg brings each test error below 60% of its start.
learns() {
    local name=$1 measure
    shift
    trains "$tiny/$name.cfg" "$name"
    for measure in "$@"; do
        less_than "$(metric "test_$measure" "$name")" "$(awk -v first="$(metric "test_$measure" "$name" \
            1)" 'BEGIN { print .6 * first }')"
    done
}

# falls NAME MEASURE: training brings what metrics.csv calls MEASURE below 60% of what it was after 20 updates.
falls() {
    trains "$tiny/$1.cfg" "$1" -every 20
    less_than "$(metric "$2" "$1")" "$(awk -v first="$(metric "$2" "$1" 2)" 'BEGIN { print .6 * first }')"
}

@test "every tiny experiment learns" {
    learns values value_mse
    learns gradients value_mse gradient_mse
    learns hessians value_mse gradient_mse hessian_mse
    learns projections value_mse gradient_mse
    learns hessian_projections value_mse gradient_mse hessian_mse
    learns log_probabilities value_mse
    learns loss_gradient value_mse
    learns relative value_mse gradient_mse
    learns dropout value_mse gradient_mse
    learns flat value_mse
    learns cost value_mse
    learns host_layers value_mse
    learns weights value_mse
    learns normalised value_mse gradient_mse
    learns balance value_mse gradient_mse
    learns batch_normalize value_mse gradient_mse
    learns contractive value_mse
    learns gradient_penalty value_mse
    learns class_gradient value_mse gradient_mse
    learns tangents value_mse
    learns flip value_mse
    learns critic value_mse
    learns critic_direct value_mse
    learns critic_local value_mse
    learns decoupled value_mse
    falls distillation loss_value # logits are known but for a constant of each sample
    ln -s "$SOURCE_DIR/cfg" cfg # where these look for their teacher
    learns teacher value_mse gradient_mse
    learns hints value_mse gradient_mse
    learns attention value_mse
}

@test "no cfg in cfg/tiny is forgotten here" {
    for cfg in "$tiny"/*.cfg; do
        grep -q "\(learns\|falls\) $(basename "$cfg" .cfg) " "$BATS_TEST_FILENAME" || { echo "$cfg" >&2; return 1; }
    done
}

@test "the folder of a run holds what it should" {
    trains "$tiny/gradients.cfg" run -seed 7
    equal files 'gradients_best.weights gradients_final.weights gradients_last.state gradients_last.weights metrics.csv run.cfg summary.json ' \
        "$(ls run | LC_ALL=C sort | tr '\n' ' ')"
    equal header "$header" "$(head -n 1 run/metrics.csv)"
    equal steps '0 100 200 ' "$(sed 1d run/metrics.csv | cut -d , -f 1 | tr '\n' ' ')"
    equal fields '19 19 19 19 ' "$(awk -F , '{ printf "%d ", NF }' run/metrics.csv)"
    equal images 3200 "$(metric images run)"
    # 20 bytes of header, then 2*24+24 + 24*24+24 + 24+1 floats
    equal bytes $((20 + 4 * 697)) "$(stat -c %s run/gradients_final.weights)"
    same_file run/gradients_final.weights run/gradients_last.weights
}

@test "summary.json says what the run was and what came out of it" {
    trains "$tiny/hessians.cfg" run -seed 7 -threads 1 -backend ref
    for line in "\"cfg\": \"$tiny/hessians.cfg\"," '"seed": 7,' '"threads": 1,' '"backend": "ref",' '"steps": 200,' \
        '"stopped": "max_batches reached",' '"parameters": 697,' '"training_points": 64,'; do
        grep -qF "$line" run/summary.json || { echo "missing: $line" >&2; return 1; }
    done
    for key in version seconds value_mse gradient_mse hessian_mse; do
        grep -q "\"$key\": " run/summary.json || { echo "missing: $key" >&2; return 1; }
    done
    trains "$tiny/gradients.cfg" first -set net.learning_rate=.2 -every 20
    # The test error of the last row, to the nine digits that the table has.
    equal value_mse "$(metric test_value_mse first)" \
        "$(sed -n '/"test"/,/}/s/.*"value_mse": *\([-+.e0-9]*\).*/\1/p' first/summary.json | LC_ALL=C xargs printf %.9g)"
    run ! grep -q hessian_mse first/summary.json
}

@test "the best weights are those of the row with the smallest test error" {
    trains "$tiny/gradients.cfg" run -set net.learning_rate=.2 -every 20
    local best value
    best=$(sed 1d run/metrics.csv | LC_ALL=C sort -t , -k 9 -g | head -n 1)
    value=$(cut -d , -f 9 <<<"$best")
    less_than "$value" "$(metric test_value_mse run)"
    equal step "${best%%,*}" "$(sed -n '/"best"/,/}/s/.*"step": *\([0-9]*\).*/\1/p' run/summary.json)"
    ends 0 valid "$tiny/gradients.cfg" run/gradients_best.weights
    like valid "*value_mse $value"$'\n'* "$output"
}

@test "a chart is drawn, as a PNG" {
    command -v gnuplot >/dev/null || skip "no gnuplot"
    ends 0 train "$tiny/values.cfg" -out run -every 100
    equal 'first bytes' '89504e470d0a1a0a' "$(head -c 8 run/chart.png | od -An -tx1 | tr -d ' \n')"
}

@test "without gnuplot a remark, and status 0" {
    run --separate-stderr env PATH="$PWD/nothing" "$darknet" sobolev train "$tiny/values.cfg" -out run -every 100
    equal status 0 "$status"
    like output '*no chart.png: *gnuplot*gnuplot-nox*' "$output"
    absent run/chart.png run/chart.png.part
    [ -s run/summary.json ]
}

@test "the same seed and threads give the same bits, another seed does not" {
    trains "$tiny/hessian_projections.cfg" one -seed 1 -threads 2
    trains "$tiny/hessian_projections.cfg" two -seed 1 -threads 2 -every 30
    trains "$tiny/hessian_projections.cfg" other -seed 2 -threads 2
    same_file one/hessian_projections_final.weights two/hessian_projections_final.weights
    run ! cmp -s one/hessian_projections_final.weights other/hessian_projections_final.weights
}

@test "run.cfg repeats the run, flags and environment included" {
    DARKNET_EXT_THREADS=1 trains "$tiny/dropout.cfg" run -seed 11 -set connected[0].output=20
    for line in seed=11 threads=1 output=20; do
        grep -qx "$line" run/run.cfg || { echo "missing in run.cfg: $line" >&2; return 1; }
    done
    trains run/run.cfg again
    same_file run/dropout_final.weights again/run_final.weights
}

@test "-set reaches the run, the last one wins" {
    trains "$tiny/values.cfg" run -set net.max_batches=30 -set net.max_batches=60 -set data.points=32
    grep -qx max_batches=60 run/run.cfg
    grep -qF '"steps": 60,' run/summary.json
    grep -qF '"training_points": 32,' run/summary.json
}

@test "-print-cfg prints the effective cfg, which reads again, and trains nothing" {
    for name in values hessian_projections host_layers; do
        ends 0 train "$tiny/$name.cfg" -print-cfg -seed 5 -set net.batch=4
        grep -qx seed=5 <<<"$output"
        grep -qx batch=4 <<<"$output"
        grep -v '^#' <<<"$output" >once.cfg
        ends 0 train once.cfg -print-cfg
        equal "$name" "$(cat once.cfg)" "$output"
    done
    absent runs
}

@test "keys that mean nothing are said once, and their defaults are not in run.cfg" {
    printf '[net]\ninputs=2\nbatch=4\nmax_batches=3\npolicy=sigmoid\nstep=100\n[data]\nfunction=booth\npoints=9\n[connected]\noutput=1\nactivation=linear\n' >net
    (cat net; printf '[sobolev]\norder=1\nweight_2=3\nbalance_every=5\n') >said.cfg
    ends 0 train said.cfg -no-chart
    equal warnings "said.cfg:6:6: warning: policy=sigmoid: Darknet's learning rate is 0 before update 100, step
said.cfg:15:10: warning: 'weight_2' means nothing with order=1
said.cfg:16:15: warning: 'balance_every' means nothing with balance=none" "$stderr"
    ends 0 train said.cfg -print-cfg -set sobolev.order=0
    run ! grep -q "weight_2' means" <<<"$stderr" # turned off for once
    for cfg in "$SOURCE_DIR/cfg/cifar10_noprop.cfg" "$SOURCE_DIR/cfg/resnet50_direct_3.cfg" "$tiny/critic_direct.cfg"; do
        ends 0 train "$cfg" -print-cfg
        equal "$cfg" '' "$stderr"
        cat <<<"$output" >printed.cfg
        ends 0 train printed.cfg -print-cfg
        equal "printed $cfg" '' "$stderr"
    done
    (cat net; printf '[teacher]\nfunction=./f.so:f\n[sobolev]\norder=1\n') | sed '/^policy/d;/^step/d;s/^function=booth/domain=0,1/;/^points/d' >taught.cfg
    ends 0 train taught.cfg -print-cfg
    cat <<<"$output" >printed.cfg
    ends 0 train printed.cfg -print-cfg
    equal 'a function as teacher' '' "$stderr"
}

@test "the run folder is runs/<name of the cfg> unless -out names another" {
    cp "$tiny/values.cfg" 'my values.v2.cfg'
    ends 0 train 'my values.v2.cfg' -no-chart -every 100 -set net.max_batches=1
    [ -s 'runs/my values.v2/my values.v2_final.weights' ]
    ends 0 train 'my values.v2.cfg' -no-chart -every 100 -set net.max_batches=1 -out deep/er/run/
    [ -s 'deep/er/run/my values.v2_final.weights' ]
}

@test "names with spaces and shell characters are names" {
    local name='a;touch x $(touch y) `touch z` "q"'
    cp "$tiny/values.cfg" "$name.cfg"
    ends 0 train "$name.cfg" -every 100 -set net.max_batches=2
    ends 0 train "$name.cfg" -every 100 -set net.max_batches=2 -out "$name/&& touch w"
    [ -s "runs/$name/${name}_final.weights" ]
    [ -s "$name/&& touch w/${name}_final.weights" ]
    absent x y z w
}

@test "a folder that holds something is refused" {
    mkdir -p run empty
    echo precious >run/file
    refuses 2 'run: error: the folder is not empty; name another with -out, or replace the run in it with -force' \
        train "$tiny/values.cfg" -out run
    equal files file "$(ls run)"
    trains "$tiny/values.cfg" empty -set net.max_batches=1
}

@test "-force replaces the run and nothing else" {
    trains "$tiny/values.cfg" run -seed 1
    cp run/values_final.weights before.weights
    echo precious >run/file
    trains "$tiny/values.cfg" run -seed 2 -force
    run ! cmp -s before.weights run/values_final.weights
    equal file precious "$(cat run/file)"
}

@test "-force: a run that fails leaves no results of the old one" {
    ends 0 train "$tiny/values.cfg" -out run -every 100
    ends 1 train "$tiny/values.cfg" -out run -force -set net.learning_rate=1e6 -set net.policy=constant -set sobolev.loss=l2
    absent run/summary.json run/chart.png run/values_final.weights
}

@test "folders that cannot be used: one message" {
    touch file
    refuses 1 'file: error: cannot be used as a folder: Not a directory' train "$tiny/values.cfg" -out file
    refuses 1 'file/run: error: the folder cannot be made: Not a directory' train "$tiny/values.cfg" -out file/run
    refuses 1 '/proc/run: error: the folder cannot be made: No such file or directory' train "$tiny/values.cfg" -out /proc/run
    refuses 2 '-out: error: the path is empty or too long' train "$tiny/values.cfg" -out ''
    refuses 2 '-out: error: the path is empty or too long' train "$tiny/values.cfg" -out "$(printf 'x%.0s' {1..3000})"
    refuses_like 1 'xxx*: error: the folder cannot be made: File name too long' train "$tiny/values.cfg" -out \
        "$(printf 'x%.0s' {1..300})"
}

@test "a parent folder without permission" {
    need_nobody
    mkdir locked
    chmod 755 locked
    [ "$(id -u)" = 0 ] || chmod 555 locked
    run --separate-stderr as_nobody "$darknet" sobolev train "$tiny/values.cfg" -out locked/run
    equal status 1 "$status"
    equal message 'locked/run: error: the folder cannot be made: Permission denied' "$stderr"
}

@test "training that diverges ends with a message, status 1, and the weights before it" {
    ends 1 train "$tiny/cost.cfg" -out run -no-chart -every 10 -set net.learning_rate=1e6
    like message '* is not a finite number after update [0-9]*: training diverged (smaller learning_rate?); the best weights before it are in run' "$stderr"
    absent run/summary.json run/cost_final.weights
    ends 0 valid "$tiny/cost.cfg" run/cost_best.weights
    ends 0 valid "$tiny/cost.cfg" run/cost_last.weights
}

@test "training that diverges between two evaluations ends at once" {
    ends 1 train "$tiny/cost.cfg" -out run -no-chart -every 10000 -set net.max_batches=10000 -set net.learning_rate=1e6
    like message 'the loss is not a finite number after update [0-9]: *' "$stderr"
}

@test "weights that are no numbers are found where no output shows them" {
    # A neuron that is 0 for every point, whose weights the decay blows up.
    cat >dead.cfg <<'CFG'
[net]
inputs=2
batch=4
max_batches=3
learning_rate=1e6
momentum=0
decay=1e6
seed=8

[data]
function=booth
points=4
test_points=20
domain=.1,1

[connected]
output=1
activation=relu
learning_rate=1e6

[connected]
output=1
activation=linear
learning_rate=0

[sobolev]
order=0
CFG
    ends 1 train dead.cfg -out run -no-chart
    like message 'a weight is not a finite number after update 3: training diverged *' "$stderr"
    absent run/dead_final.weights
}

@test "training that diverges in its last update is not taken for a success" {
    for last in 1 2 3 4 5 6 7 8; do
        run --separate-stderr "$darknet" sobolev train "$tiny/gradients.cfg" -out "run$last" -no-chart -set \
            "net.max_batches=$last" \
            -set net.adam=0 -set net.learning_rate=1e6
        [ "$status" = 0 ] || break
        [ -n "$(metric test_value_mse "run$last")" ]
        ends 0 valid "$tiny/gradients.cfg" "run$last/gradients_final.weights"
    done
    equal status 1 "$status"
    absent "run$last/gradients_final.weights"
}

@test "with a comma for the decimal point nothing changes" {
    LOCPATH=$BATS_TEST_TMPDIR/locale
    mkdir "$LOCPATH"
    [ -e /usr/share/i18n/locales/de_DE ] || skip "no sources of locales (Debian's package locales)"
    localedef -i de_DE -f UTF-8 "$LOCPATH/de_DE.UTF-8" 2>/dev/null || [ -e "$LOCPATH/de_DE.UTF-8" ] # it also fails for warnings
    # A library that switches the locale while it is loaded.
    echo '#include <locale.h>
    __attribute__((constructor)) static void switch_locale(void) { setlocale(LC_ALL, ""); }' >switch.c
    cc -shared -fPIC -o switch.so switch.c || skip "no C compiler"
    equal 'decimal point' 0,5 "$(LOCPATH=$LOCPATH LC_ALL=de_DE.UTF-8 bash -c 'printf %.1f 0,5')"
    trains "$tiny/hessians.cfg" c
    export LOCPATH LC_ALL=de_DE.UTF-8 LD_PRELOAD=$PWD/switch.so ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0
    ends 0 train "$tiny/hessians.cfg" -out de -no-chart -every 100
    unset LOCPATH LC_ALL LD_PRELOAD
    same_file c/hessians_final.weights de/hessians_final.weights
    same_file c/run.cfg de/run.cfg
    equal metrics "$(cut -d , -f 1,2,4- c/metrics.csv)" "$(cut -d , -f 1,2,4- de/metrics.csv)"
    equal summary "$(grep mse c/summary.json)" "$(grep mse de/summary.json)"
}

@test "standard output that is closed or full does not spoil the run" {
    run --separate-stderr bash -c '"$0" sobolev train "$1" -out run -no-chart -every 100 >&-' "$darknet" "$tiny/values.cfg"
    equal status 1 "$status"
    equal message 'darknet sobolev: error: standard output cannot be written: Bad file descriptor' "$stderr"
    equal metrics "$header" "$(head -n 1 run/metrics.csv)"
    equal fields '19 19 19 19 ' "$(awk -F , '{ printf "%d ", NF }' run/metrics.csv)"
    trains run/run.cfg again
    same_file run/values_final.weights again/run_final.weights
    [ -w /dev/full ] || return 0
    run --separate-stderr bash -c '"$0" sobolev train "$1" -out full -no-chart -every 100 >/dev/full' "$darknet" \
        "$tiny/values.cfg"
    equal status 1 "$status"
    same_file run/values_final.weights full/values_final.weights
}

@test "a reader of the progress that goes away does not end the run" {
    run bash -c '"$0" sobolev train "$1" -out run -no-chart -every 1 | head -n 1; exit "${PIPESTATUS[0]}"' "$darknet" \
        "$tiny/values.cfg"
    [ "$status" != 0 ]
    grep -qF '"steps": 200,' run/summary.json
}

# no_half_files FOLDER: nothing unfinished, and every weights file is good.
no_half_files() {
    local file
    for file in "$1"/*; do
        case $file in
        *.part) echo "left behind: $file" >&2; return 1 ;;
        *.weights) ends 0 valid "$tiny/wide.cfg" "$file" ;;
        esac
    done
}

@test "files over the size limit: a message, status 1, no half-written file" {
    local tiny=$PWD limit
    sed 's/^output=24/output=200/' "$SOURCE_DIR/cfg/tiny/gradients.cfg" >wide.cfg
    for limit in 1 100 300; do # KiB: too little for run.cfg, for the weights, for the state
        run --separate-stderr bash -c \
            'ulimit -f "$2" && exec "$0" sobolev train "$1" -out "run$2" -no-chart -every 100 >/dev/null' "$darknet" wide.cfg $limit
        equal "status with a limit of $limit" 1 "$status"
        like message "run$limit/*: error: cannot be written: File too large" "$stderr"
        no_half_files run$limit
    done
}

@test "a full disk: a message, status 1, no half-written file" {
    local tiny=$PWD
    sed 's/^output=24/output=200/' "$SOURCE_DIR/cfg/tiny/gradients.cfg" >wide.cfg
    mkdir disk
    mount -t tmpfs -o size=400k none disk 2>/dev/null || skip "no permission to mount a small disk"
    run --separate-stderr "$darknet" sobolev train wide.cfg -out disk/run -no-chart -every 100
    cp -r disk/run copy
    umount disk
    equal status 1 "$status"
    like message 'disk/run/*: error: cannot be written: No space left on device' "$stderr"
    no_half_files copy
}

@test "the weights load in the stock darknet" {
    trains "$tiny/gradients.cfg" run
    sed -e '/^\[data\]/,/^$/d' -e '/^\[sobolev\]/,$d' "$tiny/gradients.cfg" >stock.cfg
    echo '[cost]' >>stock.cfg
    run "$darknet" partial stock.cfg run/gradients_final.weights copy.weights 4
    [ -s copy.weights ] || skip "no stock darknet: $output"
    # It counts the samples seen from 0 again, in bytes 13 to 20.
    equal weights "$(tail -c +21 run/gradients_final.weights | cksum)" "$(tail -c +21 copy.weights | cksum)"
}

@test "layers of Darknet count in the test error" {
    sed -e 's/^order=1/order=0/' -e '/^loss_1/d' "$tiny/gradients.cfg" >plain.cfg
    sed 's/^\[sobolev\]/[route]\nlayers=-1\n\n[sobolev]/' plain.cfg >routed.cfg
    trains plain.cfg plain
    trains routed.cfg routed
    same_file plain/plain_final.weights routed/routed_final.weights
    equal 'test errors' "$(cut -d , -f 9 plain/metrics.csv)" "$(cut -d , -f 9 routed/metrics.csv)"
}
