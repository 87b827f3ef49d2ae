# Shared by the scripts that repeat runs with several seeds, which read it with `.`: functions for their awk programs, put before the program's text.
#     median_of(a, n)   the median of a[1] to a[n], which it sorts: a[1] is the lowest of them afterwards and a[n] the highest
# shellcheck shell=sh disable=SC2034,SC2016  # a variable that the other side reads; an awk program
awk_spread='
    function median_of(a, n,    i, j, t) {
        for (i = 2; i <= n; ++i)
            for (j = i; j > 1 && a[j] < a[j - 1]; --j) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
        return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
    }'
