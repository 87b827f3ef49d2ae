#include "program/machine_load.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/clock.h"

/* The line "cpu" of /proc/stat, in ticks: user nice system idle iowait irq softirq steal (user and nice include guests). */
static double busy_seconds(void)
{
    double user, nice, system, idle, wait, irq, softirq, steal;
    FILE *in = fopen("/proc/stat", "re");
    int read = in ? fscanf(in, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, &idle, &wait, &irq, &softirq, &steal) : 0;
    if (in)
        fclose(in);
    return read == 8 ? (user + nice + system + irq + softirq + steal) / (double)sysconf(_SC_CLK_TCK) : -1;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

machine_load machine_load_now(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (machine_load){busy_seconds(), seconds_of(u.ru_utime) + seconds_of(u.ru_stime), seconds_now() * (double)sysconf(_SC_NPROCESSORS_ONLN)};
}

double machine_load_of_others(machine_load since)
{
    const machine_load now = machine_load_now();
    const double others = now.busy - since.busy - (now.own - since.own), elapsed = now.elapsed - since.elapsed;
    if (now.busy < 0 || since.busy < 0 || elapsed <= 0 || others < 0)
        return 0;
    return others < elapsed ? others / elapsed : 1;
}
