#!/usr/bin/env python3
"""Writes functions.txt: values, gradients and Hessians of the built-in functions by symbolic differentiation.

The formulas are typed from the literature (the paper's supplement; Jamil and Yang 2013; Surjanovic and Bingham's
library), not from the C code. SymPy differentiates them, mpmath evaluates them with 40 digits at points that are exact
doubles. Needs sympy (1.14 was used):   python3 make_functions.py > functions.txt
"""
import random

import mpmath
from sympy import E, Rational, cos, exp, lambdify, pi, prod, sin, sqrt, symbols

mpmath.mp.dps = 40
DIGIT = Rational(1, 10)


def modulus(u):
    return sqrt(u**2)  # stays differentiable for SymPy; the points keep away from u = 0


def numbered(x):
    return enumerate(x, start=1)


# The paper, supplement section 2.
def ackley(x, y):
    return (-20 * exp(-2 * DIGIT * sqrt((x**2 + y**2) / 2))
            - exp((cos(2 * pi * x) + cos(2 * pi * y)) / 2) + E + 20)


def beale(x, y):
    return ((Rational(3, 2) - x + x * y)**2 + (Rational(9, 4) - x + x * y**2)**2
            + (Rational(21, 8) - x + x * y**3)**2)


def booth(x, y):
    return (x + 2 * y - 7)**2 + (2 * x + y - 5)**2


def bukin(x, y):
    return 100 * sqrt(modulus(y - x**2 / 100)) + modulus(x + 10) / 100


def mccormick(x, y):
    return sin(x + y) + (x - y)**2 - Rational(3, 2) * x + Rational(5, 2) * y + 1


def rosenbrock(x, y):
    return 100 * (y - x**2)**2 + (x - 1)**2


def styblinski_tang(x, y):
    return (x**4 - 16 * x**2 + 5 * x + y**4 - 16 * y**2 + 5 * y) / 2


# Any dimension.
def levy(*x):
    w = [1 + (t - 1) / 4 for t in x]
    return (sin(pi * w[0])**2 + sum((t - 1)**2 * (1 + 10 * sin(pi * t + 1)**2) for t in w[:-1])
            + (w[-1] - 1)**2 * (1 + sin(2 * pi * w[-1])**2))


def ackley_nd(*x):
    d = len(x)
    return (-20 * exp(-2 * DIGIT * sqrt(sum(t**2 for t in x) / d))
            - exp(sum(cos(2 * pi * t) for t in x) / d) + 20 + E)


def salomon(*x):
    r = sqrt(sum(t**2 for t in x))
    return 1 - cos(2 * pi * r) + DIGIT * r


def zakharov(*x):
    s = sum(i * t for i, t in numbered(x)) / 2
    return sum(t**2 for t in x) + s**2 + s**4


PAPER = {
    ackley: ((-5, 5), (-5, 5)),
    beale: ((-4.5, 4.5), (-4.5, 4.5)),
    booth: ((-10, 10), (-10, 10)),
    bukin: ((-15, -5), (-3, 3)),
    mccormick: ((-1.5, 4), (-3, 4)),
    rosenbrock: ((-2, 2), (-2, 2)),
    styblinski_tang: ((-5, 5), (-5, 5)),
}

ANY_DIMENSION = {
    "sphere": (lambda *x: sum(t**2 for t in x), -5.12, 5.12),
    "sum_squares": (lambda *x: sum(i * t**2 for i, t in numbered(x)), -10, 10),
    "quartic": (lambda *x: sum(i * t**4 for i, t in numbered(x)), -1.28, 1.28),
    "qing": (lambda *x: sum((t**2 - i)**2 for i, t in numbered(x)), -500, 500),
    "rastrigin": (lambda *x: 10 * len(x) + sum(t**2 - 10 * cos(2 * pi * t) for t in x), -5.12, 5.12),
    "styblinski_tang_nd": (lambda *x: sum(t**4 - 16 * t**2 + 5 * t for t in x) / 2, -5, 5),
    "levy": (levy, -10, 10),
    "michalewicz": (lambda *x: -sum(sin(t) * sin(i * t**2 / pi)**20 for i, t in numbered(x)), 0, 3.140625),
    "schwefel": (lambda *x: Rational(4189829, 10000) * len(x) - sum(t * sin(sqrt(modulus(t))) for t in x), -500, 500),
    "wavy": (lambda *x: 1 - sum(cos(10 * t) * exp(-t**2 / 2) for t in x) / len(x), -3.140625, 3.140625),
    "ackley_nd": (ackley_nd, -32.768, 32.768),
    "chung_reynolds": (lambda *x: sum(t**2 for t in x)**2, -100, 100),
    "exponential": (lambda *x: -exp(-sum(t**2 for t in x) / 2), -1, 1),
    "salomon": (salomon, -100, 100),
    "griewank": (lambda *x: sum(t**2 for t in x) / 4000 - prod(cos(t / sqrt(i)) for i, t in numbered(x)) + 1, -600, 600),
    "zakharov": (zakharov, -5, 10),
    "dixon_price": (lambda *x: (x[0] - 1)**2 + sum(i * (2 * x[i - 1]**2 - x[i - 2])**2 for i in range(2, len(x) + 1)),
                    -10, 10),
    "rosenbrock_nd": (lambda *x: sum(100 * (b - a**2)**2 + (a - 1)**2 for a, b in zip(x, x[1:])), -5, 10),
    "schwefel_double_sum": (lambda *x: sum(sum(x[:i])**2 for i in range(1, len(x) + 1)), -100, 100),
}

# Points that chance does not give: factors of Griewank's product that vanish (to the last bit of pi/2).
EXTRA = {"griewank": [[1.5707963267948966, 0.5], [1.5707963267948966, 2.221441469079183, 1.25]]}


def draw(rng, low, high):
    """A point of the domain on a lattice of 4096 steps."""
    return low + (high - low) * rng.randrange(1, 4096) / 4096


def too_close_to_a_kink(name, x):
    if name == "bukin":
        return abs(x[1] - .01 * x[0]**2) < .05 or abs(x[0] + 10) < .05
    return name == "schwefel" and min(abs(t) for t in x) < .5


def point(rng, name, bounds):
    while True:
        x = [draw(rng, low, high) for low, high in bounds]
        if not too_close_to_a_kink(name, x):
            return x


def evaluator(function, n):
    x = symbols(f"x1:{n + 1}")
    f = function(*x)
    gradient = [f.diff(t) for t in x]
    hessian = [[g.diff(t) for t in x] for g in gradient]
    return lambdify(x, [f, gradient, hessian], "mpmath")


def write(name, function, x):
    f, gradient, hessian = evaluator(function, len(x))(*[mpmath.mpf(t) for t in x])
    print(name, len(x))
    for row in [x, [f], gradient, *hessian]:
        print(*[repr(float(t)) for t in row])


def main():
    rng = random.Random(20170615)
    print("# made by make_functions.py: name and n, then x, the value, the gradient and the rows of the Hessian")
    for function, bounds in PAPER.items():
        for _ in range(5):
            write(function.__name__, function, point(rng, function.__name__, bounds))
    for name, (function, low, high) in ANY_DIMENSION.items():
        for n in (2 if name == "rosenbrock_nd" else 1, 2, 3, 4, 5):
            write(name, function, point(rng, name, [(low, high)] * n))
        for x in EXTRA.get(name, []):
            write(name, function, x)


main()
