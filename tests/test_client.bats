#!/usr/bin/env bats
# tests/client.c and tests/stock_client.c, programs that know Darknet only, get the plugin by linking and by LD_PRELOAD.
#
#     BUILD_DIR=build SOURCE_DIR=. bats tests/test_client.bats
#
# BUILD_DIR holds libdarknet_ext.so, or a folder darknet_ext with it.

bats_require_minimum_version 1.5.0

find_libraries() {
    plugin=$BUILD_DIR/libdarknet_ext.so
    [ -e "$plugin" ] || plugin=$BUILD_DIR/darknet_ext/libdarknet_ext.so
    plugin=$(realpath "$plugin")
    darknet_folder=$(dirname "$(ldd "$plugin" | awk '$1 == "libdarknet.so" {print $3}')")
    include=${DARKNET_ROOT:-$darknet_folder}/include
    [ -e "$include/darknet.h" ] || include=$darknet_folder/../include
    sanitizer=$(ldd "$plugin" | awk '$1 ~ /^libasan/ {print $3}')
}

compile() { # program source libraries...
    local name=$1 source=$2
    shift 2
    local folder
    folder=$(dirname "$plugin")
    cc -Wall -Wextra -Werror ${sanitizer:+-fsanitize=address} "$SOURCE_DIR/tests/$source" -o "$BATS_FILE_TMPDIR/$name" \
        -isystem "$include" -L "$folder" -L "$darknet_folder" -Wl,-rpath,"$folder:$darknet_folder" "$@" -lm
}

setup_file() {
    find_libraries
    export plugin sanitizer
    export ASAN_OPTIONS=detect_leaks=0 # Darknet's own; the valgrind test tells them apart
    unset DARKNET_EXT_BACKEND DARKNET_EXT_SEED DARKNET_EXT_THREADS DARKNET_EXT_STOCK
    compile linked client.c -Wl,--no-as-needed -ldarknet_ext -ldarknet
    compile plain client.c -ldarknet
    compile linked_layers stock_client.c -Wl,--no-as-needed -ldarknet_ext -ldarknet
    compile plain_layers stock_client.c -ldarknet
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    cat > sobolev.cfg <<-END
		[net]
		inputs=2
		batch=4
		learning_rate=0.01
		adam=1
		[connected]
		output=64
		activation=tanh
		[connected]
		output=1
		activation=linear
		[sobolev]
		order=1
		END
    cat > stock.cfg <<-END
		[net]
		inputs=3
		batch=8
		subdivisions=2
		learning_rate=0.05
		[connected]
		output=16
		activation=tanh
		[connected]
		output=2
		activation=linear
		[cost]
		type=sse
		END
}

linked() {
    "$BATS_FILE_TMPDIR/linked" "$@"
}

plain() {
    "$BATS_FILE_TMPDIR/plain" "$@"
}

preloaded() {
    LD_PRELOAD="$sanitizer $plugin" "$BATS_FILE_TMPDIR/plain" "$@"
}

# value WORD: the numbers after it in what the client printed
value() {
    sed -n "s/^$1 //p" <<< "$output"
}

is_below() { # number factor number
    awk -v a="$1" -v f="$2" -v b="$3" 'BEGIN { exit !(a < f * b) }'
}

# All numbers of two lists agree to 1e-4.
are_near() {
    paste -d' ' <(tr ' ' '\n' <<< "$1") <(tr ' ' '\n' <<< "$2") |
        awk 'NF != 2 || !(($1 - $2) ^ 2 <= 1e-8) { bad = 1 } END { exit bad || NR == 0 }'
}

learns_derivatives() {
    run --separate-stderr "$1" sobolev.cfg - 300 out.weights
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    is_below "$(value last)" .2 "$(value first)"
    [ "$(stat -c %s out.weights)" -eq $((20 + 4 * (64 * 3 + 65))) ]
    local trained
    trained=$(value output)
    run --separate-stderr "$1" sobolev.cfg out.weights 0 -
    are_near "$(value output)" "$trained"
}

@test "linked: the loss on derivatives falls, and the weights come back" {
    learns_derivatives linked
}

@test "preloaded: the loss on derivatives falls, and the weights come back" {
    learns_derivatives preloaded
}

@test "a teacher teaches where its files are, and is not missed by predictions" {
    sed '/^\[sobolev\]/,$d' sobolev.cfg > teacher.cfg
    printf '[teacher]\ncfg=teacher.cfg\n' >> sobolev.cfg
    learns_derivatives preloaded
    rm teacher.cfg
    run --separate-stderr linked sobolev.cfg out.weights 0 -
    [ "$status" -eq 0 ]
    run --separate-stderr linked sobolev.cfg - 1 -
    [ "$status" -eq 134 ]
    [[ $stderr == *"the network cannot be trained: its [teacher] could not be read"* ]]
}

@test "without the plugin the section is not known" {
    run ! plain sobolev.cfg - 1 -
}

trains_like_stock() {
    run --separate-stderr plain stock.cfg - 50 -
    local stock_losses stock_output
    stock_losses="$(value first) $(value last)" stock_output=$(value output)
    run --separate-stderr "$1" stock.cfg - 50 -
    [ "$status" -eq 0 ]
    are_near "$(value first) $(value last)" "$stock_losses"
    are_near "$(value output)" "$stock_output"
}

@test "linked: a cfg of stock sections trains as without the plugin" {
    trains_like_stock linked
}

@test "preloaded: a cfg of stock sections trains as without the plugin" {
    trains_like_stock preloaded
}

# linked_layers, plain_layers and preloaded_layers: tests/stock_client.c, which writes the outputs of every layer
linked_layers() {
    "$BATS_FILE_TMPDIR/linked_layers" "$@" > /dev/null
}

plain_layers() {
    "$BATS_FILE_TMPDIR/plain_layers" "$@" 2> /dev/null | tail -n 1
}

preloaded_layers() {
    LD_PRELOAD="$sanitizer $plugin" "$BATS_FILE_TMPDIR/plain_layers" "$@" > /dev/null
}

runs_resnet18_like_stock() {
    local cfg=${DARKNET_CFGS:-/usr/share/darknet/cfg}/resnet18.cfg worst rest
    [ -e "$cfg" ] || skip "Darknet's package has no cfgs here"
    sed -E 's/^(height|width) *=.*/\1=64/' "$cfg" > resnet18.cfg
    plain_layers first resnet18.cfg stock.weights
    "$1" copy resnet18.cfg stock.weights again.weights
    cmp stock.weights again.weights
    plain_layers predict resnet18.cfg stock.weights stock.outputs
    "$1" predict resnet18.cfg stock.weights our.outputs
    read -r worst rest <<< "$(plain_layers differ-outputs resnet18.cfg stock.outputs our.outputs)"
    echo "largest relative difference of an output: $worst (layer, and difference of the last: $rest)"
    [ -n "$worst" ]
    is_below "$worst" 1e-4 1
    run ! cmp -s stock.outputs our.outputs # stock's own layers would repeat every bit
    "$1" first resnet18.cfg our.weights
    plain_layers copy resnet18.cfg our.weights again.weights
    cmp our.weights again.weights
}

@test "linked: resnet18 at 64 x 64 has stock's outputs, and the weights are the same bytes" {
    runs_resnet18_like_stock linked_layers
}

@test "preloaded: resnet18 at 64 x 64 has stock's outputs, and the weights are the same bytes" {
    runs_resnet18_like_stock preloaded_layers
}

refuses_broken_cfg() {
    run --separate-stderr "$1" "$SOURCE_DIR/cfg/broken/unknown_key.cfg" - 1 -
    echo "$stderr"
    [ "$status" -eq 2 ]
    [ -z "$output" ]
    [ "$(grep -c 'error:' <<< "$stderr")" -eq 1 ]
    grep -Eq 'unknown_key\.cfg:[0-9]+:[0-9]+: error: ' <<< "$stderr"
}

@test "linked: a broken cfg is refused with one message" {
    refuses_broken_cfg linked
}

@test "preloaded: a broken cfg is refused with one message" {
    refuses_broken_cfg preloaded
}

@test "a missing cfg is refused" {
    run --separate-stderr linked nowhere.cfg - 1 -
    [ "$status" -eq 2 ]
    [[ $stderr == *nowhere.cfg* ]]
}

@test "DARKNET_EXT_BACKEND chooses the backend" {
    DARKNET_EXT_BACKEND=ref run --separate-stderr linked sobolev.cfg - 300 -
    [ "$status" -eq 0 ]
    is_below "$(value last)" .2 "$(value first)"
    DARKNET_EXT_BACKEND=nonsense run --separate-stderr linked sobolev.cfg - 1 -
    [ "$status" -eq 2 ]
    [[ $stderr == *nonsense* ]]
}

@test "DARKNET_EXT_SEED draws the first weights" {
    DARKNET_EXT_SEED=7 run --separate-stderr linked sobolev.cfg - 5 -
    local seven=$output
    DARKNET_EXT_SEED=7 run --separate-stderr linked sobolev.cfg - 5 -
    [ "$output" = "$seven" ]
    DARKNET_EXT_SEED=8 run --separate-stderr linked sobolev.cfg - 5 -
    [ "$output" != "$seven" ]
}

@test "an unknown DARKNET_EXT_ variable is refused" {
    DARKNET_EXT_FOO=1 run --separate-stderr linked sobolev.cfg - 1 -
    [ "$status" -eq 2 ]
    [[ $stderr == *DARKNET_EXT_FOO* ]]
}

@test "a locale with decimal commas changes no number" {
    [ "$(LC_ALL=de_DE.UTF-8 env printf %.1f 1)" = 1,0 ] || skip "no locale de_DE.UTF-8"
    run --separate-stderr linked sobolev.cfg - 5 -
    local c_locale=$output
    LC_ALL=de_DE.UTF-8 run --separate-stderr linked sobolev.cfg - 5 -
    [ "$output" = "$c_locale" ]
    [ "$(value learning_rate)" = 0.00999999978 ]
}

@test "after free_network nothing of the plugin is lost, and no memory was misused" {
    command -v valgrind > /dev/null || skip "no valgrind"
    [ -z "$sanitizer" ] || skip "the sanitizers are in use"
    cat > darknet.supp <<-END
		{
		   what libdarknet allocates itself and never frees
		   Memcheck:Leak
		   fun:*alloc
		   obj:*/libdarknet.so
		   ...
		}
		END
    export DARKNET_EXT_BACKEND=ref DARKNET_EXT_THREADS=1
    run valgrind --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
        --suppressions=darknet.supp "$BATS_FILE_TMPDIR/linked" sobolev.cfg - 2 out.weights
    echo "$output"
    [ "$status" -eq 0 ]
}
