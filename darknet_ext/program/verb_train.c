#include "program/arguments.h"
#include "train/trainer.h"

static int train(const arguments *a)
{
    train_request request = {
        .cfg = a->positional[0],
        .weights = a->n_positional > 1 ? a->positional[1] : NULL,
        .out = a->out,
        .force = a->force,
        .chart = !a->no_chart,
        .evaluate_every = a->every,
        .log = stdout,
    };
    plugin_network *none;
    if (a->print_cfg)
        return load_cfg(a, LOAD_TO_PREDICT, &none);
    if (!settings_from_arguments(&request.settings, a))
        return EXIT_USAGE;
    status s = train_run(&request);
    return s == STATUS_OK ? EXIT_OK : report_failure(s);
}

const verb verb_train = {
    .name = "train",
    .synopsis = "CFG [WEIGHTS]",
    .meaning = "train a network on values and derivatives",
    .details = "Trains until [net] max_batches updates are done, from fresh weights or from WEIGHTS (and the .state file beside\n"
               "them, when there is one: then the run goes on as if it had not stopped). Leaves a folder, runs/<cfg name> unless\n"
               "-out names another: run.cfg, metrics.csv, chart.png, summary.json, <name>_last/_best/_final.weights, <name>_last.state.\n"
               "A folder that holds anything is refused without -force, unless it is the one of the WEIGHTS that go on: then metrics.csv\n"
               "keeps its rows, and the best weights stay until they are beaten.\n"
               "SIGINT and SIGTERM end the run after the current update with everything saved, and status 130.\n",
    .least = 1,
    .most = 2,
    .flags = FLAG_CFG | FLAG_OUT | FLAG_FORCE | FLAG_EVERY | FLAG_NO_CHART,
    .takes_long = true,
    .run = train,
};
