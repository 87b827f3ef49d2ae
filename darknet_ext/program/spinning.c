#include "program/spinning.h"

#include <limits.h>
#include <omp.h>
#include <stdlib.h>
#include <unistd.h>

/* About ten microseconds. */
static const char spin_count[] = "2000";

void limit_spinning(char **argv)
{
    char path[PATH_MAX];
    if (omp_get_num_procs() == 1 || getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT"))
        return;
    /* The name /proc/self/exe itself would make the process one called "exe". */
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    if (length <= 0 || setenv("GOMP_SPINCOUNT", spin_count, 0) != 0)
        return;
    path[length] = '\0';
    execv(path, argv);
}
