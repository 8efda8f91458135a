"""The dual-stream transformer of Qwen-Image-Edit in plain PyTorch, as one would write it: fused attention, fused layer norm."""
import math

import torch
import torch.nn.functional as F
from torch import nn

EPS = 1e-6
TARGETS = ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out")


class LoraLinear(nn.Linear):
    """A frozen Linear with an optional low-rank branch of scale 1."""

    def __init__(self, width, out):
        super().__init__(width, out)
        self.register_parameter("lora_A", None)
        self.register_parameter("lora_B", None)

    def forward(self, x):
        y = super().forward(x)
        return y if self.lora_A is None else y + F.linear(F.linear(x, self.lora_A), self.lora_B)


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, EPS)


def rotate(x, cos, sin):
    """x [B, S, H, D], adjacent pairs turned by the angle of their token; cos and sin [S, 1, D/2]."""
    a, b = x.unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), -1).flatten(-2)


class FeedForward(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.net = nn.ModuleList([nn.ModuleDict({"proj": LoraLinear(dim, 4 * dim)}), nn.Identity(), LoraLinear(4 * dim, dim)])

    def forward(self, x):
        return self.net[2](F.gelu(self.net[0]["proj"](x), approximate="tanh"))


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        for name in ("to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
            setattr(self, name, LoraLinear(dim, dim))
        self.to_out = nn.ModuleList([LoraLinear(dim, dim)])
        for name in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
            setattr(self, name, RMSNorm(dim // heads))

    def forward(self, image, text, cos, sin):
        split = lambda x: x.unflatten(-1, (self.heads, -1))
        q = torch.cat([self.norm_added_q(split(self.add_q_proj(text))), self.norm_q(split(self.to_q(image)))], 1)
        k = torch.cat([self.norm_added_k(split(self.add_k_proj(text))), self.norm_k(split(self.to_k(image)))], 1)
        v = torch.cat([split(self.add_v_proj(text)), split(self.to_v(image))], 1)
        q, k = rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype)
        y = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        y = y.transpose(1, 2).flatten(2)
        m = text.shape[1]
        return self.to_out[0](y[:, m:]), self.to_add_out(y[:, :m])


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.img_mod = nn.ModuleList([nn.SiLU(), LoraLinear(dim, 6 * dim)])
        self.txt_mod = nn.ModuleList([nn.SiLU(), LoraLinear(dim, 6 * dim)])
        self.attn = Attention(dim, heads)
        self.img_mlp = FeedForward(dim)
        self.txt_mlp = FeedForward(dim)

    def forward(self, image, text, conditioning, cos, sin):
        i = self.img_mod[1](conditioning)[:, None].chunk(6, -1)
        t = self.txt_mod[1](conditioning)[:, None].chunk(6, -1)
        norm = lambda x, m: F.layer_norm(x, x.shape[-1:], eps=EPS) * (1 + m[1]) + m[0]
        from_image, from_text = self.attn(norm(image, i[:3]), norm(text, t[:3]), cos, sin)
        image = image + i[2] * from_image
        text = text + t[2] * from_text
        image = image + i[5] * self.img_mlp(norm(image, i[3:]))
        text = text + t[5] * self.txt_mlp(norm(text, t[3:]))
        return image, text


class Transformer(nn.Module):
    def __init__(self, layers, heads, head_dim, text_dim):
        super().__init__()
        dim = heads * head_dim
        self.time_text_embed = nn.ModuleDict(
            {"timestep_embedder": nn.ModuleDict({"linear_1": LoraLinear(256, dim), "linear_2": LoraLinear(dim, dim)})}
        )
        self.txt_norm = RMSNorm(text_dim)
        self.img_in = LoraLinear(64, dim)
        self.txt_in = LoraLinear(text_dim, dim)
        self.transformer_blocks = nn.ModuleList([Block(dim, heads) for _ in range(layers)])
        self.norm_out = nn.ModuleDict({"linear": LoraLinear(dim, 2 * dim)})
        self.proj_out = LoraLinear(dim, 64)

    def forward(self, x, text, sigma, cos, sin):
        embedder = self.time_text_embed["timestep_embedder"]
        c = F.silu(embedder["linear_2"](F.silu(embedder["linear_1"](time_embedding(sigma)))))
        image, text = self.img_in(x), self.txt_in(self.txt_norm(text))
        for block in self.transformer_blocks:
            image, text = block(image, text, c, cos, sin)
        scale, shift = self.norm_out["linear"](c)[:, None].chunk(2, -1)
        return self.proj_out(F.layer_norm(image, image.shape[-1:], eps=EPS) * (1 + scale) + shift)


def time_embedding(sigma):
    angles = 1000 * sigma[:, None] * torch.exp(-math.log(10000) * torch.arange(128) / 128)
    return torch.cat([angles.cos(), angles.sin()], -1)


def rotation_tables(grid, text_length, axes):
    """MSRoPE of diffusers for one target picture: text after the largest half extent, rows and columns around the middle."""
    h, w = grid
    inverse = [1 / 10000 ** (torch.arange(0, d, 2, dtype=torch.float64) / d) for d in axes]
    start = max(h // 2, w // 2)
    text = [(start + i,) * 3 for i in range(text_length)]
    image = [(0, y - (h - h // 2), x - (w - w // 2)) for y in range(h) for x in range(w)]
    positions = torch.tensor(text + image, dtype=torch.float64)
    angles = torch.cat([positions[:, a : a + 1] * f for a, f in enumerate(inverse)], -1)[:, None]
    return angles.cos().float(), angles.sin().float()


def build(task, weights):
    with torch.device("meta"):
        model = Transformer(task["layers"], task["heads"], task["headDim"], task["textDim"])
    model.load_state_dict(weights, strict=True, assign=True)
    return model.requires_grad_(False)


def work(task, weights, inputs):
    model = build(task, weights)
    cos, sin = rotation_tables(task["grid"], task["textLength"], task["axes"])
    given = (inputs["x"], inputs["text"], inputs["sigma"], cos, sin)
    if task["kind"] == "forward":

        def forward():
            with torch.inference_mode():
                return model(*given)

        return forward, lambda: [forward().norm().item()]

    modules = dict(model.named_modules())
    params = []
    for path, module in modules.items():
        if path.split(".attn.")[-1] in TARGETS and ".attn." in path:
            module.lora_A = nn.Parameter(inputs[f"{path}.lora_A"].clone())
            module.lora_B = nn.Parameter(inputs[f"{path}.lora_B"].clone())
            params += [module.lora_A, module.lora_B]
    optimizer = torch.optim.AdamW(params, lr=1e-5, weight_decay=0.01, fused=True)

    def backward():
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(*given), inputs["target"])
        loss.backward()
        return loss

    def step():
        backward()
        optimizer.step()

    def check():
        loss = backward()
        return [loss.item(), math.sqrt(sum(p.grad.square().sum().item() for p in params if p.grad is not None))]

    return step, check
