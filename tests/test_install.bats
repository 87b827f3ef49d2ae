#!/usr/bin/env bats
# The installed plugin as others find it, and the tables of the documentation.
#     BUILD_DIR=build SOURCE_DIR=. bats tests/test_install.bats

bats_require_minimum_version 1.5.0

setup_file() {
    export prefix=$BATS_FILE_TMPDIR/prefix
    cmake --install "$BUILD_DIR" --prefix "$prefix" >/dev/null
    export library=$(dirname "$(find "$prefix" -name libdarknet_ext.so)")
    export sanitizer=$(ldd "$library/libdarknet_ext.so" | awk '$1 ~ /^libasan/ {print $3}')
    export ASAN_OPTIONS=detect_leaks=0
    cat >"$BATS_FILE_TMPDIR/user.c" <<'END'
#include <darknet.h>
#include <darknet_ext.h>

int main(int argc, char **argv)
{
    network *net = argc > 1 ? parse_network_cfg(argv[1]) : 0;
    printf("%s %d\n", dnx_version(), net ? net->truths : 0);
    return 0;
}
END
}

@test "pkg-config finds the plugin, and a program linked with it reads our sections" {
    export PKG_CONFIG_PATH=$library/pkgconfig
    # pkg-config speaks of the configured prefix; this is a copy in another place.
    cc ${sanitizer:+-fsanitize=address} "$BATS_FILE_TMPDIR/user.c" -o "$BATS_TEST_TMPDIR/user" \
        $(pkg-config --define-variable=prefix="$prefix" --cflags --libs darknet_ext) -Wl,-rpath,"$library"
    run -0 --separate-stderr "$BATS_TEST_TMPDIR/user" "$SOURCE_DIR/cfg/styblinski_tang.cfg"
    [ "$output" = "$(pkg-config --modversion darknet_ext) 3" ]
}

@test "the public header stands alone in C99 and in C++" {
    echo '#include <darknet_ext.h>' >"$BATS_TEST_TMPDIR/alone.c"
    cc -std=c99 -Wall -Wextra -pedantic -Werror -fsyntax-only -I "$prefix/include" "$BATS_TEST_TMPDIR/alone.c"
    command -v c++ >/dev/null || skip "no C++ compiler"
    c++ -x c++ -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only -I "$prefix/include" "$BATS_TEST_TMPDIR/alone.c"
}

# number NAME: what stands behind it in the first line of the pricer that begins with it.
number() {
    awk -v name="$1" '$1 == name { $1 = ""; print; exit }' <<<"$output"
}

@test "the example builds against the installed copy, prices, and loses no memory" {
    export PKG_CONFIG_PATH=$library/pkgconfig
    cd "$BATS_TEST_TMPDIR"
    cc -std=c99 -Wall -Wextra -Werror ${sanitizer:+-fsanitize=address} "$SOURCE_DIR/darknet_ext/examples/pricer.c" -o pricer \
        $(pkg-config --define-variable=prefix="$prefix" --cflags --libs darknet_ext) -Wl,-rpath,"$library"
    # y = 0.5 + 2 x1 - 3 x2
    printf '[net]\ninputs=2\n[connected]\noutput=1\nactivation=linear\n' >linear.cfg
    printf '\0\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x3f\0\0\0\x40\0\0\x40\xc0' >linear.weights
    run -0 ./pricer linear.cfg linear.weights 1 0.25
    echo "$output"
    [ "$(number price)" = " 1.75" ]
    [ "$(number delta)" = " 2 -3" ]
    [ "$(number gamma)" = " 0 0" ]
    run -0 ./pricer linear.cfg linear.weights
    [ "$(grep -c price <<<"$output")" = 3 ]
    run -1 ./pricer linear.cfg linear.weights 1
    run -1 --separate-stderr ./pricer linear.cfg nowhere.weights
    [ -z "$output" ]
    [[ "$stderr" == "nowhere.weights: error: "* ]]
    command -v valgrind >/dev/null || skip "no valgrind"
    [ -z "$sanitizer" ] || skip "the sanitizers are in use"
    export DARKNET_EXT_BACKEND=ref DARKNET_EXT_THREADS=1
    run -0 valgrind --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite --show-leak-kinds=definite \
        --suppressions=<(printf '{\nwhat libdarknet never frees\nMemcheck:Leak\nfun:*alloc\nobj:*/libdarknet.so\n...\n}\n') \
        ./pricer linear.cfg linear.weights
}

@test "find_package finds the plugin" {
    mkdir "$BATS_TEST_TMPDIR/project"
    cat >"$BATS_TEST_TMPDIR/project/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.22)
project(user C)
find_package(darknet_ext 0.1 REQUIRED)
get_target_property(location darknet_ext::darknet_ext LOCATION)
message(STATUS "found ${location}")
END
    run -0 cmake -G Ninja -S "$BATS_TEST_TMPDIR/project" -B "$BATS_TEST_TMPDIR/build" -DCMAKE_PREFIX_PATH="$prefix"
    [[ "$output" == *"found $library/libdarknet_ext.so"* ]]
}

@test "the installed program runs from its own place" {
    run -0 "$prefix/bin/darknet" sobolev version
    [[ "$output" == *"darknet_ext "* ]]
    run -0 "$prefix/bin/darknet" sobolev check "$SOURCE_DIR/cfg/tiny/hessians.cfg"
}

@test "the library exports the names of Darknet that it replaces and its own, and has a versioned SONAME" {
    [ "$(nm -D --defined-only "$library/libdarknet_ext.so" | awk '{print $3}' | sort | tr '\n' ' ')" = "dnx_error_text dnx_model_free dnx_model_gradient dnx_model_inputs \
dnx_model_load dnx_model_order dnx_model_outputs dnx_model_predict dnx_model_products dnx_version free_network \
load_weights load_weights_upto parse_network_cfg resize_network save_weights save_weights_upto " ]
    readelf -d "$library/libdarknet_ext.so" | grep -q 'SONAME.*libdarknet_ext\.so\.[0-9]'
}

@test "the tables in the documentation are what the program says" {
    run "$SOURCE_DIR/scripts/update_docs" -check "$BUILD_DIR"
    echo "$output"
    [ "$status" = 0 ]
}
