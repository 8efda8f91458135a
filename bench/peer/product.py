"""Matrix products alone."""
import torch
import torch.nn.functional as F

CHAIN = 16


def work(task, weights, inputs):
    def run():
        y = inputs["x"]
        with torch.inference_mode():
            for _ in range(CHAIN):
                y = F.linear(y, weights["w"])
        return y

    return run, lambda: [run().norm().item()]
