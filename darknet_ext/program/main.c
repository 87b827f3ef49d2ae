/* The program darknet: `darknet sobolev VERB …` is ours, every other first word goes to the stock program. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/environment.h"
#include "program/arguments.h"

const verb *const verb_list[] = {
    &verb_train, &verb_valid, &verb_check, &verb_bench, &verb_plot, &verb_functions, &verb_version, &verb_help, NULL,
};

static bool is_this_program(const char *path)
{
    struct stat other, self;
    return stat(path, &other) == 0 && stat("/proc/self/exe", &self) == 0 && other.st_dev == self.st_dev && other.st_ino == self.st_ino;
}

/* Replaces this process, so that the stock program's status is what the caller sees. */
static int exec_stock(char **argv)
{
    const char *stock = getenv(ENVIRONMENT_STOCK);
    if (!stock || !*stock)
        stock = DNX_STOCK_PROGRAM;
    if (is_this_program(stock)) {
        fprintf(stderr, "darknet: error: %s is this program, not the stock one (set %s)\n", stock, ENVIRONMENT_STOCK);
        return 127;
    }
    execv(stock, argv);
    fprintf(stderr, "darknet: error: the stock program %s cannot be started: %s\n", stock, strerror(errno));
    return errno == ENOENT ? 127 : 126;
}

static int run_verb(int argc, char **argv)
{
    if (argc < 3) {
        arguments none = {0};
        verb_help.run(&none);
        return EXIT_USAGE;
    }
    const verb *v = verb_find(argv[2]);
    arguments a;
    if (!v || !arguments_parse(&a, v, argc - 3, argv + 3))
        return EXIT_USAGE;
    return v->run(&a);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "sobolev") != 0)
        return exec_stock(argv);
    int result = run_verb(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "darknet sobolev: error: standard output cannot be written: %s\n", strerror(errno));
        return result ? result : EXIT_FAILED;
    }
    return result;
}
