#!/usr/bin/env bats
# export: what it writes, who can read it, and what it refuses.
load program_setup

# net.cfg, a small classifier of pictures of 8 x 8 pixels, and trained.weights for it; picture.ppm, 9 x 7.
make_network() {
    cat >net.cfg <<-END
		[net]
		height=8
		width=8
		channels=3
		batch=4
		max_batches=3
		learning_rate=.01
		seed=3
		backend=ref
		[data]
		function=ackley_nd,sphere,rastrigin,griewank
		points=16
		test_points=4
		domain=0,1
		[convolutional]
		filters=5
		size=3
		pad=1
		batch_normalize=1
		activation=${1:-leaky}
		[maxpool]
		size=2
		stride=2
		[dropout]
		probability=.1
		[connected]
		output=4
		activation=linear
		[softmax]
		temperature=2
		[sobolev]
		order=0
		END
    trains net.cfg run
    cp run/net_final.weights trained.weights
    (printf 'P6 9 7 255\n' && awk 'BEGIN { for (i = 0; i < 189; ++i) printf "%c", 32 + i * 37 % 90 }') >picture.ppm
}

sections() {
    grep -o '^\[.*\]' "$1" | tr -d '\n'
}

# The probabilities, in percent, of y1 to y4.
of_stock() { # CFG WEIGHTS
    printf 'y1\ny2\ny3\ny4\n' >names.txt
    printf 'classes=4\ntop=4\nnames=names.txt\n' >classes.data
    "$darknet" classifier predict classes.data "$1" "$2" picture.ppm 2>/dev/null </dev/null | sed -n 's/^ *\([0-9.]*\)%: \(y[1-4]\)$/\2 \1/p' | sort
}

of_plugin() { # CFG WEIGHTS
    ends 0 predict "$1" "$2" -image picture.ppm || return 1
    awk 'NR > 1 { printf "%s %.2f\n", $2, 100 * $1 }' <<<"$output" | sort
}

# Percentages agree but for the last digit that stock Darknet prints.
are_near() {
    paste -d ' ' <(echo "$1") <(echo "$2") | awk 'NF != 4 || $1 != $3 || ($2 - $4) ^ 2 > .0005 { bad = 1 } END { exit bad || NR != 4 }' && return
    printf 'expected:\n%s\nfound:\n%s\n' "$1" "$2" >&2
    return 1
}

@test "stock sections alone, and the stock program says what predict says" {
    make_network
    plugin=$(of_plugin net.cfg trained.weights)
    for reader in '' darknet opencv; do
        ends 0 export net.cfg trained.weights -out out$reader ${reader:+-reader $reader}
        equal 'what it says' '' "$output$stderr"
        equal files 'net.cfg net.weights' "$(ls -m out$reader | tr -d ,)"
        like sections '\[net\]\[convolutional\]\[maxpool\]*\[connected\]\[softmax\]' "$(sections out$reader/net.cfg)"
        run ! grep -qE '^(seed|backend|threads|batchnorm_gradient|function|order)' out$reader/net.cfg
        are_near "$plugin" "$(of_stock out$reader/net.cfg out$reader/net.weights)"
        are_near "$plugin" "$(of_plugin out$reader/net.cfg out$reader/net.weights)"
    done
    grep -q batch_normalize outdarknet/net.cfg
    run ! grep -q 'temperature' outopencv/net.cfg
    # Other weights give other outputs: the comparison above could have failed.
    trains net.cfg other -seed 9 -set net.max_batches=1
    run ! are_near "$plugin" "$(of_plugin net.cfg other/net_final.weights)"
}

@test "what OpenCV cannot run is a note, an error with -reader opencv, nothing with -reader darknet" {
    make_network elu
    ends 0 export net.cfg trained.weights -out both
    like note "net.cfg:*: note: OpenCV does not know activation=elu" "$stderr"
    are_near "$(of_plugin net.cfg trained.weights)" "$(of_stock both/net.cfg both/net.weights)"
    ends 0 export net.cfg trained.weights -out darknet -reader darknet
    equal 'what it says' '' "$output$stderr"
    refuses_like 2 "net.cfg:*: error: OpenCV does not know activation=elu"$'\n'"net.cfg: error: OpenCV cannot run this network as it is: nothing was written" \
        export net.cfg trained.weights -out opencv -reader opencv
    absent opencv
}

@test "what stock Darknet cannot run is refused" {
    make_network softplus
    for reader in darknet opencv; do
        refuses_like 2 "net.cfg:*: error: *softplus*net.cfg: error: stock Darknet cannot run this network as it is: nothing was written" \
            export net.cfg trained.weights -out out -reader $reader
    done
    absent out
}

@test "existing files are replaced with -force only, and never those that are exported" {
    make_network
    for ending in cfg weights; do
        mkdir $ending
        echo old >$ending/net.$ending
        refuses 2 "$ending/net.$ending: error: there is such a file; name another folder with -out, or replace it with -force" \
            export net.cfg trained.weights -out $ending
        equal 'files that are left' net.$ending "$(ls $ending)"
        equal 'the old file' old "$(cat $ending/net.$ending)"
        ends 0 export net.cfg trained.weights -out $ending -force
        equal files 'net.cfg net.weights' "$(ls -m $ending | tr -d ,)"
        equal 'first section' '[net]' "$(head -1 $ending/net.cfg)"
    done
    cp net.cfg kept.cfg
    refuses 2 './net.cfg: error: is what is to be exported; name another folder with -out' export net.cfg trained.weights -out . -force
    same_file net.cfg kept.cfg
    absent net.weights
    mkdir -p folder/net.weights
    refuses 1 'folder/net.weights: error: cannot be opened: not a file' export net.cfg trained.weights -out folder -force
    absent folder/net.cfg folder/net.cfg.part
}

@test "bad words and bad files: one message, nothing is written" {
    make_network
    refuses 2 'darknet sobolev export: error: -out must name the folder to write to' export net.cfg trained.weights
    refuses 2 "darknet sobolev export: error: -reader: 'opencw' is neither darknet nor opencv, did you mean 'opencv'?" \
        export net.cfg trained.weights -out out -reader opencw
    refuses_like 2 'darknet sobolev export: error: *' export net.cfg -out out
    refuses_like 1 'nowhere.weights: error: *' export net.cfg nowhere.weights -out out
    refuses_like 1 'nowhere.cfg*' export nowhere.cfg trained.weights -out out
    head -c 100 trained.weights >short.weights
    refuses_like 1 'short.weights: error: *' export net.cfg short.weights -out out
    (cat trained.weights && echo) >long.weights
    refuses_like 1 'long.weights: error: *' export net.cfg long.weights -out out
    absent out
    : >file
    refuses_like 1 'file/*' export net.cfg trained.weights -out file/out
}

@test "an unwritable folder, a full disk" {
    make_network
    mkdir full
    # 1 KB: enough for the cfg, not for the weights. What the program says goes through a pipe.
    run bash -c '(ulimit -f 1; trap "" XFSZ; exec "$@") 2>&1 | cat; exit "${PIPESTATUS[0]}"' - \
        "$darknet" sobolev export net.cfg trained.weights -out full
    equal status 1 "$status"
    like message 'full/net.*: error: cannot be written: File too large' "$output"
    equal 'what is left' '' "$(ls -A full)"
    need_nobody
    mkdir -m 755 locked
    chmod 644 net.cfg trained.weights
    for out in locked locked/new; do
        run --separate-stderr as_nobody "$darknet" sobolev export net.cfg trained.weights -out $out
        equal status 1 "$status"
        like message 'locked/*: Permission denied' "$stderr"
    done
    equal 'what is left' '' "$(ls -A locked)"
}

@test "where stock Darknet makes NaN, a note" {
    printf '[net]\nheight=4\nwidth=4\nchannels=3\nbatch=2\n[l2norm]\n[normalization]\nsize=2\n[normalization]\nsize=3\n[connected]\noutput=1\n' >net.cfg
    (printf '\0\0\0\0\2\0\0\0\0\0\0\0' && head -c 204 /dev/zero) >zero.weights
    ends 0 export net.cfg zero.weights -out out -reader darknet
    equal messages 'net.cfg:6:1: note: stock Darknet gives NaN for a pixel whose channels are all 0; here they stay 0
net.cfg:7:1: note: stock Darknet gives NaN where the sum of [normalization] is not positive; here those outputs are 0' "$stderr"
}
