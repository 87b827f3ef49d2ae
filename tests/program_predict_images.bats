#!/usr/bin/env bats
# predict -image: outputs of pictures, pictures of gradients; bad input.
load program_setup

# A [connected] layer on pictures of 4 x 4 pixels, grey: y1 = the pixel in the middle of the second row, y2 = 2 - the last pixel, y3 = -1.
make_network() {
    printf '[net]\nheight=4\nwidth=4\nchannels=1\nbatch=2\n[connected]\noutput=3\nactivation=linear\n' >pixels.cfg
    local one='\0\0\x80\x3f' minus_one='\0\0\x80\xbf' two='\0\0\0\x40'
    zeros() { head -c $((4 * $1)) /dev/zero; }
    (
        printf '\0\0\0\0\2' && head -c 19 /dev/zero && printf %b "$two$minus_one" # the version 0.2.0, seen 0, y1's bias 0
        zeros 5 && printf %b "$one" && zeros 10
        zeros 15 && printf %b "$minus_one"
        zeros 16
    ) >pixels.weights
    printf 'middle\ncorner\nnothing\n' >names.txt
    grey picture 40 204
}

# grey NAME A B: NAME.pgm, 4 x 4 pixels of 0 but for the two that the network looks at.
grey() {
    printf 'P2 4 4 255 0 0 0 0 0 %d 0 0 0 0 0 0 0 0 0 %d\n' "$2" "$3" >"$1.pgm"
}

is_png() {
    equal "first bytes of $1" 89504e470d0a1a0a "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')"
}

# numbers FILE: the data set, through CSV.
numbers() {
    ends 0 predict pixels.cfg pixels.weights "$1"
    echo "$output"
}

says() { # PICTURE Y1 Y2
    printf '%s\n' "$1"
    printf '    %-12.6g y%-6d%s\n' "$3" 2 "${4:+ corner}" "$2" 1 "${4:+ middle}" -1 3 "${4:+ nothing}"
}

@test "the outputs of a picture are those of its pixels" {
    make_network
    ends 0 predict pixels.cfg pixels.weights -image picture.pgm
    equal output "$(says picture.pgm .156863 1.2)" "$output"
    ends 0 predict pixels.cfg pixels.weights -image picture.pgm -names names.txt -backend ref
    equal 'output with names' "$(says picture.pgm .156863 1.2 names)" "$output"
    mkdir folder
    grey folder/b 0 255
    grey folder/a 255 51
    echo 'no picture' >folder/a.txt
    ends 0 predict pixels.cfg pixels.weights -image folder -image picture.pgm
    equal 'a folder and a picture' "$(says folder/a.pgm 1 1.8; printf 'folder/b.pgm\n    1            y2     \n    0            y1     \n    -1           y3     \n'; says picture.pgm .156863 1.2)" "$output"
}

@test "pictures are seen as the tests of a training see them" {
    make_network
    printf '[data]\nlist=none.data\nview=centre_crop\ncentre=.5\n' >>pixels.cfg
    { echo 'P2 8 8 255'; printf '9 %.0s' {1..27}; echo 40; printf '9 %.0s' {29..45}; echo 204; printf '9 %.0s' {47..64}; } >large.pgm
    ends 0 predict pixels.cfg pixels.weights -image large.pgm
    equal output "$(says large.pgm .156863 1.2)" "$output"
}

@test "-derivatives: two pictures and the numbers, of the largest output or of -output-index" {
    make_network
    for k in '' 1; do
        ends 0 predict pixels.cfg pixels.weights -image picture.pgm -derivatives -out new/out$k ${k:+-output-index $k}
        equal output "$(says picture.pgm .156863 1.2)" "$output"
        equal files 'picture.h5 picture_magnitude.png picture_signed.png' "$(ls -m new/out$k | tr -d ,)"
        is_png new/out$k/picture_signed.png
        is_png new/out$k/picture_magnitude.png
    done
    # The file is a data set like any other: its x gives the same outputs.
    like x 'x1,*y1,y2,y3'$'\n''0,0,0,0,0,0.15686*,0,0,0,0,0,0,0,0,0,0.8*,0.15686*,1.2*,-1' "$(numbers new/out/picture.h5)"
    run ! cmp -s new/out/picture_signed.png new/out1/picture_signed.png
    # And a data set to be measured against: y2 alone agrees with its value and gradient, and not with those of y1.
    printf '[net]\nheight=4\nwidth=4\nchannels=1\nmax_batches=1\n[data]\nfile=samples.h5\ntest_file=samples.h5\n' >corner.cfg
    printf '[connected]\noutput=1\nactivation=linear\n[sobolev]\norder=1\n' >>corner.cfg
    (head -c 20 pixels.weights && head -c 28 pixels.weights | tail -c 4 && head -c 160 pixels.weights | tail -c 64) >corner.weights
    cp new/out/picture.h5 samples.h5
    ends 0 valid corner.cfg corner.weights
    like 'against y2' '*value_mse 0'$'\n''*gradient_mse 0*' "$output"
    cp new/out1/picture.h5 samples.h5
    ends 0 valid corner.cfg corner.weights
    like 'against y1' '*gradient_mse 0.125*' "$output"
}

@test "the pictures of the gradient show where the output looks" {
    make_network
    ends 0 predict pixels.cfg pixels.weights -image picture.pgm -derivatives -out out1 -output-index 1
    # Read as pictures themselves: bright where the gradient is, dark elsewhere.
    ends 0 predict pixels.cfg pixels.weights -image out1/picture_magnitude.png
    equal 'magnitude of y1' "$(says out1/picture_magnitude.png 1 2 | sort)" "$(sort <<<"$output")"
    ends 0 predict pixels.cfg pixels.weights -image picture.pgm -derivatives -out out2 -output-index 2
    ends 0 predict pixels.cfg pixels.weights -image out2/picture_magnitude.png
    equal 'magnitude of y2' "$(says out2/picture_magnitude.png 0 1 | sort)" "$(sort <<<"$output")"
}

@test "existing files are replaced with -force only" {
    make_network
    mkdir out
    echo old >out/picture.h5
    refuses 2 'out/picture.h5: error: there is such a file; name another folder with -out, or replace it with -force' \
        predict pixels.cfg pixels.weights -image picture.pgm -derivatives -out out
    equal files picture.h5 "$(ls out)"
    ends 0 predict pixels.cfg pixels.weights -image picture.pgm -derivatives -out out -force
    numbers out/picture.h5 >/dev/null
    equal files 'picture.h5 picture_magnitude.png picture_signed.png' "$(ls -m out | tr -d ,)"
    mkdir one two
    cp picture.pgm one/same.pgm
    cp picture.pgm two/same.pgm
    refuses_like 2 'twice/same_signed.png: error: both * and * would be written there' \
        predict pixels.cfg pixels.weights -image one -image two -derivatives -out twice
    absent twice
}

@test "bad pictures, folders and names: one message before anything is written" {
    make_network
    refuses_one() { # STATUS PATTERN WORD…: the picture that is good is not looked at either
        local status=$1 message=$2
        shift 2
        refuses_like "$status" "$message" predict pixels.cfg pixels.weights -image picture.pgm "$@" -derivatives -out out
        equal 'lines of the message' 1 "$(wc -l <<<"$stderr")"
        absent out
    }
    refuses_one 1 'nowhere.pgm: error: cannot be opened: No such file or directory' -image nowhere.pgm
    echo 'not a picture' >broken.png
    refuses_one 1 'broken.png: error: cannot be read as a picture' -image broken.png
    : >empty.jpg
    refuses_one 1 'empty.jpg: error: *' -image empty.jpg
    mkdir nothing
    refuses_one 1 'nothing: error: there is no picture in this folder (by the endings of their names)' -image nothing
    mkdir some
    cp broken.png some
    refuses_one 1 'some/broken.png: error: cannot be read as a picture' -image some
    refuses_one 1 'nowhere.txt: error: *' -names nowhere.txt
    echo middle >short.txt
    refuses_one 1 'short.txt: error: holds 1 names, the network has 3 outputs' -names short.txt
    refuses_one 2 'darknet sobolev predict: error: -output-index 4: the network has outputs 1 to 3' -output-index 4
    refuses_like 1 'nowhere.weights: error: *' predict pixels.cfg nowhere.weights -image picture.pgm -derivatives -out out
    absent out
    : >file
    refuses_like 1 'file*' predict pixels.cfg pixels.weights -image picture.pgm -derivatives -out file/out
}

@test "words that do not go together" {
    make_network
    refuses_words() {
        local message=$1
        shift
        refuses 2 "darknet sobolev predict: error: $message" predict pixels.cfg pixels.weights "$@"
    }
    refuses_words '-derivatives of -image needs -out: the folder for the pictures of the gradient' -image picture.pgm -derivatives
    refuses_words '-out with -image is the folder for what -derivatives gives: one of them is missing' -image picture.pgm -out out
    refuses_words '-hessian goes with a file of points, not with -image' -image picture.pgm -hessian
    refuses_words "'in.csv': -image takes the place of INPUT" in.csv -image picture.pgm
    refuses_words '-names goes with -image' in.csv -names names.txt
    absent out
}

@test "networks that do not take pictures, or have no derivatives" {
    make_network
    printf '[net]\ninputs=16\n[connected]\noutput=3\nactivation=linear\n' >numbers.cfg
    refuses 2 'numbers.cfg:1:1: error: -image: the network takes numbers (inputs=), not pictures (height=, width=, channels=)' \
        predict numbers.cfg pixels.weights -image picture.pgm
    sed 's/channels=1/channels=2/' pixels.cfg >two.cfg
    refuses_like 2 'two.cfg:4:*: error: *-image: pictures have 1 channel or 3' predict two.cfg pixels.weights -image picture.pgm
    trains "$tiny/host_layers.cfg" run -set net.max_batches=2
    ends 0 predict "$tiny/host_layers.cfg" run/host_layers_final.weights -image picture.pgm
    like output 'picture.pgm'$'\n''    * y1     ' "$output"
    refuses 2 "$tiny/host_layers.cfg:18:1: error: [convolutional] has no derivatives of order 1: weights of two values have no derivative" \
        predict "$tiny/host_layers.cfg" run/host_layers_final.weights -image picture.pgm -derivatives -out out
    absent out
}
