/* [critic]: a cut through the network, y = h. The layers up to [end] belong to a network of its own, which learns in training what gradient
 * the part above sends down, and sends down its prediction in place of it (engine/critic.h). Here is its language. */
#include "layers/critic.h"

#include <string.h>

static const char *const mode_names[] = {"noprop", "direct", "vfbn", "critic", "sobolev", "local", "backprop", NULL};
static const char *const target_names[] = {"bootstrap", "true", NULL};

static const option_spec critic_keys[] = {
    {"mode", OPTION_CHOICE, "sobolev", 1, 0, mode_names,
     "what goes down: nothing (noprop), what the block predicts directly (direct), the gradient of the loss it predicts, which learns from gradients "
     "(vfbn), losses (critic), both (sobolev) or the labels alone (local); or the true gradient (backprop)"},
    {"target", OPTION_CHOICE, "bootstrap", 1, 0, target_names,
     "what it learns from, below another [critic]: the gradient that comes down from there, or the true one"},
    {"loss", OPTION_CHOICE, "l1", 1, 0, vector_loss_names, "loss on the predicted loss"},
    {"loss_1", OPTION_CHOICE, "l1", 1, 0, vector_loss_names, "loss on the predicted gradient"},
    {"weight", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on the predicted loss; mode=local: of the predicted loss"},
    {"weight_1", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on the predicted gradient"},
    {"label_loss", OPTION_CHOICE, "l2", 1, 0, vector_loss_names, "loss on the predicted derivative of the loss by the labels, its log-probabilities"},
    {"label_weight", OPTION_REAL, "0", 0, 1e12, NULL, "weight of that loss"},
    {"mix", OPTION_REAL, "0", 0, 1, NULL, "part of the true gradient in what goes down"},
    {"warm_up", OPTION_INTEGER, "0", 0, 1L << 40, NULL, "weight updates during which it learns, and the true gradient goes down"},
    {"label_input", OPTION_BOOLEAN, "1", 0, 1, NULL, "mode=direct: 1: the labels are further channels of what the block reads"},
    {"learning_rate", OPTION_REAL, "1e-4", 0, 1e6, NULL, "learning rate of its own Adam; no policy changes it"},
    {"B1", OPTION_REAL, ".9", 0, .9999999, NULL, "decay of the first moment"},
    {"B2", OPTION_REAL, ".999", 0, .9999999, NULL, "decay of the second moment"},
    {"eps", OPTION_REAL, "1e-8", 1e-30, 1, NULL, "added to the root of the second moment"},
    {"decay", OPTION_REAL, "0", 0, 1e6, NULL, "weight decay of its layers"},
    {"updates", OPTION_INTEGER, "1", 1, 1000, NULL, "updates of its own for every minibatch"},
    {0},
};

static const section_spec critic_section = {
    .name = "critic",
    .role = SECTION_LAYER,
    .stock = false,
    .options = critic_keys,
    .meaning = "cut: what is below learns from a synthetic gradient; its own layers follow, up to [end]",
};

static loss_function loss_of(const section *s, const char *key)
{
    return loss_of_kind((loss_kind)option_choice(s, key));
}

#define IN(mode) (1u << CRITIC_##mode)
enum { WITH_GRADIENT = IN(VFBN) | IN(SOBOLEV), WITH_LOSS = IN(CRITIC) | IN(SOBOLEV), LEARNS = WITH_GRADIENT | WITH_LOSS | IN(DIRECT) | IN(LOCAL) };

/* Not learning_rate, loss, loss_1 and what belongs to Adam: cfgs whose variants are other modes give them. */
static const struct {
    const char *key;
    unsigned modes;
} readers[] = {
    {"target", LEARNS & ~IN(LOCAL)},
    {"weight", WITH_LOSS | IN(LOCAL)},
    {"weight_1", WITH_GRADIENT | IN(DIRECT)},
    {"label_weight", WITH_GRADIENT | WITH_LOSS},
    {"label_loss", WITH_GRADIENT | WITH_LOSS},
    {"label_input", IN(DIRECT)},
    {"mix", LEARNS},
    {"warm_up", LEARNS},
    {"decay", LEARNS},
    {"updates", LEARNS},
};

bool critic_mode_reads(const section *s, const char *key)
{
    const unsigned mode = 1u << option_choice(s, "mode");
    for (size_t i = 0; i < sizeof readers / sizeof *readers; ++i)
        if (strcmp(readers[i].key, key) == 0)
            return readers[i].modes & mode;
    return true;
}

static double weight_of(const section *s, const char *key)
{
    return critic_mode_reads(s, key) ? option_real(s, key) : 0;
}

critic_options critic_read_options(const section *s)
{
    return (critic_options){
        .mode = (critic_mode)option_choice(s, "mode"),
        .target = (critic_target)option_choice(s, "target"),
        .loss = loss_of(s, "loss"),
        .loss_1 = loss_of(s, "loss_1"),
        .label_loss = loss_of(s, "label_loss"),
        .weight = weight_of(s, "weight"),
        .weight_1 = weight_of(s, "weight_1"),
        .label_weight = weight_of(s, "label_weight"),
        .mix = option_real(s, "mix"),
        .warm_up = option_integer(s, "warm_up"),
        .label_input = option_boolean(s, "label_input"),
        .learning_rate = option_real(s, "learning_rate"),
        .B1 = option_real(s, "B1"),
        .B2 = option_real(s, "B2"),
        .eps = option_real(s, "eps"),
        .decay = option_real(s, "decay"),
        .updates = (int)option_integer(s, "updates"),
    };
}

static status critic_configure(graph_node *node)
{
    node->out = node->in;
    return STATUS_OK;
}

static void critic_forward(const layer_pass *p)
{
    p->be->copy(jet_range_rows(p->x, p->range) * p->x->count, jet_component(p->x, p->range.first), jet_component(p->y, p->range.first));
}

static void critic_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->axpby(jet_range_rows(p->adj_y, p->range) * p->adj_y->count, 1, jet_component(p->adj_y, p->range.first), p->accumulate[0],
                     jet_component(p->adj_x, p->range.first));
}

const layer_type critic_layer_type = {
    .spec = &critic_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = critic_configure,
    .forward = critic_forward,
    .backward = critic_backward,
    .critic = true,
};
