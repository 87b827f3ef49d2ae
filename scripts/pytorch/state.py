"""A state_dict as modules that hold numbers: what ../import_torch takes from."""

import pickle

import numpy
import torch

from failure import Failure

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")  # keys under which checkpoints hold the state_dict
PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile
NUMBERS = {"weight", "bias", "running_mean", "running_var"}


def is_state(value):
    return isinstance(value, dict) and len(value) > 0 and all(isinstance(v, torch.Tensor) for v in value.values())


def load_state(path):
    """name -> tensor, in the order of the file; pickled code is refused by torch, not run."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise Failure(f"{path}: error: not a file of tensors alone, which is all that is read: save module.state_dict() "
                      f"({str(error).splitlines()[0]})") from None
    except Exception as error:
        raise Failure(f"{path}: error: torch cannot read it ({str(error).splitlines()[0] if str(error) else type(error).__name__})") from None
    candidates = [content] + [content[key] for key in WRAPPERS if isinstance(content, dict) and key in content]
    state = next((dict(c) for c in candidates if is_state(c)), None)
    if state is None:
        raise Failure(f"{path}: error: holds no state_dict, neither by itself nor as one of {', '.join(WRAPPERS)}")
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name[len(prefix):]: tensor for name, tensor in state.items()}
    return state


class Module:
    """weight, bias, running_mean, running_var: arrays of doubles, or None."""

    def __init__(self, name):
        self.name = name
        self.weight = self.bias = self.running_mean = self.running_var = None

    @property
    def normalizes(self):
        return self.running_mean is not None and self.running_var is not None

    def describe(self):
        if self.normalizes:
            return f"batch normalisation {self.name} of {len(self.running_mean)} channels"
        if self.weight is not None:
            return f"{self.name}.weight {list(self.weight.shape)}"
        return f"{self.name}, which has no weights"


def modules_of(state, path):
    modules = {}
    for full, tensor in state.items():
        name, _, last = full.rpartition(".")
        if last == "num_batches_tracked":
            continue
        if last not in NUMBERS:
            raise Failure(f"{path}: error: '{full}' is neither weight nor bias nor a running statistic: Darknet has no place for it")
        numbers = tensor.detach().to(torch.float64).numpy()
        if not numpy.isfinite(numbers).all():
            raise Failure(f"{path}: error: '{full}' holds numbers that are not finite")
        if last == "running_var" and (numbers < 0).any():
            raise Failure(f"{path}: error: '{full}' holds a negative variance")
        setattr(modules.setdefault(name, Module(name)), last, numbers)
    return modules
