/* What a [critic] section asks for; engine/critic.h does it. */
#ifndef DNX_LAYERS_CRITIC_H
#define DNX_LAYERS_CRITIC_H

#include "core/loss_math.h"
#include "layers/layer.h"

/* What goes down from a block, and what the block learns from (table 1 of the paper). */
typedef enum critic_mode {
    CRITIC_NOPROP,   /* nothing; the layers below stay what they are */
    CRITIC_DIRECT,   /* the output of its layers, which learn dL/dh as a regression */
    CRITIC_VFBN,     /* dm/dh; the gradient alone is supervised */
    CRITIC_CRITIC,   /* dm/dh; the loss alone is supervised */
    CRITIC_SOBOLEV,  /* dm/dh; both are */
    CRITIC_LOCAL,    /* dm/dh; neither is: the block minimises m, a loss of its own on the labels (decoupled greedy learning, Belilovsky et al. 2020) */
    CRITIC_BACKPROP  /* the true gradient: no cut at all */
} critic_mode;

typedef enum critic_target {
    CRITIC_TARGET_BOOTSTRAP, /* what arrives from above: below another cut, that block's synthetic gradient */
    CRITIC_TARGET_TRUE       /* the true gradient, through every cut */
} critic_target;

typedef struct critic_options {
    critic_mode mode;
    critic_target target;
    loss_function loss, loss_1, label_loss;
    double weight, weight_1, label_weight; /* effective: 0 where the mode has no such supervision */
    double mix;       /* lambda: what goes down is mix * true + (1 - mix) * synthetic */
    long warm_up;     /* updates at whose steps the true gradient goes down */
    bool label_input; /* mode=direct: the classes of the sample are further channels of its input */
    double learning_rate, B1, B2, eps, decay; /* Adam */
    int updates;      /* of its own for every minibatch */
} critic_options;

critic_options critic_read_options(const section *s);

/* Whether a [critic] section of its mode reads the key. */
bool critic_mode_reads(const section *s, const char *key);

/* Whether its layers run: they predict something. */
static inline bool critic_predicts(critic_mode mode)
{
    return mode != CRITIC_NOPROP && mode != CRITIC_BACKPROP;
}

#endif
