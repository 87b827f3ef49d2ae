/* A program that knows Darknet and nothing else: loads a network, trains it on random numbers, prints and saves.
 *
 *     cc client.c -I DARKNET/include -L DARKNET -ldarknet -o client
 *     ./client file.cfg in.weights|- steps out.weights|-
 *
 * Prints the learning rate, the loss of the first and of the last step, and the prediction for the first sample. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <darknet.h>

static char *name_or_null(char *argument)
{
    return strcmp(argument, "-") == 0 ? NULL : argument;
}

static matrix random_matrix(int rows, int columns)
{
    matrix m = make_matrix(rows, columns);
    for (int i = 0; i < rows; ++i)
        for (int k = 0; k < columns; ++k)
            m.vals[i][k] = 2.f * rand() / RAND_MAX - 1;
    return m;
}

static void train(network *net, data d, int steps)
{
    float first = 0, last = 0;
    for (int i = 0; i < steps; ++i) {
        last = train_network(net, d);
        if (i == 0)
            first = last;
    }
    printf("first %.9g\nlast %.9g\n", first, last);
}

static void predict(network *net, data d)
{
    float *input = calloc((size_t)net->batch * net->inputs, sizeof *input);
    memcpy(input, d.X.vals[0], net->inputs * sizeof *input);
    float *output = network_predict(net, input);
    printf("output");
    for (int k = 0; k < net->outputs; ++k)
        printf(" %.9g", output[k]);
    printf("\n");
    free(input);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: %s file.cfg in.weights|- steps out.weights|-\n", argv[0]);
        return 64;
    }
    setlocale(LC_ALL, ""); /* as a program with windows does */
    srand(1);
    network *net = load_network(argv[1], name_or_null(argv[2]), 0);
    setlocale(LC_ALL, "C"); /* for the numbers below */
    printf("learning_rate %.9g\n", net->learning_rate);
    srand(2);
    int rows = net->batch * net->subdivisions;
    data d = {.X = random_matrix(rows, net->inputs), .y = random_matrix(rows, net->truths)};
    train(net, d, atoi(argv[3]));
    predict(net, d);
    if (name_or_null(argv[4]))
        save_weights(net, argv[4]);
    free_data(d);
    free_network(net);
    return 0;
}
