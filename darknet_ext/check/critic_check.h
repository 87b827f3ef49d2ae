/* Proof of the derivatives of [critic] blocks, by central differences (double builds): the synthetic gradient dm/dh, and the gradient of the
 * block's loss by each of its arrays, through the synthetic gradient. */
#ifndef DNX_CHECK_CRITIC_CHECK_H
#define DNX_CHECK_CRITIC_CHECK_H

#include "check/gradient_check.h"
#include "engine/critics.h"

/* On random h, labels, losses and gradients; each row to `sink`. Blocks that predict nothing have no rows. STATUS_FAILED when one did not pass. */
status critic_check_run(critics *blocks, const backend *be, const check_settings *settings, check_sink sink, void *context);

#endif
