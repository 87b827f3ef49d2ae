/* Networks that take turns in being timed, beside the machine's own matrix product. */
#ifndef DNX_PROGRAM_CONTEST_H
#define DNX_PROGRAM_CONTEST_H

#include "program/arguments.h"

enum { CONTEST_ROUNDS = 101 };

typedef struct contestant {
    const char *name;
    plugin_network *net;
    int steps;                      /* per round, so that a round is long enough to measure */
    double seconds[CONTEST_ROUNDS]; /* of one step */
} contestant;

/* Loads a cfg and checks that it can be trained. `sobolev` is its network as it is; `plain` the same network trained on values alone, or
 * without a network where that is the same thing: then the first of the two is named "plain". Returns the exit status. */
int contest_load(const arguments *a, contestant *sobolev, contestant *plain);

/* The seconds that `steps` updates take. Inputs and labels are random: the time does not depend on them. */
double contest_time(contestant *c, long steps);

/* Runs rounds of each in turn for about so many seconds, with `between` after each round. Returns the number of rounds. */
int contest_run(contestant *const *c, int n, double seconds, void (*between)(void *context), void *context);

/* Floating-point operations of the matrix products and convolutions of one update, and how often that is the cost of applying the network's
 * linear layers to the batch once: 3 for a plain step. */
double contest_cost(plugin_network *p);
double contest_units(plugin_network *p);

double median(const double *values, int n); /* n at most CONTEST_ROUNDS */

/* The machine's matrix product, as large as does not take long: `ref` is slow. */
typedef struct yardstick {
    const backend *be;
    int size;
    double rate; /* operations per second, the best seen */
    real *memory;
} yardstick;

status yardstick_create(yardstick *y, const backend *be);
void yardstick_free(yardstick *y);
void yardstick_measure(yardstick *y);

#endif
