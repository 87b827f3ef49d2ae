#!/usr/bin/env bats
# Training pictures that are changed each time, and what tests see of them.
load program_setup

# network DATA [NET]: grey or coloured pictures of 8 x 8 and two classes
network() {
    printf '[net]\nheight=8\nwidth=8\nchannels=3\nbatch=16\nmax_batches=60\nlearning_rate=.003\nadam=1\ndecay=0\n%b\n[data]\n%b\n' "${2:-}" "$1"
    printf '[connected]\noutput=16\nactivation=tanh\n[connected]\noutput=2\nactivation=linear\n[sobolev]\norder=0\n'
}

# pictures: coloured PPM files, light at the top or at the bottom (no mirror or part of them hides which), in lists; HEIGHT and WIDTH, 8
pictures() {
    mkdir -p pictures
    local i kind height=${HEIGHT:-8} width=${WIDTH:-8} half
    half=$((height * width / 2))
    for ((i = 0; i < 24; ++i)); do
        kind=top
        ((i % 2)) && kind=bottom
        awk -v n="$half" -v kind=$kind -v i="$i" -v h="$height" -v w="$width" 'BEGIN {
            print "P3\n" w, h, "\n255"
            for (k = 0; k < h * w; ++k) {
                light = (k < n) == (kind == "top")
                print light ? 200 + i : 20 + i, light ? 150 + k % w : 30, light ? 220 : 10 + k % w
            }
        }' >"pictures/$i-$kind.ppm"
        echo "pictures/$i-$kind.ppm"
    done >all.list
    head -n 18 all.list >train.list
    tail -n 6 all.list >valid.list
    printf 'top\nbottom\n' >two.names
    printf 'classes = 2\ntrain = train.list\nvalid = valid.list\nlabels = two.names\n' >two.data
}

# repeats_bits LOADERS UPDATES REST: a.cfg trained with one loader thread, in one/, gives the bits that it gives with so many, and with a stop after so many
# updates and another number of threads for the rest.
repeats_bits() {
    trains a.cfg one -set data.loaders=1
    trains a.cfg many -set "data.loaders=$1"
    same_file one/a_final.weights many/a_final.weights
    trains a.cfg half -set "net.max_batches=$2"
    ends 0 train a.cfg half/a_last.weights -out rest -no-chart -set "data.loaders=$3"
    same_file one/a_final.weights rest/a_final.weights
}

@test "pad_crop: pictures are learnt; any number of threads and a run that goes on give the same bits; other seeds do not" {
    pictures
    network 'list=two.data\naugment=pad_crop\npadding=2' >a.cfg
    repeats_bits 4 23 3
    trains a.cfg whole -set net.max_batches=400
    equal error 0 "$(metric test_error whole)"
    local other
    for other in 'data.augment=none' 'data.padding=1' 'data.flip=0'; do
        network "list=two.data\n$([ "$other" = data.augment=none ] || printf 'augment=pad_crop\\npadding=2\\n')" >a.cfg
        trains a.cfg other -force -set "$other"
        run ! cmp -s one/a_final.weights other/a_final.weights
    done
}

@test "test pictures are never changed: the same weights, the same errors, with and without" {
    pictures
    network 'list=two.data\naugment=pad_crop' >a.cfg
    network 'list=two.data' >plain.cfg
    trains a.cfg run
    ends 0 valid a.cfg run/a_final.weights
    local augmented=$output
    ends 0 valid plain.cfg run/a_final.weights
    equal errors "$output" "$augmented"
    like valid "*kl $(metric test_kl run)*" "$output"
}

@test "pad_crop of images in HDF5" {
    "$BUILD_DIR/tests/make_samples" frames frames.h5
    network 'file=frames.h5\nhistory=3\naugment=pad_crop\npadding=1' >a.cfg
    trains a.cfg one -set data.loaders=1
    trains a.cfg three -set data.loaders=3
    same_file one/a_final.weights three/a_final.weights
    network 'file=frames.h5\nhistory=3' >a.cfg
    trains a.cfg plain
    run ! cmp -s one/a_final.weights plain/a_final.weights
}

@test "inception: pictures of any size; any number of threads and a run that goes on give the same bits; every key has its effect" {
    HEIGHT=13 WIDTH=17 pictures
    network 'list=two.data\naugment=inception' >a.cfg
    repeats_bits 5 31 2
    local other
    for other in min_area=.5 max_area=.5 aspect=1 brightness=0 contrast=.1 saturation=0 hue=0 flip=0; do
        trains a.cfg other -force -set "data.$other"
        run ! cmp -s one/a_final.weights other/a_final.weights
    done
    trains a.cfg learnt -set net.max_batches=400 -set data.min_area=.7 -set data.hue=0
    equal error 0 "$(metric test_error learnt)"
}

@test "tests see the middle of a picture beside inception, all of it otherwise; view= decides, and says nothing about what is learnt from" {
    HEIGHT=13 WIDTH=17 pictures
    network 'list=two.data\naugment=inception' >a.cfg
    network 'list=two.data' >plain.cfg
    trains a.cfg run
    ends 0 valid a.cfg run/a_final.weights
    local centred=$output
    ends 0 valid plain.cfg run/a_final.weights -set data.view=centre_crop
    equal errors "$centred" "$output"
    ends 0 valid plain.cfg run/a_final.weights
    local whole=$output
    [ "$whole" != "$centred" ]
    ends 0 valid a.cfg run/a_final.weights -set data.view=letterbox
    equal errors "$whole" "$output"
    ends 0 valid a.cfg run/a_final.weights -set data.centre=.5
    [ "$output" != "$centred" ]
    trains a.cfg letterbox -set data.view=letterbox
    same_file run/a_final.weights letterbox/a_final.weights
}

# classes N: pictures of N classes with names of their own, in a .data file with the lines that follow
classes() {
    local n=$1 i
    shift
    mkdir -p pictures
    for ((i = 0; i < 4 * n; ++i)); do
        awk -v c=$((i % n)) 'BEGIN { print "P3\n10 8\n255"; for (k = 0; k < 80; ++k) print 25 * c, 250 - 25 * c, (k * c) % 255 }' >"pictures/$i-class$((i % n)).ppm"
        echo "pictures/$i-class$((i % n)).ppm"
    done >all.list
    printf 'class%s\n' $(seq 0 $((n - 1))) >some.names
    { printf 'train = all.list\nvalid = all.list\n'; printf '%s\n' "$@"; } >some.data
    network "list=some.data\nview=centre_crop" | sed "s/output=2/output=$n/" >c.cfg
}

@test "ten crops, top-1 and top-5 errors: in valid, metrics.csv, summary.json and the report" {
    classes 8 'names = some.names'
    trains c.cfg run -set net.max_batches=3
    like report '*test: value_mse *, error *, top5_error *, kl * (best*' "$output"
    local error top
    error=$(metric test_error run) top=$(metric test_top_error run)
    less_than "$top" "$error"
    grep -qE '"top5_error": 0\.[0-9]+' run/summary.json
    ends 0 valid c.cfg run/c_final.weights
    like valid "points 32*error $error*top5_error $top*kl $(metric test_kl run)" "$output"
    ends 0 valid c.cfg run/c_final.weights -crops 1
    like valid "points 32*error $error*top5_error $top*kl $(metric test_kl run)" "$output"
    ends 0 valid c.cfg run/c_final.weights -crops 10
    like valid 'points 32*error *top5_error *kl *' "$output"
    run ! grep -q value_mse <<<"$output"
    run ! grep -qF "kl $(metric test_kl run)" <<<"$output"
    ends 0 valid c.cfg run/c_final.weights -set data.top=2
    like valid "*error $error*top2_error *" "$output"
    classes 5 'names = some.names'
    trains c.cfg five -set net.max_batches=3
    equal top5 '' "$(metric test_top_error five)"
    trains c.cfg two -set net.max_batches=3 -set data.top=2
    [ -n "$(metric test_top_error two)" ]
}

@test "ten crops need pictures with classes, of which a part is seen" {
    classes 4 'names = some.names'
    trains c.cfg run -set net.max_batches=3
    refuses 2 '-set data.view=letterbox: error: [data] -crops=10 needs pictures with classes, of which view=centre_crop shows a part' valid c.cfg run/c_final.weights \
        -crops 10 -set data.view=letterbox
    refuses 2 "darknet sobolev valid: error: -crops: '5' is neither 1 nor 10" valid c.cfg run/c_final.weights -crops 5
    refuses 2 "darknet sobolev valid: error: -crops: 'ten' is not a whole number from 1 to 10" valid c.cfg run/c_final.weights -crops ten
    "$BUILD_DIR/tests/make_samples" frames frames.h5
    network 'file=frames.h5\nhistory=3' >a.cfg
    trains a.cfg frames -set net.max_batches=3
    refuses_like 2 'a.cfg:12:6: error: \[data\] -crops=10 needs pictures *' valid a.cfg frames/a_final.weights -crops 10
}

@test "Darknet's .data files: labels before names, top, backup" {
    classes 8 'names = nowhere.names' 'labels = some.names' 'backup = kept/weights/' 'top = 3' 'results = unused'
    ends 0 train c.cfg -no-chart -set net.max_batches=3
    like report '*top3_error *run: kept/weights/c' "$output"
    [ -s kept/weights/c/c_final.weights ]
    ends 0 valid c.cfg kept/weights/c/c_final.weights
    like valid '*top3_error *' "$output"
    trains c.cfg elsewhere -set net.max_batches=3
    absent runs elsewhere/c
    classes 8 'labels = some.names' 'names = nowhere.names'
    ends 0 train c.cfg -no-chart -set net.max_batches=3
    [ -s runs/c/c_final.weights ]
    classes 8 'names = some.names' 'top = many'
    refuses 2 "c.cfg:12:6: error: [data] some.data:4: error: top: 'many' is not a whole number from 1 to 1000000" train c.cfg -out no
    classes 8 'names = some.names' 'classes = 9'
    refuses 2 'c.cfg:12:6: error: [data] classes = 9, but some.names holds 8 names' train c.cfg -out no
    absent no
}

@test "bench says how many pictures a core decodes and augments, also when it is asked on standard input" {
    HEIGHT=13 WIDTH=17 pictures
    network 'list=two.data\naugment=inception\nloaders=1' >a.cfg
    ends 0 bench a.cfg -seconds .1
    [[ $output =~ loader\ +[0-9]+\ samples/s\ +[0-9]+\ per\ core,\ 1\ thread, ]]
    run --separate-stderr "$darknet" sobolev bench a.cfg -requests <<<$'loader 40\nloader\nplain 1'
    [[ ${lines[1]} =~ ^[0-9.e-]+\ [0-9.e-]+\ 48$ ]]
    equal 'without a number' error "${lines[2]}"
    [[ ${lines[3]} =~ ^[0-9.e-]+$ ]]
    sed 's/^list=.*/function=booth/; /^augment/d; /^loaders/d; s/^height=8/inputs=2/; /^width/d; /^channels/d; s/output=2/output=1/' a.cfg >f.cfg
    run --separate-stderr "$darknet" sobolev bench f.cfg -requests <<<'loader 40'
    equal 'without pictures' error "${lines[1]}"
}

@test "what cannot be augmented is refused" {
    pictures
    network 'list=two.data\naugment=pad_crop\npadding=8' >a.cfg
    refuses 2 'a.cfg:14:9: error: [data] padding=8 could leave nothing of a picture of 8 x 8' train a.cfg -out no
    "$BUILD_DIR/tests/make_samples" frames frames.h5
    network 'file=frames.h5\nhistory=3\naugment=pad_crop' | sed 's/^height=8/inputs=192/; /^width/d; /^channels/d' >v.cfg
    refuses 2 'v.cfg:12:9: error: [data] augment= needs images: [net] with height, width and channels' train v.cfg -out no
    echo 'x1,y1' >x.csv
    network 'file=x.csv\naugment=pad_crop' >c.cfg
    refuses_like 2 'c.cfg:12:6: error: \[data\] only HDF5 files (.h5, .hdf5) can be read in pieces, as history, * and augment ask for*' train c.cfg -out no
    network 'list=two.data\naugment=inception\nmax_area=.05' >m.cfg
    refuses 2 'm.cfg:14:10: error: [data] min_area=0.08 is above max_area=0.05' train m.cfg -out no
    absent no
    pictures
    awk 'BEGIN { print "P3\n40000 1\n255"; for (k = 0; k < 120000; ++k) print 7 }' >pictures/1-bottom.ppm
    network 'list=two.data\nview=centre_crop' >l.cfg
    ends 1 train l.cfg -out long -no-chart
    equal message 'train.list:2: error: a picture of 1 x 40000 is too long for view=centre_crop' "$stderr"
}
