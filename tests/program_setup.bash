# Shared by program_*.bats: `load program_setup`. BUILD_DIR holds the build, SOURCE_DIR the project.
bats_require_minimum_version 1.5.0

setup() {
    : "${BUILD_DIR:?must name the build folder}" "${SOURCE_DIR:?must name the folder of the project}"
    unset "${!DARKNET_EXT_@}"
    darknet=$BUILD_DIR/darknet_ext/darknet
    tiny=$SOURCE_DIR/cfg/tiny
    venv=${PEERS_VENV:-$BUILD_DIR/peers}
    cd "$BATS_TEST_TMPDIR" || return 1
}

# needs_python MODULE…: skips a test where the Python environment $venv lacks one of them.
needs_python() {
    local module
    for module in "$@"; do
        "$venv/bin/python" -c "import $module" 2>/dev/null || skip "no $module in $venv"
    done
}

# equal WHAT EXPECTED FOUND
equal() {
    [ "$2" = "$3" ] && return
    printf '%s\nexpected: %s\nfound:    %s\n' "$1" "$2" "$3" >&2
    return 1
}

# like WHAT PATTERN FOUND: the pattern is a shell's; what it must match literally is quoted by the caller with \
like() {
    # shellcheck disable=SC2053
    [[ $3 == $2 ]] && return
    printf '%s\nexpected: %s\nfound:    %s\n' "$1" "$2" "$3" >&2
    return 1
}

# ends STATUS WORD…: `darknet sobolev WORD…` ends with that status; $output and $stderr hold what it said.
ends() {
    local expected=$1
    shift
    run --separate-stderr "$darknet" sobolev "$@"
    equal "status of darknet sobolev $* (it said: $stderr)" "$expected" "$status"
}

# refuses STATUS MESSAGE WORD…: besides, it says exactly that line, and nothing on standard output.
refuses() {
    local expected=$1 message=$2
    shift 2
    ends "$expected" "$@" && equal "message of $*" "$message" "$stderr" && equal "output of $*" '' "$output"
}

# The same with a pattern for the message; it may be several lines.
refuses_like() {
    local expected=$1 message=$2
    shift 2
    ends "$expected" "$@" && like "message of $*" "$message" "$stderr" && equal "output of $*" '' "$output"
}

# trains CFG FOLDER [WORD…]: a short training without a chart succeeds.
trains() {
    local cfg=$1 folder=$2
    shift 2
    ends 0 train "$cfg" -out "$folder" -no-chart -every 100 "$@"
}

absent() {
    local path
    for path in "$@"; do
        [ ! -e "$path" ] || { echo "must not exist: $path" >&2; return 1; }
    done
}

same_file() {
    cmp "$1" "$2" >&2
}

# metric COLUMN FOLDER [ROW]: a field of metrics.csv by its name; the last row, or that row from 1.
metric() {
    awk -F , -v column="$1" -v row="${3:-0}" 'NR == 1 { for (i = 1; i <= NF; ++i) if ($i == column) k = i }
        NR > 1 && (!row || NR == row + 1) { value = $k } END { print value }' "$2/metrics.csv"
}

# less A B
less_than() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 == a && b + 0 == b && a < b) }' && return
    echo "expected $1 < $2" >&2
    return 1
}

# as_nobody COMMAND…: without the powers of root; skips the test where that is impossible.
as_nobody() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    else
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    fi
}

need_nobody() {
    chmod 755 "$BATS_RUN_TMPDIR" "$BATS_TEST_TMPDIR" 2>/dev/null || true
    as_nobody test -x "$darknet" -a -r "$SOURCE_DIR/cfg/tiny/values.cfg" || skip "another user cannot reach $darknet"
}
