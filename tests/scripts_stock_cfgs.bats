#!/usr/bin/env bats
# scripts/stock_cfgs on two small cfgs of Darknet's package: the same weights files, outputs and updates as stock Darknet.

bats_require_minimum_version 1.5.0

setup() {
    cd "$SOURCE_DIR" || return 1
    # The plugin is preloaded: not under the sanitizers, whose library must come first.
    ldd "$BUILD_DIR/darknet_ext/libdarknet_ext.so" | grep -q libasan && skip "the sanitizers cannot be preloaded behind the plugin"
    [ -d /usr/share/darknet/cfg ] || skip "Darknet's package has no cfgs here"
}

# row NAME: its line of the table
row() {
    run -0 scripts/stock_cfgs -small -no-check -build "$BUILD_DIR" "$1"
    row=$(grep "^| \`$1\`" <<<"$output")
}

@test "a convolutional network with batch normalisation and dropout" {
    row cifar
    [[ "$row" == "| \`cifar\` | yes | same | "* ]]
    awk -F'|' '{ exit !($5 + 0 < 1e-4 && $7 + 0 < 1e-3) }' <<<"$row"
}

@test "a fully convolutional network" {
    row jnet-conv
    [[ "$row" == "| \`jnet-conv\` | yes | same | "* ]]
    awk -F'|' '{ exit !($5 + 0 < 1e-4 && $7 + 0 < 1e-3) }' <<<"$row"
}

@test "an unknown flag" {
    run -2 scripts/stock_cfgs -smal
}
