"""Networks of ../scripts_import_torch.bats: each function returns the nn.Module of the cfg of that name, with random numbers everywhere.

    networks.py FUNCTION FILE      saves its state_dict
"""

import sys

import torch
from torch import nn


def random_numbers(module):
    """Statistics, scales and biases that do not hide a mistake in them; variances near eps, where the formulas differ most."""
    torch.manual_seed(7)
    for part in module.modules():
        if isinstance(part, (nn.BatchNorm1d, nn.BatchNorm2d)):
            part.running_mean.normal_(0, 0.3)
            part.running_var.uniform_(1e-5, 2)
            if part.affine:
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, 0, 0.3)
        elif isinstance(part, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)) and part.bias is not None:
            nn.init.normal_(part.bias, 0, 0.3)
    return module


def mlp():
    return random_numbers(nn.Sequential(
        nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 8, bias=False), nn.BatchNorm1d(8, eps=1e-3), nn.ReLU(), nn.Linear(8, 3)))


def cnn():
    """Convolutions with a bias before batch normalisation, an eps of their own, pooling, Linear behind a flatten and a 1x1 convolution."""
    return random_numbers(nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(8, 12, 1), nn.LeakyReLU(0.1),
        nn.Conv2d(12, 6, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(6, eps=1e-2, affine=False), nn.ELU(),
        nn.Flatten(), nn.Linear(6 * 3 * 2, 10), nn.ReLU(), nn.Linear(10, 4)))


def cnn_slope():
    """The cnn but for PyTorch's own slope: the cfg has another."""
    module = cnn()
    module[5] = nn.LeakyReLU()
    return module


class Resnext(nn.Module):
    """A block of a resnext: 1x1, grouped 3x3, 1x1, all normalised, and a projection of the input; then a plain block, a pooling and a classifier.
    The projection is named first, though it is computed last."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(6, 6, 3, padding=1)
        self.projection = nn.Conv2d(6, 16, 1, stride=2, bias=False)
        self.projection_norm = nn.BatchNorm2d(16)
        self.reduce, self.reduce_norm = nn.Conv2d(6, 8, 1, bias=False), nn.BatchNorm2d(8)
        self.grouped, self.grouped_norm = nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=4, bias=False), nn.BatchNorm2d(8)
        self.expand, self.expand_norm = nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16)
        self.plain = nn.Conv2d(16, 16, 3, padding=1, groups=2)
        self.alone = nn.BatchNorm2d(16)
        self.unused = nn.Linear(16, 2)
        self.classifier = nn.Linear(16, 5)

    def forward(self, x):
        x = self.stem(x)
        y = torch.relu(self.reduce_norm(self.reduce(x)))
        y = torch.relu(self.grouped_norm(self.grouped(y)))
        y = self.expand_norm(self.expand(y))
        y = torch.relu(y + self.projection_norm(self.projection(x)))
        y = torch.relu(y + self.plain(y))
        y = self.alone(y).mean((2, 3))
        return self.classifier(y)


def resnext():
    return random_numbers(Resnext())


class Darknet18(nn.Module):
    """Darknet's own resnet18.cfg: leaky 0.1, 2x2 pooling, shortcuts that skip pixels and lack channels."""

    def __init__(self, widths=(64, 128, 256, 512)):
        super().__init__()
        self.stem = self.layer(3, widths[0], 7, 2)
        self.blocks = nn.ModuleList()
        before = widths[0]
        for stage, width in enumerate(widths):
            for block in range(2):
                stride = 2 if stage and not block else 1
                self.blocks.append(nn.Sequential(self.layer(before, width, 3, stride), nn.LeakyReLU(0.1), self.layer(width, width, 3, 1)))
                before = width
        self.head = nn.Conv2d(widths[-1], 1000, 1)

    @staticmethod
    def layer(channels, filters, size, stride):
        return nn.Sequential(nn.Conv2d(channels, filters, size, stride, size // 2, bias=False), nn.BatchNorm2d(filters))

    def forward(self, x):
        x = nn.functional.max_pool2d(nn.functional.pad(nn.functional.leaky_relu(self.stem(x), 0.1), (0, 1, 0, 1), value=-1e30), 2)
        for block in self.blocks:
            y = block(x)
            stride = x.shape[2] // y.shape[2]
            channels = y.shape[1] - x.shape[1]
            skip = nn.functional.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, 0, channels))
            x = nn.functional.leaky_relu(y + skip, 0.1)
        return self.head(x.mean((2, 3), keepdim=True)).flatten(1)


def darknet18():
    return random_numbers(Darknet18())


def torchvision18():
    from torchvision.models import resnet18
    return random_numbers(resnet18())


if __name__ == "__main__":
    torch.save(globals()[sys.argv[1]]().state_dict(), sys.argv[2])
