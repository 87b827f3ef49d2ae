#include "config/extra_sections.h"

#include <limits.h>

#include "core/loss_math.h"
#include "core/random.h"

static const char *const policies[] = {"constant", "step", "exp", "poly", "steps", "sigmoid", "random", NULL};

static const char *const batchnorm_gradients[] = {"exact", "darknet", NULL};

static const char *const queues_full[] = {"wait", "drop", NULL};

static const option_spec net_options[] = {
    {"batch", OPTION_INTEGER, "1", 1, 1000000, NULL, "samples per weight update"},
    {"subdivisions", OPTION_INTEGER, "1", 1, 1000000, NULL, "parts in which a batch is computed, to save memory"},
    {"time_steps", OPTION_INTEGER, "1", 1, 1000000, NULL, "length of a sequence, for recurrent layers"},
    {"inputs", OPTION_INTEGER, "", 1, INT_MAX, NULL, "numbers per sample, unless height, width and channels are given"},
    {"height", OPTION_INTEGER, "", 1, 65536, NULL, "height of the input image, pixels"},
    {"width", OPTION_INTEGER, "", 1, 65536, NULL, "width of the input image, pixels"},
    {"channels", OPTION_INTEGER, "", 1, 65536, NULL, "channels of the input image"},
    {"learning_rate", OPTION_REAL, ".001", 0, 1e6, NULL, "learning rate before the policy"},
    {"momentum", OPTION_REAL, ".9", 0, 1, NULL, "momentum of SGD"},
    {"decay", OPTION_REAL, ".0001", 0, 1e6, NULL, "weight decay"},
    {"adam", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: Adam instead of SGD with momentum"},
    {"B1", OPTION_REAL, ".9", 0, .9999999, NULL, "Adam: decay of the first moment"},
    {"B2", OPTION_REAL, ".999", 0, .9999999, NULL, "Adam: decay of the second moment"},
    {"eps", OPTION_REAL, ".0000001", 1e-30, 1, NULL, "Adam: added to the root of the second moment"},
    {"max_batches", OPTION_INTEGER, "0", 0, INT_MAX, NULL, "weight updates of a training, which `train` must know; 0: no end, for programs of one's own"},
    {"policy", OPTION_CHOICE, "constant", 1, 0, policies, "how the learning rate changes"},
    {"burn_in", OPTION_INTEGER, "0", 0, INT_MAX, NULL, "updates over which the learning rate rises from 0"},
    {"power", OPTION_REAL, "4", 0, 1000, NULL, "exponent of policy=poly and of burn_in"},
    {"step", OPTION_INTEGER, "1", 1, INT_MAX, NULL, "policy=step: updates between changes; policy=sigmoid: where it begins, with half of the rate (before it Darknet's is 0)"},
    {"scale", OPTION_REAL, "1", 0, 1e6, NULL, "policy=step: factor of each change"},
    {"steps", OPTION_INTEGERS, "", -1, INT_MAX, NULL, "policy=steps: updates at which the rate changes, ascending"},
    {"scales", OPTION_REALS, "", 0, 1e6, NULL, "policy=steps: factor at each of them"},
    {"gamma", OPTION_REAL, "1", 0, 1e6, NULL, "policy=exp and policy=sigmoid: base"},
    {"clip", OPTION_REAL, "0", 0, 1e6, NULL, "used by Darknet on the GPU only"},
    {"notruth", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: training takes no labels"},
    {"random", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: the input size varies during training"},
    {"max_crop", OPTION_INTEGER, "", 1, 65536, NULL, "images: longest side before cropping, pixels (2 * width)"},
    {"min_crop", OPTION_INTEGER, "", 1, 65536, NULL, "images: shortest side before cropping, pixels (width)"},
    {"max_ratio", OPTION_REAL, "", 1e-3, 1e3, NULL, "images: largest scale (max_crop / width)"},
    {"min_ratio", OPTION_REAL, "", 1e-3, 1e3, NULL, "images: smallest scale (min_crop / width)"},
    {"center", OPTION_BOOLEAN, "0", 0, 1, NULL, "images: 1: crop the centre, not a random part"},
    {"angle", OPTION_REAL, "0", -360, 360, NULL, "images: largest rotation, degrees"},
    {"aspect", OPTION_REAL, "1", 1e-3, 1e3, NULL, "images: largest change of the aspect ratio"},
    {"saturation", OPTION_REAL, "1", 1e-3, 1e3, NULL, "images: largest change of saturation, a factor"},
    {"exposure", OPTION_REAL, "1", 1e-3, 1e3, NULL, "images: largest change of brightness, a factor"},
    {"hue", OPTION_REAL, "0", 0, 1, NULL, "images: largest change of hue, in turns"},
    {"backend", OPTION_TEXT, "", 1, 0, NULL, "who computes: onednn or ref"},
    {"seed", OPTION_INTEGER, "", 0, RANDOM_LARGEST_SEED, NULL, "seed of all random numbers"},
    {"batchnorm_gradient", OPTION_CHOICE, "exact", 1, 0, batchnorm_gradients,
     "through batch normalisation: the derivative, or Darknet's approximation of it (only where nothing but values is trained)"},
    {"threads", OPTION_INTEGER, "", 1, 1024, NULL, "processor threads"},
    {"decoupled", OPTION_BOOLEAN, "", 0, 1, NULL, "1: the parts of the network between its [critic] blocks are trained in threads of their own"},
    {"queue", OPTION_INTEGER, "", 1, 1024, NULL, "decoupled=1: minibatches that may wait before a part (2)"},
    {"queue_full", OPTION_CHOICE, "", 1, 0, queues_full,
     "decoupled=1: what a part does with a minibatch when the next queue is full: wait, after its own update, or drop it (wait)"},
    {"lockstep", OPTION_BOOLEAN, "", 0, 1, NULL, "decoupled=1: 1: one minibatch at a time, so that the weights are those of decoupled=0"},
    {"seen", OPTION_IGNORED, "", 1, 0, NULL, "kept in the weights file"},
    {0},
};

const section_spec net_section = {"net", "network", SECTION_NET, true, net_options, "input, batch, optimiser, learning rate", NULL};

static const char *const normalisations[] = {"none", "inputs", "all", NULL};

/* The order of split_kind and label_kind (data/stream_split.h, data/stream_labels.h). */
static const char *const splits[] = {"samples", "episode", "time", NULL};
/* The order of augment_kind (data/augment.h). */
static const char *const augmentations[] = {"none", "pad_crop", "inception", NULL};
/* letterbox, and what picture_view.centred says (data/picture_view.h). */
static const char *const views[] = {"letterbox", "centre_crop", NULL};
static const char *const label_kinds[] = {"logits", "probabilities", "classes", NULL};

static const option_spec data_options[] = {
    {"function", OPTION_PATH, "", 1, 0, NULL, "what to learn: built-in functions, separated by commas, one per output; or ./LIBRARY.so:SYMBOL"},
    {"file", OPTION_PATH, "", 1, 0, NULL, "instead: samples in a file, .h5 or .csv"},
    {"test_file", OPTION_PATH, "", 1, 0, NULL, "test samples in a file of their own"},
    {"list", OPTION_PATH, "", 1, 0, NULL, "instead: pictures that a Darknet .data file names (train, valid, names or labels)"},
    {"train", OPTION_PATH, "", 1, 0, NULL, "instead: a list of pictures, the path of one a line"},
    {"valid", OPTION_PATH, "", 1, 0, NULL, "train: the list of test pictures"},
    {"names", OPTION_PATH, "", 1, 0, NULL, "train: names of the classes, one a line; a picture is of the class whose name its path contains"},
    {"test_fraction", OPTION_REAL, "", 1e-9, .999999, NULL,
     "without test_file or valid: the part of the samples that is set aside for tests, drawn with the seed (.1)"},
    {"missing", OPTION_BOOLEAN, "", 0, 1, NULL, "1: NaN (CSV: an empty field) among the labels stands for one that is not given"},
    {"history", OPTION_INTEGER, "", 1, 64, NULL, "frames: how many, up to and with its own, a sample consists of (1)"},
    {"scale", OPTION_REAL, "", 1e-30, 1e30, NULL, "factor on the numbers of frames and x (1/255 for bytes, but for x with derivatives beside it; else 1)"},
    {"labels", OPTION_CHOICE, "", 1, 0, label_kinds,
     "what y is (logits: as it stands); probabilities become their logarithms; classes: label, or one-hot y"},
    {"split", OPTION_CHOICE, "", 1, 0, splits, "how tests are set aside: single samples, whole episodes, or the last samples (samples)"},
    {"fraction", OPTION_REAL, "", 1e-9, 1, NULL, "part of the training samples that is used, drawn with the seed; less is always among more (1)"},
    {"loaders", OPTION_INTEGER, "", 1, 64, NULL, "threads that read samples in pieces (2)"},
    {"cache_mb", OPTION_INTEGER, "", 1, 1000000, NULL,
     "megabytes of memory for samples of each file; a file that needs more is read while training goes on (1024)"},
    {"dimension", OPTION_INTEGER, "", 1, 1000, NULL, "number of inputs, for functions of any dimension"},
    {"points", OPTION_INTEGER, "", 1, 100000000, NULL, "training points of a function (10000); of a file at most so many (all)"},
    {"test_points", OPTION_INTEGER, "", 1, 10000000, NULL, "test points of a function (10000); of a file at most so many (all)"},
    {"domain", OPTION_REALS, "", -1e30, 1e30, NULL, "low,high of every input, or such a pair for each, instead of the function's own"},
    {"difference_step", OPTION_REAL, "", 1e-12, .25, NULL,
     "LIBRARY.so:SYMBOL: step of the finite differences, as a part of the domain's width; absent: chosen for each input"},
    {"mirror", OPTION_BOOLEAN, "", 0, 1, NULL, "1: the second half of every minibatch holds the mirror images of the first half, with the same labels"},
    {"augment", OPTION_CHOICE, "", 1, 0, augmentations,
     "how training pictures are changed each time they are seen: pad_crop, a part of the picture with zeros around it; inception, a scaled part in other colours (none)"},
    {"flip", OPTION_BOOLEAN, "", 0, 1, NULL, "augment: 1: half of the pictures are mirrored (1)"},
    {"padding", OPTION_INTEGER, "", 0, 1000, NULL, "augment=pad_crop: zeros on each side, pixels (4)"},
    {"min_area", OPTION_REAL, "", 1e-6, 1, NULL, "augment=inception: area of the smallest part, of the picture's (.08)"},
    {"max_area", OPTION_REAL, "", 1e-6, 1, NULL, "augment=inception: area of the largest part (1)"},
    {"aspect", OPTION_REAL, "", 1, 100, NULL, "augment=inception: width / height of the widest part; of the narrowest, 1 / aspect (4/3)"},
    {"brightness", OPTION_REAL, "", 0, 1, NULL, "augment=inception: most that is added to the numbers 0..1, or taken away (32/255)"},
    {"contrast", OPTION_REAL, "", 0, 1, NULL, "augment=inception: the contrast's factor is in 1 - contrast .. 1 + contrast (.5)"},
    {"saturation", OPTION_REAL, "", 0, 1, NULL, "augment=inception: the same for the saturation (.5)"},
    {"hue", OPTION_REAL, "", 0, .5, NULL, "augment=inception: most that the hue is turned, in turns (.2)"},
    {"view", OPTION_CHOICE, "", 1, 0, views,
     "what tests see of a picture: all of it, or its middle (centre_crop with augment=inception, else letterbox)"},
    {"centre", OPTION_REAL, "", .05, 1, NULL, "view=centre_crop: part of the shorter side that is seen (.875)"},
    {"top", OPTION_INTEGER, "", 1, 1000000, NULL,
     "classifiers: tests also count labels that are not among so many largest outputs; as many as there are, or 1: not (5)"},
    {"normalise", OPTION_CHOICE, "none", 1, 0, normalisations,
     "train on inputs (and outputs) of mean 0 and deviation 1; the saved weights take and give raw numbers"},
    {"differential_pca", OPTION_REAL, "0", 0, .5, NULL,
     "keep the directions of the inputs that carry all but this part of the labels' squared gradients; 0: all"},
    {0},
};

static const option_spec no_options[] = {{0}};

const section_spec end_section = {"end", NULL, SECTION_END, false, no_options, "ends [critic]", NULL};

const section_spec data_section = {"data", NULL, SECTION_EXTRA, false, data_options, "what to train on", NULL};

static const option_spec teacher_options[] = {
    {"cfg", OPTION_PATH, "", 1, 0, NULL, "the teacher: a network of the same inputs and outputs, all of it layers that the engine knows"},
    {"weights", OPTION_PATH, "", 1, 0, NULL, "its weights; absent: random ones, from the seed of its cfg"},
    {"function", OPTION_PATH, "", 1, 0, NULL, "instead of cfg: ./LIBRARY.so:SYMBOL, whose values and derivatives become the labels of the samples"},
    {"difference_step", OPTION_REAL, "", 1e-12, .25, NULL,
     "function: step of the finite differences, as a part of the inputs' range; absent: chosen for each input"},
    {"wrt", OPTION_INTEGER, "", -1, 1 << 20, NULL,
     "the teacher's layer by whose output it is differentiated (from 0, -1: its input); absent: the number of [sobolev] wrt"},
    {"hint", OPTION_TEXT, "", 1, 0, NULL, "student:teacher,...: layers (from 0) whose outputs the student shall make equal to the teacher's"},
    {"hint_weight", OPTION_REAL, "", 0, 1e12, NULL, "weight of the loss between these layers (1)"},
    {"hint_loss", OPTION_CHOICE, "l2", 1, 0, vector_loss_names, "loss between these layers"},
    {"hard_weight", OPTION_REAL, "0", 0, 1e12, NULL,
     "weight of a loss of the outputs against the labels of [data], beside the one against the teacher's outputs"},
    {"hard_loss", OPTION_CHOICE, "l2", 1, 0, value_loss_names, "the loss that hard_weight weighs"},
    {0},
};

const section_spec teacher_section = {"teacher", NULL, SECTION_EXTRA, false, teacher_options,
                                      "what to learn from: another network, or a function", NULL};
