/* After set-up a training step allocates nothing: no memory, and so no descriptor either. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#ifdef DNX_SANITIZED

/* The sanitizers replace malloc themselves. */
int main(void)
{
    puts("skipped: the sanitizers have their own malloc");
    return 77;
}

#else

#include "plugin_fixture.h"
#include "allocation_counter.h"

#define NET "[net]\ninputs=3\nbatch=16\nadam=1\nmax_batches=9\n"
#define MIDDLE "[connected]\noutput=40\nactivation=tanh\n[dropout]\nprobability=.2\n[connected]\noutput=24\nactivation=swish\n"
#define NORMALISED "[connected]\noutput=40\nactivation=relu\nbatch_normalize=1\n[connected]\noutput=24\nactivation=swish\nbatch_normalize=1\n[batchnorm]\n"
#define SCALAR "[connected]\noutput=40\nactivation=relu\n[connected]\noutput=1\nactivation=linear\n"
#define TEACHER "[teacher]\ncfg=" CFG_DIR "/tiny/projections.cfg\nhint=2:0\nhard_weight=1\n"
#define OUTPUT "[connected]\noutput=2\nactivation=linear\n"

static const char *const cases[] = {
    NET MIDDLE OUTPUT "[cost]\n",
    NET SCALAR "[sobolev]\norder=1\n",
    NET MIDDLE OUTPUT "[sobolev]\norder=1\nprojections=2\n",
    NET MIDDLE OUTPUT "[sobolev]\norder=2\nprojections=1\nprojections_2=2\ndifferentiate=log_probabilities\nresample=0\n",
    NET MIDDLE OUTPUT "[sobolev]\norder=2\n",
    NET NORMALISED OUTPUT "[sobolev]\norder=2\nprojections=2\nprojections_2=1\n",
    NET TEACHER MIDDLE "[connected]\noutput=3\nactivation=linear\n[sobolev]\norder=2\nprojections=2\nprojections_2=1\n",
};

static void steps_allocate_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        for (const backend *const *be = backend_list; *be; ++be) {
            plugin_network *p = plugin_from_text((*be)->name, cases[i]);
            for (int warm_up = 0; warm_up < 3; ++warm_up)
                plugin_train_minibatch(p);
            calls = 0;
            counting = 1;
            for (int step = 0; step < 10; ++step)
                plugin_train_minibatch(p);
            counting = 0;
            if (calls)
                fail_msg("case %zu on %s: %ld allocations in 10 steps", i, (*be)->name, calls);
            plugin_free(p);
        }
}

/* The counter counts: loading a network allocates. */
static void counter_works(void **state)
{
    (void)state;
    calls = 0;
    counting = 1;
    plugin_network *p = plugin_from_text(NULL, cases[0]);
    counting = 0;
    assert_true(calls > 20);
    plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_works),
        cmocka_unit_test(steps_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
