"""torchvision's loader: RandomResizedCrop, flip, ColorJitter, ToTensor, in one worker process.
    torch_loader.py LIST inception SIDE BATCH | torch_loader.py LIST pad_crop SIDE BATCH
Answers `loader N` as `darknet sobolev bench -requests` does: seconds, processor seconds, number of about N samples."""

import sys
import time

import PIL
import torch
import torchvision
from torchvision import transforms

from compare import processor_seconds


class Pictures(torch.utils.data.Dataset):
    def __init__(self, paths, transform):
        self.paths, self.transform = paths, transform

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, i):
        with open(self.paths[i], "rb") as file:
            return self.transform(PIL.Image.open(file).convert("RGB"))


def transform_of(kind, side):
    if kind == "inception":
        changes = [transforms.RandomResizedCrop(side), transforms.RandomHorizontalFlip(), transforms.ColorJitter(32 / 255, 0.5, 0.5, 0.2)]
    else:
        changes = [transforms.RandomCrop(side, padding=4), transforms.RandomHorizontalFlip()]
    return transforms.Compose([*changes, transforms.ToTensor()])


def endless(loader):
    while True:
        yield from loader


def main():
    path, kind, side, batch = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    torch.set_num_threads(1)
    paths = open(path, encoding="utf-8").read().split("\n")[:-1]
    loader = torch.utils.data.DataLoader(Pictures(paths, transform_of(kind, side)), batch, shuffle=True, num_workers=1, persistent_workers=True)
    minibatches = endless(loader)
    next(minibatches)
    worker = loader._iterator._workers[0].pid
    print("ready", "worker", worker, "torchvision", torchvision.__version__, "Pillow", PIL.__version__, flush=True)
    for line in sys.stdin:
        start, used, taken = time.perf_counter(), processor_seconds(worker), 0
        while taken < int(line.split()[1]):
            taken += len(next(minibatches))
        print(f"{time.perf_counter() - start:.9g} {processor_seconds(worker) - used:.9g} {taken}", flush=True)


main()
