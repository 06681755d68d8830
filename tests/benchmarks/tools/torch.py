"""PyTorch, with a tensor without dimensions for each number."""

from __future__ import annotations

from typing import Any

import torch

from ..workloads import Workload

VERSION_OF = "torch"

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


class M:
    sin, cos, exp, log, relu = torch.sin, torch.cos, torch.exp, torch.log, torch.relu


def record(workload: Workload) -> tuple[list[Any], Any]:
    leaves = [torch.tensor(x, requires_grad=True) for x in workload.inputs]
    return leaves, workload.function(M, leaves)


def sweep(recorded: tuple[list[Any], Any]) -> list[float]:
    leaves, out = recorded
    out.backward()
    return [out.item(), *(leaf.grad.item() for leaf in leaves)]
