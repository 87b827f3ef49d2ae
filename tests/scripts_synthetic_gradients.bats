#!/usr/bin/env bats
# scripts/picture_lists and scripts/paper_synthetic_gradients on coloured squares: what they leave behind, that they go on where they stopped, what they
# refuse.
load program_setup

# squares: pictures/train and pictures/test with the ten classes of CIFAR-10, 32x32, each of a grey of its own
squares() {
    local n=20
    for class in airplane automobile bird cat deer dog frog horse ship truck; do
        mkdir -p "pictures/train/$class" "pictures/test/$class"
        # shellcheck disable=SC2059  # an octal escape
        level=$(printf "\\$(printf %o "$n")")
        n=$((n + 20))
        for i in train/$class/0 train/$class/1 train/$class/2 train/$class/3 test/$class/0; do
            { printf 'P6\n32 32\n255\n'; printf "$level%.0s" {1..3072}; } >"pictures/$i.ppm"
        done
    done
}

lists() {
    run --separate-stderr "$SOURCE_DIR/scripts/picture_lists" "$@"
}

study() {
    run --separate-stderr "$SOURCE_DIR/scripts/paper_synthetic_gradients" -darknet "$darknet" "$@"
}

small_study() {
    study -data "$PWD/pictures" -out "$PWD/study" -width 16 -updates 5 -methods "noprop direct sobolev labels deeper backprop" "$@"
    equal "status (it said: $stderr)" 0 "$status"
}

@test "lists of a folder, and of an archive" {
    squares
    lists pictures -out a
    equal said 'a/a.data: 40 training pictures, 10 test pictures, 10 classes' "$output"
    equal data 'classes = 10,train = a/train.list,valid = a/valid.list,names = a/names.list,' "$(tr '\n' , <a/a.data)"
    equal first pictures/train/airplane/0.ppm "$(head -n 1 a/train.list)"
    (cd pictures && tar -cf ../all.tar .)
    lists all.tar -out b
    equal status 0 "$status"
    same_file <(sed 's,^,b/,' a/train.list) b/train.list
    printf 'airplane\nship\ntruck\n' >names
    lists pictures/train/ship -out c -names names -classes 2
    equal said 'c/c.data: 4 training pictures, 0 test pictures, 2 classes' "$output"
    equal data 'classes = 2,train = c/train.list,names = c/names.list,' "$(tr '\n' , <c/c.data)"
    equal names 'airplane ship ' "$(tr '\n' ' ' <c/names.list)"
}

@test "lists: words that are wrong" {
    mkdir -p empty pictures
    for words in "" "nowhere -out a" "empty" "empty -out a" "empty -out a -names nowhere" "empty pictures -out a" "-size 3" "empty -classes no -out a"; do
        # shellcheck disable=SC2086
        lists $words
        equal "status of $words" 2 "$status"
        like "message of $words" '*scripts/picture_lists: error: *' "$stderr"
    done
}

@test "every method is trained, and stands in the table" {
    squares
    small_study -seeds "1 2"
    equal runs '13 noprop,1,5 direct,1,5 sobolev,1,5 labels,1,5 deeper,1,5 backprop,1,5 ' "$(wc -l <study/runs.csv) $(sed -n 2,7p study/runs.csv | cut -d , -f 1-3 | tr '\n' ' ')"
    equal rows 6 "$(grep -c '^| [a-z]* | [0-9.]* \[' study/table.md)"
    equal claims 2 "$(grep -c '^\(yes\|NO\): ' study/claims.txt)"
    for line in "filters=4" "filters=32" "steps=2,3,4" "mode=noprop" "augment=pad_crop"; do
        grep -qx "$line" study/1/noprop/run.cfg || { echo "no $line" >&2; return 1; }
    done
    equal 'label weights' 3 "$(grep -cx 'label_weight=1' study/1/labels/run.cfg)"
    equal 'convolutions' '14 17' "$(grep -cx '\[convolutional\]' study/1/sobolev/run.cfg) $(grep -cx '\[convolutional\]' study/1/deeper/run.cfg)"
    [ -e study/1/direct/cifar10_direct_final.weights ]
}

@test "it goes on where it stopped" {
    squares
    small_study -seeds 1
    rm study/1/direct/summary.json
    cp study/table.md before.md
    small_study -seeds 1
    like output '1 runs to do*' "$output"
    same_file before.md study/table.md
    study -out "$PWD/study" -seeds 1 -updates 6 -methods noprop
    equal status 2 "$status"
    like message '*a run of another length stands where one of 6 updates should: *' "$stderr"
}

@test "words that are wrong" {
    mkdir -p pictures
    for words in "-size 100" "-methods magic" "-net alexnet" "-darknet /nowhere" "-seeds" "" "-updates 4" "-data nowhere"; do
        # shellcheck disable=SC2086
        study -out "$PWD/study" $words
        equal "status of $words" 2 "$status"
        like "message of $words" '*scripts/paper_synthetic_gradients: error: *' "$stderr"
        absent study
    done
}
