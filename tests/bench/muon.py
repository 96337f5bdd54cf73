"""A Muon step over the tiny policy's matrices in fp32 against torch's, which iterates in bfloat16,
in turns.
"""

import time

import numpy as np
import torch

from tests.bench.load import report
from train.sft.muon import Muon

WIDTH, INNER, LAYERS, TURNS, TARGET = 128, 256, 2, 20, 1.0
SHAPES = [*[(WIDTH, WIDTH)] * 4, *[(INNER, WIDTH)] * 2, (WIDTH, INNER)] * LAYERS

torch.manual_seed(0)
matrices = [[torch.nn.Parameter(torch.randn(shape)) for shape in SHAPES] for _ in range(2)]
optimisers = torch.optim.Muon(matrices[0], lr=1e-2), Muon(matrices[1], lr=1e-2)
seconds: tuple[list[float], list[float]] = ([], [])
for _ in range(TURNS):
    for one, optimiser, taken in zip(matrices, optimisers, seconds, strict=True):
        for matrix in one:
            matrix.grad = torch.randn_like(matrix)
        start = time.perf_counter()
        optimiser.step()
        taken.append(time.perf_counter() - start)
theirs, ours = (float(np.median(taken)) for taken in seconds)
print(f"torch's Muon {1000 * theirs:.0f} ms a step, in fp32 {1000 * ours:.0f} ms")
report("muon", ours / theirs, "× torch's Muon", TARGET, ours <= TARGET * theirs)
