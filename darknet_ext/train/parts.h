/* What decoupled training (engine/decoupled.h) tells of itself: how busy the parts were, what they waited for, and the memory it takes. */
#ifndef DNX_TRAIN_PARTS_H
#define DNX_TRAIN_PARTS_H

#include <stdio.h>

#include "engine/decoupled.h"

struct json_object;

/* A line for all and one for each part. NULL: nothing. */
void parts_print(decoupled *d, FILE *out);

/* queue, queue_full, lockstep, seconds, bytes, parts[{first, last, threads, minibatches, updates, dropped, busy_seconds, blocked_seconds,
 * processor_seconds, queue}]; the caller owns it. */
struct json_object *parts_json(decoupled *d);

#endif
