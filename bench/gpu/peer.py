"""PyTorch's times for the probe's rows: python peer.py JSON-OPTIONS; prints {row: milliseconds or what went wrong}."""
import json
import os
import sys
import time

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peer"))
from dit import TARGETS, Block  # noqa: E402

options = json.loads(sys.argv[1])
device = torch.device(options["device"])
dtype = getattr(torch, options["dtype"])
CHAIN = 16


def fastest(run):
    best = float("inf")
    for i in range(options["runs"] + 2):
        started = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if i >= 2:
            best = min(best, 1000 * (time.perf_counter() - started))
    return best


def measured(run):
    try:
        return fastest(run)
    except (RuntimeError, NotImplementedError) as error:
        return f"failed: {str(error).splitlines()[0][:160]}"


rows = {}
torch.manual_seed(0)
with device:
    n = options["peak"]
    w = (torch.randn(n, n) / n**0.5).to(dtype)

    def peak():
        y = w
        for _ in range(CHAIN):
            y = y @ w
        return y

    with torch.inference_mode():
        rows["peak"] = measured(peak)

    dim, heads = options["dim"], options["heads"]
    block = Block(dim, heads).to(dtype).requires_grad_(False)
    params = []
    for path, module in block.named_modules():
        if path.startswith("attn.") and path.removeprefix("attn.") in TARGETS:
            module.lora_A = nn.Parameter((torch.randn(options["rank"], dim) / dim**0.5).to(dtype))
            module.lora_B = nn.Parameter((0.02 * torch.randn(dim, options["rank"])).to(dtype))
            params += [module.lora_A, module.lora_B]
    conditioning = torch.randn(1, dim).to(dtype)
    for tokens, text_tokens in zip(options["tokens"], options["text"]):
        angles = torch.rand(tokens, 1, dim // heads // 2)
        cos, sin = angles.cos(), angles.sin()
        image = torch.randn(1, tokens - text_tokens, dim).to(dtype).requires_grad_(True)
        text = torch.randn(1, text_tokens, dim).to(dtype).requires_grad_(True)

        def forward():
            with torch.inference_mode():
                block(image, text, conditioning, cos, sin)

        def backward():
            a, b = block(image, text, conditioning, cos, sin)
            torch.autograd.grad((a, b), [*params, image, text], (image.detach(), text.detach()))

        rows[f"{tokens} forward"] = measured(forward)
        rows[f"{tokens} forward+backward"] = measured(backward)
print(json.dumps(rows))
