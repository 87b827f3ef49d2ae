# Shared by scripts/paper_regression and scripts/order_study, which read it with `.`: functions x sizes x methods x seeds, trained and gathered.
# A seed draws the points and the first weights, the same for every method. A run that is there is not repeated: after an interruption the
# same command goes on.
#
# The script that reads this sets the defaults of the flags below and
#     methods       names, the plain one first
#     settings_of   a function: the `-set` words of a method
#     activation    only where the method depends on it: then -activation is a flag
# shellcheck shell=sh disable=SC2154,SC2034,SC2016  # variables that the other side sets or reads; awk programs

. scripts/spread.sh

fail() { echo "$0: error: $*" >&2; exit 2; }

study_flags() {
    while [ $# -gt 0 ]; do
        [ $# -gt 1 ] || fail "$1 needs a value"
        case $1 in
        -functions) functions=$2 ;;
        -points) points=$2 ;;
        -seeds) seeds=$2 ;;
        -updates) updates=$2 ;;
        -rate) rate=$2 ;;
        -activation) [ -n "${activation:-}" ] || fail "unknown flag $1"; activation=$2 ;;
        -jobs) jobs=$2 ;;
        -out) out=$2 ;;
        -darknet) darknet=$2 ;;
        *) fail "unknown flag $1" ;;
        esac
        shift 2
    done
    [ -x "$darknet" ] || fail "no program $darknet: build with scripts/build, or name one with -darknet"
    for function in $functions; do
        [ -e "cfg/$function.cfg" ] || fail "no cfg/$function.cfg"
    done
    case "$points $seeds $updates $jobs" in *[!0-9\ ]*) fail "-points, -seeds, -updates and -jobs are whole numbers" ;; esac
}

# ---------------------------------------------------------------- runs

# nth N LIST: its N-th word, or the last.
nth() { echo "$2" | awk -v n="$1" '{ print n <= NF ? $n : $NF }'; }

folder_of() { echo "$out/$1/$2/$4/$3"; }

# each_run COMMAND: calls COMMAND FUNCTION POINTS METHOD SEED UPDATES RATE; seeds outermost, so that an interrupted study has whole seeds.
each_run() {
    for seed in $seeds; do
        n=0
        for size in $points; do
            n=$((n + 1))
            size_updates=$(nth $n "$updates")
            size_rate=$(nth $n "$rate")
            for function in $functions; do
                for method in $methods; do
                    "$1" "$function" "$size" "$method" "$seed" "$size_updates" "$size_rate"
                done
            done
        done
    done
}

# The words of `darknet sobolev train` on one line, for xargs; nothing when the run is there. 21 rows of metrics.csv.
missing_run() {
    folder=$(folder_of "$@")
    [ -e "$folder/summary.json" ] && return
    every=$(($5 / 20))
    [ $every -gt 0 ] || every=1
    echo "cfg/$1.cfg -set data.points=$2 $(settings_of "$3") -seed $4 -set net.max_batches=$5 -set net.learning_rate=$6" \
        "-set net.policy=poly -set net.power=1 -threads 1 -every $every -no-chart -force -out \"$folder\""
}

study_train() {
    mkdir -p "$out"
    each_run missing_run >"$out/missing"
    echo "$(wc -l <"$out/missing") runs to do, $jobs at a time"
    xargs -r -P "$jobs" -L 1 "$darknet" sobolev train <"$out/missing" >"$out/training.log" || fail "a run did not end well"
    rm "$out/missing"
}

# ---------------------------------------------------------------- tables

# One line of runs.csv from the summary.json and metrics.csv of a run. Losses are means over a twentieth of the run; loss_start is what the
# losses of the run are for the fresh network on the test points: gradients have two components, Hessians four.
run_line() {
    folder=$(folder_of "$@")
    rm -f "$folder"/*_last.* "$folder"/*_best.weights
    awk -F '[ ",:]+' -v run="$1,$2,$3,$4" -v expected="$5" '
        FILENAME ~ /summary.json$/ && /"(test|best)":/ { part = $2 }
        FILENAME ~ /summary.json$/ { value[part $2] = $3 }
        FILENAME ~ /metrics.csv$/ && FNR > 1 { n = split($0, field, ","); loss[FNR] = field[5]; last = FNR }
        FILENAME ~ /metrics.csv$/ && FNR == 2 { start = field[9]; gradient = 2 * field[10]; hessian = 4 * field[11] }
        END {
            if (value["steps"] != expected) {
                print "a run of " value["steps"] " updates stands where one of " expected " should: " FILENAME >"/dev/stderr"
                exit 1
            }
            start += (field[7] != "" ? gradient : 0) + (field[8] != "" ? hessian : 0)
            print run "," value["steps"] "," value["seconds"] "," value["testvalue_mse"] "," value["testgradient_mse"] "," \
                value["bestvalue_mse"] "," start "," (last > 3 ? loss[last - 2] : loss[last]) "," loss[last]
        }' "$folder/summary.json" "$folder/metrics.csv"
}

study_runs_csv() {
    {
        echo "function,points,method,seed,updates,seconds,value_mse,gradient_mse,best_value_mse,loss_start,loss_90,loss_100"
        each_run run_line
    } >"$out/runs.csv.new"
    mv "$out/runs.csv.new" "$out/runs.csv"
}

# Medians and spreads over the seeds. best_value: the lowest value error on the way; fit: training loss at the end / loss_start; tail: training
# loss at the end / at 90% of the run; won: seeds in which the value error is lower than that of the method before.
study_table_csv() {
    awk -F , -v OFS=, -v methods="$methods" "$awk_spread"'
        # median, lowest and highest of one column of a group, into spread[]
        function measure(group, column,    i, a, n) {
            n = count[group]
            for (i = 1; i <= n; ++i)
                a[i] = value[group, column, i] + 0
            spread["median"] = median_of(a, n)
            spread["low"] = a[1]
            spread["high"] = a[n]
        }
        function three(group, column) { measure(group, column); return sprintf("%.6g,%.6g,%.6g", spread["median"], spread["low"], spread["high"]) }
        function median(group, column) { measure(group, column); return sprintf("%.6g", spread["median"]) }
        function wins(group, other,    i, n) {
            for (i = 1; i <= count[group]; ++i)
                n += value[group, "value", i] < value[other, "value", i]
            return n + 0
        }
        NR > 1 {
            group = $1 OFS $2 OFS $3
            n = ++count[group]
            if (!function_seen[$1]++) functions[++n_functions] = $1
            if (!size_seen[$2]++) sizes[++n_sizes] = $2
            updates[group] = $5
            value[group, "value", n] = $7 + 0
            value[group, "gradient", n] = $8 + 0
            value[group, "best", n] = $9 + 0
            value[group, "fit", n] = $12 / $10
            value[group, "tail", n] = $11 > 0 ? $12 / $11 : 1
        }
        END {
            print "function,points,method,seeds,updates,value_median,value_low,value_high,gradient_median,gradient_low,gradient_high," \
                "best_value_median,fit,tail,won"
            n_methods = split(methods, method, " ")
            for (i = 1; i <= n_functions; ++i)
                for (j = 1; j <= n_sizes; ++j)
                    for (k = 1; k <= n_methods; ++k) {
                        g = functions[i] OFS sizes[j] OFS method[k]
                        before = functions[i] OFS sizes[j] OFS method[k > 1 ? k - 1 : 1]
                        print g, count[g], updates[g], three(g, "value"), three(g, "gradient"), median(g, "best"), median(g, "fit"), \
                            median(g, "tail"), wins(g, before)
                    }
        }' "$out/runs.csv" >"$out/table.csv"
}

# For awk programs that write tables for people from table.csv: row[function, points, method] holds a line, name[] and size[] what there is.
table_reader='
    function short(x,    s) { s = sprintf("%.3g", x); sub(/e\+0?/, "e", s); sub(/e-0/, "e-", s); return s }
    function cell(row, first,    f) { split(row, f, ","); return short(f[first]) " [" short(f[first + 1]) ", " short(f[first + 2]) "]" }
    function ratio(a, b, column,    f, g) { split(a, f, ","); split(b, g, ","); return short(f[column] / g[column]) }
    function field_of(row, column,    f) { split(row, f, ","); return f[column] }
    NR > 1 { row[$1, $2, $3] = $0; if (!name_seen[$1]++) name[++names] = $1; if (!size_seen[$2]++) size[++sizes] = $2 }
'
